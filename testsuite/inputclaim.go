package testsuite

import (
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func inputClaimCases() []Case {
	return []Case{
		{"InputClaim/CheckpointAdmits", "8.A.36, TurnCheckpoint.Admits", inputClaimCheckpointAdmits},
		{"InputClaim/NextTurnTakesWhatWaitsForIt", "8.A.36, TurnInputs.ClaimNextInputs", inputClaimNextTurn},
		{"InputClaim/HoldsAtMostItsLimit", "MaxClaim, ClaimLimit", inputClaimHoldsAtMostItsLimit},
		{"InputClaim/IsMadeOnce", "8.A.33, 5.2", inputClaimIsMadeOnce},
		{"InputClaim/NeedsTheFence", "10.W46, WorkQueue.ClaimCommand", inputClaimNeedsTheFence},
		{"InputClaim/MalformedRefused", "TurnCheckpoint.Validate, ClaimLimit", inputClaimMalformedRefused},
		{"InputClaim/RacingOnesNeverShare", "8.F.99, 8.A.40", inputClaimRacingOnesNeverShare},
		{"InputClaim/AbandonGivesBack", "8.A.33", inputClaimAbandonGivesBack},
		{"InputClaim/StaleAbandonGivesNothingBack", "8.A.33, TurnInputs.AbandonInputs", inputClaimStaleAbandon},
		{"InputClaim/EndsWithItsGeneration", "8.A.34, 8.A.41, 10.W6", inputClaimEndsWithItsGeneration},
		{"InputClaim/RenewedLeaseKeepsIt", "Claim", inputClaimRenewedLeaseKeepsIt},
		{"Defer/MovesInputOfDeadTurns", "10.W7", deferMovesInputOfDeadTurns},
		{"Defer/LeavesTheClaimed", "10.W7, TurnInputs.DeferInputs", deferLeavesTheClaimed},
		{"Defer/NeedsTheFence", "10.W7, TurnInputs.DeferInputs", deferNeedsTheFence},
	}
}

// idsOfClaim are those of the inputs; none of nil.
func idsOfClaim(c *lashstore.InputClaim) []string {
	if c == nil {
		return []string{}
	}
	return idsOfInputs(c.Inputs)
}

// claimNext claims for the next turn. There must be something.
func (f *fixture) claimNext(lease lashstore.Lease, limit int) *lashstore.InputClaim {
	f.t.Helper()
	claim, err := f.ClaimNextInputs(f.ctx, lease.Fence(), limit)
	f.ok("claim for the next turn", err)
	if claim == nil {
		f.t.Fatal("there was nothing to claim for the next turn")
	}
	return claim
}

// claimMid claims at a checkpoint of turn-1. There must be something.
func (f *fixture) claimMid(lease lashstore.Lease, at lashstore.TurnBoundary, limit int) *lashstore.InputClaim {
	f.t.Helper()
	claim, err := f.ClaimTurnInputs(f.ctx, lease.Fence(), lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: at}, limit)
	f.ok("claim at a checkpoint", err)
	if claim == nil {
		f.t.Fatalf("there was nothing to claim %s", at)
	}
	return claim
}

// nothingNext wants that nothing can be claimed for the next turn.
func (f *fixture) nothingNext(what string, lease lashstore.Lease) {
	f.t.Helper()
	claim, err := f.ClaimNextInputs(f.ctx, lease.Fence(), 9)
	f.ok(what, err)
	equal(f.t, what, idsOfClaim(claim), []string{})
}

// deferInputs moves input of other turns than keep to the next one.
func (f *fixture) deferInputs(lease lashstore.Lease, keep string) int64 {
	f.t.Helper()
	moved, err := f.DeferInputs(f.ctx, lease.Fence(), keep)
	f.ok("defer", err)
	return moved
}

