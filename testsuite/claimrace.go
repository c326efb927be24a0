package testsuite

import (
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func claimRaceCases() []Case {
	return []Case{
		{"Claim/RacersShareTheLine", "8.A.16, 8.F.98, 8.F.99", claimRacersShareTheLine},
		{"Claim/RacersForOneHaveOneWinner", "8.A.16, 8.F.98, 8.F.99", claimRacersForOneHaveOneWinner},
		{"Claim/RacesWithCancellation", "8.A.19", claimRacesWithCancellation},
	}
}

// Claimers on two handles that race for a line get every batch exactly once between them.
func claimRacersShareTheLine(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	const racers, each = 4, 3
	for i := range racers * each {
		f.putWork(wake(fmt.Sprint("w", i)))
	}
	fence := f.take(opaqueOwner, time.Minute).Fence()
	claims, errs := make([][]*lashstore.WorkClaim, racers), make([]error, racers)
	race(t, racers, func(i int) {
		for range each + 1 {
			claim, err := handles[i%2].ClaimWork(f.ctx, fence, lashstore.BoundaryIdle, 1)
			if err != nil {
				errs[i] = err
			}
			if claim != nil {
				claims[i] = append(claims[i], claim)
			}
		}
	})
	winners := map[string]string{}
	for i, list := range claims {
		f.ok("claim", errs[i])
		for _, claim := range list {
			label := labels(claim.Batches)[0]
			equal(t, "winner of "+label, winners[label], "")
			winners[label] = claim.ID
		}
	}
	equal(t, "batches claimed", len(winners), racers*each)
	for _, b := range f.listWork(lashstore.ListOpen) {
		equal(t, "holder of "+b.Items[0].Kind, b.Claim.ClaimID, winners[b.Items[0].Kind])
		equal(t, "attempts", b.Attempts, 1)
	}
}

// Whichever way of claiming is used, a batch has one winner; the others get nothing and no error.
func claimRacersForOneHaveOneWinner(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	fence := f.take(opaqueOwner, time.Minute).Fence()
	for what, draft := range map[string]lashstore.WorkDraft{"turn": wake("a"), "command": command("a")} {
		b := f.putWork(draft)
		claims, errs := make([]*lashstore.WorkClaim, 8), make([]error, 8)
		race(t, len(claims), func(i int) {
			on := handles[i%2]
			switch {
			case what == "command":
				claims[i], errs[i] = on.ClaimCommand(f.ctx, fence)
			case i < 4:
				claims[i], errs[i] = on.ClaimWork(f.ctx, fence, lashstore.BoundaryCheckpoint, 8)
			default:
				claims[i], errs[i] = on.ClaimWorkByID(f.ctx, fence, lashstore.BoundaryIdle, []string{b.ID})
			}
		})
		winners := 0
		for i, claim := range claims {
			f.ok(what, errs[i])
			if claim != nil {
				winners++
				f.takes(what, claim, "a")
			}
		}
		equal(t, what+": winners", winners, 1)
		f.worksListed(what, lashstore.ListPending)
	}
}

// A batch that is claimed and cancelled at the same moment is one of both.
func claimRacesWithCancellation(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	second := f.other()
	fence := f.take(opaqueOwner, time.Minute).Fence()
	for range 10 {
		b := f.putWork(wake("a"))
		var claim *lashstore.WorkClaim
		var results []lashstore.WorkCancellation
		var errs [2]error
		race(t, 2, func(i int) {
			if i == 0 {
				claim, errs[i] = f.ClaimWork(f.ctx, fence, lashstore.BoundaryIdle, 1)
			} else {
				results, errs[i] = second.CancelWork(f.ctx, lashstore.ByID(b.ID))
			}
		})
		f.ok("claim", errs[0])
		f.ok("cancel", errs[1])
		equal(t, "results", len(results), 1)
		if cancelled := results[0].Outcome == lashstore.Cancelled; cancelled == (claim != nil) {
			t.Fatalf("cancelled is %v, and the claim is %v", cancelled, claim)
		}
	}
}
