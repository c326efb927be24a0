package testsuite

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

// What a commit does to the line: it settles (settle.go), defers, and leaves work behind.
func outboxCases() []Case {
	return slices.Concat(settleCases(), []Case{
		{"Deferral/TakesWhatTheTurnDidNot", "8.A.36, Commit.DeferInputsOf", deferralTakesWhatTheTurnDidNot},
		{"Deferral/OfThatTurnAlone", "8.A.35, Commit.DeferInputsOf", deferralOfThatTurnAlone},
		{"Deferral/TakesWhatAnEndedLeaseHeld", "10.W6, Commit.DeferInputsOf", deferralTakesWhatAnEndedLeaseHeld},
		{"Deferral/OnlyWithItsCommit", "8.A.35, TurnCommitter.Commit", deferralOnlyWithItsCommit},
		{"Outbox/EntersTheLineWithTheCommit", "8.A.30, Commit.Outbox", outboxEntersTheLine},
		{"Outbox/KnownKeyIsTheBatchThatIsThere", "CommitResult.Outbox", outboxKnownKey},
		{"Outbox/RefusesTheCommitWithIt", "8.A.30, TurnCommitter.Commit", outboxRefusesTheCommit},
		{"Outbox/MalformedRefused", "Commit.Validate", outboxMalformedRefused},
		{"Outbox/StaysOutWithItsCommit", "8.A.30, TurnCommitter.Commit", outboxStaysOut},
		{"Outbox/RetryGetsTheSameIDs", "8.A.30, CommitResult.Outbox", outboxRetryGetsTheSameIDs},
		{"Outbox/CountsInTheTurnsHash", "Commit.Hash", outboxCountsInTheTurnsHash},
	})
}

// taskOf is turn work under a source key.
func taskOf(key string) lashstore.WorkDraft {
	return lashstore.WorkDraft{
		SourceKey: key, Class: lashstore.ClassTurn, Items: []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(`{"by":"the kit"}`)}},
	}
}

// queue puts work in, or finds it there.
func (f *fixture) queue(d lashstore.WorkDraft) lashstore.WorkBatch {
	f.t.Helper()
	done, err := f.EnqueueWork(f.ctx, d)
	f.ok("enqueue work", err)
	if done.Batch.ID == "" {
		f.t.Fatal("a batch was enqueued without an id")
	}
	return done.Batch
}

func (f *fixture) queueTask(key string) lashstore.WorkBatch {
	f.t.Helper()
	return f.queue(taskOf(key))
}

// idsOfWork are those of the batches; none of nil.
func idsOfWork(c *lashstore.WorkClaim) []string {
	ids := []string{}
	if c != nil {
		ids = append(ids, c.Completion().IDs...)
	}
	return ids
}

// openWork wants the batches that are open, in order.
func (f *fixture) openWork(what string, want ...string) {
	f.t.Helper()
	list, err := f.ListWork(f.ctx, nil)
	f.ok("list work", err)
	got := []string{}
	for _, b := range list {
		got = append(got, b.ID)
	}
	equal(f.t, what, got, append([]string{}, want...))
}

// 1. Input that the turn has settled is settled; what is left of it waits for the next turn, whatever its boundary, in
// the order of the line.
// 2. Other turns' input stays where it is.
func deferralTakesWhatTheTurnDidNot(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("late", lateInTurn), inputOf("a", midTurn), inputOf("next", nextTurn), inputOf("other", otherTurn), inputOf("b", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimMid(lease, lashstore.AfterWork, 1)
	equal(t, "accepted", idsOfClaim(claim), []string{"a"})
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{claim.Completion()}, DeferInputsOf: "turn-1"})
	f.inputStates("afterwards", "late waiting", "a completed", "next waiting", "other waiting", "b waiting")
	next := f.claimNext(lease, 9)
	equal(t, "for the next turn", idsOfClaim(next), []string{"late", "next", "b"})
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{next.Completion()}, DeferInputsOf: "turn-1"})
	f.inputStates("at the end", "late completed", "a completed", "next completed", "other waiting", "b completed")
	list, err := f.ListInputs(f.ctx, &lashstore.ListOptions{Scope: lashstore.ListAll, Limit: 4})
	f.ok("list", err)
	equal(t, "ingress of what was settled, and of the other's", [2]lashstore.Ingress{list[1].Ingress, list[3].Ingress}, [2]lashstore.Ingress{midTurn, otherTurn})
}

