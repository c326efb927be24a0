package testsuite

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func commitCases() []Case {
	return []Case{
		{"Commit/CountsRevisions", "8.A.2", commitCountsRevisions},
		{"Commit/StaleRevisionChangesNothing", "8.A.3", commitStaleRevisionChangesNothing},
		{"Commit/RacingWritersHaveOneWinner", "8.A.3, 8.F.96", commitRacingWritersHaveOneWinner},
		{"Commit/CreatesOnce", "10.W34", commitCreatesOnce},
		{"Commit/OtherSessionRefused", "8.A.4, 10.W33", commitOtherSessionRefused},
		{"Commit/NeedsALease", "8.A.13", commitNeedsALease},
		{"Commit/WithoutLeaseOnlyWhileNobodyHoldsOne", "Commit.WithoutLease", commitWithoutLease},
		{"Commit/ReleasesTheLease", "8.A.13", commitReleasesTheLease},
		{"Commit/LeaseIsJudgedBeforeRevision", "TurnCommitter", commitLeaseIsJudgedBeforeRevision},
		{"Commit/ConfigStaysUntilGivenAnew", "Commit.Config", commitConfigStays},
		{"Commit/FailedCheckpointLeavesNothing", "2.3, Commit", commitFailedCheckpointLeavesNothing},
		{"Commit/FailedGraphLeavesNothing", "2.3, Commit", commitFailedGraphLeavesNothing},
		{"Commit/FailedFrameLeavesNothing", "2.3, Commit", commitFailedFrameLeavesNothing},
		{"Commit/TakesTenThousandNodes", "10.W23, 10.W51", commitTakesTenThousandNodes},
	}
}

func commitCountsRevisions(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for want := lashstore.Revision(1); want <= 3; want++ {
		result := f.commit(lashstore.Commit{Graph: lashstore.AppendNodes(user(fmt.Sprint("n", want), ""))})
		equal(t, "result", result, lashstore.CommitResult{Revision: want})
		equal(t, "revision loaded", f.load(nil).Revision, want)
		equal(t, "expectation", f.load(nil).Expect(), lashstore.At(want))
	}
}

func commitStaleRevisionChangesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	c := turn(1, "")
	c.Expect = lashstore.At(1)
	err := f.refused("ahead of a session without commits", c, lashstore.ErrRevisionConflict)
	conflict := as[*lashstore.RevisionConflictError](t, "ahead", err)
	equal(t, "conflict", *conflict, lashstore.RevisionConflictError{Expected: 1, Actual: 0})

	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	for _, expected := range []lashstore.Revision{1, 3, 99} {
		c := turn(3, "a2")
		c.Expect = lashstore.At(expected)
		what := fmt.Sprintf("at 2, expecting %d", expected)
		conflict := as[*lashstore.RevisionConflictError](t, what, f.refused(what, c, lashstore.ErrRevisionConflict))
		equal(t, what, *conflict, lashstore.RevisionConflictError{Expected: expected, Actual: 2})
	}
	f.commit(turn(3, "a2"))
}

