package testsuite

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func workCases() []Case {
	return slices.Concat([]Case{
		{"Work/IsListedAsItWasPutIn", "1.8, 5.1", workIsListedAsItWasPutIn},
		{"Work/DefaultsAreFilledIn", "WorkDraft.WithDefaults", workDefaultsAreFilledIn},
		{"Work/MalformedRefused", "10.W18, WorkDraft.Validate", workMalformedRefused},
		{"Work/OtherSessionRefused", "WorkQueue.EnqueueWork", workOtherSessionRefused},
		{"Work/IDsAreRandom", "10.W17", workIDsAreRandom},
		{"Work/SeqNeverRepeats", "10.W16", workSeqNeverRepeats},
		{"Work/NotBeforeHidesUntilThen", "8.A.26, 8.A.41", workNotBeforeHidesUntilThen},
		{"Work/NeedsNoLease", "WorkQueue", workNeedsNoLease},
		{"Work/RestartKeepsTheLine", "8.A.39, 10.W16", workRestartKeepsTheLine},
		{"Work/ClosedHandleRefuses", "ErrClosed", workClosedHandleRefuses},
		{"Work/EndedContextChangesNothing", "SessionStore", workEndedContextChangesNothing},
	}, workKeyCases(), workListCases())
}

// wake is exclusive turn work of one item, whose kind is its label.
func wake(label string) lashstore.WorkDraft {
	return lashstore.WorkDraft{Class: lashstore.ClassTurn, Items: []lashstore.WorkItem{workItem(label)}}
}

func workItem(label string) lashstore.WorkItem {
	return lashstore.WorkItem{Kind: label, Payload: json.RawMessage(`{"label": "` + label + `"}`)}
}

func keyed(key string, d lashstore.WorkDraft) lashstore.WorkDraft {
	d.SourceKey = key
	return d
}

// joining is turn work that shares a turn with its neighbours of the same merge key.
func joining(label, mergeKey string) lashstore.WorkDraft {
	d := wake(label)
	d.Slot, d.MergeKey = lashstore.SlotJoin, mergeKey
	return d
}

// afterTurn makes work wait for the end of the running turn.
func afterTurn(d lashstore.WorkDraft) lashstore.WorkDraft {
	d.Delivery = lashstore.DeliverAfterTurn
	return d
}

func command(label string) lashstore.WorkDraft {
	d := wake(label)
	d.Class = lashstore.ClassCommand
	return d
}

func notBefore(at time.Time, d lashstore.WorkDraft) lashstore.WorkDraft {
	d.NotBefore = at
	return d
}

// putWork puts in what is new, and returns the last of it.
func (f *fixture) putWork(drafts ...lashstore.WorkDraft) (last lashstore.WorkBatch) {
	f.t.Helper()
	for _, d := range drafts {
		done, err := f.EnqueueWork(f.ctx, d)
		f.ok("enqueue", err)
		equal(f.t, "known before", done.Existing, false)
		if done.Batch.ID == "" || done.Batch.Seq <= last.Seq {
			f.t.Fatalf("a batch with id %q and place %d came behind %d", done.Batch.ID, done.Batch.Seq, last.Seq)
		}
		last = done.Batch
	}
	return last
}

func (f *fixture) listWork(scope lashstore.ListScope) []lashstore.WorkBatch {
	f.t.Helper()
	list, err := f.ListWork(f.ctx, &lashstore.ListOptions{Scope: scope})
	f.ok("list work", err)
	return list
}

// labels name batches by their first items, in order; what is settled by its key.
func labels(batches []lashstore.WorkBatch) []string {
	list := []string{}
	for _, b := range batches {
		if len(b.Items) == 0 {
			list = append(list, "key="+b.SourceKey)
			continue
		}
		list = append(list, b.Items[0].Kind)
	}
	return list
}

// listed wants these batches in the list, in order.
func (f *fixture) worksListed(what string, scope lashstore.ListScope, want ...string) {
	f.t.Helper()
	equal(f.t, what+": listed as "+string(scope), labels(f.listWork(scope)), append([]string{}, want...))
}

// batchesEqual compares batches but for the zone of their times.
func batchesEqual(t testing.TB, what string, got, want []lashstore.WorkBatch) {
	t.Helper()
	equal(t, what+": batches", len(got), len(want))
	for i := range got {
		g, w := got[i], want[i]
		sameTime(t, what+": not before", g.NotBefore, w.NotBefore)
		sameTime(t, what+": enqueued at", g.EnqueuedAt, w.EnqueuedAt)
		sameTime(t, what+": settled at", g.SettledAt, w.SettledAt)
		g.NotBefore, g.EnqueuedAt, g.SettledAt = w.NotBefore, w.EnqueuedAt, w.SettledAt
		equal(t, what, g, w)
	}
}

