package testsuite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func factoryCases() []Case {
	return []Case{
		{"Factory/DeclaresItsDurability", "8.B.42", factoryDeclaresItsDurability},
		{"Factory/OpenMissingCreatesNothing", "8.B.43, 10.W32", factoryOpenMissingCreatesNothing},
		{"Factory/CreateSeedsTheMeta", "8.B.44", factoryCreateSeedsTheMeta},
		{"Factory/CreateNeverOverwrites", "8.B.45, 8.F.105, 10.W9", factoryCreateNeverOverwrites},
		{"Factory/RacingCreatorsAgree", "8.F.101, 10.W9", factoryRacingCreatorsAgree},
		{"Factory/KeepsSessionsApart", "8.F.104", factoryKeepsSessionsApart},
		{"Factory/MalformedRefused", "ValidateID, SessionMeta.Validate", factoryMalformedRefused},
		{"Factory/ListsMostRecentFirst", "10.W58", factoryListsMostRecentFirst},
		{"Factory/ListStopsWhereTheLoopStops", "SessionFactory.Sessions", factoryListStopsWhereTheLoopStops},
	}
}

// site is a factory in a place of its own.
type site struct {
	lashstore.SessionFactory
	*fixture // whose store is nil: a site opens what it needs
}

func build(t testing.TB, h SessionHarness) *site {
	t.Helper()
	if h.OneHandle {
		t.Skip("the backend declares that it has no factory")
	}
	f := &fixture{t: t, ctx: t.Context(), harness: h, place: h.NewPlace(t), clock: NewClock()}
	f.options.Clock = f.clock
	s := &site{SessionFactory: f.place.Factory(t, f.options), fixture: f}
	if s.SessionFactory == nil {
		t.Fatal("no factory")
	}
	return s
}

// at returns the fixture of an open session.
func (s *site) at(store lashstore.SessionStore) *fixture {
	f := *s.fixture
	f.SessionStore = opened(s.t, store)
	return &f
}

func (s *site) create(meta lashstore.SessionMeta) *fixture {
	s.t.Helper()
	store, err := s.CreateSession(s.ctx, meta)
	s.ok(fmt.Sprintf("create %q", meta.SessionID), err)
	return s.at(store)
}

func (s *site) openSession(id string) *fixture {
	s.t.Helper()
	store, err := s.OpenSession(s.ctx, id)
	s.ok(fmt.Sprintf("open %q", id), err)
	return s.at(store)
}

// list returns the sessions in the order of the walk.
func (s *site) list() []lashstore.SessionInfo {
	s.t.Helper()
	var infos []lashstore.SessionInfo
	for info, err := range s.Sessions(s.ctx) {
		s.ok("list", err)
		infos = append(infos, info)
	}
	return infos
}

func (s *site) listed(what string, want ...string) {
	s.t.Helper()
	got := []string{}
	for _, info := range s.list() {
		got = append(got, info.Meta.SessionID)
	}
	equal(s.t, what+": sessions", got, append([]string{}, want...))
}

func factoryDeclaresItsDurability(t testing.TB, h SessionHarness) {
	s := build(t, h)
	equal(t, "of the factory", s.SessionFactory.Durability(), h.Durability)
	equal(t, "of a session", s.create(lashstore.SessionMeta{SessionID: "a"}).Durability(), h.Durability)
}

func factoryOpenMissingCreatesNothing(t testing.TB, h SessionHarness) {
	s := build(t, h)
	for range 2 {
		store, err := s.OpenSession(s.ctx, "missing")
		is(t, "open", err, lashstore.ErrSessionNotFound)
		equal(t, "store", store, nil)
		s.listed("after an open that failed")
	}
	s.create(lashstore.SessionMeta{SessionID: "missing"})
	equal(t, "session id", s.openSession("missing").SessionID(), "missing")
	s.listed("after a creation", "missing")
}

func factoryCreateSeedsTheMeta(t testing.TB, h SessionHarness) {
	s := build(t, h)
	metaEqual(t, "full meta", s.create(fullMeta("full")).meta(), fullMeta("full"))
	metaEqual(t, "full meta, opened", s.openSession("full").meta(), fullMeta("full"))
	s.clock.Advance(time.Hour)
	metaEqual(t, "bare meta", s.create(lashstore.SessionMeta{SessionID: "bare"}).meta(), defaultMeta("bare", Epoch.Add(time.Hour)))
}

func factoryCreateNeverOverwrites(t testing.TB, h SessionHarness) {
	s := build(t, h)
	first := s.create(fullMeta("a"))
	first.commit(lashstore.Commit{SessionID: "a", Graph: lashstore.AppendNodes(user("u", ""))})
	s.clock.Advance(time.Hour)
	again := s.create(lashstore.SessionMeta{SessionID: "a", Name: "other", Model: "other", Cwd: "/other"})
	metaEqual(t, "meta", again.meta(), fullMeta("a"))
	metaEqual(t, "meta on the first handle", first.meta(), fullMeta("a"))
	again.nodes("after the second creation", "u")
	custom := lashstore.SessionMeta{SessionID: "a", Name: "custom"}
	s.ok("update", again.UpdateMeta(s.ctx, custom))
	custom.Relation.Kind, custom.CreatedAt = lashstore.RelationRoot, fullMeta("a").CreatedAt
	metaEqual(t, "custom meta", s.create(fullMeta("a")).meta(), custom)
}

