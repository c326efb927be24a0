package testsuite

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func inputCases() []Case {
	return slices.Concat([]Case{
		{"Input/RoundTripsEveryField", "8.A.31, TurnInput", inputRoundTripsEveryField},
		{"Input/MalformedRefused", "InputDraft.Validate", inputMalformedRefused},
		{"Input/OtherSessionRefused", "8.A.31, InputDraft.SessionID", inputOtherSessionRefused},
		{"Input/SameKeyIsTheSameInput", "8.A.31", inputSameKeyIsTheSameInput},
		{"Input/OtherContentConflicts", "8.A.31, EntryConflictError", inputOtherContentConflicts},
		{"Input/SameIDIsTheSameInput", "TurnInputs.EnqueueInput", inputSameIDIsTheSameInput},
		{"Input/KeyIsKnownWhateverBecameOfIt", "8.A.31, 8.A.33", inputKeyIsKnownWhateverBecameOfIt},
		{"Input/IsComparedAsItWasSubmitted", "10.W8", inputIsComparedAsItWasSubmitted},
		{"Input/RacingSubmissionsAreOne", "8.A.40, TurnInputs.EnqueueInput", inputRacingSubmissionsAreOne},
		{"Input/TimeIsReadInsideTheTransaction", "10.W45", inputTimeIsReadInsideTheTransaction},
		{"Input/ListsByScope", "ListOptions", inputListsByScope},
		{"Input/ListsInPages", "ListOptions", inputListsInPages},
		{"Input/VacuumForgetsTheSettled", "8.A.31, VacuumOptions.InputsBefore", inputVacuumForgetsTheSettled},
		{"Input/SurvivesARestart", "8.A.31, SessionStore", inputSurvivesARestart},
	}, inputCancelCases(), inputClaimCases())
}

var (
	nextTurn   = lashstore.NextTurn()
	midTurn    = lashstore.ActiveTurn("turn-1", lashstore.AfterWork)
	lateInTurn = lashstore.ActiveTurn("turn-1", lashstore.BeforeCompletion)
	otherTurn  = lashstore.ActiveTurn("turn-2", lashstore.AfterWork)
)

// inputOf is what a user says, with an id and the source key "key-" + id.
func inputOf(id string, ingress lashstore.Ingress) lashstore.InputDraft {
	return lashstore.InputDraft{
		ID: id, SourceKey: "key-" + id, Ingress: ingress, Input: json.RawMessage(fmt.Sprintf(`{"text":%q}`, "input "+id)),
	}
}

// submit puts new input in.
func (f *fixture) submit(drafts ...lashstore.InputDraft) {
	f.t.Helper()
	for _, d := range drafts {
		done, err := f.EnqueueInput(f.ctx, d)
		f.ok("submit "+d.ID, err)
		equal(f.t, d.ID+" was there before", done.Existing, false)
		equal(f.t, "state of "+d.ID, done.Input.State, lashstore.EntryWaiting)
		if done.Input.ID == "" || d.ID != "" && done.Input.ID != d.ID {
			f.t.Fatalf("input %q got the id %q", d.ID, done.Input.ID)
		}
	}
}

// known wants that d puts nothing in, and returns the input that is there.
func (f *fixture) known(what string, d lashstore.InputDraft) lashstore.TurnInput {
	f.t.Helper()
	before := f.snapshot()
	done, err := f.EnqueueInput(f.ctx, d)
	f.ok(what, err)
	equal(f.t, what+": existing", done.Existing, true)
	f.unchanged(what, before)
	return done.Input
}

// taken wants that d conflicts with the input existing, under its key or its id, and changes nothing.
func (f *fixture) taken(what string, d lashstore.InputDraft, key, existing string) {
	f.t.Helper()
	before := f.snapshot()
	_, err := f.EnqueueInput(f.ctx, d)
	is(f.t, what, err, lashstore.ErrEntryConflict)
	equal(f.t, what, *as[*lashstore.EntryConflictError](f.t, what, err),
		lashstore.EntryConflictError{SessionID: sessionID, SourceKey: key, ExistingID: existing})
	f.unchanged(what, before)
}

// listed returns the ids that a list shows.
func (f *fixture) listed(o *lashstore.ListOptions) []string {
	f.t.Helper()
	list, err := f.ListInputs(f.ctx, o)
	f.ok("list inputs", err)
	return idsOfInputs(list)
}

