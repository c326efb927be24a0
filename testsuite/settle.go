package testsuite

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func settleCases() []Case {
	return []Case{
		{"Completion/SettlesIDByID", "10.W15, Commit.CompletedInputs", completionSettlesIDByID},
		{"Completion/OfSeveralClaims", "10.W15, Commit.CompletedWork", completionOfSeveralClaims},
		{"Completion/StaleOneRefusesTheCommit", "8.A.30, 10.W15, ClaimSupersededError", completionStaleOneRefuses},
		{"Completion/RefusedCommitSettlesNothing", "8.A.30, TurnCommitter.Commit", completionRefusedCommitSettlesNothing},
		{"Completion/NeedsALease", "Commit.CompletedWork", completionNeedsALease},
		{"Completion/MalformedRefused", "Completion, Commit.Validate", completionMalformedRefused},
		{"Completion/CountsByWhatItSettles", "10.W15, Commit.Hash", completionCountsByWhatItSettles},
		{"Completion/RacingOnesSettleOnce", "8.A.40, 10.W15", completionRacingOnesSettleOnce},
	}
}

// notHeld wants that c, under the lease, is refused for an entry that a claim does not hold, and changes nothing.
func (f *fixture) notHeld(what string, lease lashstore.Lease, c lashstore.Commit, claimID, entryID string) {
	f.t.Helper()
	c.Lease = lease.Fence()
	err := f.refused(what, c, lashstore.ErrClaimSuperseded)
	equal(f.t, what, *as[*lashstore.ClaimSupersededError](f.t, what, err),
		lashstore.ClaimSupersededError{SessionID: sessionID, ClaimID: claimID, EntryID: entryID})
}

// part is a completion of some entries of a claim.
func part(c lashstore.Claim, ids ...string) []lashstore.Completion {
	return []lashstore.Completion{{ClaimID: c.ID, Token: c.Token, IDs: ids}}
}

// held is a line of which all is claimed: inputs a, b and c by one claim, three batches by another.
type held struct {
	lease  lashstore.Lease
	inputs *lashstore.InputClaim
	work   *lashstore.WorkClaim
}

func (f *fixture) held() held {
	f.t.Helper()
	f.submit(inputOf("a", midTurn), inputOf("b", midTurn), inputOf("c", midTurn))
	for i := range 3 {
		d := taskOf(fmt.Sprint("work ", i))
		d.Slot, d.MergeKey = lashstore.SlotJoin, "one claim"
		f.queue(d)
	}
	lease := f.take(opaqueOwner, time.Hour)
	claims := f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9})
	equal(f.t, "claimed", [2]int{len(idsOfClaim(claims.Inputs)), len(idsOfWork(claims.Work))}, [2]int{3, 3})
	return held{lease, claims.Inputs, claims.Work}
}

// 1. What is named is settled, at the time of the commit; what is not stays claimed, and is settled by the next commit.
// 2. Settled is settled: for the line, for claims, and after the lease has ended.
func completionSettlesIDByID(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	work := idsOfWork(l.work)
	f.clock.Advance(time.Second)
	f.commit(lashstore.Commit{Lease: l.lease.Fence(), CompletedInputs: part(l.inputs.Claim, "b"), CompletedWork: part(l.work.Claim, work[2], work[0])})
	f.inputStates("some of it", "a claimed", "b completed", "c claimed")
	f.openWork("some of it", work[1])
	settled, err := f.ListInputs(f.ctx, &lashstore.ListOptions{Scope: lashstore.ListAll, After: l.inputs.Inputs[0].Seq, Limit: 1})
	f.ok("list", err)
	sameTime(t, "settled at", settled[0].SettledAt, f.clock.Now())
	equal(t, "its claim and input", [2]any{settled[0].Claim == nil, string(settled[0].Input)}, [2]any{true, string(inputOf("b", midTurn).Input)})
	f.notHeld("settled twice", l.lease, lashstore.Commit{CompletedInputs: part(l.inputs.Claim, "a", "b")}, l.inputs.ID, "b")
	f.notHeld("a batch settled twice", l.lease, lashstore.Commit{CompletedWork: part(l.work.Claim, work[1], work[0])}, l.work.ID, work[0])
	f.commit(lashstore.Commit{Lease: l.lease.Fence(), CompletedInputs: part(l.inputs.Claim, "c"), CompletedWork: part(l.work.Claim, work[1])})
	f.openWork("all of it")
	f.commit(lashstore.Commit{Lease: l.lease.Fence(), ReleaseLease: true})
	f.inputStates("a was left", "a waiting", "b completed", "c completed")
	equal(t, "claimed by the successor", idsOfClaim(f.claimMid(f.take(otherOwner, time.Minute), lashstore.AfterWork, 9)), []string{"a"})
}