// Only what waits for that turn: not what is cancelled, not what the lease's holder goes on working on, and nothing when
// the commit names no turn.
func deferralOfThatTurnAlone(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("held", midTurn), inputOf("gone", midTurn), inputOf("a", midTurn), inputOf("other", otherTurn))
	f.cancel("cancel", "gone cancelled", lashstore.ByID("gone"))
	lease := f.take(opaqueOwner, time.Minute)
	claim := f.claimMid(lease, lashstore.AfterWork, 1)
	f.commit(lashstore.Commit{Lease: lease.Fence()})
	f.commit(lashstore.Commit{Lease: lease.Fence(), DeferInputsOf: "turn-3"})
	f.nothingNext("no turn, or another", lease)
	f.commit(lashstore.Commit{Lease: lease.Fence(), DeferInputsOf: "turn-1"})
	equal(t, "deferred", idsOfClaim(f.claimNext(lease, 9)), []string{"a"})
	f.inputStates("afterwards", "held claimed", "gone cancelled", "a claimed", "other waiting")
	f.ok("abandon", f.AbandonInputs(f.ctx, claim))
	f.nothingNext("what was held is the turn's, given back", lease)
	f.cancel("cancel", "held cancelled", lashstore.ByID("held"))
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	f.cancel("what was deferred is cancelled like any other", "a cancelled", lashstore.ByID("a"))
}

// What was claimed under a lease that has ended waits, and is deferred with the rest by a commit that needs no lease.
func deferralTakesWhatAnEndedLeaseHeld(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn), inputOf("b", midTurn))
	dead := f.take(otherOwner, time.Minute)
	equal(t, "claimed", idsOfClaim(f.claimMid(dead, lashstore.AfterWork, 1)), []string{"a"})
	f.clock.Advance(time.Minute)
	f.commit(lashstore.Commit{WithoutLease: true, DeferInputsOf: "turn-1"})
	equal(t, "deferred", idsOfClaim(f.claimNext(f.take(opaqueOwner, time.Minute), 9)), []string{"a", "b"})
}

func deferralOnlyWithItsCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	c := turn(1, "missing")
	c.Lease, c.DeferInputsOf = lease.Fence(), "turn-1"
	f.refused("a commit that fails", c, lashstore.ErrUnknownParent)
	f.nothingNext("after it", lease)
	c.Graph = turn(1, "").Graph
	f.commit(c)
	f.submit(inputOf("b", midTurn))
	equal(t, "replayed", f.commit(c).Replayed, true)
	equal(t, "deferred, once", idsOfClaim(f.claimNext(lease, 9)), []string{"a"})
}

// 1. The ids of the batches come back in order, and are in the line in that order, behind what was there, as they were
// drafted.
// 2. They are waiting: even the turn's own lease may claim them.
func outboxEntersTheLine(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	before := f.queueTask("before")
	f.clock.Advance(time.Second)
	hidden, command, keyless := taskOf("hidden"), taskOf("command"), taskOf("")
	hidden.NotBefore = Epoch.Add(time.Hour)
	command.Class, command.SessionID = lashstore.ClassCommand, sessionID
	command.Items = append(command.Items, lashstore.WorkItem{Kind: "compact", Payload: json.RawMessage(" [1.0] ")})
	c := turn(1, "")
	c.Outbox = []lashstore.WorkDraft{hidden, command, keyless}
	result := f.commit(c)
	equal(t, "ids", len(result.Outbox), 3)
	list, err := f.ListWork(f.ctx, nil)
	f.ok("list work", err)
	equal(t, "batches", len(list), 4)
	equal(t, "before", list[0].ID, before.ID)
	for i, d := range c.Outbox {
		b := list[i+1]
		sameTime(t, "enqueued at", b.EnqueuedAt, f.clock.Now())
		sameTime(t, "not before", b.NotBefore, d.NotBefore)
		b.EnqueuedAt, b.NotBefore = time.Time{}, time.Time{}
		equal(t, "batch", b, lashstore.WorkBatch{
			ID: result.Outbox[i], Seq: b.Seq, SourceKey: d.SourceKey, WorkTraits: d.Traits(), Items: d.Items, State: lashstore.EntryWaiting,
		})
		if b.Seq <= list[i].Seq {
			t.Fatalf("place %d follows place %d", b.Seq, list[i].Seq)
		}
	}
	equal(t, "ids of none", f.commit(turn(2, "a1")).Outbox, nil)
	lease := f.take(opaqueOwner, time.Minute)
	claim, err := f.ClaimWork(f.ctx, lease.Fence(), lashstore.BoundaryIdle, 1)
	f.ok("claim", err)
	c = turn(3, "a2")
	c.Lease, c.CompletedWork, c.Outbox = lease.Fence(), []lashstore.Completion{claim.Completion()}, []lashstore.WorkDraft{taskOf("more")}
	f.openWork("one done, one more", slices.Concat(result.Outbox, f.commit(c).Outbox)...)
}