func idsOfInputs(list []lashstore.TurnInput) []string {
	ids := []string{}
	for _, in := range list {
		ids = append(ids, in.ID)
	}
	return ids
}

// inputStates wants all inputs that are remembered, in order, each as its id and state.
func (f *fixture) inputStates(what string, want ...string) {
	f.t.Helper()
	list, err := f.ListInputs(f.ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	f.ok("list inputs", err)
	got := []string{}
	for _, in := range list {
		got = append(got, in.ID+" "+string(in.State))
	}
	equal(f.t, what, got, append([]string{}, want...))
}

// 1. Every field comes back: to the submitter, in a list, on another handle and in a claim; JSON byte for byte.
// 2. Places in the line grow, across both families. Ids that the store makes differ.
func inputRoundTripsEveryField(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	spelled := json.RawMessage("{ \"text\" : \"x\\u0041\",\n\"n\":1.0,\"timestamp\":1e400 }")
	drafts := []lashstore.InputDraft{
		{Input: spelled},
		{SessionID: sessionID, ID: "it's mine", SourceKey: "key", Ingress: lashstore.Ingress{TurnID: "turn-1"}, Input: json.RawMessage(` null `)},
		{ID: "late", Ingress: lateInTurn, Input: json.RawMessage(`[]`)},
	}
	var want []lashstore.TurnInput
	for i, d := range drafts {
		done, err := f.EnqueueInput(f.ctx, d)
		f.ok("submit", err)
		got := done.Input
		equal(t, "existing", done.Existing, false)
		equal(t, "id", got.ID, map[bool]string{true: got.ID, false: d.ID}[d.ID == "" && got.ID != ""])
		sameTime(t, "enqueued at", got.EnqueuedAt, f.clock.Now())
		equal(t, "input", got, lashstore.TurnInput{
			ID: got.ID, Seq: got.Seq, SourceKey: d.SourceKey, Ingress: d.Ingress.WithDefaults(), Input: d.Input,
			EnqueuedAt: got.EnqueuedAt, State: lashstore.EntryWaiting,
		})
		if i > 0 && got.Seq <= want[i-1].Seq || got.Seq < 1 {
			t.Fatalf("input %d has the place %d", i, got.Seq)
		}
		want = append(want, got)
		f.clock.Advance(time.Second)
		f.queueTask("between")
	}
	list, err := f.other().ListInputs(f.ctx, nil)
	f.ok("list", err)
	equal(t, "list", list, want)
	claim := f.claimNext(f.take(opaqueOwner, time.Minute), 1)
	equal(t, "claimed input", string(claim.Inputs[0].Input), string(spelled))
}

// inputIDFields are the ids of a draft.
var inputIDFields = map[string]func(d *lashstore.InputDraft, id string){
	"session id": func(d *lashstore.InputDraft, id string) { d.SessionID = id },
	"id":         func(d *lashstore.InputDraft, id string) { d.ID = id },
	"source key": func(d *lashstore.InputDraft, id string) { d.SourceKey = id },
	"turn id":    func(d *lashstore.InputDraft, id string) { d.Ingress.TurnID = id },
}

func inputMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("first", nextTurn))
	before := f.snapshot()
	refuse := func(what string, target error, change func(d *lashstore.InputDraft)) {
		d := inputOf("second", midTurn)
		change(&d)
		_, err := f.EnqueueInput(f.ctx, d)
		is(t, what, err, target)
	}
	for field, put := range inputIDFields {
		for what, id := range badIDs {
			refuse(field+": "+what, lashstore.ErrInvalid, func(d *lashstore.InputDraft) { put(d, id) })
		}
	}
	for what, value := range badJSON {
		refuse("input: "+what, lashstore.ErrInvalid, func(d *lashstore.InputDraft) { d.Input = value })
	}
	refuse("no input", lashstore.ErrInvalid, func(d *lashstore.InputDraft) { d.Input = nil })
	refuse("too much", lashstore.ErrTooLarge, func(d *lashstore.InputDraft) { d.Input = hugeText() })
	refuse("boundary without turn", lashstore.ErrInvalid, func(d *lashstore.InputDraft) { d.Ingress.TurnID = "" })
	refuse("unknown boundary", lashstore.ErrInvalid, func(d *lashstore.InputDraft) { d.Ingress.Boundary = "after_lunch" })
	f.unchanged("after refusals", before)
	f.submit(inputOf("second", midTurn))
	for _, id := range oddIDs {
		f.submit(lashstore.InputDraft{ID: id, SourceKey: id, Ingress: lashstore.ActiveTurn(id, ""), Input: json.RawMessage(`1`)})
	}
	equal(t, "what is there", f.listed(nil), append([]string{"first", "second"}, oddIDs...))
}

func inputOtherSessionRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn))
	before := f.snapshot()
	d := inputOf("b", nextTurn)
	d.SessionID = "another"
	_, err := f.EnqueueInput(f.ctx, d)
	is(t, "input for another session", err, lashstore.ErrSessionMismatch)
	equal(t, "error", *as[*lashstore.SessionMismatchError](t, "input for another session", err),
		lashstore.SessionMismatchError{Bound: sessionID, Attempted: "another"})
	f.unchanged("after the refusal", before)
}

// The JSON value counts, not its spelling; so does the ingress, not the id and not the time.
func inputSameKeyIsTheSameInput(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := lashstore.InputDraft{ID: "a", SourceKey: "key", Ingress: midTurn, Input: json.RawMessage(`{"x":1,"y":[true]}`)}
	f.submit(first)
	f.clock.Advance(time.Hour)
	for what, change := range map[string]func(d *lashstore.InputDraft){
		"the same":         func(*lashstore.InputDraft) {},
		"with the session": func(d *lashstore.InputDraft) { d.SessionID = sessionID },
		"another id":       func(d *lashstore.InputDraft) { d.ID = "b" },
		"no id":            func(d *lashstore.InputDraft) { d.ID = "" },
		"other spelling":   func(d *lashstore.InputDraft) { d.Input = json.RawMessage(` {"y": [true], "x": 1} `) },
		"boundary left":    func(d *lashstore.InputDraft) { d.Ingress.Boundary = "" },
	} {
		again := first
		change(&again)
		got := f.known(what, again)
		equal(t, what, [2]string{got.ID, string(got.Input)}, [2]string{"a", string(first.Input)})
	}
	equal(t, "what is there", f.listed(nil), []string{"a"})
}

func inputOtherContentConflicts(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn), inputOf("b", nextTurn))
	for what, change := range map[string]func(d *lashstore.InputDraft){
		"content":      func(d *lashstore.InputDraft) { d.Input = json.RawMessage(`{"text":"other"}`) },
		"another turn": func(d *lashstore.InputDraft) { d.Ingress = otherTurn },
		"later":        func(d *lashstore.InputDraft) { d.Ingress = lateInTurn },
		"next turn":    func(d *lashstore.InputDraft) { d.Ingress = nextTurn },
		"another id and content": func(d *lashstore.InputDraft) {
			d.ID, d.Input = "c", json.RawMessage(`{}`)
		},
	} {
		d := inputOf("a", midTurn)
		change(&d)
		f.taken(what, d, "key-a", "a")
	}
	d := inputOf("b", nextTurn)
	d.SourceKey = "key-a"
	f.taken("what another key has", d, "key-a", "a")
}

// 1. Without a source key the id makes a retry the same input, by the same comparison.
// 2. A new key with a known id is a conflict, whatever the content: there is one input to an id.
func inputSameIDIsTheSameInput(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	bare := inputOf("a", midTurn)
	bare.SourceKey = ""
	f.submit(bare)
	equal(t, "id", f.known("the same", bare).ID, "a")
	other := bare
	other.Input = json.RawMessage(`0`)
	f.taken("other content", other, "", "a")
	f.taken("a key that is new", inputOf("a", midTurn), "", "a")
	f.submit(inputOf("b", midTurn))
	keyless := inputOf("b", midTurn)
	keyless.SourceKey = ""
	equal(t, "id", f.known("known by its id alone", keyless).ID, "b")
	unnamed := bare
	unnamed.ID = ""
	f.submit(unnamed, unnamed)
	equal(t, "inputs", len(f.listed(nil)), 4)
}

// A retry learns how far its input has come, and revives nothing.
func inputKeyIsKnownWhateverBecameOfIt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	drafts := []lashstore.InputDraft{inputOf("claimed", midTurn), inputOf("cancelled", nextTurn), inputOf("completed", nextTurn), inputOf("waiting", nextTurn)}
	f.submit(drafts...)
	f.cancel("cancel", "cancelled cancelled", lashstore.ByID("cancelled"))
	lease := f.take(opaqueOwner, time.Minute)
	done := f.claimNext(lease, 1).Completion()
	f.claimMid(lease, lashstore.AfterWork, 9)
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{done}})
	f.clock.Advance(time.Second)
	for _, d := range drafts {
		got := f.known(d.ID, d)
		equal(t, d.ID, [3]string{got.ID, string(got.State), string(got.Input)}, [3]string{d.ID, d.ID, string(d.Input)})
		equal(t, d.ID+" is settled", !got.SettledAt.IsZero(), got.State.Settled())
		equal(t, d.ID+" has a claim", got.Claim != nil, d.ID == "claimed")
		d.Input = json.RawMessage(`0`)
		f.taken(d.ID+" with other content", d, d.SourceKey, d.ID)
	}
	equal(t, "claimable", f.claimNext(lease, 9).Completion().IDs, []string{"waiting"})
}