// 1. Of writers that expect the same revision, under one lease and on two handles, exactly one wins.
// 2. The others get a RevisionConflictError and nothing else.
// 3. The graph is the winner's alone.
func commitRacingWritersHaveOneWinner(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	handles := []*fixture{f, f.other()}
	fence := f.take(opaqueOwner, time.Minute).Fence()
	errs := make([]error, 8)
	race(t, len(errs), func(i int) {
		a, b := fmt.Sprintf("w%d-a", i), fmt.Sprintf("w%d-b", i)
		_, errs[i] = handles[i%2].Commit(f.ctx, lashstore.Commit{
			SessionID: sessionID, Expect: lashstore.At(1), Lease: fence,
			Graph: lashstore.AppendNodes(user(a, "a1"), reply(b, a)),
			Usage: []lashstore.UsageDelta{{Source: "race", Model: "m", Usage: lashstore.TokenUsage{Input: 1}}},
		})
	})
	winner := -1
	for i, err := range errs {
		if err == nil && winner < 0 {
			winner = i
			continue
		}
		conflict := as[*lashstore.RevisionConflictError](t, fmt.Sprintf("writer %d", i), err)
		equal(t, "conflict", *conflict, lashstore.RevisionConflictError{Expected: 1, Actual: 2})
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	f.nodes("after the race", "u1", "a1", fmt.Sprintf("w%d-a", winner), fmt.Sprintf("w%d-b", winner))
	equal(t, "revision", f.load(nil).Revision, 2)
	equal(t, "tokens", f.load(nil).Summary.Tokens, 16)
}

func commitCreatesOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	_, err := f.Commit(f.ctx, lashstore.Commit{SessionID: sessionID, WithoutLease: true})
	is(t, "no expectation on a session without commits", err, lashstore.ErrInvalid)
	c := turn(1, "")
	c.Expect = lashstore.Create()
	f.commit(c)
	again := turn(2, "a1")
	again.Expect = lashstore.Create()
	err = f.refused("create again", again, lashstore.ErrRevisionConflict)
	equal(t, "conflict", *as[*lashstore.RevisionConflictError](t, "create again", err), lashstore.RevisionConflictError{Actual: 1})
	_, err = f.Commit(f.ctx, lashstore.Commit{SessionID: sessionID, WithoutLease: true})
	is(t, "no expectation", err, lashstore.ErrInvalid)
	negative := turn(2, "a1")
	negative.Expect = lashstore.At(-1)
	f.refused("a negative revision", negative, lashstore.ErrInvalid)
}

// The store is bound from its creation on, not from its first commit.
func commitOtherSessionRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for range 2 {
		c := turn(1, "")
		c.SessionID = "beta"
		err := f.refused("a commit for another session", c, lashstore.ErrSessionMismatch)
		mismatch := as[*lashstore.SessionMismatchError](t, "other session", err)
		equal(t, "mismatch", *mismatch, lashstore.SessionMismatchError{Bound: sessionID, Attempted: "beta"})
		f.add(user(fmt.Sprint("n", f.load(nil).Revision), ""))
	}
}

func commitNeedsALease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	bare := lashstore.Commit{SessionID: sessionID, Expect: lashstore.Create(), Graph: lashstore.AppendNodes(user("u", ""))}
	_, err := f.Commit(f.ctx, bare)
	is(t, "without lease", err, lashstore.ErrLeaseLost)
	equal(t, "session", as[*lashstore.LeaseLostError](t, "without lease", err).SessionID, sessionID)

	lease := f.take(opaqueOwner, time.Minute)
	_, err = f.Commit(f.ctx, bare)
	is(t, "without showing the lease", err, lashstore.ErrLeaseLost)
	for what, tampered := range tamperedFences(lease) {
		bare.Lease = tampered
		_, err := f.Commit(f.ctx, bare)
		is(t, what, err, lashstore.ErrLeaseLost)
	}
	f.nodes("after refusals")
	bare.Lease = lease.Fence()
	_, err = f.Commit(f.ctx, bare)
	f.ok("under the lease", err)
	f.nodes("under the lease", "u")
}

func commitWithoutLease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	commit := func(id string) error {
		_, err := f.try(lashstore.Commit{WithoutLease: true, Graph: lashstore.AppendNodes(user(id, ""))})
		return err
	}
	f.ok("while nobody ever held a lease", commit("n1"))
	lease := f.take(opaqueOwner, time.Minute)
	err := commit("n2")
	holder := as[*lashstore.LeaseBusyError](t, "while somebody holds one", err).Holder
	equal(t, "holder", [3]any{holder.Owner.String(), holder.Generation, holder.Token}, [3]any{"replica/boot-1", lease.Generation, ""})
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	f.ok("after the release", commit("n3"))
	f.take(opaqueOwner, time.Minute)
	f.clock.Advance(time.Minute)
	f.ok("after the lease expired", commit("n4"))
	f.nodes("commits without lease", "n1", "n3", "n4")
}