// 1. After work a turn takes what may come in after work; before its completion, both. Never another turn's, nor the
// next one's.
// 2. In the order of the line, whatever waits in between.
func inputClaimCheckpointAdmits(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("late", lateInTurn), inputOf("next", nextTurn), inputOf("a", midTurn), inputOf("other", otherTurn), inputOf("b", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	for _, want := range []struct {
		at  lashstore.TurnCheckpoint
		ids []string
	}{
		{lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}, []string{"a", "b"}},
		{lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.BeforeCompletion}, []string{"late", "a", "b"}},
		{lashstore.TurnCheckpoint{TurnID: "turn-2", Boundary: lashstore.BeforeCompletion}, []string{"other"}},
		{lashstore.TurnCheckpoint{TurnID: "turn", Boundary: lashstore.BeforeCompletion}, []string{}},
	} {
		what := fmt.Sprint(want.at)
		claim, err := f.ClaimTurnInputs(f.ctx, lease.Fence(), want.at, 9)
		f.ok(what, err)
		equal(t, what, idsOfClaim(claim), want.ids)
		if len(want.ids) == 0 {
			equal(t, what+": claim", claim, nil)
			continue
		}
		equal(t, what+": claimed at", *claim.At, want.at)
		equal(t, what+": generation and attempt", [2]int64{claim.Generation, claim.Attempt}, [2]int64{lease.Generation, claim.Inputs[0].Attempts})
		f.ok("abandon", f.AbandonInputs(f.ctx, claim))
	}
	f.inputStates("afterwards", "late waiting", "next waiting", "a waiting", "other waiting", "b waiting")
}

func inputClaimNextTurn(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("mid", midTurn), inputOf("a", nextTurn), inputOf("late", lateInTurn), inputOf("b", nextTurn))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimNext(lease, 9)
	equal(t, "claimed", claim.Completion(), lashstore.Completion{ClaimID: claim.ID, Token: claim.Token, IDs: []string{"a", "b"}})
	equal(t, "claimed at", claim.At, nil)
	for _, in := range claim.Inputs {
		equal(t, "claimed input", [2]any{in.State, in.Attempts}, [2]any{lashstore.EntryClaimed, int64(1)})
		equal(t, "by whom", in.Claim, &lashstore.ClaimInfo{ClaimID: claim.ID, Generation: lease.Generation, Holder: opaqueOwner})
	}
	if len(claim.Token) != 32 || claim.Token == lease.Token || claim.ID == "" {
		t.Fatalf("the claim's id has %d characters, its token %d", len(claim.ID), len(claim.Token))
	}
	f.inputStates("afterwards", "mid waiting", "a claimed", "late waiting", "b claimed")
}

func inputClaimHoldsAtMostItsLimit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("b", nextTurn), inputOf("c", nextTurn), inputOf("m", midTurn), inputOf("n", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	none, err := f.ClaimNextInputs(f.ctx, lease.Fence(), 0)
	f.ok("claim none", err)
	equal(t, "none", none, nil)
	none, err = f.ClaimTurnInputs(f.ctx, lease.Fence(), lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}, 0)
	f.ok("claim none at a checkpoint", err)
	equal(t, "none", none, nil)
	f.unchanged("afterwards", before)
	equal(t, "first", idsOfClaim(f.claimNext(lease, 1)), []string{"a"})
	equal(t, "rest", idsOfClaim(f.claimNext(lease, lashstore.MaxClaim+1)), []string{"b", "c"})
	equal(t, "first at a checkpoint", idsOfClaim(f.claimMid(lease, lashstore.AfterWork, 1)), []string{"m"})
	equal(t, "second at a checkpoint", idsOfClaim(f.claimMid(lease, lashstore.BeforeCompletion, 1)), []string{"n"})
}

// The holder never claims what it has, on any handle; nothing is written when nothing is claimed.
func inputClaimIsMadeOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	f.claimNext(lease, 9)
	f.claimMid(lease, lashstore.AfterWork, 9)
	before := f.snapshot()
	for _, handle := range []*fixture{f, f.other()} {
		handle.nothingNext("again", lease)
		claim, err := handle.ClaimTurnInputs(f.ctx, lease.Fence(), lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.BeforeCompletion}, 9)
		f.ok("again at a checkpoint", err)
		equal(t, "again at a checkpoint", claim, nil)
	}
	f.unchanged("afterwards", before)
	f.submit(inputOf("b", nextTurn))
	equal(t, "what came later", idsOfClaim(f.claimNext(lease, 9)), []string{"b"})
}

// badFences are those that hold nothing, of a lease that is held.
func badFences(lease lashstore.Lease) map[string]*lashstore.Fence {
	tampered, foreign, older := *lease.Fence(), *lease.Fence(), *lease.Fence()
	tampered.Token = "00000000000000000000000000000000"
	foreign.SessionID = "another"
	older.Generation--
	return map[string]*lashstore.Fence{"none": nil, "tampered": &tampered, "of another session": &foreign, "older": &older}
}