// Deferral moves input; the retry of its submitter still says where it was meant to go.
func inputIsComparedAsItWasSubmitted(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", midTurn))
	lease := f.take(opaqueOwner, time.Minute)
	equal(t, "deferred", f.deferInputs(lease, ""), 1)
	equal(t, "ingress", f.known("an honest retry", inputOf("a", midTurn)).Ingress, nextTurn)
	f.taken("where it was moved to", inputOf("a", nextTurn), "key-a", "a")
	keyless := inputOf("a", midTurn)
	keyless.SourceKey = ""
	equal(t, "id", f.known("by its id", keyless).ID, "a")
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{f.claimNext(lease, 1).Completion()}})
	equal(t, "state", f.known("after all", inputOf("a", midTurn)).State, lashstore.EntryCompleted)
}

func inputRacingSubmissionsAreOne(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	results, errs := make([]lashstore.EnqueuedInput, 8), make([]error, 8)
	race(t, len(results), func(i int) {
		d := inputOf(fmt.Sprint("id ", i), nextTurn)
		d.SourceKey, d.Input = "key", json.RawMessage(`{}`)
		results[i], errs[i] = handles[i%2].EnqueueInput(f.ctx, d)
	})
	made := 0
	for i, err := range errs {
		f.ok("submit", err)
		equal(t, "id", results[i].Input.ID, results[0].Input.ID)
		if !results[i].Existing {
			made++
		}
	}
	equal(t, "made", made, 1)
	equal(t, "what is there", f.listed(nil), []string{results[0].Input.ID})
}

// The clock shows a later time at each reading: the times of the line are in the order of the line.
func inputTimeIsReadInsideTheTransaction(t testing.TB, h SessionHarness) {
	f := setupWith(t, h, Options{Clock: &tickingClock{Clock{now: Epoch}}})
	handles := []*fixture{f, f.other()}
	const writers, each = 4, 20
	errs := make([]error, writers)
	race(t, writers, func(i int) {
		for range each {
			if _, err := handles[i%2].EnqueueInput(f.ctx, lashstore.InputDraft{Input: json.RawMessage(`1`)}); err != nil {
				errs[i] = err
			}
		}
	})
	for _, err := range errs {
		f.ok("submit", err)
	}
	list, err := f.ListInputs(f.ctx, nil)
	f.ok("list", err)
	equal(t, "inputs", len(list), writers*each)
	for i, in := range list[1:] {
		if before := list[i]; in.Seq <= before.Seq || !in.EnqueuedAt.After(before.EnqueuedAt) {
			t.Fatalf("place %d at %v follows place %d at %v", in.Seq, in.EnqueuedAt, before.Seq, before.EnqueuedAt)
		}
	}
}

func inputListsByScope(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	equal(t, "nothing", f.listed(nil), []string{})
	f.submit(inputOf("completed", nextTurn), inputOf("cancelled", midTurn), inputOf("claimed", midTurn), inputOf("late", lateInTurn), inputOf("next", nextTurn))
	f.queueTask("work is no input")
	f.cancel("cancel", "cancelled cancelled", lashstore.ByID("cancelled"))
	lease := f.take(opaqueOwner, time.Minute)
	done := f.claimNext(lease, 1).Completion()
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{done}})
	f.claimMid(lease, lashstore.AfterWork, 9)
	all := []string{"completed", "cancelled", "claimed", "late", "next"}
	for _, list := range []struct {
		scope lashstore.ListScope
		want  []string
	}{
		{lashstore.ListOpen, all[2:]}, {lashstore.ListPending, all[3:]}, {lashstore.ListAll, all},
	} {
		equal(t, "scope "+string(list.scope), f.listed(&lashstore.ListOptions{Scope: list.scope}), list.want)
	}
	equal(t, "nil", f.listed(nil), all[2:])
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	equal(t, "pending, when the lease has ended", f.listed(&lashstore.ListOptions{Scope: lashstore.ListPending}), all[2:])
}

