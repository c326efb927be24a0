package testsuite

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func workListCases() []Case {
	return []Case{
		{"Work/ListHasScopes", "8.A.15, ListOptions", workListHasScopes},
		{"Work/ListHasPages", "ListOptions", workListHasPages},
		{"Work/ListMalformedRefused", "ListOptions.Validate", workListMalformedRefused},
		{"Work/CancelTakesOutWhatWaits", "8.A.19, DecideCancel", workCancelTakesOutWhatWaits},
		{"Work/CancelMalformedRefused", "ValidateTargets", workCancelMalformedRefused},
		{"Work/StatsAndVerifyCount", "Stats, VerifyReport", workStatsAndVerifyCount},
	}
}

func workListHasScopes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.worksListed("an empty line", lashstore.ListAll)
	f.putWork(keyed("ka", wake("a")), keyed("kb", wake("b")), wake("c"), notBefore(Epoch.Add(time.Hour), wake("d")), command("e"))
	lease := f.take(opaqueOwner, time.Minute)
	f.completeWork(lease, f.claimed("the head", lease, 1, "a"))
	f.cancelWork(lashstore.BySourceKey("kb"))
	claim := f.claimed("the next", lease, 1, "c")
	f.worksListed("mixed", lashstore.ListOpen, "c", "d", "e")
	f.worksListed("mixed", lashstore.ListPending, "d", "e")
	f.worksListed("mixed", lashstore.ListAll, "key=ka", "key=kb", "c", "d", "e")
	list, err := f.ListWork(f.ctx, nil)
	f.ok("list with nil", err)
	batchesEqual(t, "nil options", list, f.listWork(lashstore.ListOpen))
	want := claim.Batches[0]
	batchesEqual(t, "what is claimed", list[:1], []lashstore.WorkBatch{want})
	equal(t, "who works on it", *list[0].Claim, lashstore.ClaimInfo{ClaimID: claim.ID, Generation: 1, Holder: opaqueOwner})
	equal(t, "state", list[0].State, lashstore.EntryClaimed)
}

// A list of many batches comes in pages that neither overlap nor leave any out, whatever else is in the line.
func workListHasPages(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	const many = 300
	var want []string
	drafts := make([]lashstore.WorkDraft, many)
	for i := range drafts {
		want = append(want, fmt.Sprint("w", i))
		drafts[i] = wake(want[i])
	}
	_, err := f.EnqueueInput(f.ctx, lashstore.InputDraft{Input: json.RawMessage(`1`)})
	f.ok("submit", err)
	f.leaveBehind(drafts...)
	f.worksListed("all at once", lashstore.ListOpen, want...)
	for _, limit := range []int{1, 7, 299, 300, 301} {
		var got []string
		for after := int64(0); len(got) < min(many, 20*limit); {
			page, err := f.ListWork(f.ctx, &lashstore.ListOptions{After: after, Limit: limit})
			f.ok("list", err)
			equal(t, "length of a page", len(page), min(limit, many-len(got)))
			got, after = append(got, labels(page)...), page[len(page)-1].Seq
		}
		equal(t, fmt.Sprint("pages of ", limit), got, want[:len(got)])
	}
	last := f.listWork(lashstore.ListAll)[many-1].Seq
	page, err := f.ListWork(f.ctx, &lashstore.ListOptions{After: last})
	f.ok("list", err)
	equal(t, "behind the end", len(page), 0)
}

// leaveBehind puts much work in at once, by the outbox of commits.
func (f *fixture) leaveBehind(drafts ...lashstore.WorkDraft) {
	f.t.Helper()
	for part := range slices.Chunk(drafts, lashstore.MaxCommitOutbox) {
		f.commit(lashstore.Commit{Outbox: part})
	}
}

func workListMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"))
	for what, o := range map[string]lashstore.ListOptions{
		"scope": {Scope: "some"}, "after": {After: -1}, "limit": {Limit: -1},
	} {
		list, err := f.ListWork(f.ctx, &o)
		is(t, what, err, lashstore.ErrInvalid)
		equal(t, what, as[*lashstore.InvalidError](t, what, err).Field, what)
		equal(t, what+": list", len(list), 0)
	}
}

