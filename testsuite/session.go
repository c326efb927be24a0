package testsuite

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func sessionCases() []Case {
	return []Case{
		{"Session/DeclaresItsDurability", "8.A.1", sessionDeclaresItsDurability},
		{"Session/EmptyBeforeTheFirstCommit", "1.4, Session", sessionEmptyBeforeTheFirstCommit},
		{"Session/SecondHandleSeesEverything", "8.A.39", sessionSecondHandleSeesEverything},
		{"Session/RestartKeepsEverything", "8.A.39", sessionRestartKeepsEverything},
		{"Session/ClosedHandleRefuses", "ErrClosed", sessionClosedHandleRefuses},
		{"Session/EndedContextChangesNothing", "SessionStore", sessionEndedContextChangesNothing},
		{"Summary/CountsTurnsMessagesAndTokens", "10.W58", summaryCountsTurnsMessagesAndTokens},
		{"Summary/ContinuedTurnsCountOnce", "TurnStamp.Continues", summaryContinuedTurnsCountOnce},
		{"Summary/TitleIsTheFirstUserMessage", "10.W58", summaryTitleIsTheFirstUserMessage},
		{"Summary/TitleIsOneShortLine", "10.W58", summaryTitleIsOneShortLine},
		{"Summary/FollowsTombstones", "10.W58", summaryFollowsTombstones},
		{"Summary/UpdatedAtIsTheLastCommit", "10.W58", summaryUpdatedAtIsTheLastCommit},
	}
}

func sessionDeclaresItsDurability(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	equal(t, "durability", f.Durability(), h.Durability)
	equal(t, "session id", f.SessionID(), sessionID)
}

func sessionEmptyBeforeTheFirstCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for _, scope := range []lashstore.LoadScope{lashstore.ScopePath, lashstore.ScopeFull, lashstore.ScopeHead} {
		s := f.load(&lashstore.LoadOptions{Scope: scope})
		equal(t, "session id", s.SessionID, sessionID)
		equal(t, "revision", s.Revision, 0)
		equal(t, "expectation", s.Expect(), lashstore.Create())
		equal(t, "graph", len(s.Graph.Nodes)+len(s.Graph.Leaf), 0)
		equal(t, "checkpoint", s.Checkpoint, nil)
		equal(t, "frames, usage", len(s.Frames)+len(s.Usage)+len(s.CurrentFrameID), 0)
		equal(t, "summary", s.Summary, lashstore.Summary{})
	}
	f.commit(turn(1, ""))
	equal(t, "expectation after it", f.load(nil).Expect(), lashstore.At(1))
}

// everything commits a bit of all that a session may hold.
func (f *fixture) everything() {
	f.t.Helper()
	c := turn(1, "")
	c.Config = json.RawMessage(`{"model": "m1"}`)
	c.Frames = []lashstore.Frame{{ID: "frame-1", Reason: "initial", ExecutionState: []byte("frame state")}}
	c.CurrentFrameID = "frame-1"
	f.commit(c)
	f.commit(turn(2, "a1"))
	f.add(user("branch", "a1"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("a2")})
	_, err := f.PutBlob(f.ctx, lashstore.GenericBlob, []byte("a blob"))
	f.ok("put blob", err)
	_, _, err = f.PutArtifact(f.ctx, moduleKey, lashstore.ModuleArtifact, []byte("a module"))
	f.ok("put artifact", err)
}

func sessionSecondHandleSeesEverything(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	before := f.snapshot()
	equal(t, "revision", before.full.Revision, 4)
	second := f.other()
	second.unchanged("second handle", before)
	second.commit(turn(3, "a2"))
	equal(t, "revision after the second handle's commit", f.load(nil).Revision, 5)
}