func commitReleasesTheLease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	other := lashstore.Owner{ID: "other", Incarnation: "x"}
	lease := f.take(opaqueOwner, time.Minute)
	c := turn(1, "")
	c.Lease = lease.Fence()
	f.commit(c)
	_, err := f.TakeLease(f.ctx, other, time.Minute)
	is(t, "take after a commit that keeps the lease", err, lashstore.ErrLeaseBusy)
	c = turn(2, "a1")
	c.Lease, c.ReleaseLease = lease.Fence(), true
	f.commit(c)
	_, live, err := f.CurrentLease(f.ctx)
	f.ok("current lease", err)
	equal(t, "live after a commit that releases it", live, false)
	c = turn(3, "a2")
	c.Lease = lease.Fence()
	f.refused("a released fence", c, lashstore.ErrLeaseLost)
	equal(t, "next generation", f.take(other, time.Minute).Generation, lease.Generation+1)
}

// A writer that lost its lease learns that, not that the head moved on.
func commitLeaseIsJudgedBeforeRevision(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	f.clock.Advance(time.Hour)
	f.commit(lashstore.Commit{WithoutLease: true, Graph: lashstore.AppendNodes(user("u", ""))})
	c := turn(1, "")
	c.Lease, c.Expect = lease.Fence(), lashstore.Create()
	f.refused("lease and revision lost", c, lashstore.ErrLeaseLost)
}

func commitConfigStays(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(user("u", ""))
	equal(t, "config at first", string(f.load(nil).Config), `{}`)
	f.commit(lashstore.Commit{Config: json.RawMessage(`{ "b": 1, "a": 2.0 }`)})
	f.add(reply("a", "u"))
	equal(t, "config, byte for byte", string(f.load(nil).Config), `{ "b": 1, "a": 2.0 }`)
}

// rich is a commit that touches everything, behind a1.
func rich() lashstore.Commit {
	c := turn(2, "a1")
	c.Config = json.RawMessage(`{"changed":true}`)
	c.Frames = []lashstore.Frame{{ID: "f2", Reason: "compaction", ExecutionState: []byte("state of f2")}}
	c.CurrentFrameID = "f2"
	return c
}

// failsWhole wants that c changes nothing, leaves no blob behind, and that the turn commits once it is right.
func (f *fixture) failsWhole(c lashstore.Commit, target error) {
	f.t.Helper()
	f.refused("a commit that fails late", c, target)
	for _, content := range []string{"tools of turn 2", "stack of turn 2", "state of f2"} {
		_, err := f.Blob(f.ctx, lashstore.HashOf([]byte(content)))
		is(f.t, "blob of the failed commit", err, lashstore.ErrMissingBlob)
	}
	result := f.commit(rich())
	equal(f.t, "replayed", result.Replayed, false)
	equal(f.t, "revision", result.Revision, 2)
}

func commitFailedCheckpointLeavesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	c := rich()
	c.Checkpoint.Parts["zz_last"] = lashstore.PartRef(lashstore.HashOf([]byte("never stored")))
	f.failsWhole(c, lashstore.ErrMissingBlob)
}

func commitFailedGraphLeavesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	c := rich()
	c.Graph.Nodes = append(c.Graph.Nodes, message("u1", "", lashstore.RoleUser, "another question"))
	f.failsWhole(c, lashstore.ErrNodeConflict)
}

func commitFailedFrameLeavesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	c := rich()
	c.CurrentFrameID = "no such frame"
	f.failsWhole(c, lashstore.ErrFrameNotFound)
}

func commitTakesTenThousandNodes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	nodes := chain("n", "", 10_000)
	f.add(nodes...)
	equal(t, "whole path", ids(f.load(nil).Graph.Nodes), ids(nodes))
	tail := f.load(&lashstore.LoadOptions{Last: 3})
	equal(t, "tail", ids(tail.Graph.Nodes), []string{"n9997", "n9998", "n9999"})
	equal(t, "messages", tail.Summary.Messages, 10_000)
}