// One result for each target, in their order, each decided after the one before.
func workCancelTakesOutWhatWaits(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	a := f.putWork(keyed("ka", wake("a")))
	b := f.putWork(keyed("kb", wake("b")))
	c := f.putWork(wake("c"))
	f.putWork(wake("d"))
	in, err := f.EnqueueInput(f.ctx, lashstore.InputDraft{ID: "input", SourceKey: "ki", Input: json.RawMessage(`1`)})
	f.ok("submit", err)
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("the head", lease, 1, "a")
	targets := []lashstore.EntryTarget{
		lashstore.ByID("unknown"), lashstore.BySourceKey("kb"), lashstore.ByID(a.ID), lashstore.ByID(b.ID),
		lashstore.ByID(c.ID), lashstore.ByID(c.ID), lashstore.BySourceKey("ka"), lashstore.ByID("ka"),
		lashstore.BySourceKey(a.ID), lashstore.ByID(in.Input.ID), lashstore.BySourceKey("ki"),
	}
	want := []lashstore.CancelOutcome{
		lashstore.CancelNotFound, lashstore.Cancelled, lashstore.AlreadyClaimed, lashstore.AlreadyCancelled,
		lashstore.Cancelled, lashstore.CancelNotFound, lashstore.AlreadyClaimed, lashstore.CancelNotFound,
		lashstore.CancelNotFound, lashstore.CancelNotFound, lashstore.CancelNotFound,
	}
	got := make([]lashstore.CancelOutcome, 0, len(want))
	for _, r := range f.cancelWork(targets...) {
		got = append(got, r.Outcome)
	}
	equal(t, "outcomes", got, want)
	f.worksListed("afterwards", lashstore.ListOpen, "a", "d")
	f.completeWork(lease, claim)
	f.cancelWork()
	f.worksListed("after nothing", lashstore.ListAll, "key=ka", "key=kb", "d")
}

// A malformed target among good ones stops all of them.
func workCancelMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	b := f.putWork(keyed("k", wake("a")))
	refused := func(what string, bad ...lashstore.EntryTarget) {
		t.Helper()
		results, err := f.CancelWork(f.ctx, append([]lashstore.EntryTarget{lashstore.ByID(b.ID)}, bad...)...)
		is(t, what, err, lashstore.ErrInvalid)
		equal(t, what+": results", len(results), 0)
		f.worksListed(what, lashstore.ListPending, "a")
	}
	refused("neither", lashstore.EntryTarget{})
	refused("both", lashstore.EntryTarget{ID: b.ID, SourceKey: "k"})
	for what, id := range badIDs {
		refused("id: "+what, lashstore.ByID(id))
		refused("key: "+what, lashstore.BySourceKey(id))
	}
	refused("too many", slices.Repeat([]lashstore.EntryTarget{lashstore.ByID(b.ID)}, lashstore.MaxCancel)...)
	equal(t, "the most", len(f.cancelWork(slices.Repeat([]lashstore.EntryTarget{lashstore.BySourceKey("k")}, lashstore.MaxCancel)...)), lashstore.MaxCancel)
	f.worksListed("afterwards", lashstore.ListPending)
}

// entriesCounted wants so many open and settled batches.
func (f *fixture) entriesCounted(what string, open, settled int64) lashstore.Stats {
	f.t.Helper()
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(f.t, what+": open and settled", [2]int64{stats.Work, stats.SettledWork}, [2]int64{open, settled})
	report, err := f.Verify(f.ctx)
	f.ok("verify", err)
	equal(f.t, what+": entries verified", report.Entries, open+settled)
	equal(f.t, what+": findings", len(report.Findings), 0)
	return stats
}

func workStatsAndVerifyCount(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	equal(t, "bytes of an empty line", f.entriesCounted("an empty line", 0, 0).EntryBytes, 0)
	f.putWork(keyed("ka", wake("a")))
	one := f.entriesCounted("one", 1, 0).EntryBytes
	f.putWork(keyed("kb", wake("b")), wake("c"))
	equal(t, "bytes of three", f.entriesCounted("three", 3, 0).EntryBytes, 3*one)
	equal(t, "bytes of one, at least its payload", one >= int64(len(workItem("a").Payload)), true)
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("the head", lease, 1, "a")
	f.entriesCounted("one of them claimed", 3, 0)
	f.completeWork(lease, claim)
	f.cancelWork(lashstore.BySourceKey("kb"))
	equal(t, "bytes", f.entriesCounted("two settled", 1, 2).EntryBytes, one)
	_, err := f.Vacuum(f.ctx, &lashstore.VacuumOptions{WorkBefore: Epoch.Add(time.Second)})
	f.ok("vacuum", err)
	f.entriesCounted("after a vacuum", 1, 0)
}