func completionOfSeveralClaims(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn), inputOf("b", nextTurn), inputOf("n", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	next, mid := f.claimNext(lease, 9), f.claimMid(lease, lashstore.AfterWork, 9)
	f.notHeld("one claim's for the other's", lease, lashstore.Commit{
		CompletedInputs: slices.Concat(part(next.Claim, "a"), part(mid.Claim, "m", "b")),
	}, mid.ID, "b")
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: slices.Concat(part(next.Claim, "b"), part(mid.Claim, "m"), part(next.Claim, "a"))})
	f.inputStates("completed", "a completed", "m completed", "b completed", "n claimed")
}

// One entry that a claim does not hold refuses the whole commit, whatever else is in it; the error names claim and entry.
func completionStaleOneRefuses(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	work := idsOfWork(l.work)
	f.submit(inputOf("free", midTurn))
	free := f.queueTask("free")
	forged := l.inputs.Claim
	forged.Token = "00000000000000000000000000000000"
	unknown := l.inputs.Claim
	unknown.ID = "unknown"
	crossed := lashstore.Claim{ID: l.inputs.ID, Token: l.work.Token}
	for what, stale := range map[string]struct {
		inputs, work []lashstore.Completion
		claim, entry string
	}{
		"unknown input":          {inputs: part(l.inputs.Claim, "a", "missing"), claim: l.inputs.ID, entry: "missing"},
		"unknown batch":          {work: part(l.work.Claim, work[0], "missing"), claim: l.work.ID, entry: "missing"},
		"an input that waits":    {inputs: part(l.inputs.Claim, "a", "free"), claim: l.inputs.ID, entry: "free"},
		"a batch that waits":     {work: part(l.work.Claim, work[0], free.ID), claim: l.work.ID, entry: free.ID},
		"forged token":           {inputs: part(forged, "a"), claim: l.inputs.ID, entry: "a"},
		"unknown claim":          {inputs: part(unknown, "a"), claim: "unknown", entry: "a"},
		"token of another claim": {inputs: part(crossed, "a"), claim: l.inputs.ID, entry: "a"},
		"batch as input":         {inputs: part(l.work.Claim, work[0]), claim: l.work.ID, entry: work[0]},
		"twice in one commit":    {inputs: slices.Concat(part(l.inputs.Claim, "a"), part(l.inputs.Claim, "a")), claim: l.inputs.ID, entry: "a"},
		"after a good one":       {work: part(l.work.Claim, work...), inputs: part(forged, "b"), claim: l.inputs.ID, entry: "b"},
	} {
		c := turn(1, "")
		c.CompletedInputs, c.CompletedWork, c.Outbox, c.DeferInputsOf = stale.inputs, stale.work, []lashstore.WorkDraft{taskOf("outbox")}, "turn-1"
		f.notHeld(what, l.lease, c, stale.claim, stale.entry)
	}
	good := turn(1, "")
	good.Lease, good.CompletedInputs, good.CompletedWork = l.lease.Fence(), part(l.inputs.Claim, "a"), part(l.work.Claim, work...)
	f.commit(good)
	f.inputStates("afterwards", "a completed", "b claimed", "c claimed", "free waiting")
	f.openWork("afterwards", free.ID)
}

// A commit that loses for another reason leaves its claims as they are.
func completionRefusedCommitSettlesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	settle := func(c lashstore.Commit) lashstore.Commit {
		c.Lease, c.CompletedInputs, c.CompletedWork = l.lease.Fence(), part(l.inputs.Claim, "a", "b"), []lashstore.Completion{l.work.Completion()}
		return c
	}
	f.refused("parent", settle(turn(1, "missing")), lashstore.ErrUnknownParent)
	f.refused("revision", settle(lashstore.Commit{Expect: lashstore.At(7)}), lashstore.ErrRevisionConflict)
	f.refused("frame", settle(lashstore.Commit{CurrentFrameID: "missing"}), lashstore.ErrFrameNotFound)
	f.refused("part", settle(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{
		"carried": {Ref: lashstore.HashOf([]byte("missing"))},
	}}}), lashstore.ErrMissingBlob)
	tampered := settle(turn(1, ""))
	fence := *l.lease.Fence()
	fence.Token = "00000000000000000000000000000000"
	tampered.Lease = &fence
	f.refused("lease", tampered, lashstore.ErrLeaseLost)
	f.commit(settle(turn(1, "")))
	f.inputStates("after all", "a completed", "b completed", "c claimed")
}

