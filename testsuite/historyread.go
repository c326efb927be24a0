package testsuite

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

// 1. Removed are the nodes behind the last common one, of From; Added those of To; root first.
// 2. Parts are named that differ, came or went; the turn state counts as a JSON value.
// 3. It works both ways, with itself, and with nothing in common.
func historyDiff(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	fork := turn(3, "a1")
	fork.Checkpoint.TurnState = json.RawMessage(`{ "turn_index": 2 }`)
	fork.Checkpoint.Parts[lashstore.PartNameToolState] = lashstore.PartContent([]byte("tools of turn 2"))
	delete(fork.Checkpoint.Parts, lashstore.PartNameExecutionState)
	fork.Checkpoint.Parts["zz"] = lashstore.PartContent([]byte("new"))
	f.commit(fork)
	f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{ClearLeaf: true}})
	for _, d := range []struct {
		from, to       lashstore.Revision
		base           string
		removed, added []string
		parts          []string
		turnState      bool
	}{
		{2, 3, "a1", []string{"u2", "a2"}, []string{"u3", "a3"}, []string{"execution_state", "zz"}, false},
		{3, 2, "a1", []string{"u3", "a3"}, []string{"u2", "a2"}, []string{"execution_state", "zz"}, false},
		{1, 2, "a1", []string{}, []string{"u2", "a2"}, []string{"execution_state", "tool_state"}, true},
		{2, 2, "a2", []string{}, []string{}, nil, false},
		{3, 4, "", []string{"u1", "a1", "u3", "a3"}, []string{}, nil, false},
		{4, 1, "", []string{}, []string{"u1", "a1"}, []string{"execution_state", "tool_state", "zz"}, true},
	} {
		what := fmt.Sprintf("from %d to %d", d.from, d.to)
		got, err := f.DiffRevisions(f.ctx, d.from, d.to)
		f.ok(what, err)
		equal(t, what+": ends", [2]lashstore.RevisionInfo{got.From, got.To}, [2]lashstore.RevisionInfo{f.line(d.from), f.line(d.to)})
		equal(t, what+": base", got.Base, d.base)
		equal(t, what+": removed", ids(got.Removed), d.removed)
		equal(t, what+": added", ids(got.Added), d.added)
		equal(t, what+": parts", append([]string{}, got.Parts...), append([]string{}, d.parts...))
		equal(t, what+": turn state", got.TurnState, d.turnState)
	}
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", user("other", ""))})
	got, err := f.DiffRevisions(f.ctx, 2, 5)
	f.ok("what was tombstoned since", err)
	equal(t, "removed", ids(got.Removed), []string{"u1", "a1", "u2", "a2"})
	equal(t, "added", got.Added[0].Payload, user("other", "").Payload)
}

func historyForgottenReceipt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commits(3)
	f.clock.Advance(time.Hour)
	before := f.log(nil)
	o := &lashstore.VacuumOptions{RevisionsBefore: f.clock.Now()}
	equal(t, "while the receipts are there", f.vacuum(o), lashstore.VacuumReport{})
	equal(t, "replayed", f.commit(turn(1, "")).Replayed, true)
	equal(t, "receipts", f.vacuum(&lashstore.VacuumOptions{ReceiptsBefore: f.clock.Now()}), lashstore.VacuumReport{Receipts: 3})
	equal(t, "the lines", f.log(nil), before)
	equal(t, "lines", f.vacuum(o), lashstore.VacuumReport{Revisions: 2})
	equal(t, "what is left", f.numbers(nil), []lashstore.Revision{3})
}

// 1. Only lines that are older, not loadable, and no receipt go; in batches of one, too.
// 2. What is loadable stays so.
func historyVacuumTakesOldLines(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 2)
	for i := 1; i <= 7; i++ { // an hour apart; the third is a turn
		c := lashstore.Commit{Graph: lashstore.AppendNodes(user(fmt.Sprint("n", i), ""))}
		if i == 3 {
			c.Turn = &lashstore.TurnStamp{TurnID: "remembered"}
		}
		f.commit(c)
		if i == 1 {
			f.ok("pin", f.PinRevision(f.ctx, 1))
		}
		f.clock.Advance(time.Hour)
	}
	equal(t, "zero takes none", f.vacuum(&lashstore.VacuumOptions{Batch: 1}), lashstore.VacuumReport{})
	cutOff := Epoch.Add(4 * time.Hour)
	equal(t, "before the fifth", f.vacuum(&lashstore.VacuumOptions{RevisionsBefore: cutOff, Batch: 1}), lashstore.VacuumReport{Revisions: 2})
	equal(t, "what is left", f.numbers(nil), []lashstore.Revision{7, 6, 5, 3, 1})
	equal(t, "all that may go", f.vacuum(&lashstore.VacuumOptions{RevisionsBefore: f.clock.Now()}), lashstore.VacuumReport{Revisions: 1})
	equal(t, "what is left", f.numbers(nil), []lashstore.Revision{7, 6, 3, 1})
	f.loadable("in the end", 7, 6, 1)
	f.gone("a line that was deleted", 2)
	f.add(user("n8", ""))
	equal(t, "what was deleted counts", f.load(nil).Revision, 8)
}

