package testsuite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func claimCases() []Case {
	return slices.Concat([]Case{
		{"Claim/NeedsALease", "8.A.28, 10.W46", claimNeedsALease},
		{"Claim/MalformedRefused", "ClaimLimit, ValidateClaimIDs", claimMalformedRefused},
		{"Claim/TellsWhoHasIt", "1.8, Claim, ClaimInfo", claimTellsWhoHasIt},
		{"Claim/TokensAreSecrets", "10.W16, Claim.Token", claimTokensAreSecrets},
		{"Claim/SameGenerationNeverReclaims", "8.A.23, 5.2", claimSameGenerationNeverReclaims},
		{"Claim/ReentryKeepsClaims", "8.A.23", claimReentryKeepsClaims},
		{"Claim/ReleaseFreesClaims", "8.A.23, 8.A.24", claimReleaseFreesClaims},
		{"Claim/ReleaseByCommitFreesClaims", "8.A.24", claimReleaseByCommitFreesClaims},
		{"Claim/ExpiryFreesClaims", "8.A.24, 8.A.41", claimExpiryFreesClaims},
		{"Claim/TakeoverFreesClaims", "8.A.23, 8.A.24", claimTakeoverFreesClaims},
		{"Claim/AttemptsGrow", "8.A.22, Claim.Attempt", claimAttemptsGrow},
		{"Claim/AbandonPutsBack", "8.A.22, 5.7", claimAbandonPutsBack},
		{"Claim/StaleAbandonFreesNothing", "5.7", claimStaleAbandonFreesNothing},
		{"Claim/CancelWhileClaimed", "8.A.19", claimCancelWhileClaimed},
	}, claimRuleCases(), completionCases(), claimRaceCases())
}

// claimed wants that an idle lane claims these batches, in order; none when the claim is nil.
func (f *fixture) claimed(what string, lease lashstore.Lease, limit int, want ...string) *lashstore.WorkClaim {
	f.t.Helper()
	return f.claimedAt(what, lashstore.BoundaryIdle, lease, limit, want...)
}

func (f *fixture) claimedAt(what string, at lashstore.WorkBoundary, lease lashstore.Lease, limit int, want ...string) *lashstore.WorkClaim {
	f.t.Helper()
	claim, err := f.ClaimWork(f.ctx, lease.Fence(), at, limit)
	f.ok(what, err)
	return f.takes(what, claim, want...)
}

// takes wants these batches in the claim; nil where there are none.
func (f *fixture) takes(what string, claim *lashstore.WorkClaim, want ...string) *lashstore.WorkClaim {
	f.t.Helper()
	var got []string
	if claim != nil {
		got = labels(claim.Batches)
	}
	equal(f.t, what+": claimed", got, want)
	return claim
}

// claimedCommand claims the command at the head; nil when there is none.
func (f *fixture) claimedCommand(lease lashstore.Lease) *lashstore.WorkClaim {
	f.t.Helper()
	claim, err := f.ClaimCommand(f.ctx, lease.Fence())
	f.ok("claim a command", err)
	return claim
}

func (f *fixture) claimedByID(lease lashstore.Lease, at lashstore.WorkBoundary, batches ...lashstore.WorkBatch) *lashstore.WorkClaim {
	f.t.Helper()
	claim, err := f.ClaimWorkByID(f.ctx, lease.Fence(), at, batchIDs(batches))
	f.ok("claim by id", err)
	return claim
}

func batchIDs(batches []lashstore.WorkBatch) (ids []string) {
	for _, b := range batches {
		ids = append(ids, b.ID)
	}
	return ids
}