// A known key is the batch that is there, waiting or settled; in one commit, the one before.
func outboxKnownKey(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	waiting, done := f.queueTask("waiting"), f.queueTask("done")
	results, err := f.CancelWork(f.ctx, lashstore.BySourceKey("done"))
	f.ok("cancel", err)
	equal(t, "cancelled", results[0].Outcome, lashstore.Cancelled)
	got := f.commit(lashstore.Commit{Outbox: []lashstore.WorkDraft{taskOf("done"), taskOf("new"), taskOf("waiting"), taskOf("new")}}).Outbox
	equal(t, "ids", len(got), 4)
	equal(t, "ids", got, []string{done.ID, got[1], waiting.ID, got[1]})
	f.openWork("one is new", waiting.ID, got[1])
}

// What cannot be put in keeps the whole commit out.
func outboxRefusesTheCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	foreign, other := taskOf("foreign"), taskOf("work 0")
	foreign.SessionID = "another"
	other.Items = []lashstore.WorkItem{{Kind: "other", Payload: json.RawMessage(`1`)}}
	twin := taskOf("good")
	twin.Items = other.Items
	whole := func(outbox ...lashstore.WorkDraft) lashstore.Commit {
		c := turn(1, "")
		c.Lease, c.CompletedInputs, c.DeferInputsOf = l.lease.Fence(), part(l.inputs.Claim, "a"), "turn-1"
		c.Outbox = append([]lashstore.WorkDraft{taskOf("good")}, outbox...)
		return c
	}
	err := f.refused("for another session", whole(foreign), lashstore.ErrSessionMismatch)
	equal(t, "error", *as[*lashstore.SessionMismatchError](t, "for another session", err),
		lashstore.SessionMismatchError{Bound: sessionID, Attempted: "another"})
	err = f.refused("known key", whole(other), lashstore.ErrEntryConflict)
	equal(t, "error", *as[*lashstore.EntryConflictError](t, "known key", err),
		lashstore.EntryConflictError{SessionID: sessionID, SourceKey: "work 0", ExistingID: idsOfWork(l.work)[0]})
	f.refused("one key, two contents", whole(twin), lashstore.ErrEntryConflict)
	equal(t, "ids", len(f.commit(whole()).Outbox), 1)
	f.path("after all", "u1", "a1")
}

func outboxMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, change := range map[string]func(d *lashstore.WorkDraft){
		"no class":   func(d *lashstore.WorkDraft) { d.Class = "" },
		"no items":   func(d *lashstore.WorkDraft) { d.Items = nil },
		"source key": func(d *lashstore.WorkDraft) { d.SourceKey = "a\nb" },
		"not before": func(d *lashstore.WorkDraft) { d.NotBefore = time.Unix(-1, 0) },
		"payload": func(d *lashstore.WorkDraft) {
			d.Items = []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(`{`)}}
		},
	} {
		d := taskOf("bad")
		change(&d)
		f.malformed(what, lashstore.Commit{Outbox: []lashstore.WorkDraft{taskOf("good"), d}}, lashstore.ErrInvalid)
	}
	f.malformed("too many", lashstore.Commit{Outbox: make([]lashstore.WorkDraft, lashstore.MaxCommitOutbox+1)}, lashstore.ErrTooLarge)
	f.openWork("afterwards")
	equal(t, "ids", len(f.commit(lashstore.Commit{Outbox: []lashstore.WorkDraft{taskOf("good")}}).Outbox), 1)
}

