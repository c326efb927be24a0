package testsuite

import (
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

// What holds for both families together. Waiting for the lane is in wait.go.
func laneCases() []Case {
	return slices.Concat([]Case{
		{"Lane/CheckpointClaimsBothFamiliesOnce", "8.A.17", laneCheckpointClaimsBothFamiliesOnce},
		{"Lane/CheckpointClaimsAreApart", "8.A.17, CheckpointClaims", laneCheckpointClaimsAreApart},
		{"Lane/CheckpointAsksByLimit", "CheckpointRequest", laneCheckpointAsksByLimit},
		{"Lane/DeferredHeadWaitsForIdle", "8.A.18, 8.F.110", laneDeferredHeadWaitsForIdle},
		{"Lane/IdleCheckpointWritesNothing", "8.A.18, 8.F.110", laneIdleCheckpointWritesNothing},
		{"Lane/SuccessorSettlesBoth", "8.A.41, 10.W6", laneSuccessorSettlesBoth},
	}, waitCases())
}

var afterWork = lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}

// claimBoth claims at a checkpoint.
func (f *fixture) claimBoth(lease lashstore.Lease, r lashstore.CheckpointRequest) lashstore.CheckpointClaims {
	f.t.Helper()
	claims, err := f.ClaimCheckpoint(f.ctx, lease.Fence(), r)
	f.ok("claim at a checkpoint", err)
	return claims
}

// claimedBoth wants these ids of both families.
func claimedBoth(t testing.TB, what string, got lashstore.CheckpointClaims, inputs, work []string) {
	t.Helper()
	equal(t, what+": inputs", idsOfClaim(got.Inputs), append([]string{}, inputs...))
	equal(t, what+": work", idsOfWork(got.Work), append([]string{}, work...))
	equal(t, what+": claims of nothing", [2]bool{got.Inputs == nil, got.Work == nil}, [2]bool{len(inputs) == 0, len(work) == 0})
}

// 1. One call has what the turn may take of both families, under the lease's generation.
// 2. A second call has nothing, on another handle neither.
func laneCheckpointClaimsBothFamiliesOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn), inputOf("next", nextTurn))
	batch := f.queueTask("work")
	f.submit(inputOf("b", midTurn), inputOf("late", lateInTurn))
	f.take(otherOwner, 0)
	lease := f.take(opaqueOwner, time.Minute)
	all := lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9}
	claims := f.claimBoth(lease, all)
	claimedBoth(t, "first", claims, []string{"a", "b"}, []string{batch.ID})
	equal(t, "generations", [2]int64{claims.Inputs.Generation, claims.Work.Generation}, [2]int64{2, 2})
	equal(t, "claimed at", *claims.Inputs.At, afterWork)
	before := f.snapshot()
	claimedBoth(t, "second", f.claimBoth(lease, all), nil, nil)
	claimedBoth(t, "on another handle", f.other().claimBoth(lease, all), nil, nil)
	f.unchanged("afterwards", before)
	f.commit(lashstore.Commit{
		Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{claims.Inputs.Completion()}, CompletedWork: []lashstore.Completion{claims.Work.Completion()},
	})
	f.inputStates("completed", "a completed", "next waiting", "b completed", "late waiting")
}

// The two are claims of their own: one may be given back, and neither settles the other's.
func laneCheckpointClaimsAreApart(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn))
	batch := f.queueTask("work")
	lease := f.take(opaqueOwner, time.Minute)
	claims := f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9})
	claimedBoth(t, "claimed", claims, []string{"a"}, []string{batch.ID})
	equal(t, "ids and tokens differ", claims.Inputs.ID != claims.Work.ID && claims.Inputs.Token != claims.Work.Token, true)
	crossed := claims.Work.Completion()
	crossed.IDs = []string{"a"}
	f.notHeld("the work's claim for the input", lease, lashstore.Commit{CompletedInputs: []lashstore.Completion{crossed}}, claims.Work.ID, "a")
	f.notHeld("input as work", lease, lashstore.Commit{CompletedWork: []lashstore.Completion{claims.Inputs.Completion()}}, claims.Inputs.ID, "a")
	f.ok("abandon", f.AbandonWork(f.ctx, claims.Work))
	f.inputStates("the input's claim holds", "a claimed")
	claimedBoth(t, "given back", f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9}), nil, []string{batch.ID})
}

