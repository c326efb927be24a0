package testsuite

import (
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func deleteCases() []Case {
	return []Case{
		{"Delete/LeavesNothing", "8.B.47, 8.F.107", deleteLeavesNothing},
		{"Delete/IsRepeatable", "8.B.47, 8.F.107", deleteIsRepeatable},
		{"Delete/RefusedWhileLeased", "10.W13", deleteRefusedWhileLeased},
		{"Delete/OpenHandleLearnsOfIt", "10.W13", deleteOpenHandleLearnsOfIt},
		{"Delete/OldHandleNeverMeetsTheSuccessor", "10.W13, 10.W32", deleteOldHandleNeverMeetsTheSuccessor},
	}
}

// populate creates the session with a bit of everything.
func (s *site) populate() *fixture {
	s.t.Helper()
	f := s.create(fullMeta(sessionID))
	f.everything()
	f.take(opaqueOwner, 0)
	return f
}

// 1. A deleted session is not found and not listed.
// 2. One made anew has its own description, no commits, no blobs, and its first lease is generation 1.
func deleteLeavesNothing(t testing.TB, h SessionHarness) {
	s := build(t, h)
	f := s.populate()
	s.create(lashstore.SessionMeta{SessionID: "other"})
	s.ok("close", f.Close())
	s.ok("delete", s.DeleteSession(s.ctx, sessionID))
	_, err := s.OpenSession(s.ctx, sessionID)
	is(t, "open", err, lashstore.ErrSessionNotFound)
	s.listed("afterwards", "other")

	s.clock.Advance(time.Hour)
	anew := s.create(lashstore.SessionMeta{SessionID: sessionID})
	metaEqual(t, "meta", anew.meta(), defaultMeta(sessionID, Epoch.Add(time.Hour)))
	loaded := anew.full()
	equal(t, "revision, summary", [2]any{loaded.Revision, loaded.Summary}, [2]any{lashstore.Revision(0), lashstore.Summary{}})
	equal(t, "nodes, frames, usage", len(loaded.Graph.Nodes)+len(loaded.Frames)+len(loaded.Usage), 0)
	anew.lacks("blob", []byte("a blob"))
	_, err = anew.Artifact(s.ctx, moduleKey)
	is(t, "artifact", err, lashstore.ErrArtifactNotFound)
	equal(t, "generation", anew.take(opaqueOwner, 0).Generation, 1)
	equal(t, "a turn of the same id is new", anew.commit(turn(1, "")).Replayed, false)
}

func deleteIsRepeatable(t testing.TB, h SessionHarness) {
	s := build(t, h)
	s.ok("delete what never was", s.DeleteSession(s.ctx, sessionID))
	s.listed("afterwards")
	f := s.populate()
	s.ok("close", f.Close())
	for range 2 {
		s.ok("delete", s.DeleteSession(s.ctx, sessionID))
		_, err := s.OpenSession(s.ctx, sessionID)
		is(t, "open", err, lashstore.ErrSessionNotFound)
	}
}

func deleteRefusedWhileLeased(t testing.TB, h SessionHarness) {
	s := build(t, h)
	f := s.populate()
	lease := f.take(opaqueOwner, time.Minute)
	err := s.DeleteSession(s.ctx, sessionID)
	leaseEqual(t, "holder", as[*lashstore.LeaseBusyError](t, "delete", err).Holder, lease.WithoutToken())
	f.commit(lashstore.Commit{Lease: lease.Fence()})
	s.listed("after a refusal", sessionID)
	s.clock.Advance(time.Minute)
	s.ok("delete after the lease expired", s.DeleteSession(s.ctx, sessionID))
	s.listed("afterwards")
}

func deleteOpenHandleLearnsOfIt(t testing.TB, h SessionHarness) {
	s := build(t, h)
	f, second := s.populate(), s.openSession(sessionID)
	s.ok("delete", s.DeleteSession(s.ctx, sessionID))
	for _, handle := range []*fixture{f, second} {
		for what, err := range handle.everyMethod(s.ctx) {
			is(t, what, err, lashstore.ErrSessionDeleted)
		}
	}
	_, err := s.OpenSession(s.ctx, sessionID)
	is(t, "open", err, lashstore.ErrSessionNotFound)
	s.listed("while handles are open")
	s.ok("close", f.Close())
	s.ok("close", second.Close())
	s.listed("after the handles were closed")
}

// A handle on the deleted session neither reads nor writes the one that was made anew, before and after it is closed.
func deleteOldHandleNeverMeetsTheSuccessor(t testing.TB, h SessionHarness) {
	s := build(t, h)
	old := s.populate()
	s.ok("delete", s.DeleteSession(s.ctx, sessionID))
	anew := s.create(lashstore.SessionMeta{SessionID: sessionID})
	anew.add(user("of the successor", ""))
	_, err := old.Load(s.ctx, nil)
	is(t, "load", err, lashstore.ErrSessionDeleted)
	_, err = old.Commit(s.ctx, lashstore.Commit{SessionID: sessionID, Expect: lashstore.At(1), WithoutLease: true})
	is(t, "commit", err, lashstore.ErrSessionDeleted)
	s.ok("close", old.Close())
	anew.nodes("after the old handle was closed", "of the successor")
	anew.add(reply("and on", "of the successor"))
	s.openSession(sessionID).path("on another handle", "of the successor", "and on")
	s.listed("afterwards", sessionID)
}