// workUnchanged runs do, which may change nothing of the session and its line.
func (f *fixture) workUnchanged(what string, do func()) {
	f.t.Helper()
	before, line := f.snapshot(), f.listWork(lashstore.ListAll)
	do()
	f.unchanged(what, before)
	batchesEqual(f.t, what, f.listWork(lashstore.ListAll), line)
}

// completeWork settles whole claims in a commit under their lease.
func (f *fixture) completeWork(lease lashstore.Lease, claims ...*lashstore.WorkClaim) {
	f.t.Helper()
	c := lashstore.Commit{Lease: lease.Fence()}
	for _, claim := range claims {
		c.CompletedWork = append(c.CompletedWork, claim.Completion())
	}
	f.commit(c)
}

func (f *fixture) cancelWork(targets ...lashstore.EntryTarget) []lashstore.WorkCancellation {
	f.t.Helper()
	results, err := f.CancelWork(f.ctx, targets...)
	f.ok("cancel", err)
	equal(f.t, "results of a cancellation", len(results), len(targets))
	for i, r := range results {
		equal(f.t, "target", r.Target, targets[i])
		equal(f.t, "batch is there", r.Batch != nil, r.Outcome != lashstore.CancelNotFound)
	}
	return results
}

// What is put in is returned and listed with all its fields, payloads byte for byte.
func workIsListedAsItWasPutIn(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	draft := lashstore.WorkDraft{
		SessionID: sessionID, SourceKey: "process:7:event:1:wake", Class: lashstore.ClassTurn,
		Delivery: lashstore.DeliverAfterTurn, Slot: lashstore.SlotJoin, MergeKey: "group", NotBefore: Epoch.Add(time.Hour),
		Items: []lashstore.WorkItem{
			{Kind: "wake", Payload: json.RawMessage("{ \"b\" : 1.50,\n\t\"a\":\"\\u00e9\", \"b2\":\"é🙂\" } ")},
			{Kind: "frame_task_2", Payload: json.RawMessage(" null")}, {Kind: "wake", Payload: json.RawMessage("-0.0")},
		},
	}
	batch := f.putWork(draft)
	want := lashstore.WorkBatch{
		ID: batch.ID, Seq: batch.Seq, SourceKey: draft.SourceKey, WorkTraits: draft.Traits(), NotBefore: draft.NotBefore,
		EnqueuedAt: Epoch, Items: draft.Items, State: lashstore.EntryWaiting,
	}
	batchesEqual(t, "returned", []lashstore.WorkBatch{batch}, []lashstore.WorkBatch{want})
	batchesEqual(t, "listed", f.other().listWork(lashstore.ListOpen), []lashstore.WorkBatch{want})
	equal(t, "name of an item", batch.ItemID(2), batch.ID+":item:2")
}

func workDefaultsAreFilledIn(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), command("b"))
	list := f.listWork(lashstore.ListOpen)
	equal(t, "batches", len(list), 2)
	equal(t, "turn work", list[0].WorkTraits, lashstore.WorkTraits{
		Class: lashstore.ClassTurn, Delivery: lashstore.DeliverEarliest, Slot: lashstore.SlotExclusive,
	})
	equal(t, "a command", list[1].WorkTraits, lashstore.WorkTraits{
		Class: lashstore.ClassCommand, Delivery: lashstore.DeliverAfterTurn, Slot: lashstore.SlotExclusive,
	})
	equal(t, "not before", list[0].NotBefore.IsZero(), true)
}

// malformedWork are drafts with one thing wrong each.
func malformedWork() map[string]lashstore.WorkDraft {
	drafts := map[string]lashstore.WorkDraft{}
	add := func(what string, change func(d *lashstore.WorkDraft)) {
		d := joining("poison", "m")
		change(&d)
		drafts[what] = d
	}
	for what, id := range badIDs {
		add("session id: "+what, func(d *lashstore.WorkDraft) { d.SessionID = id })
		add("source key: "+what, func(d *lashstore.WorkDraft) { d.SourceKey = id })
		add("merge key: "+what, func(d *lashstore.WorkDraft) { d.MergeKey = id })
	}
	for what, value := range badJSON {
		add("payload: "+what, func(d *lashstore.WorkDraft) { d.Items = append(d.Items, lashstore.WorkItem{Kind: "k", Payload: value}) })
	}
	for _, kind := range []string{"", "Upper", "a-b", "a b", "é", strings.Repeat("k", 65)} {
		add("kind: "+kind, func(d *lashstore.WorkDraft) { d.Items[0].Kind = kind })
	}
	add("no payload", func(d *lashstore.WorkDraft) { d.Items[0].Payload = nil })
	add("no items", func(d *lashstore.WorkDraft) { d.Items = nil })
	add("too many items", func(d *lashstore.WorkDraft) {
		d.Items = slices.Repeat(d.Items, lashstore.MaxWorkItems+1)
	})
	add("no class", func(d *lashstore.WorkDraft) { d.Class = "" })
	add("unknown class", func(d *lashstore.WorkDraft) { d.Class = "chore" })
	add("unknown delivery", func(d *lashstore.WorkDraft) { d.Delivery = "tomorrow" })
	add("unknown slot", func(d *lashstore.WorkDraft) { d.Slot = "any" })
	add("an exclusive batch with merge key", func(d *lashstore.WorkDraft) { d.Slot = lashstore.SlotExclusive })
	add("a command that joins", func(d *lashstore.WorkDraft) { d.Class = lashstore.ClassCommand })
	add("a command inside a turn", func(d *lashstore.WorkDraft) {
		d.Class, d.Slot, d.MergeKey, d.Delivery = lashstore.ClassCommand, "", "", lashstore.DeliverEarliest
	})
	add("before 1970", func(d *lashstore.WorkDraft) { d.NotBefore = time.Unix(-1, 0) })
	add("after 9999", func(d *lashstore.WorkDraft) { d.NotBefore = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) })
	return drafts
}