// 1. What was committed, put and leased is there after the last handle was closed.
// 2. A turn that was committed before the restart replays after it.
// 3. The lease's holder goes on under its fence; for others it stays busy until it expires.
func sessionRestartKeepsEverything(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	f.ok("update meta", f.UpdateMeta(f.ctx, lashstore.SessionMeta{SessionID: sessionID, Name: "renamed", Extra: json.RawMessage(`{"k":1}`)}))
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	f.restart()
	f.unchanged("after the restart", before)
	content, err := f.Blob(f.ctx, lashstore.HashOf([]byte("a blob")))
	f.ok("blob", err)
	equal(t, "blob", string(content), "a blob")
	artifact, err := f.Artifact(f.ctx, moduleKey)
	f.ok("artifact", err)
	equal(t, "artifact", string(artifact.Content), "a module")

	retry := turn(1, "")
	retry.Config = json.RawMessage(`{"model": "m1"}`)
	retry.Frames = []lashstore.Frame{{ID: "frame-1", Reason: "initial", ExecutionState: []byte("frame state")}}
	retry.CurrentFrameID, retry.SessionID, retry.Expect = "frame-1", sessionID, lashstore.Create()
	result, err := f.Commit(f.ctx, retry)
	f.ok("replay", err)
	equal(t, "replayed", result.Replayed, true)

	_, err = f.TakeLease(f.ctx, lashstore.Owner{ID: "other", Incarnation: "x"}, time.Minute)
	is(t, "take by another owner", err, lashstore.ErrLeaseBusy)
	_, err = f.RenewLease(f.ctx, lease.Fence(), time.Minute)
	f.ok("renew", err)
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	equal(t, "generation after the restart", f.take(opaqueOwner, 0).Generation, lease.Generation+1)
}

func sessionClosedHandleRefuses(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.ok("close", f.Close())
	f.ok("close again", f.Close())
	for what, err := range f.everyMethod(f.ctx) {
		is(t, what, err, lashstore.ErrClosed)
	}
	equal(t, "session id", f.SessionID(), sessionID)
}

// everyMethod calls what reaches the storage and returns the errors by method.
func (f *fixture) everyMethod(ctx context.Context) map[string]error {
	errs := map[string]error{}
	_, errs["Load"] = f.Load(ctx, nil)
	_, errs["Node"] = f.Node(ctx, "u1")
	_, errs["Children"] = f.Children(ctx, "")
	errs["Path"] = errors.New("the walk yielded nothing")
	for _, err := range f.Path(ctx, "") {
		errs["Path"] = err
	}
	_, errs["Commit"] = f.Commit(ctx, lashstore.Commit{SessionID: sessionID, Expect: lashstore.At(1), WithoutLease: true})
	_, errs["PutBlob"] = f.PutBlob(ctx, lashstore.GenericBlob, []byte("more"))
	_, errs["Blob"] = f.Blob(ctx, lashstore.HashOf([]byte("tools of turn 1")))
	_, _, errs["OpenBlob"] = f.OpenBlob(ctx, lashstore.HashOf([]byte("tools of turn 1")))
	_, _, errs["PutArtifact"] = f.PutArtifact(ctx, moduleKey, lashstore.GenericBlob, []byte("more"))
	_, errs["Artifact"] = f.Artifact(ctx, moduleKey)
	_, errs["Artifacts"] = f.Artifacts(ctx, lashstore.NamespaceModule)
	_, errs["DeleteArtifact"] = f.DeleteArtifact(ctx, moduleKey)
	_, errs["Usage"] = f.Usage(ctx)
	_, errs["UsageByTurn"] = f.UsageByTurn(ctx, 0, 0)
	_, errs["Meta"] = f.Meta(ctx)
	errs["UpdateMeta"] = f.UpdateMeta(ctx, lashstore.SessionMeta{SessionID: sessionID, Name: "other"})
	_, errs["TakeLease"] = f.TakeLease(ctx, opaqueOwner, time.Minute)
	_, errs["ReclaimLease"] = f.ReclaimLease(ctx, opaqueOwner, lashstore.Lease{SessionID: sessionID}, time.Minute)
	_, errs["RenewLease"] = f.RenewLease(ctx, &lashstore.Fence{SessionID: sessionID}, time.Minute)
	errs["ReleaseLease"] = f.ReleaseLease(ctx, &lashstore.Fence{SessionID: sessionID})
	_, _, errs["CurrentLease"] = f.CurrentLease(ctx)
	_, errs["TombstoneNodes"] = f.TombstoneNodes(ctx, []string{"nobody"}, nil)
	_, errs["TombstoneOrphans"] = f.TombstoneOrphans(ctx, nil)
	_, errs["Vacuum"] = f.Vacuum(ctx, nil)
	_, errs["GC"] = f.GC(ctx, nil)
	_, errs["Verify"] = f.Verify(ctx)
	_, errs["Stats"] = f.Stats(ctx)
	return errs
}

func sessionEndedContextChangesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	before := f.snapshot()
	ended, cancel := context.WithCancel(f.ctx)
	cancel()
	for what, err := range f.everyMethod(ended) {
		is(t, what, err, context.Canceled)
	}
	f.unchanged("after calls whose context had ended", before)
	_, live, err := f.CurrentLease(f.ctx)
	f.ok("current lease", err)
	equal(t, "lease is live", live, false)
}

// 1. Turns counts stamped commits once, replays and plain commits not.
// 2. Messages counts the live message nodes of all branches, not other nodes.
// 3. Tokens is the total of all usage.
func summaryCountsTurnsMessagesAndTokens(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	_, err := f.try(turn(2, "a1"))
	f.ok("replay", err)
	f.add(reply("branch", "a1"), lashstore.Node{ID: "p", ParentID: "branch", Kind: lashstore.NodeProtocol, Payload: json.RawMessage(`{}`)})
	got := f.load(nil).Summary
	got.UpdatedAt = time.Time{}
	equal(t, "summary", got, lashstore.Summary{Title: "question u1", Turns: 2, Messages: 5, UserMessages: 2, Tokens: 30})
}

// 1. A commit that continues a turn is one like any other, with a receipt of its own, but counts no turn.
// 2. The next turn counts.
func summaryContinuedTurnsCountOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	more := lashstore.Commit{
		Turn: &lashstore.TurnStamp{TurnID: "turn-1-more", Continues: true}, Graph: lashstore.AppendNodes(reply("more", "a1")),
	}
	equal(t, "revision", f.commit(more).Revision, 2)
	again, err := f.try(more)
	f.ok("retry", err)
	equal(t, "replayed", again.Replayed, true)
	got := f.load(nil).Summary
	equal(t, "turns, messages", [2]int64{got.Turns, got.Messages}, [2]int64{1, 3})
	f.commit(turn(2, "more"))
	equal(t, "turns after the next", f.load(nil).Summary.Turns, 2)
}

func summaryTitleIsTheFirstUserMessage(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(message("s", "", lashstore.RoleSystem, "be brief"))
	equal(t, "title before a user's message", f.load(nil).Summary.Title, "")
	f.add(user("first", "s"), user("second", "first"))
	f.add(user("third", "second"))
	equal(t, "title", f.load(nil).Summary.Title, "question first")
}

func summaryTitleIsOneShortLine(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	text := strings.Repeat("ä", lashstore.MaxTitleLength) + "\nand more"
	f.add(message("u", "", lashstore.RoleUser, text))
	equal(t, "title", f.load(nil).Summary.Title, title(text))
}

func summaryFollowsTombstones(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(user("u", ""), reply("a", "u"))
	f.add(user("branch", "u"), reply("leaf", "branch"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("a")})
	count := func(what string, messages, users int64) {
		t.Helper()
		s := f.load(nil).Summary
		equal(t, what+": messages, user messages", [2]int64{s.Messages, s.UserMessages}, [2]int64{messages, users})
	}
	count("at first", 4, 2)
	_, err := f.TombstoneNodes(f.ctx, []string{"branch"}, nil)
	f.ok("tombstone", err)
	count("tombstoned", 2, 1)
	f.add(user("branch", "u"))
	count("revived", 3, 2)
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", user("u", ""))})
	count("replaced", 1, 1)
}

func summaryUpdatedAtIsTheLastCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.clock.Advance(time.Hour)
	f.commit(turn(1, ""))
	f.clock.Advance(time.Hour)
	_, err := f.try(turn(1, "")) // a replay
	f.ok("replay", err)
	sameTime(t, "updated at", f.load(nil).Summary.UpdatedAt, Epoch.Add(time.Hour))
	f.commit(turn(2, "a1"))
	sameTime(t, "updated at", f.load(nil).Summary.UpdatedAt, Epoch.Add(2*time.Hour))
}