// A claim asks for the lease whether or not there is anything to claim, and for any limit.
func claimNeedsALease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	fences := tamperedFences(lease)
	fences["none"] = nil
	check := func(line string, id string) {
		t.Helper()
		for what, fence := range fences {
			for call, claim := range map[string]func() (*lashstore.WorkClaim, error){
				"work": func() (*lashstore.WorkClaim, error) { return f.ClaimWork(f.ctx, fence, lashstore.BoundaryIdle, 8) },
				"limit 0": func() (*lashstore.WorkClaim, error) {
					return f.ClaimWork(f.ctx, fence, lashstore.BoundaryCheckpoint, 0)
				},
				"a command": func() (*lashstore.WorkClaim, error) { return f.ClaimCommand(f.ctx, fence) },
				"by id": func() (*lashstore.WorkClaim, error) {
					return f.ClaimWorkByID(f.ctx, fence, lashstore.BoundaryIdle, []string{id})
				},
				"by no id": func() (*lashstore.WorkClaim, error) {
					return f.ClaimWorkByID(f.ctx, fence, lashstore.BoundaryIdle, nil)
				},
			} {
				taken, err := claim()
				lost := as[*lashstore.LeaseLostError](t, fmt.Sprint(line, ", fence ", what, ", ", call), err)
				equal(t, "session", lost.SessionID, sessionID)
				f.takes(line, taken)
			}
		}
	}
	check("an empty line", "missing")
	b := f.putWork(wake("a"))
	check("a line", b.ID)
	f.worksListed("afterwards", lashstore.ListPending, "a")
	f.clock.Advance(time.Minute)
	fences = map[string]*lashstore.Fence{"expired": lease.Fence()}
	check("an expired lease", b.ID)
	f.claimed("the next holder", f.take(otherOwner, time.Minute), 8, "a")
	fences["superseded"] = lease.Fence()
	check("a superseded lease", b.ID)
}

func claimMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	b := f.putWork(wake("a"))
	fence := f.take(opaqueOwner, time.Minute).Fence()
	for _, boundary := range []lashstore.WorkBoundary{"", "anywhere"} {
		_, err := f.ClaimWork(f.ctx, fence, boundary, 1)
		is(t, "boundary", err, lashstore.ErrInvalid)
		_, err = f.ClaimWorkByID(f.ctx, fence, boundary, []string{b.ID})
		is(t, "boundary, by id", err, lashstore.ErrInvalid)
	}
	_, err := f.ClaimWork(f.ctx, fence, lashstore.BoundaryIdle, -1)
	is(t, "limit", err, lashstore.ErrInvalid)
	lists := map[string][]string{
		"twice": {b.ID, b.ID}, "empty id": {b.ID, ""}, "too many": make([]string, lashstore.MaxClaim+1),
	}
	for what, id := range badIDs {
		lists[what] = []string{id}
	}
	for what, ids := range lists {
		_, err := f.ClaimWorkByID(f.ctx, fence, lashstore.BoundaryIdle, ids)
		is(t, what, err, lashstore.ErrInvalid)
	}
	f.worksListed("afterwards", lashstore.ListPending, "a")
}

func claimTellsWhoHasIt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", "m"), joining("b", "m"))
	want := f.listWork(lashstore.ListOpen)
	f.take(otherOwner, 0)
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("both", lease, 8, "a", "b")
	equal(t, "generation and attempt", [2]int64{claim.Generation, claim.Attempt}, [2]int64{2, 1})
	for i := range want {
		want[i].State, want[i].Attempts = lashstore.EntryClaimed, 1
		want[i].Claim = &lashstore.ClaimInfo{ClaimID: claim.ID, Generation: 2, Holder: opaqueOwner}
	}
	batchesEqual(t, "in the claim", claim.Batches, want)
	batchesEqual(t, "in the list of another handle", f.other().listWork(lashstore.ListOpen), want)
	equal(t, "completion", claim.Completion(), lashstore.Completion{ClaimID: claim.ID, Token: claim.Token, IDs: batchIDs(want)})
}

// Claims of two places where the same was done at the same moment have neither id nor token in common.
func claimTokensAreSecrets(t testing.TB, h SessionHarness) {
	seen := map[string]bool{}
	for range 2 {
		f := setup(t, h)
		f.putWork(wake("a"))
		lease := f.take(opaqueOwner, time.Minute)
		for range 5 {
			claim := f.claimed("it", lease, 1, "a")
			if len(claim.Token) != 32 || strings.Trim(claim.Token, "0123456789abcdef") != "" {
				t.Fatalf("token has %d characters, not 32 hexadecimal digits", len(claim.Token))
			}
			if claim.ID == "" || claim.ID == claim.Token || seen[claim.ID] || seen[claim.Token] {
				t.Fatalf("id %q or its token came before", claim.ID)
			}
			seen[claim.ID], seen[claim.Token] = true, true
			f.ok("abandon", f.AbandonWork(f.ctx, claim))
		}
	}
}