// 1. Each malformed field is refused, and nothing of the batch is in the line.
// 2. What was refused stops nobody: the line goes on.
// 3. The greatest batch allowed is allowed.
func workMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for what, d := range malformedWork() {
		done, err := f.EnqueueWork(f.ctx, d)
		is(t, what, err, lashstore.ErrInvalid)
		equal(t, what+": answer", done, lashstore.EnqueuedWork{})
	}
	f.worksListed("after refusals", lashstore.ListAll)
	most := joining("most", strings.Repeat("m", lashstore.MaxIDLength))
	most.SourceKey = strings.Repeat("s", lashstore.MaxIDLength)
	most.Items = slices.Repeat(most.Items, lashstore.MaxWorkItems)
	most.Items[1].Kind = strings.Repeat("k", 64)
	f.putWork(most)
	claim := f.claimed("the greatest", f.take(opaqueOwner, time.Minute), 8, "most")
	equal(t, "items", len(claim.Batches[0].Items), lashstore.MaxWorkItems)
}

func workOtherSessionRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	d := wake("a")
	d.SessionID = "beta"
	_, err := f.EnqueueWork(f.ctx, d)
	mismatch := as[*lashstore.SessionMismatchError](t, "enqueue", err)
	equal(t, "error", *mismatch, lashstore.SessionMismatchError{Bound: sessionID, Attempted: "beta"})
	is(t, "enqueue", err, lashstore.ErrSessionMismatch)
	f.worksListed("afterwards", lashstore.ListAll)
	d.SessionID = sessionID
	f.putWork(d)
}

// Two places where the same is done at the same moment have no id in common.
func workIDsAreRandom(t testing.TB, h SessionHarness) {
	seen := map[string]bool{}
	for range 2 {
		f := setup(t, h)
		f.putWork(keyed("k", wake("a")), wake("a"))
		f.other().putWork(wake("a"), wake("a"))
		for _, b := range f.listWork(lashstore.ListOpen) {
			if seen[b.ID] || len(b.ID) < 16 {
				t.Fatalf("id %q came twice or is short", b.ID)
			}
			seen[b.ID] = true
		}
	}
	equal(t, "ids", len(seen), 8)
}

// A place in the line is never given again: whether its batch was cancelled, completed or forgotten. Inputs and work have
// one line.
func workSeqNeverRepeats(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	last := int64(0)
	rises := func(seq int64) {
		t.Helper()
		if seq <= last {
			t.Fatalf("place %d came behind %d", seq, last)
		}
		last = seq
	}
	lease := f.take(opaqueOwner, time.Hour)
	for range 2 {
		b := f.putWork(wake("a"))
		rises(b.Seq)
		f.cancelWork(lashstore.ByID(b.ID))
		rises(f.putWork(wake("b")).Seq)
		f.completeWork(lease, f.claimed("it", lease, 1, "b"))
		b = f.putWork(keyed("k", wake("c")))
		rises(b.Seq)
		f.cancelWork(lashstore.BySourceKey("k"))
		f.clock.Advance(time.Second)
		_, err := f.Vacuum(f.ctx, &lashstore.VacuumOptions{WorkBefore: f.clock.Now()})
		f.ok("vacuum", err)
		in, err := f.EnqueueInput(f.ctx, lashstore.InputDraft{Input: json.RawMessage(`"hello"`)})
		f.ok("submit", err)
		rises(in.Input.Seq)
		_, err = f.CancelInputs(f.ctx, lashstore.ByID(in.Input.ID))
		f.ok("cancel input", err)
		f.worksListed("an empty line", lashstore.ListAll)
	}
}