// A commit that loses leaves no work behind, and the key stays free.
func outboxStaysOut(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	withOutbox := func(c lashstore.Commit) lashstore.Commit {
		c.Outbox = []lashstore.WorkDraft{taskOf("outbox")}
		return c
	}
	f.refused("revision", withOutbox(lashstore.Commit{Expect: lashstore.At(7)}), lashstore.ErrRevisionConflict)
	f.refused("parent", withOutbox(turn(2, "missing")), lashstore.ErrUnknownParent)
	f.refused("frame", withOutbox(lashstore.Commit{CurrentFrameID: "missing"}), lashstore.ErrFrameNotFound)
	lease := f.take(opaqueOwner, time.Minute)
	f.notHeld("claim", lease, withOutbox(lashstore.Commit{CompletedInputs: part(lashstore.Claim{ID: "c", Token: "t"}, "a")}), "c", "a")
	f.openWork("nothing was left behind")
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	other := taskOf("outbox")
	other.Items[0].Kind = "other"
	f.openWork("the key is free", f.queue(other).ID)
}

// 1. The answer to a retry is the first one, ids of the outbox included; nothing is put in again, not even when the
// batches are done and forgotten, and no lease or claim is asked for.
// 2. It outlives a restart where anything does.
func outboxRetryGetsTheSameIDs(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	l := f.held()
	c := turn(1, "")
	c.SessionID, c.Expect, c.Lease, c.ReleaseLease = sessionID, lashstore.Create(), l.lease.Fence(), true
	c.CompletedInputs, c.CompletedWork = []lashstore.Completion{l.inputs.Completion()}, []lashstore.Completion{l.work.Completion()}
	c.Outbox = []lashstore.WorkDraft{taskOf("keyed"), taskOf("")}
	first, err := f.Commit(f.ctx, c)
	f.ok("commit", err)
	equal(t, "ids", len(first.Outbox), 2)
	retry := func(what string, want ...string) {
		t.Helper()
		again, err := f.other().Commit(f.ctx, c)
		f.ok(what, err)
		equal(t, what, [3]any{again.Replayed, again.Revision, again.Checkpoint}, [3]any{true, first.Revision, first.Checkpoint})
		equal(t, what+": ids", again.Outbox, first.Outbox)
		f.openWork(what+": what is there", want...)
	}
	retry("at once", first.Outbox...)
	f.clock.Advance(time.Minute)
	results, err := f.CancelWork(f.ctx, lashstore.ByID(first.Outbox[0]), lashstore.ByID(first.Outbox[1]))
	f.ok("cancel", err)
	equal(t, "cancelled", [2]lashstore.CancelOutcome{results[0].Outcome, results[1].Outcome}, [2]lashstore.CancelOutcome{lashstore.Cancelled, lashstore.Cancelled})
	f.clock.Advance(time.Minute)
	retry("when they are settled")
	f.vacuum(&lashstore.VacuumOptions{WorkBefore: f.clock.Now(), InputsBefore: f.clock.Now()})
	f.take(otherOwner, time.Minute)
	retry("when they are forgotten, and somebody else has the lease")
	if h.Restarts && !h.OneHandle {
		f.restart()
		retry("after a restart")
	}
}

// The key and the content of what is left behind count; when it may be claimed does not, as in the line itself.
func outboxCountsInTheTurnsHash(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	c := turn(1, "")
	c.Outbox = []lashstore.WorkDraft{taskOf("a"), taskOf("b")}
	first := f.commit(c)
	before := f.snapshot()
	honest := c
	later := taskOf("b")
	later.NotBefore, later.SessionID = Epoch.Add(time.Hour), sessionID
	honest.Outbox = []lashstore.WorkDraft{taskOf("a"), later}
	equal(t, "an honest retry", f.commit(honest).Outbox, first.Outbox)
	for what, outbox := range map[string][]lashstore.WorkDraft{
		"another key": {taskOf("a"), taskOf("c")}, "fewer": {taskOf("a")}, "another order": {taskOf("b"), taskOf("a")}, "none": nil,
	} {
		other := c
		other.Outbox = outbox
		f.refused(what, other, lashstore.ErrTurnConflict)
	}
	other := c
	other.DeferInputsOf = "turn-1"
	f.refused("another deferral", other, lashstore.ErrTurnConflict)
	f.unchanged("afterwards", before)
}