// What a generation holds is passed over, by all its claims, and holds nobody up.
func claimSameGenerationNeverReclaims(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), command("b"), wake("c"))
	held := f.listWork(lashstore.ListOpen)
	lease := f.take(opaqueOwner, time.Minute)
	f.claimed("the first", lease, 8, "a")
	f.claimed("behind it, a command", lease, 8)
	f.takes("the command", f.claimedCommand(lease), "b")
	f.takes("another command", f.claimedCommand(lease))
	f.takes("what is held, by id", f.claimedByID(lease, lashstore.BoundaryIdle, held[0]))
	f.claimed("the last", lease, 8, "c")
	f.claimed("no more", lease, 8)
	f.worksListed("all held", lashstore.ListPending)
	f.worksListed("all held", lashstore.ListOpen, "a", "b", "c")
}

func claimReentryKeepsClaims(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("it", lease, 8, "a")
	f.take(opaqueOwner, time.Hour)
	_, err := f.RenewLease(f.ctx, lease.Fence(), 2*time.Hour)
	f.ok("renew", err)
	_, err = f.TakeLease(f.ctx, otherOwner, time.Minute)
	is(t, "take by another", err, lashstore.ErrLeaseBusy)
	f.clock.Advance(90 * time.Minute)
	f.claimed("what is held", lease, 8)
	f.worksListed("what is held", lashstore.ListPending)
	f.completeWork(lease, claim)
	f.worksListed("settled", lashstore.ListOpen)
}

// freedBy wants that what a lease had claimed waits again without anybody's abandoning it: it is pending, nobody's, cancelled
// by whoever asks, and claimed by the next holder; the claim from before settles nothing.
func freedBy(t testing.TB, h SessionHarness, end func(f *fixture, lease lashstore.Lease)) {
	t.Helper()
	f := setup(t, h)
	f.putWork(wake("a"), keyed("kb", wake("b")), command("c"))
	lease := f.take(opaqueOwner, time.Minute)
	old := f.claimed("a", lease, 1, "a")
	f.claimed("b", lease, 1, "b")
	f.takes("c", f.claimedCommand(lease), "c")
	end(f, lease)
	f.worksListed("freed", lashstore.ListPending, "a", "b", "c")
	for _, b := range f.other().listWork(lashstore.ListOpen) {
		equal(t, "state", b.State, lashstore.EntryWaiting)
		equal(t, "claim", b.Claim, nil)
		equal(t, "attempts", b.Attempts, 1)
	}
	equal(t, "cancelled", f.cancelWork(lashstore.BySourceKey("kb"))[0].Outcome, lashstore.Cancelled)
	f.reclaimedByNext(lease, old)
}

// reclaimedByNext wants that the next generation claims anew what old holds no more.
func (f *fixture) reclaimedByNext(lease lashstore.Lease, old *lashstore.WorkClaim) {
	f.t.Helper()
	next := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("by the next holder", next, 8, "a")
	equal(f.t, "generation", claim.Generation, next.Generation)
	equal(f.t, "later generation", claim.Generation > lease.Generation, true)
	equal(f.t, "attempt", claim.Attempt, 2)
	f.superseded("the old claim", next, old.Batches[0].ID, old.Completion())
	_, err := f.try(lashstore.Commit{Lease: lease.Fence(), CompletedWork: []lashstore.Completion{old.Completion()}})
	is(f.t, "the old claim under its old lease", err, lashstore.ErrLeaseLost)
	f.ok("abandon the old claim", f.AbandonWork(f.ctx, old))
	f.completeWork(next, claim)
	f.worksListed("settled by the next holder", lashstore.ListOpen, "c")
}

func claimReleaseFreesClaims(t testing.TB, h SessionHarness) {
	freedBy(t, h, func(f *fixture, lease lashstore.Lease) { f.ok("release", f.ReleaseLease(f.ctx, lease.Fence())) })
}

func claimReleaseByCommitFreesClaims(t testing.TB, h SessionHarness) {
	freedBy(t, h, func(f *fixture, lease lashstore.Lease) {
		f.commit(lashstore.Commit{Lease: lease.Fence(), ReleaseLease: true})
	})
}