// 1. Creators that race all succeed, with one description between them: the first one's.
// 2. All handles are on the same session.
func factoryRacingCreatorsAgree(t testing.TB, h SessionHarness) {
	s := build(t, h)
	factories := []lashstore.SessionFactory{s.SessionFactory, s.place.Factory(t, s.options)}
	stores, errs := make([]lashstore.SessionStore, 8), make([]error, 8)
	metas := make([]lashstore.SessionMeta, len(stores))
	race(t, len(stores), func(i int) {
		stores[i], errs[i] = factories[i%2].CreateSession(s.ctx, lashstore.SessionMeta{SessionID: "a", Name: fmt.Sprint("creator ", i)})
		if errs[i] == nil {
			metas[i], errs[i] = stores[i].Meta(s.ctx)
		}
	})
	for i, store := range stores {
		s.ok(fmt.Sprint("creator ", i), errs[i])
		f := s.at(store)
		metaEqual(t, fmt.Sprint("meta of creator ", i), metas[i], metas[0])
		f.commit(lashstore.Commit{SessionID: "a", Graph: lashstore.AppendNodes(user(fmt.Sprint("n", i), ""))})
		equal(t, "revision", f.load(nil).Revision, lashstore.Revision(i+1))
	}
	equal(t, "a creator's own name", strings.HasPrefix(metas[0].Name, "creator "), true)
	s.listed("after the race", "a")
}

// Whatever ids look like, to a file system for instance, they are as many sessions.
func factoryKeepsSessionsApart(t testing.TB, h SessionHarness) {
	s := build(t, h)
	names := append([]string{"../weird/session", "..weird_session", "a_b", "a.db", "a.db-wal", "nul", "session"}, oddIDs...)
	for _, id := range names {
		f := s.create(lashstore.SessionMeta{SessionID: id})
		equal(t, "session id", f.SessionID(), id)
		equal(t, "revision", f.load(nil).Revision, 0)
		f.commit(lashstore.Commit{SessionID: id, Graph: lashstore.AppendNodes(message("n", "", lashstore.RoleUser, id))})
	}
	for _, id := range names {
		equal(t, "title", s.openSession(id).load(nil).Summary.Title, title(id))
	}
	equal(t, "sessions listed", len(s.list()), len(names))
}

func title(text string) string {
	return lashstore.Message{Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: text}}}.Title()
}

func factoryMalformedRefused(t testing.TB, h SessionHarness) {
	s := build(t, h)
	s.create(lashstore.SessionMeta{SessionID: "a"})
	malformed := map[string]string{"empty": ""}
	for what, id := range badIDs {
		malformed[what] = id
	}
	for what, id := range malformed {
		_, err := s.CreateSession(s.ctx, lashstore.SessionMeta{SessionID: id})
		is(t, "create: "+what, err, lashstore.ErrInvalid)
		_, err = s.OpenSession(s.ctx, id)
		is(t, "open: "+what, err, lashstore.ErrInvalid)
		is(t, "delete: "+what, s.DeleteSession(s.ctx, id), lashstore.ErrInvalid)
	}
	orphan := fullMeta("b")
	orphan.Relation.ParentSessionID = ""
	_, err := s.CreateSession(s.ctx, orphan)
	is(t, "a child without parent", err, lashstore.ErrInvalid)
	s.listed("afterwards", "a")
}

// Each line has the description, the revision and the summary that a load would give.
func factoryListsMostRecentFirst(t testing.TB, h SessionHarness) {
	s := build(t, h)
	s.listed("an empty place")
	sessions := map[string]*fixture{}
	for _, id := range []string{"a", "b", "c"} {
		sessions[id] = s.create(lashstore.SessionMeta{SessionID: id, Name: "name of " + id})
		c := turn(1, "")
		c.SessionID = id
		sessions[id].commit(c)
		s.clock.Advance(time.Minute)
	}
	s.listed("as they were committed", "c", "b", "a")
	sessions["a"].commit(lashstore.Commit{SessionID: "a", Graph: lashstore.AppendNodes(user("later", "a1"))})
	s.listed("after another commit", "a", "c", "b")
	sessions["new"] = s.create(lashstore.SessionMeta{SessionID: "new"})
	s.listed("with one that has no commit", "a", "c", "b", "new")
	for _, info := range s.list() {
		f := sessions[info.Meta.SessionID]
		metaEqual(t, "meta", info.Meta, f.meta())
		loaded := f.load(nil)
		equal(t, "revision", info.Revision, loaded.Revision)
		sameTime(t, "updated at", info.Summary.UpdatedAt, loaded.Summary.UpdatedAt)
		info.Summary.UpdatedAt = loaded.Summary.UpdatedAt
		equal(t, "summary", info.Summary, loaded.Summary)
	}
}

func factoryListStopsWhereTheLoopStops(t testing.TB, h SessionHarness) {
	s := build(t, h)
	for _, id := range []string{"a", "b", "c"} {
		s.create(lashstore.SessionMeta{SessionID: id})
	}
	seen := 0
	for _, err := range s.Sessions(s.ctx) {
		s.ok("list", err)
		seen++
		break
	}
	equal(t, "sessions seen", seen, 1)
	equal(t, "sessions", len(s.list()), 3)
}
