package testsuite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

const sessionID = "fixture"

// fixture is an open session in a place of its own.
type fixture struct {
	lashstore.SessionStore
	t       testing.TB
	ctx     context.Context
	harness SessionHarness
	place   Place
	options Options
	clock   *Clock
}

func setup(t testing.TB, h SessionHarness) *fixture {
	t.Helper()
	return setupWith(t, h, Options{})
}

// setupWith sets the clock of o unless it has one.
func setupWith(t testing.TB, h SessionHarness, o Options) *fixture {
	t.Helper()
	f := &fixture{t: t, ctx: t.Context(), harness: h, place: h.NewPlace(t), options: o, clock: NewClock()}
	if o.Clock == nil {
		f.options.Clock = f.clock
	}
	f.SessionStore = f.open()
	// What a commit supersedes is garbage at once, and what is tombstoned may go: cases of history say otherwise.
	f.ok("keep no revision but the head", f.KeepRevisions(f.ctx, 0))
	return f
}

func (f *fixture) open() lashstore.SessionStore {
	f.t.Helper()
	return opened(f.t, f.place.Open(f.t, sessionID, f.options))
}

// other is a second handle on the session; the first one where there is but one.
func (f *fixture) other() *fixture {
	f.t.Helper()
	second := *f
	if !f.harness.OneHandle {
		second.SessionStore = f.open()
	}
	return &second
}

// restart closes the session and opens it anew. It skips the case where that would find nothing.
func (f *fixture) restart() {
	f.t.Helper()
	if !f.harness.Restarts || f.harness.OneHandle {
		f.t.Skip("the backend declares that nothing survives a restart")
	}
	f.ok("close", f.Close())
	f.SessionStore = f.open()
}

// ok wants no error.
func (f *fixture) ok(what string, err error) {
	f.t.Helper()
	ok(f.t, what, err)
}

func ok(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// is wants an error that matches target.
func is(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%s: error is %v, want one that is %q", what, err, target)
	}
}

// as wants an error of type E and returns it.
func as[E error](t testing.TB, what string, err error) E {
	t.Helper()
	var found E
	if !errors.As(err, &found) {
		t.Fatalf("%s: error is %v, want a %T", what, err, found)
	}
	return found
}

// equal wants two deeply equal values.
func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, shown(got), shown(want))
	}
}

func shown(v any) string {
	s := fmt.Sprintf("%+v", v)
	if len(s) > 2000 {
		s = s[:2000] + "..."
	}
	return s
}

// sameTime wants the same moment, wherever its clock hangs.
func sameTime(t testing.TB, what string, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// load reads the session.
func (f *fixture) load(o *lashstore.LoadOptions) *lashstore.Session {
	f.t.Helper()
	s, err := f.Load(f.ctx, o)
	f.ok("load", err)
	if s == nil {
		f.t.Fatal("load returned neither a session nor an error")
	}
	return s
}

func (f *fixture) full() *lashstore.Session {
	f.t.Helper()
	return f.load(&lashstore.LoadOptions{Scope: lashstore.ScopeFull})
}

var opaqueOwner = lashstore.Owner{ID: "replica", Incarnation: "boot-1"}

func (f *fixture) take(owner lashstore.Owner, ttl time.Duration) lashstore.Lease {
	f.t.Helper()
	lease, err := f.TakeLease(f.ctx, owner, ttl)
	f.ok("take the lease", err)
	return lease
}

// try commits c, at the head and under a lease of its own where c says nothing else. The lease is released whatever
// comes of it.
func (f *fixture) try(c lashstore.Commit) (lashstore.CommitResult, error) {
	f.t.Helper()
	if c.SessionID == "" {
		c.SessionID = sessionID
	}
	if c.Expect == (lashstore.Expectation{}) {
		c.Expect = f.load(&lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true}).Expect()
	}
	if c.Lease != nil || c.WithoutLease {
		return f.Commit(f.ctx, c)
	}
	c.Lease, c.ReleaseLease = f.take(opaqueOwner, time.Minute).Fence(), true
	result, err := f.Commit(f.ctx, c)
	if err != nil {
		f.ok("release the lease", f.ReleaseLease(f.ctx, c.Lease))
	}
	return result, err
}

// commit is try where nothing may go wrong.
func (f *fixture) commit(c lashstore.Commit) lashstore.CommitResult {
	f.t.Helper()
	result, err := f.try(c)
	f.ok("commit", err)
	if result.Revision == 0 {
		f.t.Fatal("a commit returned neither a revision nor an error")
	}
	return result
}

// add commits nodes.
func (f *fixture) add(nodes ...lashstore.Node) {
	f.t.Helper()
	f.commit(lashstore.Commit{Graph: lashstore.AppendNodes(nodes...)})
}

// refused wants that c loses with target and changes nothing.
func (f *fixture) refused(what string, c lashstore.Commit, target error) error {
	f.t.Helper()
	before := f.snapshot()
	_, err := f.try(c)
	is(f.t, what, err, target)
	f.unchanged(what, before)
	return err
}