func claimExpiryFreesClaims(t testing.TB, h SessionHarness) {
	freedBy(t, h, func(f *fixture, lease lashstore.Lease) {
		f.clock.Advance(time.Minute - time.Millisecond)
		f.worksListed("a millisecond before", lashstore.ListPending)
		equal(t, "cancelled before", f.cancelWork(lashstore.BySourceKey("kb"))[0].Outcome, lashstore.AlreadyClaimed)
		f.clock.Advance(time.Millisecond)
	})
}

func claimTakeoverFreesClaims(t testing.TB, h SessionHarness) {
	freedBy(t, h, func(f *fixture, lease lashstore.Lease) {
		f.clock.Advance(time.Minute)
		equal(t, "generation", f.take(otherOwner, 0).Generation, lease.Generation+1)
	})
}

// Attempts count every claim of a batch, under whatever lease; a claim tells that of its first batch.
func claimAttemptsGrow(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", "m"))
	for attempt := int64(1); attempt <= 5; attempt++ {
		lease := f.take(opaqueOwner, time.Minute)
		if attempt == 4 {
			f.putWork(joining("b", "m"))
		}
		claim, err := f.ClaimWork(f.ctx, lease.Fence(), lashstore.BoundaryIdle, 8)
		f.ok("claim", err)
		if claim == nil {
			t.Fatal("nothing was claimed")
		}
		equal(t, "attempt of the claim", claim.Attempt, attempt)
		for i, b := range f.listWork(lashstore.ListOpen) {
			want := attempt - int64(3*i)
			equal(t, "attempts listed", b.Attempts, want)
			equal(t, "attempts claimed", claim.Batches[i].Attempts, want)
		}
		f.ok("abandon", f.AbandonWork(f.ctx, claim))
		if attempt%2 == 0 {
			f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
		}
	}
}

// What is given back waits in its old place at once; all of one call together.
func claimAbandonPutsBack(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), joining("b", "m"), joining("c", "m"), wake("d"))
	lease := f.take(opaqueOwner, time.Minute)
	first, second := f.claimed("a", lease, 8, "a"), f.claimed("b and c", lease, 8, "b", "c")
	for range 2 {
		f.ok("abandon", f.other().AbandonWork(f.ctx, first, nil, second))
		f.worksListed("given back", lashstore.ListPending, "a", "b", "c", "d")
	}
	f.ok("abandon nothing", f.AbandonWork(f.ctx))
	again := f.claimed("a again", lease, 8, "a")
	equal(t, "another claim", again.ID != first.ID && again.Token != first.Token, true)
	f.claimed("b and c again", lease, 8, "b", "c")
	f.claimed("d", lease, 8, "d")
}

func claimStaleAbandonFreesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), keyed("kb", wake("b")))
	lease := f.take(opaqueOwner, time.Minute)
	old := f.claimed("a", lease, 8, "a")
	f.ok("abandon", f.AbandonWork(f.ctx, old))
	held := f.claimed("a again", lease, 8, "a")
	settled := f.claimed("b", lease, 8, "b")
	f.completeWork(lease, settled)
	forged, crossed := *held, *held
	forged.Token = old.Token
	crossed.ID = old.ID
	f.workUnchanged("abandoned claims that hold nothing", func() {
		f.ok("abandon", f.AbandonWork(f.ctx, old, settled, &forged, &crossed, &lashstore.WorkClaim{}))
	})
	f.claimed("what is held", lease, 8)
	f.completeWork(lease, held)
}

func claimCancelWhileClaimed(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	b := f.putWork(keyed("ka", wake("a")))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("it", lease, 8, "a")
	f.workUnchanged("cancelled while it is claimed", func() {
		for _, target := range []lashstore.EntryTarget{lashstore.ByID(b.ID), lashstore.BySourceKey("ka")} {
			r := f.other().cancelWork(target)[0]
			equal(t, "outcome", r.Outcome, lashstore.AlreadyClaimed)
			batchesEqual(t, "as it is", []lashstore.WorkBatch{*r.Batch}, claim.Batches)
		}
	})
	f.ok("abandon", f.AbandonWork(f.ctx, claim))
	equal(t, "outcome afterwards", f.cancelWork(lashstore.ByID(b.ID))[0].Outcome, lashstore.Cancelled)
	f.superseded("the claim of what was cancelled", lease, b.ID, claim.Completion())
}
