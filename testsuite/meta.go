package testsuite

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func metaCases() []Case {
	return []Case{
		{"Meta/DefaultsAreFilledIn", "8.A.7, SessionMeta", metaDefaultsAreFilledIn},
		{"Meta/UpdateReplacesAllOfIt", "8.A.7, MetaStore.UpdateMeta", metaUpdateReplacesAllOfIt},
		{"Meta/OtherSessionRefused", "MetaStore.UpdateMeta", metaOtherSessionRefused},
		{"Meta/MalformedRefused", "SessionMeta.Validate, 10.W9", metaMalformedRefused},
		{"Meta/NeedsNoLeaseAndNoCommit", "2.4", metaNeedsNoLeaseAndNoCommit},
	}
}

// fullMeta has every field set.
func fullMeta(id string) lashstore.SessionMeta {
	return lashstore.SessionMeta{
		SessionID: id, Name: "Name of its own: ünï", Model: "provider/model-1", Cwd: "/home/me/work dir",
		Relation: lashstore.Relation{
			Kind: lashstore.RelationChild, ParentSessionID: "parent/1", CausedBy: json.RawMessage(`{"type": "tool_call", "n": 1.0}`),
		},
		Extra: json.RawMessage(` {"k" : [1.50, "\u00e9"]} `), CreatedAt: time.Date(2021, 5, 6, 7, 8, 9, 123_456_789, time.UTC),
	}
}

func metaEqual(t testing.TB, what string, got, want lashstore.SessionMeta) {
	t.Helper()
	sameTime(t, what+": created at", got.CreatedAt, want.CreatedAt.Truncate(time.Millisecond))
	got.CreatedAt, want.CreatedAt = time.Time{}, time.Time{}
	equal(t, what, got, want)
}

func (f *fixture) meta() lashstore.SessionMeta {
	f.t.Helper()
	meta, err := f.Meta(f.ctx)
	f.ok("meta", err)
	return meta
}

// defaultMeta is that of a session that was created with an id alone.
func defaultMeta(id string, at time.Time) lashstore.SessionMeta {
	return lashstore.SessionMeta{SessionID: id, Name: id, Relation: lashstore.Relation{Kind: lashstore.RelationRoot}, CreatedAt: at}
}

func metaDefaultsAreFilledIn(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	metaEqual(t, "meta", f.meta(), defaultMeta(sessionID, Epoch))
}

// 1. Every field is replaced, JSON comes back byte for byte, and a second handle sees it.
// 2. What is left out is gone, but for the time of creation.
func metaUpdateReplacesAllOfIt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.clock.Advance(time.Hour)
	f.ok("update", f.UpdateMeta(f.ctx, fullMeta(sessionID)))
	metaEqual(t, "full meta", f.meta(), fullMeta(sessionID))
	metaEqual(t, "of a second handle", f.other().meta(), fullMeta(sessionID))
	f.ok("update again", f.UpdateMeta(f.ctx, fullMeta(sessionID)))
	f.ok("update to nothing", f.UpdateMeta(f.ctx, lashstore.SessionMeta{SessionID: sessionID}))
	metaEqual(t, "bare meta", f.meta(), defaultMeta(sessionID, fullMeta(sessionID).CreatedAt))
}

func metaOtherSessionRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	before := f.snapshot()
	mismatch := as[*lashstore.SessionMismatchError](t, "other session", f.UpdateMeta(f.ctx, fullMeta("beta")))
	equal(t, "mismatch", *mismatch, lashstore.SessionMismatchError{Bound: sessionID, Attempted: "beta"})
	f.unchanged("after a description of another session", before)
}

func metaMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.ok("update", f.UpdateMeta(f.ctx, fullMeta(sessionID)))
	before := f.snapshot()
	long := strings.Repeat("x", 5000)
	for what, change := range map[string]func(m *lashstore.SessionMeta){
		"no session id":        func(m *lashstore.SessionMeta) { m.SessionID = "" },
		"name too long":        func(m *lashstore.SessionMeta) { m.Name = long },
		"model too long":       func(m *lashstore.SessionMeta) { m.Model = long },
		"cwd not UTF-8":        func(m *lashstore.SessionMeta) { m.Cwd = "\xff" },
		"extra no JSON":        func(m *lashstore.SessionMeta) { m.Extra = json.RawMessage(`{`) },
		"cause no JSON":        func(m *lashstore.SessionMeta) { m.Relation.CausedBy = json.RawMessage(`{"a":1,"a":2}`) },
		"unknown relation":     func(m *lashstore.SessionMeta) { m.Relation.Kind = "sibling" },
		"child without parent": func(m *lashstore.SessionMeta) { m.Relation.ParentSessionID = "" },
		"root with parent":     func(m *lashstore.SessionMeta) { m.Relation.Kind = lashstore.RelationRoot },
		"before 1970":          func(m *lashstore.SessionMeta) { m.CreatedAt = time.Unix(-1, 0) },
	} {
		meta := fullMeta(sessionID)
		change(&meta)
		is(t, what, f.UpdateMeta(f.ctx, meta), lashstore.ErrInvalid)
	}
	f.unchanged("after malformed descriptions", before)
}

func metaNeedsNoLeaseAndNoCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.take(opaqueOwner, time.Minute)
	f.ok("update while somebody holds the lease", f.UpdateMeta(f.ctx, fullMeta(sessionID)))
	metaEqual(t, "meta", f.meta(), fullMeta(sessionID))
	equal(t, "revision", f.load(nil).Revision, 0)
}