// Whether there is anything to claim or not, and whatever the limit.
func inputClaimNeedsTheFence(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	at := lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}
	refused := func(what string, fence *lashstore.Fence) {
		t.Helper()
		before := f.snapshot()
		for _, limit := range []int{0, 9} {
			next, err := f.ClaimNextInputs(f.ctx, fence, limit)
			is(t, fmt.Sprint(what, ": next turn, at most ", limit), err, lashstore.ErrLeaseLost)
			mid, err := f.ClaimTurnInputs(f.ctx, fence, at, limit)
			is(t, fmt.Sprint(what, ": checkpoint, at most ", limit), err, lashstore.ErrLeaseLost)
			both, err := f.ClaimCheckpoint(f.ctx, fence, lashstore.CheckpointRequest{At: at, MaxInputs: limit, MaxWork: limit})
			is(t, fmt.Sprint(what, ": both families, at most ", limit), err, lashstore.ErrLeaseLost)
			equal(t, what, [4]bool{next == nil, mid == nil, both.Inputs == nil, both.Work == nil}, [4]bool{true, true, true, true})
		}
		f.unchanged(what, before)
	}
	f.take(otherOwner, 0)
	lease := f.take(opaqueOwner, time.Minute)
	for _, line := range []string{"empty line", "full line"} {
		for what, fence := range badFences(lease) {
			refused(line+": "+what, fence)
		}
		f.submit(inputOf("next "+line, nextTurn), inputOf("mid "+line, midTurn))
		f.queueTask(line)
	}
	f.clock.Advance(time.Minute)
	refused("expired", lease.Fence())
	successor := f.take(otherOwner, time.Minute)
	refused("superseded", lease.Fence())
	f.ok("release", f.ReleaseLease(f.ctx, successor.Fence()))
	refused("released", successor.Fence())
}

func inputClaimMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	for what, at := range map[string]lashstore.TurnCheckpoint{
		"no turn": {Boundary: lashstore.AfterWork}, "no boundary": {TurnID: "turn-1"},
		"unknown boundary": {TurnID: "turn-1", Boundary: "idle"}, "bad turn": {TurnID: "a\nb", Boundary: lashstore.AfterWork},
	} {
		_, err := f.ClaimTurnInputs(f.ctx, lease.Fence(), at, 9)
		is(t, what, err, lashstore.ErrInvalid)
		_, err = f.ClaimCheckpoint(f.ctx, lease.Fence(), lashstore.CheckpointRequest{At: at, MaxInputs: 9})
		is(t, what+", both families", err, lashstore.ErrInvalid)
	}
	at := lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}
	_, err := f.ClaimTurnInputs(f.ctx, lease.Fence(), at, -1)
	is(t, "limit", err, lashstore.ErrInvalid)
	_, err = f.ClaimNextInputs(f.ctx, lease.Fence(), -1)
	is(t, "limit for the next turn", err, lashstore.ErrInvalid)
	for _, r := range []lashstore.CheckpointRequest{{At: at, MaxInputs: -1, MaxWork: 9}, {At: at, MaxInputs: 9, MaxWork: -1}} {
		_, err = f.ClaimCheckpoint(f.ctx, lease.Fence(), r)
		is(t, "limits of both families", err, lashstore.ErrInvalid)
	}
	f.unchanged("after refusals", before)
	equal(t, "claimable", idsOfClaim(f.claimNext(lease, 9)), []string{"a"})
}

// Many claimers under one lease, on two handles: each input goes to one of them.
func inputClaimRacingOnesNeverShare(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	const inputs, claimers = 12, 6
	for i := range inputs {
		f.submit(inputOf(fmt.Sprint("i", i), nextTurn))
	}
	lease := f.take(opaqueOwner, time.Minute)
	claims, errs := make([]*lashstore.InputClaim, claimers), make([]error, claimers)
	race(t, claimers, func(i int) { claims[i], errs[i] = handles[i%2].ClaimNextInputs(f.ctx, lease.Fence(), 3) })
	owner, tokens := map[string]int{}, map[string]bool{}
	for i, claim := range claims {
		f.ok("claim", errs[i])
		for _, id := range idsOfClaim(claim) {
			if other, claimed := owner[id]; claimed {
				t.Fatalf("claims %d and %d both hold %s", other, i, id)
			}
			owner[id], tokens[claim.ID+claim.Token] = i, true
		}
	}
	equal(t, "claimed inputs", len(owner), inputs)
	equal(t, "claims that hold something", len(tokens), inputs/3)
}