// 1. Until its time a batch is not claimed, by whatever call, and holds nobody up; it is pending all the while.
// 2. From that very moment on it is claimed in its place.
func workNotBeforeHidesUntilThen(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	at := Epoch.Add(time.Minute)
	hidden := f.putWork(notBefore(at, wake("later")))
	f.putWork(notBefore(at.Add(time.Second), command("last")), wake("now"), wake("next"))
	lease := f.take(opaqueOwner, time.Hour)
	f.claimed("before its time", lease, 1, "now")
	f.clock.Advance(time.Minute - time.Millisecond)
	byID := func() *lashstore.WorkClaim {
		t.Helper()
		claim, err := f.ClaimWorkByID(f.ctx, lease.Fence(), lashstore.BoundaryIdle, []string{hidden.ID})
		f.ok("claim by id", err)
		return claim
	}
	if byID() != nil || f.claimedCommand(lease) != nil {
		t.Fatal("what is hidden was claimed")
	}
	f.worksListed("before its time", lashstore.ListPending, "later", "last", "next")
	f.clock.Advance(time.Millisecond)
	f.claimed("at its time", lease, 1, "later")
	f.clock.Advance(time.Second)
	f.claimed("behind a command", lease, 1)
	if f.claimedCommand(lease) == nil {
		t.Fatal("a command was not claimed at its time")
	}
	f.putWork(notBefore(Epoch, wake("past")))
	f.claimed("the rest", lease, 1, "next")
	f.claimed("of the past", lease, 1, "past")
}

func workNeedsNoLease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	held := f.take(otherOwner, time.Minute)
	b := f.putWork(wake("a"), wake("b"))
	f.worksListed("while it is held", lashstore.ListPending, "a", "b")
	equal(t, "outcome", f.cancelWork(lashstore.ByID(b.ID))[0].Outcome, lashstore.Cancelled)
	_, err := f.RenewLease(f.ctx, held.Fence(), time.Minute)
	f.ok("the holder goes on", err)
	f.claimed("and claims", held, 8, "a")
}

// The line, its claims and its counter are there after the last handle was closed.
func workRestartKeepsTheLine(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(keyed("ka", wake("a")), keyed("kb", joining("b", "m")), notBefore(Epoch.Add(time.Hour), joining("c", "m")))
	last := f.putWork(wake("d"))
	lease := f.take(opaqueOwner, time.Minute)
	f.completeWork(lease, f.claimed("the head", lease, 1, "a"))
	claim := f.claimed("the next", lease, 1, "b")
	f.cancelWork(lashstore.ByID(last.ID))
	before := f.listWork(lashstore.ListAll)
	f.restart()
	batchesEqual(t, "after the restart", f.listWork(lashstore.ListAll), before)
	equal(t, "a later place", f.putWork(wake("e")).Seq > last.Seq, true)
	f.completeWork(lease, claim)
	f.worksListed("settled after it", lashstore.ListOpen, "c", "e")
}

// workCalls are all that can be asked of the line of work.
func (f *fixture) workCalls(fence *lashstore.Fence, claim *lashstore.WorkClaim) map[string]func() error {
	return map[string]func() error{
		"enqueue": func() error { _, err := f.EnqueueWork(f.ctx, wake("x")); return err },
		"command": func() error { _, err := f.ClaimCommand(f.ctx, fence); return err },
		"claim":   func() error { _, err := f.ClaimWork(f.ctx, fence, lashstore.BoundaryIdle, 1); return err },
		"by id": func() error {
			_, err := f.ClaimWorkByID(f.ctx, fence, lashstore.BoundaryIdle, []string{"x"})
			return err
		},
		"abandon":         func() error { return f.AbandonWork(f.ctx, claim) },
		"abandon nothing": func() error { return f.AbandonWork(f.ctx) },
		"cancel":          func() error { _, err := f.CancelWork(f.ctx, lashstore.ByID(claim.Batches[0].ID)); return err },
		"list":            func() error { _, err := f.ListWork(f.ctx, nil); return err },
	}
}

func workClosedHandleRefuses(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), wake("b"))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("the head", lease, 1, "a")
	f.ok("close", f.Close())
	for what, call := range f.workCalls(lease.Fence(), claim) {
		is(t, what, call(), lashstore.ErrClosed)
	}
}

func workEndedContextChangesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), wake("b"))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimed("the head", lease, 1, "a")
	f.workUnchanged("after calls that ended", func() {
		ended := *f
		var cancel context.CancelFunc
		ended.ctx, cancel = context.WithCancel(f.ctx)
		cancel()
		for what, call := range ended.workCalls(lease.Fence(), claim) {
			is(t, what, call(), ended.ctx.Err())
		}
	})
}
