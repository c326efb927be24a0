package testsuite

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func workKeyCases() []Case {
	return []Case{
		{"Work/SourceKeyIsIdempotent", "8.A.15, 8.A.29", workSourceKeyIsIdempotent},
		{"Work/OtherContentConflicts", "10.W19", workOtherContentConflicts},
		{"Work/KeysOutliveCompletion", "10.W19", workKeysOutliveCompletion},
		{"Work/KeysOutliveCancellation", "10.W19, WorkQueue.CancelWork", workKeysOutliveCancellation},
		{"Work/VacuumForgetsKeys", "10.W19, VacuumOptions.WorkBefore", workVacuumForgetsKeys},
		{"Work/WithoutKeyLeavesNothing", "WorkBatch, Stats", workWithoutKeyLeavesNothing},
		{"Work/RacingEnqueuesOfOneKeyAgree", "8.A.15, 10.W17", workRacingEnqueuesOfOneKeyAgree},
	}
}

// The same key is the same batch: in other spelling of the JSON, with defaults said or not, and at another time.
func workSourceKeyIsIdempotent(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := f.putWork(keyed("k", wake("a")))
	f.putWork(wake("b"))
	f.clock.Advance(time.Hour)
	again := keyed("k", wake("a"))
	again.Delivery, again.Slot, again.SessionID = lashstore.DeliverEarliest, lashstore.SlotExclusive, sessionID
	again.NotBefore = Epoch.Add(24 * time.Hour)
	again.Items = []lashstore.WorkItem{{Kind: "a", Payload: json.RawMessage(`{"label":"\u0061"}`)}}
	for _, on := range []*fixture{f, f.other()} {
		done, err := on.EnqueueWork(f.ctx, again)
		f.ok("enqueue again", err)
		equal(t, "existing", done.Existing, true)
		batchesEqual(t, "again", []lashstore.WorkBatch{done.Batch}, []lashstore.WorkBatch{first})
	}
	f.worksListed("afterwards", lashstore.ListAll, "a", "b")
	lease := f.take(opaqueOwner, time.Minute)
	equal(t, "items of the claim", len(f.claimed("it", lease, 8, "a").Batches[0].Items), 1)
	done, err := f.EnqueueWork(f.ctx, again)
	f.ok("enqueue what is claimed", err)
	equal(t, "state of what is claimed", done.Batch.State, lashstore.EntryClaimed)
}

func workOtherContentConflicts(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	original := keyed("k", joining("a", "m"))
	first := f.putWork(original)
	for what, change := range map[string]func(d *lashstore.WorkDraft){
		"payload": func(d *lashstore.WorkDraft) {
			d.Items = []lashstore.WorkItem{{Kind: "a", Payload: []byte(`{"label":"b"}`)}}
		},
		"kind":     func(d *lashstore.WorkDraft) { d.Items = []lashstore.WorkItem{{Kind: "b", Payload: d.Items[0].Payload}} },
		"one more": func(d *lashstore.WorkDraft) { d.Items = append(slices.Clone(d.Items), workItem("b")) },
		"delivery": func(d *lashstore.WorkDraft) { d.Delivery = lashstore.DeliverAfterTurn },
		"slot":     func(d *lashstore.WorkDraft) { d.Slot, d.MergeKey = lashstore.SlotExclusive, "" },
		"merge":    func(d *lashstore.WorkDraft) { d.MergeKey = "n" },
		"class":    func(d *lashstore.WorkDraft) { *d = keyed("k", command("a")) },
	} {
		d := original
		change(&d)
		f.workUnchanged(what, func() { f.conflicts(what, d, first.ID) })
	}
}

// conflicts wants that the draft's key is taken by a batch of other content.
func (f *fixture) conflicts(what string, d lashstore.WorkDraft, id string) {
	f.t.Helper()
	_, err := f.EnqueueWork(f.ctx, d)
	is(f.t, what, err, lashstore.ErrEntryConflict)
	conflict := as[*lashstore.EntryConflictError](f.t, what, err)
	equal(f.t, what+": error", *conflict, lashstore.EntryConflictError{SessionID: sessionID, SourceKey: d.SourceKey, ExistingID: id})
}

// remembered wants that a settled batch is there by its key alone: nothing runs twice, other content conflicts.
func (f *fixture) remembered(d lashstore.WorkDraft, want lashstore.WorkBatch) {
	f.t.Helper()
	done, err := f.EnqueueWork(f.ctx, d)
	f.ok("enqueue what is settled", err)
	equal(f.t, "existing", done.Existing, true)
	batchesEqual(f.t, "settled batch", []lashstore.WorkBatch{done.Batch}, []lashstore.WorkBatch{want})
	batchesEqual(f.t, "all", f.listWork(lashstore.ListAll), []lashstore.WorkBatch{want})
	f.worksListed("what is settled", lashstore.ListOpen)
	f.worksListed("what is settled", lashstore.ListPending)
	other := d
	other.Items = []lashstore.WorkItem{workItem("other")}
	f.conflicts("other content under a settled key", other, want.ID)
	f.claimed("what is settled", f.take(otherOwner, time.Minute), 8)
}