// A limit counts what is shown, and pages lie next to each other.
func inputListsInPages(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	var want []string
	for i := range 9 {
		id := fmt.Sprint("i", i)
		f.submit(inputOf(id, nextTurn))
		if i%3 == 0 {
			f.cancel("cancel", id+" cancelled", lashstore.ByID(id))
			continue
		}
		want = append(want, id)
	}
	var got []string
	for after := int64(0); ; {
		page, err := f.ListInputs(f.ctx, &lashstore.ListOptions{After: after, Limit: 2})
		f.ok("list", err)
		if len(page) == 0 {
			break
		}
		if len(page) > 2 || page[0].Seq <= after {
			t.Fatalf("a page of %d begins at %d, behind %d", len(page), page[0].Seq, after)
		}
		got, after = append(got, idsOfInputs(page)...), page[len(page)-1].Seq
	}
	equal(t, "all pages", got, want)
	for what, o := range map[string]lashstore.ListOptions{"scope": {Scope: "some"}, "after": {After: -1}, "limit": {Limit: -1}} {
		_, err := f.ListInputs(f.ctx, &o)
		is(t, what, err, lashstore.ErrInvalid)
	}
}

// 1. What was settled before the cut-off is forgotten: not what was settled at it, nor what is open.
// 2. A retry is then a new input, and a cancellation finds nothing.
func inputVacuumForgetsTheSettled(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("b", nextTurn), inputOf("c", nextTurn), inputOf("open", nextTurn), inputOf("held", midTurn))
	lease := f.take(opaqueOwner, time.Hour)
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{f.claimNext(lease, 1).Completion()}})
	f.cancel("cancel", "b cancelled", lashstore.ByID("b"))
	f.clock.Advance(time.Minute)
	f.cancel("cancel", "c cancelled", lashstore.ByID("c"))
	f.claimMid(lease, lashstore.AfterWork, 1)
	equal(t, "unasked", f.vacuum(nil), lashstore.VacuumReport{})
	equal(t, "too early", f.vacuum(&lashstore.VacuumOptions{InputsBefore: Epoch}), lashstore.VacuumReport{})
	equal(t, "of work", f.vacuum(&lashstore.VacuumOptions{WorkBefore: f.clock.Now()}), lashstore.VacuumReport{})
	cutOff := &lashstore.VacuumOptions{InputsBefore: f.clock.Now(), Batch: 1}
	equal(t, "forgotten", f.vacuum(cutOff), lashstore.VacuumReport{Inputs: 2})
	equal(t, "again", f.vacuum(cutOff), lashstore.VacuumReport{})
	f.inputStates("afterwards", "c cancelled", "open waiting", "held claimed")
	f.cancel("what is forgotten", "b not_found", lashstore.ByID("b"))
	f.cancel("what is forgotten, by key", "key=key-a not_found", lashstore.BySourceKey("key-a"))
	f.submit(inputOf("a", otherTurn))
	f.inputStates("submitted anew, at the end", "c cancelled", "open waiting", "held claimed", "a waiting")
	_, err := f.Vacuum(f.ctx, &lashstore.VacuumOptions{InputsBefore: time.Unix(-1, 0)})
	is(t, "before 1970", err, lashstore.ErrInvalid)
}

// Lines, claims and the memory of keys outlive the process. No place in the line is given twice.
func inputSurvivesARestart(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("b", midTurn), inputOf("c", nextTurn))
	f.cancel("cancel", "c cancelled", lashstore.ByID("c"))
	lease := f.take(opaqueOwner, time.Hour)
	claim := f.claimNext(lease, 1)
	before := f.snapshot()
	f.clock.Advance(time.Minute)
	f.vacuum(&lashstore.VacuumOptions{InputsBefore: f.clock.Now()})
	f.restart()
	f.inputStates("after the restart", "a claimed", "b waiting")
	f.submit(inputOf("c", nextTurn))
	last, err := f.ListInputs(f.ctx, &lashstore.ListOptions{After: before.inputs[2].Seq})
	f.ok("list", err)
	equal(t, "behind the last place", idsOfInputs(last), []string{"c"})
	f.commit(lashstore.Commit{Lease: lease.Fence(), CompletedInputs: []lashstore.Completion{claim.Completion()}})
	f.inputStates("settled", "a completed", "b waiting", "c waiting")
}
