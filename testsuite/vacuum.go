package testsuite

import (
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func vacuumCases() []Case {
	return []Case{
		{"Vacuum/DeletesTombstonesOnly", "8.A.37, 10.W44", vacuumDeletesTombstonesOnly},
		{"Vacuum/FreesTheIDs", "10.W22", vacuumFreesTheIDs},
		{"Vacuum/HonoursCutOffs", "10.W44, VacuumOptions", vacuumHonoursCutOffs},
		{"Vacuum/FarFutureCutOff", "10.W25", vacuumFarFutureCutOff},
		{"Vacuum/KeepsUsageTotals", "10.W54, VacuumOptions.UsageBefore", vacuumKeepsUsageTotals},
		{"Vacuum/RetryWithoutReceiptIsJudgedByRevision", "VacuumOptions.ReceiptsBefore", vacuumRetryWithoutReceipt},
		{"Vacuum/ClockThatWentBack", "10.W44", vacuumClockThatWentBack},
		{"Vacuum/WhatIsOldGoesFromBehindWhatSeemsYoung", "10.W44, VacuumOptions", vacuumOldBehindYoung},
		{"Vacuum/MalformedRefused", "VacuumOptions.Validate", vacuumMalformedRefused},
		{"Stats/CountRowsAndBytes", "SessionMaintainer.Stats", statsCountRowsAndBytes},
		{"Verify/CountsWhatItRead", "SessionMaintainer.Verify", verifyCountsWhatItRead},
	}
}

func (f *fixture) vacuum(o *lashstore.VacuumOptions) lashstore.VacuumReport {
	f.t.Helper()
	report, err := f.Vacuum(f.ctx, o)
	f.ok("vacuum", err)
	report.Pages = 0
	return report
}

// 1. Nil deletes tombstoned nodes of any age and nothing else: no live node, receipt or usage.
// 2. The report counts this call alone; in batches of one, too.
func vacuumDeletesTombstonesOnly(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.add(chain("n", "u1", 5)...)
	f.commit(turn(2, "a1"))
	equal(t, "nothing to do", f.vacuum(nil), lashstore.VacuumReport{})
	f.clock.Advance(time.Hour)
	f.tombstone(5, "n0")
	before := f.snapshot()
	equal(t, "vacuumed", f.vacuum(&lashstore.VacuumOptions{Batch: 1}), lashstore.VacuumReport{Nodes: 5})
	before.stats.Tombstones, before.revisions[1].Leaf = 0, ""
	after := f.snapshot()
	before.stats.NodeBytes = after.stats.NodeBytes // of the tombstones, too
	f.unchanged("the rest", before)
	equal(t, "again", f.vacuum(nil), lashstore.VacuumReport{})
	again, err := f.try(turn(1, ""))
	f.ok("retry", err)
	equal(t, "replayed", again.Replayed, true)
}

func vacuumFreesTheIDs(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	f.tombstone(2, "x")
	f.vacuum(nil)
	f.add(message("x", "b", lashstore.RoleTool, "another node altogether"))
	f.path("afterwards", "u", "a", "b", "x")
	f.nodes("afterwards", "u", "a", "b", "x")
}

// Each class of rows has a cut-off of its own; what happened at the cut-off or later stays.
func vacuumHonoursCutOffs(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for i := 1; i <= 3; i++ { // at the Epoch, an hour later, two hours later
		f.commit(turn(i, ""))
		f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{ClearLeaf: true}})
		f.tombstone(2, fmt.Sprint("u", i))
		f.clock.Advance(time.Hour)
	}
	cutOff := Epoch.Add(time.Hour)
	equal(t, "tombstones", f.vacuum(&lashstore.VacuumOptions{TombstonesBefore: cutOff}), lashstore.VacuumReport{Nodes: 2})
	equal(t, "at the Epoch", f.vacuum(&lashstore.VacuumOptions{TombstonesBefore: Epoch, ReceiptsBefore: Epoch, UsageBefore: Epoch}),
		lashstore.VacuumReport{})
	equal(t, "receipts", f.vacuum(&lashstore.VacuumOptions{TombstonesBefore: cutOff, ReceiptsBefore: cutOff}), lashstore.VacuumReport{Receipts: 1})
	equal(t, "usage", f.vacuum(&lashstore.VacuumOptions{TombstonesBefore: cutOff, UsageBefore: cutOff.Add(time.Hour), Batch: 1}),
		lashstore.VacuumReport{Usage: 2})
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "what is left", [3]int64{stats.Tombstones, stats.Receipts, stats.UsageDeltas}, [3]int64{4, 2, 1})
}