// snapshot is everything that can be seen of a session but its lease.
type snapshot struct {
	full, path *lashstore.Session
	meta       lashstore.SessionMeta
	usage      []lashstore.TurnUsage
	work       []lashstore.WorkBatch
	inputs     []lashstore.TurnInput
	revisions  []lashstore.RevisionInfo
	branches   []lashstore.Branch
	stats      lashstore.Stats
}

func (f *fixture) snapshot() snapshot {
	f.t.Helper()
	s := snapshot{full: f.full(), path: f.load(nil)}
	var err error
	s.meta, err = f.Meta(f.ctx)
	f.ok("meta", err)
	s.usage, err = f.UsageByTurn(f.ctx, 0, 0)
	f.ok("usage by turn", err)
	s.work, err = f.ListWork(f.ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	f.ok("list work", err)
	s.inputs, err = f.ListInputs(f.ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	f.ok("list inputs", err)
	s.revisions, err = f.Revisions(f.ctx, nil)
	f.ok("revisions", err)
	s.branches, err = f.Branches(f.ctx)
	f.ok("branches", err)
	s.stats, err = f.Stats(f.ctx)
	f.ok("stats", err)
	s.stats.FileBytes, s.stats.WALBytes, s.stats.FreeBytes = 0, 0, 0
	return s
}

func (f *fixture) unchanged(what string, before snapshot) {
	f.t.Helper()
	after := f.snapshot()
	equal(f.t, what+": the graph and head", after.full, before.full)
	equal(f.t, what+": the path", after.path, before.path)
	equal(f.t, what+": meta", after.meta, before.meta)
	equal(f.t, what+": usage by turn", after.usage, before.usage)
	equal(f.t, what+": work", after.work, before.work)
	equal(f.t, what+": inputs", after.inputs, before.inputs)
	equal(f.t, what+": revisions", after.revisions, before.revisions)
	equal(f.t, what+": branches", after.branches, before.branches)
	equal(f.t, what+": stats", after.stats, before.stats)
}

// ids are those of nodes, in order.
func ids(nodes []lashstore.Node) []string {
	list := []string{}
	for _, n := range nodes {
		list = append(list, n.ID)
	}
	return list
}

// path wants the active path, root first.
func (f *fixture) path(what string, want ...string) {
	f.t.Helper()
	s := f.load(nil)
	equal(f.t, what+": path", ids(s.Graph.Nodes), append([]string{}, want...))
	leaf := ""
	if len(want) > 0 {
		leaf = want[len(want)-1]
	}
	equal(f.t, what+": leaf", s.Graph.Leaf, leaf)
}

// nodes wants the live nodes, in order of insertion.
func (f *fixture) nodes(what string, want ...string) {
	f.t.Helper()
	equal(f.t, what+": live nodes", ids(f.full().Graph.Nodes), append([]string{}, want...))
}

// message is a node of a text.
func message(id, parent string, role lashstore.Role, text string) lashstore.Node {
	payload, err := lashstore.Message{Role: role, Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: text}}}.Payload()
	if err != nil {
		panic(err) // the kit's own texts encode
	}
	return lashstore.Node{ID: id, ParentID: parent, Kind: lashstore.NodeMessage, Role: role, Payload: payload}
}

func user(id, parent string) lashstore.Node {
	return message(id, parent, lashstore.RoleUser, "question "+id)
}

func reply(id, parent string) lashstore.Node {
	return message(id, parent, lashstore.RoleAssistant, "answer "+id)
}

// chain is n nodes, each behind the one before, named prefix0 and so on.
func chain(prefix, parent string, n int) []lashstore.Node {
	nodes := make([]lashstore.Node, n)
	for i := range nodes {
		nodes[i] = user(fmt.Sprintf("%s%d", prefix, i), parent)
		parent = nodes[i].ID
	}
	return nodes
}

// turn is a whole commit: two nodes behind parent, a checkpoint with two parts, usage, a stamp.
func turn(n int, parent string) lashstore.Commit {
	u, a := fmt.Sprintf("u%d", n), fmt.Sprintf("a%d", n)
	return lashstore.Commit{
		Turn:  &lashstore.TurnStamp{TurnID: fmt.Sprintf("turn-%d", n)},
		Graph: lashstore.AppendNodes(user(u, parent), reply(a, u)),
		Checkpoint: &lashstore.Checkpoint{
			TurnState: json.RawMessage(fmt.Sprintf(`{"turn_index":%d}`, n)),
			Parts: map[string]lashstore.Part{
				lashstore.PartNameToolState:      lashstore.PartContent(fmt.Appendf(nil, "tools of turn %d", n)),
				lashstore.PartNameExecutionState: lashstore.PartContent(fmt.Appendf(nil, "stack of turn %d", n)),
			},
		},
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m1", Usage: lashstore.TokenUsage{Input: 10, Output: 5}}},
	}
}