func workKeysOutliveCompletion(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	d := keyed("k", wake("a"))
	batch := f.putWork(d)
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("it", lease, 8, "a")
	f.clock.Advance(time.Second)
	f.completeWork(lease, claim)
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	batch.State, batch.Items, batch.Attempts = lashstore.EntryCompleted, nil, 1
	batch.SettledAt = Epoch.Add(time.Second)
	f.remembered(d, batch)
	r := f.cancelWork(lashstore.BySourceKey("k"))[0]
	equal(t, "outcome", r.Outcome, lashstore.AlreadyCompleted)
	batchesEqual(t, "cancelled too late", []lashstore.WorkBatch{*r.Batch}, []lashstore.WorkBatch{batch})
}

func workKeysOutliveCancellation(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	d := keyed("k", wake("a"))
	batch := f.putWork(d)
	f.clock.Advance(time.Second)
	batch.State, batch.SettledAt = lashstore.EntryCancelled, Epoch.Add(time.Second)
	r := f.cancelWork(lashstore.BySourceKey("k"))[0]
	equal(t, "outcome", r.Outcome, lashstore.Cancelled)
	batchesEqual(t, "cancelled, with its items", []lashstore.WorkBatch{*r.Batch}, []lashstore.WorkBatch{batch})
	batch.Items = nil
	f.remembered(d, batch)
	for _, target := range []lashstore.EntryTarget{lashstore.BySourceKey("k"), lashstore.ByID(batch.ID)} {
		r := f.cancelWork(target)[0]
		equal(t, "outcome of the second", r.Outcome, lashstore.AlreadyCancelled)
		batchesEqual(t, "cancelled again", []lashstore.WorkBatch{*r.Batch}, []lashstore.WorkBatch{batch})
	}
}

// 1. A vacuum forgets batches settled strictly before WorkBefore, and counts them; without it none.
// 2. What waits and what is claimed stays, however old.
// 3. A key that was forgotten is new: its batch runs again.
func workVacuumForgetsKeys(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := f.putWork(keyed("k", wake("a")))
	f.putWork(keyed("k2", wake("b")), keyed("k3", wake("c")), wake("d"))
	lease := f.take(opaqueOwner, time.Hour)
	f.completeWork(lease, f.claimed("the head", lease, 1, "a"))
	f.clock.Advance(time.Minute)
	f.cancelWork(lashstore.BySourceKey("k2"))
	f.claimed("the next", lease, 1, "c")
	vacuum := func(o *lashstore.VacuumOptions, want int64) {
		t.Helper()
		report, err := f.Vacuum(f.ctx, o)
		f.ok("vacuum", err)
		equal(t, "forgotten", report.Work, want)
		equal(t, "anything else", report.Inputs+report.Receipts+report.Nodes+report.Usage, 0)
	}
	vacuum(nil, 0)
	vacuum(&lashstore.VacuumOptions{InputsBefore: Epoch.Add(24 * time.Hour), WorkBefore: Epoch}, 0)
	f.worksListed("before", lashstore.ListAll, "key=k", "key=k2", "c", "d")
	vacuum(&lashstore.VacuumOptions{WorkBefore: Epoch.Add(time.Minute), Batch: 1}, 1)
	f.worksListed("after the first", lashstore.ListAll, "key=k2", "c", "d")
	vacuum(&lashstore.VacuumOptions{WorkBefore: Epoch.Add(24 * time.Hour)}, 1)
	vacuum(&lashstore.VacuumOptions{WorkBefore: Epoch.Add(24 * time.Hour)}, 0)
	f.worksListed("after all", lashstore.ListAll, "c", "d")
	equal(t, "a forgotten batch", f.cancelWork(lashstore.ByID(first.ID))[0].Outcome, lashstore.CancelNotFound)
	again := f.putWork(keyed("k", wake("other")))
	equal(t, "another id", again.ID != first.ID, true)
	equal(t, "a later place", again.Seq > first.Seq+3, true)
}

func workWithoutKeyLeavesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	done := f.putWork(wake("a"))
	out := f.putWork(wake("b"))
	lease := f.take(opaqueOwner, time.Minute)
	f.completeWork(lease, f.claimed("the head", lease, 1, "a"))
	r := f.cancelWork(lashstore.ByID(out.ID))[0]
	out.State, out.SettledAt = lashstore.EntryCancelled, Epoch
	batchesEqual(t, "as it was cancelled", []lashstore.WorkBatch{*r.Batch}, []lashstore.WorkBatch{out})
	f.worksListed("afterwards", lashstore.ListAll)
	for _, id := range []string{done.ID, out.ID} {
		equal(t, "outcome", f.cancelWork(lashstore.ByID(id))[0].Outcome, lashstore.CancelNotFound)
	}
	f.entriesCounted("afterwards", 0, 0)
}

// Batches without keys are never the same; those of one key are one, whoever comes first.
func workRacingEnqueuesOfOneKeyAgree(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	done, errs := make([]lashstore.EnqueuedWork, 12), make([]error, 12)
	race(t, len(done), func(i int) {
		d := keyed("k", wake("a"))
		if i%3 == 2 {
			d = wake("b")
		}
		done[i], errs[i] = handles[i%2].EnqueueWork(f.ctx, d)
	})
	fresh, ids := map[string]int{}, map[string]bool{}
	for i, d := range done {
		f.ok("enqueue", errs[i])
		ids[d.Batch.ID] = true
		if !d.Existing {
			fresh[d.Batch.SourceKey]++
		}
	}
	equal(t, "new batches", fresh, map[string]int{"k": 1, "": 4})
	equal(t, "ids", len(ids), 5)
	equal(t, "batches listed", len(f.listWork(lashstore.ListAll)), 5)
}
