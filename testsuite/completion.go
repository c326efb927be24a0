package testsuite

import (
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func completionCases() []Case {
	return []Case{
		{"Claim/StaleCompletionSettlesNothing", "8.A.22, 8.A.23", claimStaleCompletionSettlesNothing},
		{"Claim/CompletionIsJudgedIDByID", "8.A.28, 10.W15", claimCompletionIsJudgedIDByID},
		{"Claim/CompletionSettlesWhatItNames", "10.W15, Completion", claimCompletionSettlesWhatItNames},
		{"Claim/CompletionIsOnce", "8.A.28", claimCompletionIsOnce},
		{"Claim/MalformedCompletionRefused", "Commit.Validate", claimMalformedCompletionRefused},
	}
}

// superseded wants that a completion is refused at an entry and that nothing changes.
func (f *fixture) superseded(what string, lease lashstore.Lease, entryID string, done ...lashstore.Completion) {
	f.t.Helper()
	f.workUnchanged(what, func() {
		_, err := f.try(lashstore.Commit{
			Lease: lease.Fence(), Graph: lashstore.AppendNodes(user("n", "")), CompletedWork: done, Outbox: []lashstore.WorkDraft{wake("x")},
		})
		is(f.t, what, err, lashstore.ErrClaimSuperseded)
		lost := as[*lashstore.ClaimSupersededError](f.t, what, err)
		equal(f.t, what+": entry", lost.EntryID, entryID)
		equal(f.t, what+": session", lost.SessionID, sessionID)
	})
}

func claimStaleCompletionSettlesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", "m"), joining("b", "m"))
	lease := f.take(opaqueOwner, time.Minute)
	old := f.claimed("both", lease, 8, "a", "b")
	f.ok("abandon", f.AbandonWork(f.ctx, old))
	f.superseded("an abandoned claim", lease, old.Batches[0].ID, old.Completion())
	now := f.claimed("both again", lease, 8, "a", "b")
	f.superseded("a claim from before", lease, old.Batches[0].ID, old.Completion())
	f.completeWork(lease, now)
	f.worksListed("settled", lashstore.ListAll)
}

// Every id that a completion names must be held by that very claim. One that is not stops all of them.
func claimCompletionIsJudgedIDByID(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", "m"), joining("b", "m"), wake("c"), wake("d"))
	lease := f.take(opaqueOwner, time.Minute)
	both, c := f.claimed("a and b", lease, 8, "a", "b"), f.claimed("c", lease, 8, "c")
	d := f.listWork(lashstore.ListPending)[0]
	in, err := f.EnqueueInput(f.ctx, lashstore.InputDraft{Input: []byte(`1`)})
	f.ok("submit", err)
	a, b := both.Batches[0].ID, both.Batches[1].ID
	with := func(change func(done *lashstore.Completion)) lashstore.Completion {
		done := both.Completion()
		change(&done)
		return done
	}
	f.superseded("other token", lease, a, with(func(done *lashstore.Completion) { done.Token = c.Token }))
	f.superseded("other claim", lease, a, with(func(done *lashstore.Completion) { done.ClaimID = c.ID }))
	f.superseded("another claim altogether", lease, a, with(func(done *lashstore.Completion) { done.ClaimID, done.Token = c.ID, c.Token }))
	for what, id := range map[string]string{
		"of another claim": c.Batches[0].ID, "waiting": d.ID, "unknown": "unknown", "an input": in.Input.ID,
	} {
		f.superseded("an id "+what, lease, id, with(func(done *lashstore.Completion) { done.IDs = []string{a, id, b} }))
		f.superseded("an id instead, "+what, lease, id, with(func(done *lashstore.Completion) { done.IDs = []string{a, id} }))
	}
	f.superseded("the second completion", lease, d.ID, c.Completion(), with(func(done *lashstore.Completion) { done.IDs = []string{a, d.ID} }))
	f.completeWork(lease, c, both)
	f.worksListed("settled", lashstore.ListOpen, "d")
}

// What a completion does not name stays claimed, and may be settled or abandoned later.
func claimCompletionSettlesWhatItNames(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", "m"), joining("b", "m"), joining("c", "m"))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("all", lease, 8, "a", "b", "c")
	part := func(label int) lashstore.Commit {
		done := claim.Completion()
		done.IDs = done.IDs[label : label+1]
		return lashstore.Commit{Lease: lease.Fence(), CompletedWork: []lashstore.Completion{done}}
	}
	f.commit(part(1))
	f.worksListed("after b", lashstore.ListOpen, "a", "c")
	f.worksListed("after b", lashstore.ListPending)
	f.commit(part(0))
	f.ok("abandon", f.AbandonWork(f.ctx, claim))
	f.worksListed("after a", lashstore.ListPending, "c")
}

func claimCompletionIsOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(keyed("ka", wake("a")), wake("b"))
	lease := f.take(opaqueOwner, time.Minute)
	for _, label := range []string{"a", "b"} {
		claim := f.claimed("the head", lease, 1, label)
		done := claim.Completion()
		f.superseded("twice in one commit", lease, done.IDs[0], done, done)
		f.completeWork(lease, claim)
		f.superseded("a second time", lease, done.IDs[0], done)
	}
}

func claimMalformedCompletionRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("it", lease, 8, "a")
	for what, change := range map[string]func(c *lashstore.Commit, done *lashstore.Completion){
		"no lease": func(c *lashstore.Commit, _ *lashstore.Completion) { c.Lease, c.WithoutLease = nil, true },
		"no claim": func(_ *lashstore.Commit, done *lashstore.Completion) { done.ClaimID = "" },
		"no token": func(_ *lashstore.Commit, done *lashstore.Completion) { done.Token = "" },
		"no ids":   func(_ *lashstore.Commit, done *lashstore.Completion) { done.IDs = nil },
		"an id twice": func(_ *lashstore.Commit, done *lashstore.Completion) {
			done.IDs = append(done.IDs, done.IDs[0])
		},
		"too many": func(c *lashstore.Commit, done *lashstore.Completion) {
			c.CompletedWork = slices.Repeat([]lashstore.Completion{*done}, lashstore.MaxCommitClaims)
		},
	} {
		done, c := claim.Completion(), lashstore.Commit{Lease: lease.Fence()}
		change(&c, &done)
		c.CompletedWork = append(c.CompletedWork, done)
		f.workUnchanged(what, func() {
			_, err := f.try(c)
			is(t, what, err, lashstore.ErrInvalid)
		})
	}
	f.completeWork(lease, claim)
}