// 1. What is given back waits in its old place, before what came later; a claim that follows counts one attempt more.
// 2. The claim is void then. Several are given back at once; nil is none; again is harmless.
func inputClaimAbandonGivesBack(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn), inputOf("b", nextTurn))
	lease := f.take(opaqueOwner, time.Minute)
	next, mid := f.claimNext(lease, 1), f.claimMid(lease, lashstore.AfterWork, 1)
	f.submit(inputOf("c", nextTurn))
	f.ok("abandon none", f.AbandonInputs(f.ctx))
	f.inputStates("nothing given back", "a claimed", "m claimed", "b waiting", "c waiting")
	f.ok("abandon", f.AbandonInputs(f.ctx, next, nil, mid))
	f.inputStates("given back", "a waiting", "m waiting", "b waiting", "c waiting")
	f.notHeld("a claim that was given back", lease, lashstore.Commit{CompletedInputs: []lashstore.Completion{next.Completion()}}, next.ID, "a")
	again := f.claimNext(lease, 2)
	equal(t, "claimed again", idsOfClaim(again), []string{"a", "b"})
	equal(t, "attempts", [3]int64{again.Attempt, again.Inputs[0].Attempts, again.Inputs[1].Attempts}, [3]int64{2, 2, 1})
	equal(t, "another claim", again.ID != next.ID && again.Token != next.Token, true)
	equal(t, "at the checkpoint", idsOfClaim(f.claimMid(lease, lashstore.AfterWork, 9)), []string{"m"})
	f.ok("abandon again", f.AbandonInputs(f.ctx, next, mid))
	f.inputStates("the later claims hold", "a claimed", "m claimed", "b claimed", "c waiting")
}

func inputClaimStaleAbandon(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("b", nextTurn))
	batch := f.queueTask("work")
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimNext(lease, 9)
	work, err := f.ClaimWork(f.ctx, lease.Fence(), lashstore.BoundaryIdle, 9)
	f.ok("claim work", err)
	equal(t, "work", idsOfWork(work), []string{batch.ID})
	before := f.snapshot()
	forged, unknown := *claim, *claim
	forged.Token = "00000000000000000000000000000000"
	unknown.ID = "unknown"
	f.ok("abandon", f.AbandonInputs(f.ctx, &forged, &unknown, &lashstore.InputClaim{Claim: work.Claim}, &lashstore.InputClaim{}))
	f.unchanged("after forged ones", before)
	done := claim.Completion()
	done.IDs = []string{"a"}
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{done}})
	f.ok("abandon the rest", f.AbandonInputs(f.ctx, claim))
	f.inputStates("what is completed stays so", "a completed", "b waiting")
}

// However the lease ends, what was claimed waits again at once, that of a running turn too, and the claim is void: it
// neither completes nor gives back, before anybody takes the lease and after.
func inputClaimEndsWithItsGeneration(t testing.TB, h SessionHarness) {
	for how, end := range map[string]func(f *fixture, held lashstore.Lease){
		"released": func(f *fixture, held lashstore.Lease) { f.ok("release", f.ReleaseLease(f.ctx, held.Fence())) },
		"expired":  func(f *fixture, _ lashstore.Lease) { f.clock.Advance(time.Minute) },
		"with a commit": func(f *fixture, held lashstore.Lease) {
			f.commit(lashstore.Commit{Lease: held.Fence(), ReleaseLease: true})
		},
	} {
		f := setup(t, h)
		f.submit(inputOf("m", midTurn), inputOf("a", nextTurn))
		held := f.take(otherOwner, time.Minute)
		mid, next := f.claimMid(held, lashstore.AfterWork, 9), f.claimNext(held, 9)
		end(f, held)
		f.inputStates(how, "m waiting", "a waiting")
		f.ok("abandon", f.AbandonInputs(f.ctx, mid))
		lease := f.take(opaqueOwner, time.Minute)
		f.inputStates(how+" and taken", "m waiting", "a waiting")
		f.notHeld(how, lease, lashstore.Commit{CompletedInputs: []lashstore.Completion{mid.Completion()}}, mid.ID, "m")
		again := f.claimMid(lease, lashstore.AfterWork, 9)
		equal(t, how+": claimed again", idsOfClaim(again), []string{"m"})
		equal(t, how+": generation, attempt", [2]int64{again.Generation, again.Attempt}, [2]int64{held.Generation + 1, 2})
		f.ok("abandon", f.AbandonInputs(f.ctx, mid, next))
		f.notHeld(how+", claimed by the successor", lease, lashstore.Commit{CompletedInputs: []lashstore.Completion{mid.Completion()}}, mid.ID, "m")
		f.inputStates(how+": the successor's claim holds", "m claimed", "a waiting")
		f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{again.Completion(), f.claimNext(lease, 9).Completion()}})
		f.inputStates(how+" and done", "m completed", "a completed")
	}
}