// A limit of 0 asks for none of that family.
func laneCheckpointAsksByLimit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn), inputOf("b", midTurn))
	joined := taskOf("first")
	joined.Slot, joined.MergeKey = lashstore.SlotJoin, "same"
	first := f.queue(joined)
	joined.SourceKey = "second"
	second := f.queue(joined)
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	claimedBoth(t, "none", f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork}), nil, nil)
	f.unchanged("afterwards", before)
	claimedBoth(t, "one input", f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 1}), []string{"a"}, nil)
	claimedBoth(t, "one batch", f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxWork: 1}), nil, []string{first.ID})
	claimedBoth(t, "the rest", f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 2 * lashstore.MaxClaim, MaxWork: 2 * lashstore.MaxClaim}),
		[]string{"b"}, []string{second.ID})
}

// What is to come in after the turn does so: the checkpoint passes it over with all behind it, the idle lane has it.
func laneDeferredHeadWaitsForIdle(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	later := taskOf("later")
	later.Delivery = lashstore.DeliverAfterTurn
	head := f.queue(later)
	behind := f.queueTask("behind")
	lease := f.take(opaqueOwner, time.Minute)
	all := lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9}
	claimedBoth(t, "a deferred head", f.claimBoth(lease, all), nil, nil)
	f.submit(inputOf("a", midTurn))
	claimedBoth(t, "a deferred head, and input", f.claimBoth(lease, all), []string{"a"}, nil)
	idle, err := f.ClaimWork(f.ctx, lease.Fence(), lashstore.BoundaryIdle, 9)
	f.ok("claim when idle", err)
	equal(t, "when idle", idsOfWork(idle), []string{head.ID})
	f.submit(inputOf("b", midTurn))
	claimedBoth(t, "once the head is claimed", f.claimBoth(lease, all), []string{"b"}, []string{behind.ID})
}

// 1. A checkpoint at which nothing comes in leaves no trace: nothing is counted as an attempt.
// 2. A command at the head is no business of a running turn.
func laneIdleCheckpointWritesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("next", nextTurn), inputOf("late", lateInTurn), inputOf("other", otherTurn))
	command := taskOf("command")
	command.Class = lashstore.ClassCommand
	f.queue(command)
	hidden := taskOf("hidden")
	hidden.NotBefore = Epoch.Add(time.Hour)
	f.queue(hidden)
	f.queueTask("behind the command")
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	for range 3 {
		claimedBoth(t, "an idle checkpoint", f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9}), nil, nil)
	}
	f.unchanged("afterwards", before)
	claim, err := f.ClaimCommand(f.ctx, lease.Fence())
	f.ok("claim the command", err)
	equal(t, "batches of the command", len(idsOfWork(claim)), 1)
}

// The clock ends a lease; its successor has all that the dead one had claimed, and settles it, while the dead one can
// do nothing more.
func laneSuccessorSettlesBoth(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn))
	batch := f.queueTask("work")
	all := lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9}
	dead := f.take(otherOwner, time.Minute)
	lost := f.claimBoth(dead, all)
	claimedBoth(t, "the first", lost, []string{"a"}, []string{batch.ID})
	f.clock.Advance(time.Minute)
	lease := f.take(opaqueOwner, time.Minute)
	claims := f.other().claimBoth(lease, all)
	claimedBoth(t, "its successor", claims, []string{"a"}, []string{batch.ID})
	equal(t, "generation, attempts", [3]int64{claims.Work.Generation, claims.Work.Attempt, claims.Inputs.Attempt}, [3]int64{dead.Generation + 1, 2, 2})
	settle := func(l lashstore.Lease, c lashstore.CheckpointClaims) lashstore.Commit {
		return lashstore.Commit{
			Lease: l.Fence(), CompletedInputs: []lashstore.Completion{c.Inputs.Completion()}, CompletedWork: []lashstore.Completion{c.Work.Completion()},
		}
	}
	f.refused("the dead one commits", settle(dead, lost), lashstore.ErrLeaseLost)
	f.notHeld("its claims under the new lease", lease, settle(lease, lost), lost.Work.ID, batch.ID)
	f.commit(settle(lease, claims))
	f.inputStates("settled", "a completed")
	f.nothingNext("afterwards", lease)
	claimedBoth(t, "afterwards", f.claimBoth(lease, all), nil, nil)
}