func historyMalformedRefused(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 3)
	f.commits(2)
	before := f.snapshot()
	list := func(o lashstore.RevisionListOptions) error {
		_, err := f.Revisions(f.ctx, &o)
		return err
	}
	load := func(o lashstore.LoadOptions) error {
		_, err := f.Load(f.ctx, &o)
		return err
	}
	for what, err := range map[string]error{
		"list before a negative one": list(lashstore.RevisionListOptions{Before: -1}),
		"list less than none":        list(lashstore.RevisionListOptions{Limit: -1}),
		"keep less than none":        f.KeepRevisions(f.ctx, -1),
		"load at a negative one":     load(lashstore.LoadOptions{At: -1}),
		"load at one, in full":       load(lashstore.LoadOptions{At: 1, Scope: lashstore.ScopeFull}),
		"load at one, another leaf":  load(lashstore.LoadOptions{At: 1, Leaf: "u1"}),
	} {
		is(t, what, err, lashstore.ErrInvalid)
	}
	is(t, "keep too many", f.KeepRevisions(f.ctx, lashstore.MaxKeepRevisions+1), lashstore.ErrTooLarge)
	for _, r := range []lashstore.Revision{0, -1} {
		is(t, fmt.Sprint("pin ", r), f.PinRevision(f.ctx, r), lashstore.ErrRevisionGone)
		f.ok(fmt.Sprint("unpin ", r), f.UnpinRevision(f.ctx, r))
	}
	f.unchanged("refusals", before)
	f.keep(lashstore.MaxKeepRevisions)
	f.commits(1)
	f.loadable("keeping the most", 3, 2, 1)
}

func historyClosedHandleRefuses(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 3)
	f.commits(2)
	f.ok("close", f.Close())
	_, list := f.Revisions(f.ctx, nil)
	_, diff := f.DiffRevisions(f.ctx, 1, 2)
	_, move := f.MoveHead(f.ctx, lashstore.HeadMove{SessionID: sessionID, Expect: lashstore.At(2), Revision: 1, WithoutLease: true})
	_, branches := f.Branches(f.ctx)
	_, drop := f.DropBranch(f.ctx, "b")
	for what, err := range map[string]error{
		"revisions": list, "pin": f.PinRevision(f.ctx, 1), "unpin": f.UnpinRevision(f.ctx, 1), "keep": f.KeepRevisions(f.ctx, 1),
		"diff": diff, "move": move, "branches": branches, "name": f.NameBranch(f.ctx, "b", ""), "drop": drop,
	} {
		is(t, what, err, lashstore.ErrClosed)
	}
}

// 1. Leaf, path, checkpoint, current frame and revision are those of then; of the summary there is only the time.
// 2. Configuration, frames and usage are as of now.
// 3. 0 is the head, and so is its number, with the whole summary.
// 4. The other options go with it.
func loadAtARevision(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	were := f.past()
	f.commit(lashstore.Commit{Config: json.RawMessage(`{"later":true}`)})
	now, then := f.load(nil), f.at(3)
	equal(t, "revision 3", f.sight(3), were[3])
	equal(t, "its path", ids(then.Graph.Nodes), []string{"u1", "a1", "u2", "a2", "u3", "a3"})
	equal(t, "its frame", then.CurrentFrameID, "f3")
	equal(t, "its summary", then.Summary, lashstore.Summary{UpdatedAt: then.Summary.UpdatedAt})
	sameTime(t, "its time", then.Summary.UpdatedAt, Epoch.Add(2*time.Minute))
	equal(t, "its expectation", then.Expect(), lashstore.At(3))
	equal(t, "configuration", string(then.Config), `{"later":true}`)
	equal(t, "usage", then.Usage, now.Usage)
	equal(t, "frames", []string{then.Frames[0].ID, then.Frames[1].ID}, []string{"f3", "f5"})
	equal(t, "the head by its number", f.at(7), now)

	tail := f.load(&lashstore.LoadOptions{At: 3, Last: 2})
	equal(t, "tail", ids(tail.Graph.Nodes), []string{"u3", "a3"})
	equal(t, "more", tail.Graph.More, true)
	bare := f.load(&lashstore.LoadOptions{At: 3, WithoutCheckpoint: true})
	equal(t, "without checkpoint", bare.Checkpoint, nil)
	head := f.load(&lashstore.LoadOptions{At: 3, Scope: lashstore.ScopeHead, WithoutParts: true})
	equal(t, "head", [2]any{head.Graph.Leaf, len(head.Graph.Nodes)}, [2]any{"a3", 0})
	part := then.Checkpoint.Parts[lashstore.PartNameToolState]
	equal(t, "content", string(part.Content), "tools of turn 3")
	part.Content = nil
	equal(t, "without contents", head.Checkpoint.Parts[lashstore.PartNameToolState], part)
}