// A claim has no clock of its own.
func inputClaimRenewedLeaseKeepsIt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimNext(lease, 9)
	for range 100 {
		f.clock.Advance(59 * time.Second)
		_, err := f.RenewLease(f.ctx, lease.Fence(), time.Minute)
		f.ok("renew", err)
	}
	f.take(opaqueOwner, time.Minute)
	f.inputStates("after an hour and a half", "a claimed")
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{claim.Completion()}})
	f.inputStates("completed", "a completed")
}

// 1. Input of all turns but the one that goes on waits for the next turn, in the order of the line.
// 2. Told once, it stays so.
func deferMovesInputOfDeadTurns(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("late", lateInTurn), inputOf("n1", nextTurn), inputOf("kept", otherTurn), inputOf("mid", midTurn), inputOf("n2", nextTurn), inputOf("gone", midTurn))
	f.cancel("cancel", "gone cancelled", lashstore.ByID("gone"))
	lease := f.take(opaqueOwner, time.Minute)
	equal(t, "moved", f.deferInputs(lease, "turn-2"), 2)
	equal(t, "moved again", f.deferInputs(lease, "turn-2"), 0)
	mid, err := f.ClaimTurnInputs(f.ctx, lease.Fence(), lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.BeforeCompletion}, 9)
	f.ok("claim", err)
	equal(t, "of the dead turn", mid, nil)
	claim := f.claimNext(lease, 9)
	equal(t, "for the next turn", idsOfClaim(claim), []string{"late", "n1", "mid", "n2"})
	equal(t, "ingress", claim.Inputs[0].Ingress, nextTurn)
	f.ok("abandon", f.AbandonInputs(f.ctx, claim))
	equal(t, "moved, when no turn goes on", f.deferInputs(lease, ""), 1)
	equal(t, "for the next turn", idsOfClaim(f.claimNext(lease, 9)), []string{"late", "n1", "kept", "mid", "n2"})
	gone, err := f.CancelInputs(f.ctx, lashstore.ByID("gone"))
	f.ok("cancel again", err)
	equal(t, "ingress of what is settled", gone[0].Input.Ingress, midTurn)
}

// Whoever acquires the lane finds what its predecessor had claimed, too.
func deferLeavesTheClaimed(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn), inputOf("b", midTurn))
	held := f.take(opaqueOwner, time.Minute)
	claim := f.claimMid(held, lashstore.AfterWork, 1)
	equal(t, "moved", f.deferInputs(held, ""), 1)
	equal(t, "what is waiting", idsOfClaim(f.claimNext(held, 9)), []string{"b"})
	f.ok("abandon", f.AbandonInputs(f.ctx, claim))
	equal(t, "given back, it is the turn's", idsOfClaim(f.claimMid(held, lashstore.AfterWork, 9)), []string{"a"})
	f.clock.Advance(time.Hour)
	successor := f.take(otherOwner, time.Minute)
	equal(t, "moved by the successor", f.deferInputs(successor, ""), 1)
	equal(t, "for the next turn", idsOfClaim(f.claimNext(successor, 9)), []string{"a", "b"})
}

func deferNeedsTheFence(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	for _, line := range []string{"empty line", "full line"} {
		before := f.snapshot()
		for what, fence := range badFences(lease) {
			_, err := f.DeferInputs(f.ctx, fence, "")
			is(t, line+": "+what, err, lashstore.ErrLeaseLost)
		}
		_, err := f.DeferInputs(f.ctx, lease.Fence(), "a\nb")
		is(t, line+": malformed turn", err, lashstore.ErrInvalid)
		f.unchanged(line, before)
		f.submit(inputOf(line, midTurn))
	}
	equal(t, "moved", f.deferInputs(lease, ""), 2)
}