// Claims are made under a lease, and settled under it: whether anybody holds one or nobody does.
func completionNeedsALease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	unleased := []lashstore.Commit{
		{WithoutLease: true, CompletedInputs: []lashstore.Completion{l.inputs.Completion()}},
		{WithoutLease: true, CompletedWork: []lashstore.Completion{l.work.Completion()}},
	}
	for _, c := range unleased {
		f.refused("while the lease is held", c, lashstore.ErrInvalid)
	}
	f.ok("release", f.ReleaseLease(f.ctx, l.lease.Fence()))
	for _, c := range unleased {
		f.refused("while nobody holds it", c, lashstore.ErrInvalid)
	}
	f.inputStates("afterwards", "a waiting", "b waiting", "c waiting")
}

func completionMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	claim := l.inputs.Claim
	many := make([]string, lashstore.MaxClaim+1)
	for i := range many {
		many[i] = fmt.Sprint("i", i)
	}
	for what, bad := range map[string]struct {
		list   []lashstore.Completion
		target error
	}{
		"no claim":      {[]lashstore.Completion{{Token: claim.Token, IDs: []string{"a"}}}, lashstore.ErrInvalid},
		"no token":      {[]lashstore.Completion{{ClaimID: claim.ID, IDs: []string{"a"}}}, lashstore.ErrInvalid},
		"nothing named": {part(claim), lashstore.ErrInvalid},
		"named twice":   {part(claim, "a", "b", "a"), lashstore.ErrInvalid},
		"malformed id":  {part(claim, "a", "b\n"), lashstore.ErrInvalid},
		"empty id":      {part(claim, "a", ""), lashstore.ErrInvalid},
		"many ids":      {part(claim, many...), lashstore.ErrTooLarge},
		"many claims":   {make([]lashstore.Completion, lashstore.MaxCommitClaims+1), lashstore.ErrTooLarge},
	} {
		f.refused(what, lashstore.Commit{Lease: l.lease.Fence(), CompletedInputs: bad.list}, bad.target)
		f.refused(what+", work", lashstore.Commit{Lease: l.lease.Fence(), CompletedWork: bad.list}, bad.target)
	}
	for what, id := range badIDs {
		f.refused("turn to defer: "+what, lashstore.Commit{Lease: l.lease.Fence(), DeferInputsOf: id}, lashstore.ErrInvalid)
	}
	f.commit(lashstore.Commit{Lease: l.lease.Fence(), CompletedInputs: part(claim, "a", "b", "c")})
}

// A claim is new in every life of a turn; what it settles is not. A retry that settles something else is another turn.
func completionCountsByWhatItSettles(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	c := turn(1, "")
	c.Lease, c.CompletedInputs, c.CompletedWork = l.lease.Fence(), part(l.inputs.Claim, "a", "b"), part(l.work.Claim, idsOfWork(l.work)...)
	first := f.commit(c)
	before := f.snapshot()
	retry := c
	retry.CompletedInputs = part(lashstore.Claim{ID: "another", Token: "life"}, "a", "b")
	retry.CompletedWork = part(lashstore.Claim{ID: "another still", Token: "life"}, idsOfWork(l.work)...)
	again := f.commit(retry)
	equal(t, "retry", [2]any{again.Replayed, again.Revision}, [2]any{true, first.Revision})
	for what, change := range map[string]func(c *lashstore.Commit){
		"fewer inputs": func(c *lashstore.Commit) { c.CompletedInputs = part(l.inputs.Claim, "a") },
		"other input":  func(c *lashstore.Commit) { c.CompletedInputs = part(l.inputs.Claim, "a", "c") },
		"no work":      func(c *lashstore.Commit) { c.CompletedWork = nil },
	} {
		other := c
		change(&other)
		f.refused(what, other, lashstore.ErrTurnConflict)
	}
	f.unchanged("afterwards", before)
}

// Many commits race to settle one claim, each at the head that it finds: it is settled once.
func completionRacingOnesSettleOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	handles := []*fixture{f, f.other()}
	errs := make([]error, 4)
	race(t, len(errs), func(i int) {
		for expect := lashstore.Create(); ; {
			_, err := handles[i%2].Commit(f.ctx, lashstore.Commit{
				SessionID: sessionID, Expect: expect, Lease: l.lease.Fence(), CompletedInputs: []lashstore.Completion{l.inputs.Completion()},
			})
			if errs[i] = err; expect == lashstore.At(1) || err == nil {
				return
			}
			is(t, "at the head", err, lashstore.ErrRevisionConflict)
			expect = lashstore.At(1)
		}
	})
	settled := 0
	for _, err := range errs {
		if err == nil {
			settled++
			continue
		}
		is(t, "one that comes late", err, lashstore.ErrClaimSuperseded)
	}
	equal(t, "settled", settled, 1)
	f.inputStates("afterwards", "a completed", "b completed", "c completed")
}
