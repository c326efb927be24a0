package testsuite

import (
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func inputCancelCases() []Case {
	return []Case{
		{"Input/CancelAnswersEachTarget", "8.A.32", inputCancelAnswersEachTarget},
		{"Input/CancelLeavesTheClaimed", "8.A.33", inputCancelLeavesTheClaimed},
		{"Input/CancelsFromAnAnchorOn", "8.A.32", inputCancelsFromAnAnchorOn},
		{"Input/UnknownAnchorChangesNothing", "8.A.32, EntryNotFoundError", inputUnknownAnchorChangesNothing},
	}
}

// answers is one text for each result of a cancellation: the id, or what was asked for if there is none, and the outcome.
func answers(results []lashstore.InputCancellation) []string {
	list := []string{}
	for _, r := range results {
		id := r.Target.String()
		if r.Input != nil {
			id = r.Input.ID
		}
		list = append(list, id+" "+string(r.Outcome))
	}
	return list
}

// cancel cancels one input and wants this answer.
func (f *fixture) cancel(what, want string, target lashstore.EntryTarget) lashstore.InputCancellation {
	f.t.Helper()
	results, err := f.CancelInputs(f.ctx, target)
	f.ok(what, err)
	equal(f.t, what, answers(results), []string{want})
	equal(f.t, what+": target", results[0].Target, target)
	return results[0]
}

// 1. One result for each target, in order: those that are unknown or named twice included.
// 2. What was cancelled is shown as it is then, and is not claimed.
func inputCancelAnswersEachTarget(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn), inputOf("b", nextTurn), inputOf("c", nextTurn))
	batch := f.queueTask("work")
	f.clock.Advance(time.Second)
	targets := []lashstore.EntryTarget{
		lashstore.ByID("b"), lashstore.BySourceKey("key-a"), lashstore.ByID("missing"), lashstore.BySourceKey("key-b"),
		lashstore.ByID("key-c"), lashstore.BySourceKey("work"), lashstore.ByID(batch.ID),
	}
	results, err := f.CancelInputs(f.ctx, targets...)
	f.ok("cancel", err)
	equal(t, "answers", answers(results), []string{
		"b cancelled", "a cancelled", "missing not_found", "b already_cancelled", "key-c not_found", "key=work not_found", batch.ID + " not_found",
	})
	for i, r := range results {
		equal(t, "target", r.Target, targets[i])
		if r.Outcome == lashstore.Cancelled {
			equal(t, "state", r.Input.State, lashstore.EntryCancelled)
			sameTime(t, "settled at", r.Input.SettledAt, f.clock.Now())
		}
	}
	equal(t, "its input", string(results[1].Input.Input), string(inputOf("a", midTurn).Input))
	f.inputStates("afterwards", "a cancelled", "b cancelled", "c waiting")
	f.clock.Advance(time.Second)
	sameTime(t, "settled at", f.cancel("again", "a already_cancelled", lashstore.ByID("a")).Input.SettledAt, Epoch.Add(time.Second))
	lease := f.take(opaqueOwner, time.Minute)
	equal(t, "claimable", f.claimNext(lease, 9).Completion().IDs, []string{"c"})
	nothing, err := f.ClaimTurnInputs(f.ctx, lease.Fence(), lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.BeforeCompletion}, 9)
	f.ok("claim", err)
	equal(t, "of the turn", nothing, nil)
	before := f.snapshot()
	for what, bad := range map[string]lashstore.EntryTarget{"neither": {}, "both": {ID: "a", SourceKey: "key-a"}, "malformed": lashstore.ByID("a\n")} {
		_, err = f.CancelInputs(f.ctx, lashstore.ByID("c"), bad)
		is(t, what, err, lashstore.ErrInvalid)
	}
	_, err = f.CancelInputs(f.ctx, make([]lashstore.EntryTarget, lashstore.MaxCancel+1)...)
	is(t, "too many", err, lashstore.ErrTooLarge)
	f.unchanged("after refusals", before)
}

// What the holder of the lease works on stays, and the answer says who has it. Given back, it is cancelled like any other.
func inputCancelLeavesTheClaimed(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("b", nextTurn), inputOf("c", nextTurn))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimNext(lease, 2)
	before := f.snapshot()
	got := f.cancel("claimed", "a already_claimed", lashstore.ByID("a"))
	equal(t, "by whom", got.Input.Claim, &lashstore.ClaimInfo{ClaimID: claim.ID, Generation: lease.Generation, Holder: opaqueOwner})
	f.unchanged("afterwards", before)
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{{ClaimID: claim.ID, Token: claim.Token, IDs: []string{"b"}}}})
	f.cancel("completed", "b already_completed", lashstore.BySourceKey("key-b"))
	f.ok("abandon", f.AbandonInputs(f.ctx, claim))
	f.cancel("given back", "a cancelled", lashstore.BySourceKey("key-a"))
	f.claimNext(lease, 1)
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	equal(t, "claim", f.cancel("claimed under a lease that has ended", "c cancelled", lashstore.ByID("c")).Input.Claim, nil)
	f.inputStates("afterwards", "a cancelled", "b completed", "c cancelled")
}

// The anchor and all behind it, one answer each, settled ones included; work in between is no business of it.
func inputCancelsFromAnAnchorOn(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("before", nextTurn), inputOf("a", nextTurn), inputOf("b", midTurn))
	f.queueTask("between")
	f.submit(inputOf("c", nextTurn), inputOf("d", lateInTurn))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimMid(lease, lashstore.AfterWork, 1)
	f.cancel("one of them", "c cancelled", lashstore.ByID("c"))
	results, err := f.CancelInputsFrom(f.ctx, lashstore.BySourceKey("key-a"))
	f.ok("cancel", err)
	equal(t, "by key", answers(results), []string{"a cancelled", "b already_claimed", "c already_cancelled", "d cancelled"})
	equal(t, "claim of b", results[1].Input.Claim.ClaimID, claim.ID)
	equal(t, "target of d", results[3].Target, lashstore.ByID("d"))
	f.ok("abandon", f.AbandonInputs(f.ctx, claim))
	results, err = f.CancelInputsFrom(f.ctx, lashstore.ByID("b"))
	f.ok("cancel", err)
	equal(t, "by id", answers(results), []string{"b cancelled", "c already_cancelled", "d already_cancelled"})
	f.inputStates("afterwards", "before waiting", "a cancelled", "b cancelled", "c cancelled", "d cancelled")
	work, err := f.ListWork(f.ctx, nil)
	f.ok("list work", err)
	equal(t, "batches", len(work), 1)
}

func inputUnknownAnchorChangesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("b", nextTurn))
	batch := f.queueTask("work")
	before := f.snapshot()
	for _, anchor := range []lashstore.EntryTarget{
		lashstore.ByID("missing"), lashstore.ByID("key-a"), lashstore.BySourceKey("a"), lashstore.ByID(batch.ID), lashstore.BySourceKey("work"),
	} {
		results, err := f.CancelInputsFrom(f.ctx, anchor)
		is(t, anchor.String(), err, lashstore.ErrEntryNotFound)
		equal(t, anchor.String(), as[*lashstore.EntryNotFoundError](t, anchor.String(), err).Target, anchor)
		equal(t, anchor.String(), len(results), 0)
	}
	_, err := f.CancelInputsFrom(f.ctx, lashstore.EntryTarget{})
	is(t, "no anchor", err, lashstore.ErrInvalid)
	f.unchanged("afterwards", before)
}