// A time far away is far away, and no number that wrapped around.
func vacuumFarFutureCutOff(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("")})
	far := time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	equal(t, "vacuumed", f.vacuum(&lashstore.VacuumOptions{TombstonesBefore: far, ReceiptsBefore: far, UsageBefore: far}),
		lashstore.VacuumReport{Nodes: 2, Receipts: 1, Usage: 1})
}

func vacuumKeepsUsageTotals(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	totals := f.totals()
	equal(t, "totals", len(totals), 1)
	f.clock.Advance(time.Hour)
	equal(t, "deleted", f.vacuum(&lashstore.VacuumOptions{UsageBefore: f.clock.Now()}).Usage, 2)
	equal(t, "totals", f.totals(), totals)
	equal(t, "tokens", f.load(nil).Summary.Tokens, 30)
	f.commit(turn(3, "a2"))
	equal(t, "totals grow on", f.totals()[0].Usage.Input, 30)
}

func vacuumRetryWithoutReceipt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	retry, _ := f.first()
	f.clock.Advance(time.Hour)
	equal(t, "deleted", f.vacuum(&lashstore.VacuumOptions{ReceiptsBefore: f.clock.Now()}).Receipts, 1)
	_, err := f.Commit(f.ctx, retry)
	is(t, "the retry of a turn whose receipt is gone, without lease", err, lashstore.ErrLeaseLost)
	f.refused("the same under a lease", retry, lashstore.ErrRevisionConflict)
}

// A child that was tombstoned before its parent has the later time when the clock went back in between.
func vacuumClockThatWentBack(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	f.tombstone(1, "y")
	f.clock.Advance(-time.Hour)
	f.tombstone(1, "x")
	f.vacuum(&lashstore.VacuumOptions{TombstonesBefore: Epoch.Add(-time.Minute)})
	f.vacuum(&lashstore.VacuumOptions{Batch: 1})
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "nodes, tombstones", [2]int64{stats.Nodes, stats.Tombstones}, [2]int64{3, 0})
}

// A clock that was ahead and went back puts old receipts and usage behind younger ones.
func vacuumOldBehindYoung(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.clock.Advance(2 * time.Hour)
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	f.clock.Advance(-2 * time.Hour)
	f.commit(turn(3, "a2"))
	f.commit(turn(4, "a3"))
	cutOff := Epoch.Add(time.Hour)
	equal(t, "vacuumed", f.vacuum(&lashstore.VacuumOptions{ReceiptsBefore: cutOff, UsageBefore: cutOff, Batch: 1}),
		lashstore.VacuumReport{Receipts: 2, Usage: 2})
	for i, parent := range []string{"", "a1"} {
		again, err := f.try(turn(i+1, parent))
		f.ok("retry", err)
		equal(t, "a young one replays", again.Replayed, true)
	}
}

func vacuumMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("")})
	before := f.snapshot()
	early := time.Unix(-1, 0)
	for what, o := range map[string]lashstore.VacuumOptions{
		"tombstones before 1970": {TombstonesBefore: early}, "receipts before 1970": {ReceiptsBefore: early},
		"usage before 1970": {UsageBefore: early}, "batch": {Batch: -1},
	} {
		_, err := f.Vacuum(f.ctx, &o)
		is(t, what, err, lashstore.ErrInvalid)
	}
	_, err := f.GC(f.ctx, &lashstore.GCOptions{Batch: -1})
	is(t, "batch of a garbage collection", err, lashstore.ErrInvalid)
	f.unchanged("after refusals", before)
}

func statsCountRowsAndBytes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	f.tombstone(1, "branch")
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	got := []int64{stats.Nodes, stats.Tombstones, stats.Blobs, stats.Receipts, stats.UsageDeltas, stats.Frames, stats.Artifacts}
	// Blobs: two manifests, two parts each, a frame's state, one put, one artifact.
	equal(t, "nodes, tombstones, blobs, receipts, usage, frames, artifacts", got, []int64{4, 1, 9, 2, 2, 1, 1})
	equal(t, "node bytes are counted", stats.NodeBytes > 0, true)
	equal(t, "blob bytes are counted", stats.BlobBytes > 0 && stats.BlobStoredBytes > 0, true)
}

func verifyCountsWhatItRead(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	report, err := f.Verify(f.ctx)
	f.ok("verify", err)
	equal(t, "findings", len(report.Findings), 0)
	got := []int64{report.Nodes, report.Blobs, report.Receipts, report.Frames, report.Artifacts}
	equal(t, "nodes, blobs, receipts, frames, artifacts", got, []int64{5, 9, 2, 1, 1})
}
