package testsuite

import (
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func branchCases() []Case {
	return []Case{
		{"Rewind/BringsBackWhatWas", "SessionHistory.MoveHead, HeadMove.Revision", rewindBringsBackWhatWas},
		{"Rewind/IsACommitOfItsOwn", "SessionHistory.MoveHead, HeadMove", rewindIsACommit},
		{"Rewind/CanBeUndone", "HeadMove", rewindCanBeUndone},
		{"Rewind/RevivesTombstonedNodes", "HeadMove.Revision, 10.W21", rewindRevives},
		{"Rewind/GoneRevisionRefused", "HeadMove.Revision, ErrRevisionGone", rewindGoneRefused},
		{"Switch/GoesToALeaf", "HeadMove.Leaf", switchGoesToALeaf},
		{"Switch/GoesToABranch", "HeadMove.Branch, ErrBranchNotFound", switchGoesToABranch},
		{"Switch/TakesTheLatestLoadableCheckpoint", "HeadMove.Leaf, HeadMove.Branch", switchTakesTheLatestCheckpoint},
		{"Switch/UnknownTargetRefused", "HeadMove, ErrUnknownLeaf, 10.W22", switchUnknownRefused},
		{"Move/NeedsTheLease", "HeadMove.Lease, 8.A.13", moveNeedsTheLease},
		{"Move/StaleRevisionRefused", "HeadMove.Expect, 8.A.3", moveStaleRefused},
		{"Move/RetryGetsTheFirstAnswer", "HeadMove.Turn, HeadMove.Hash", moveRetry},
		{"Move/MalformedRefused", "HeadMove.Validate", moveMalformed},
		{"Branch/ListsLeavesAndNames", "SessionHistory.Branches, Branch", branchLists},
		{"Branch/NamesMayBeGivenAnew", "SessionHistory.NameBranch", branchNamesMove},
		{"Branch/UnknownNodeRefused", "SessionHistory.NameBranch, ErrNodeNotFound", branchUnknownNode},
		{"Branch/DropTakesTheNameAlone", "SessionHistory.DropBranch", branchDrop},
		{"Branch/NameProtectsItsPath", "SessionHistory.NameBranch, 10.W21", branchNameProtects},
		{"Branch/NameOutlivesAReplacement", "SessionHistory.NameBranch, 10.W11", branchOutlivesReplacement},
		{"Branch/NamesAreStored", "SessionHistory.NameBranch", branchNamesAreStored},
		{"Branch/MalformedRefused", "ValidateBranch", branchMalformed},
	}
}

// tryMove moves at the head and under a lease of its own where m says nothing else.
func (f *fixture) tryMove(m lashstore.HeadMove) (lashstore.CommitResult, error) {
	f.t.Helper()
	if m.SessionID == "" {
		m.SessionID = sessionID
	}
	if m.Expect == (lashstore.Expectation{}) {
		m.Expect = lashstore.At(f.load(&lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true}).Revision)
	}
	if m.Lease != nil || m.WithoutLease {
		return f.MoveHead(f.ctx, m)
	}
	m.Lease, m.ReleaseLease = f.take(opaqueOwner, time.Minute).Fence(), true
	result, err := f.MoveHead(f.ctx, m)
	if err != nil {
		f.ok("release the lease", f.ReleaseLease(f.ctx, m.Lease))
	}
	return result, err
}

func (f *fixture) move(m lashstore.HeadMove) lashstore.CommitResult {
	f.t.Helper()
	result, err := f.tryMove(m)
	f.ok("move the head", err)
	if result.Revision == 0 {
		f.t.Fatal("a move returned neither a revision nor an error")
	}
	return result
}

// notMoved wants that m loses with target and changes nothing.
func (f *fixture) notMoved(what string, m lashstore.HeadMove, target error) error {
	f.t.Helper()
	before := f.snapshot()
	_, err := f.tryMove(m)
	is(f.t, what, err, target)
	f.unchanged(what, before)
	return err
}

// asRevision is a sight with another number and time, for what was brought back.
func asRevision(r lashstore.Revision, at time.Time, were [3]seen) [3]seen {
	for i := range were {
		were[i].revision, were[i].at = r, at.UnixMilli()
	}
	return were
}

// Leaf, path, checkpoint and current frame are those of the revision gone back to, for every one that is kept.
func rewindBringsBackWhatWas(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 100)
	were := f.past()
	f.clean()
	for r := lashstore.Revision(1); r <= 6; r++ {
		f.clock.Advance(time.Minute)
		result := f.move(lashstore.HeadMove{Revision: r})
		equal(t, "checkpoint", result.Checkpoint, f.line(r).Checkpoint)
		equal(t, fmt.Sprintf("back at %d", r), f.sight(0), asRevision(result.Revision, f.clock.Now(), were[r]))
	}
}

// 1. It is a revision more, with a line that says where to; it uses nothing, and counts as no turn without a stamp.
// 2. Nodes, usage, configuration and receipts stay; what follows continues from there.
func rewindIsACommit(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.commits(3)
	before := f.load(nil)
	f.clock.Advance(time.Hour)
	checkpoint := f.at(1).Checkpoint.Ref
	result := f.move(lashstore.HeadMove{Revision: 1})
	equal(t, "result", result, lashstore.CommitResult{Revision: 4, Checkpoint: checkpoint, Parts: result.Parts})
	got := f.line(4)
	sameTime(t, "committed at", got.CommittedAt, Epoch.Add(time.Hour))
	equal(t, "line", got, lashstore.RevisionInfo{
		Revision: 4, Movement: lashstore.MovedByRewind, Source: 1, Leaf: "a1", Checkpoint: checkpoint, CommittedAt: got.CommittedAt,
		Loadable: true,
	})
	after := f.load(nil)
	equal(t, "usage", after.Usage, before.Usage)
	equal(t, "turns", after.Summary.Turns, 3)
	sameTime(t, "updated at", after.Summary.UpdatedAt, Epoch.Add(time.Hour))
	f.nodes("after going back", "u1", "a1", "u2", "a2", "u3", "a3")
	equal(t, "a turn from before", f.commit(turn(2, "a1")).Replayed, true)
	equal(t, "what follows", f.commit(turn(5, "a1")).Revision, 5)
	f.path("what follows", "u1", "a1", "u5", "a5")
	stamped := f.move(lashstore.HeadMove{Revision: 3, Turn: &lashstore.TurnStamp{TurnID: "back"}})
	equal(t, "turn", f.line(stamped.Revision).TurnID, "back")
	equal(t, "turns", f.load(nil).Summary.Turns, 5)
}

func rewindCanBeUndone(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	were := f.past()
	f.move(lashstore.HeadMove{Revision: 2})
	f.move(lashstore.HeadMove{Revision: 6})
	equal(t, "where it was", f.sight(0), asRevision(8, f.clock.Now(), were[6]))
	f.move(lashstore.HeadMove{Revision: 7})
	equal(t, "undone again", f.sight(0), asRevision(9, f.clock.Now(), were[2]))
	f.move(lashstore.HeadMove{Revision: 9})
	equal(t, "to where it is", f.sight(0), asRevision(10, f.clock.Now(), were[2]))
	equal(t, "source", f.line(10).Source, 9)
}

// 1. What of the path was tombstoned lives again, is found, and counts; the rest stays dead.
// 2. From then on it is protected as every live path is.
func rewindRevives(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	f.commit(turn(3, "a1"))
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", user("new", ""))})
	f.nodes("replaced", "new")
	equal(t, "messages", f.load(nil).Summary.Messages, 1)
	f.clean()
	f.move(lashstore.HeadMove{Revision: 2})
	f.nodes("revived", "u1", "a1", "u2", "a2", "new")
	equal(t, "messages", [2]int{int(f.load(nil).Summary.Messages), int(f.load(nil).Summary.UserMessages)}, [2]int{5, 3})
	_, err := f.Node(f.ctx, "u2")
	f.ok("a node that lives again", err)
	_, err = f.TombstoneNodes(f.ctx, []string{"u1"}, nil)
	is(t, "tombstone it", err, lashstore.ErrNodeOnLivePath)
	f.keep(1)
	f.clean()
	f.nodes("after a cleaning", "u1", "a1", "u2", "a2")
	f.path("in the end", "u1", "a1", "u2", "a2")
}

func rewindGoneRefused(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 2)
	f.commits(4)
	for _, r := range []lashstore.Revision{1, 2, 5, 99} {
		what := fmt.Sprintf("back to %d", r)
		err := as[*lashstore.RevisionError](t, what, f.notMoved(what, lashstore.HeadMove{Revision: r}, lashstore.ErrRevisionGone))
		equal(t, what, [2]lashstore.Revision{err.Revision, err.Head}, [2]lashstore.Revision{r, 4})
	}
	f.ok("pin", f.PinRevision(f.ctx, 3))
	f.commits(3)
	f.move(lashstore.HeadMove{Revision: 3})
	f.path("back to a pinned one", "u1", "a1", "u2", "a2", "u3", "a3")
}

// forked is two turns that both follow the first, and a frame that came with the first of them.
func (f *fixture) forked() (first, second lashstore.CommitResult) {
	f.t.Helper()
	f.commit(turn(1, ""))
	c := turn(2, "a1")
	c.Frames = []lashstore.Frame{{ID: "f2", Reason: "compaction", ExecutionState: []byte("state of f2")}}
	c.CurrentFrameID = "f2"
	first = f.commit(c)
	c = turn(3, "a1")
	c.Frames = []lashstore.Frame{{ID: "f3", Reason: "compaction", ExecutionState: []byte("state of f3")}}
	c.CurrentFrameID = "f3"
	second = f.commit(c)
	return first, second
}

// 1. Path, checkpoint and frame are those of the other branch. It is a revision more, and says so in its line.
// 2. A node that no loadable revision stood at keeps the checkpoint and frame there are.
func switchGoesToALeaf(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	first, second := f.forked()
	result := f.move(lashstore.HeadMove{Leaf: "a2"})
	equal(t, "result", [2]any{result.Revision, result.Checkpoint}, [2]any{lashstore.Revision(4), first.Checkpoint})
	f.path("switched", "u1", "a1", "u2", "a2")
	now := f.load(nil)
	equal(t, "checkpoint and frame", [2]any{now.Checkpoint.Ref, now.CurrentFrameID}, [2]any{first.Checkpoint, "f2"})
	got := f.line(4)
	equal(t, "line", got, lashstore.RevisionInfo{
		Revision: 4, Movement: lashstore.MovedBySwitch, Leaf: "a2", Checkpoint: first.Checkpoint, CommittedAt: got.CommittedAt, Loadable: true,
	})
	f.move(lashstore.HeadMove{Leaf: "a3"})
	f.path("and back", "u1", "a1", "u3", "a3")
	f.move(lashstore.HeadMove{Leaf: "u2"})
	now = f.load(nil)
	f.path("where no revision stood", "u1", "a1", "u2")
	equal(t, "checkpoint and frame", [2]any{now.Checkpoint.Ref, now.CurrentFrameID}, [2]any{second.Checkpoint, "f3"})
	f.nodes("in the end", "u1", "a1", "u2", "a2", "u3", "a3")
}

func switchGoesToABranch(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	first, _ := f.forked()
	f.ok("name", f.NameBranch(f.ctx, "idea", "a2"))
	result := f.move(lashstore.HeadMove{Branch: "idea"})
	equal(t, "checkpoint", result.Checkpoint, first.Checkpoint)
	f.path("switched", "u1", "a1", "u2", "a2")
	equal(t, "line", [2]any{f.line(4).Movement, f.line(4).Source}, [2]any{lashstore.MovedBySwitch, lashstore.Revision(0)})
	f.commit(turn(5, "a2"))
	f.move(lashstore.HeadMove{Branch: "idea"})
	f.path("a name stays where it was given", "u1", "a1", "u2", "a2")
}

// 1. Of several revisions with this leaf the latest counts.
// 2. One that is no longer loadable does not.
func switchTakesTheLatestCheckpoint(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 4)
	f.forked()
	f.move(lashstore.HeadMove{Leaf: "a2"})
	again := turn(5, "a2")
	again.Graph = lashstore.GraphDelta{}
	latest := f.commit(again) // at a2, too
	elsewhere := f.commit(turn(6, "a1"))
	equal(t, "the latest", f.move(lashstore.HeadMove{Leaf: "a2"}).Checkpoint, latest.Checkpoint)
	f.move(lashstore.HeadMove{Leaf: "a6"})
	f.keep(1)
	equal(t, "none that is loadable", f.move(lashstore.HeadMove{Leaf: "a2"}).Checkpoint, elsewhere.Checkpoint)
	f.path("switched", "u1", "a1", "u2", "a2")
}

func switchUnknownRefused(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.forked()
	f.ok("name", f.NameBranch(f.ctx, "dropped", "a2"))
	_, err := f.DropBranch(f.ctx, "dropped")
	f.ok("drop", err)
	for _, leaf := range []string{"nobody", "dropped"} {
		err := f.notMoved("to an unknown leaf", lashstore.HeadMove{Leaf: leaf}, lashstore.ErrUnknownLeaf)
		equal(t, "node", as[*lashstore.NodeError](t, "to an unknown leaf", err).NodeID, leaf)
	}
	for _, name := range []string{"nobody", "dropped", "a2"} {
		err := f.notMoved("to an unknown branch", lashstore.HeadMove{Branch: name}, lashstore.ErrBranchNotFound)
		equal(t, "branch", as[*lashstore.BranchError](t, "to an unknown branch", err).Name, name)
	}
	f.tombstone(2, "u2")
	f.notMoved("to a tombstoned leaf", lashstore.HeadMove{Leaf: "a2"}, lashstore.ErrUnknownLeaf)
}

func moveNeedsTheLease(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.commits(2)
	bare := lashstore.HeadMove{SessionID: sessionID, Expect: lashstore.At(2), Revision: 1}
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	_, err := f.MoveHead(f.ctx, bare)
	is(t, "without showing the lease", err, lashstore.ErrLeaseLost)
	for what, tampered := range tamperedFences(lease) {
		m := bare
		m.Lease = tampered
		_, err := f.MoveHead(f.ctx, m)
		is(t, what, err, lashstore.ErrLeaseLost)
	}
	m := bare
	m.WithoutLease = true
	_, err = f.MoveHead(f.ctx, m)
	is(t, "without lease while somebody holds one", err, lashstore.ErrLeaseBusy)
	f.unchanged("refusals", before)
	m = bare
	m.Lease, m.Expect = &lashstore.Fence{}, lashstore.At(9)
	_, err = f.MoveHead(f.ctx, m)
	is(t, "lease and revision lost", err, lashstore.ErrLeaseLost)
	m = bare
	m.SessionID, m.Lease = "beta", lease.Fence()
	f.notMoved("of another session", m, lashstore.ErrSessionMismatch)
	m = bare
	m.Lease, m.ReleaseLease = lease.Fence(), true
	f.move(m)
	_, live := f.current()
	equal(t, "live after a move that releases it", live, false)
	f.move(lashstore.HeadMove{Revision: 2, WithoutLease: true})
	f.path("in the end", "u1", "a1", "u2", "a2")
}

func moveStaleRefused(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.commits(2)
	for _, expected := range []lashstore.Revision{1, 3} {
		m := lashstore.HeadMove{Revision: 1, Expect: lashstore.At(expected)}
		err := f.notMoved("a stale move", m, lashstore.ErrRevisionConflict)
		equal(t, "conflict", *as[*lashstore.RevisionConflictError](t, "stale", err), lashstore.RevisionConflictError{Expected: expected, Actual: 2})
	}
	gone := lashstore.HeadMove{Revision: 99, Expect: lashstore.At(1)}
	f.notMoved("stale, and to where there is nothing", gone, lashstore.ErrRevisionConflict)
	f.move(lashstore.HeadMove{Revision: 1})
}

// 1. The retry of a stamped move gets its first answer, whatever happened since, and moves nothing.
// 2. The same turn that goes elsewhere is a conflict, as is a commit under its id.
// 3. The hash may be given.
func moveRetry(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 2)
	f.commits(3)
	m := lashstore.HeadMove{Revision: 2, Expect: lashstore.At(3), Turn: &lashstore.TurnStamp{TurnID: "back"}}
	first := f.move(m)
	equal(t, "first", [2]any{first.Revision, first.Replayed}, [2]any{lashstore.Revision(4), false})
	hash, err := m.Hash()
	f.ok("hash", err)
	equal(t, "hash", first.TurnHash, hash)
	f.commit(turn(5, "a2"))
	f.commit(turn(6, "a5"))
	before := f.snapshot()
	again := f.move(m)
	equal(t, "answer", again, lashstore.CommitResult{
		Revision: 4, Checkpoint: first.Checkpoint, TurnHash: hash, Parts: again.Parts, Replayed: true,
	})
	given := m
	given.Turn = &lashstore.TurnStamp{TurnID: "back", Hash: hash}
	equal(t, "with its hash", f.move(given).Replayed, true)
	f.unchanged("retries", before)
	for what, other := range map[string]lashstore.HeadMove{
		"to another revision": {Revision: 5}, "to a leaf": {Leaf: "a2"}, "to a branch": {Branch: "a2"},
	} {
		other.Turn = m.Turn
		conflict := as[*lashstore.TurnConflictError](t, what, f.notMoved(what, other, lashstore.ErrTurnConflict))
		equal(t, what, [2]any{conflict.TurnID, conflict.Revision}, [2]any{"back", lashstore.Revision(4)})
	}
	f.refused("a commit of that turn", lashstore.Commit{Turn: m.Turn}, lashstore.ErrTurnConflict)
}

func moveMalformed(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.commits(2)
	lease := f.take(opaqueOwner, time.Minute)
	for what, m := range map[string]lashstore.HeadMove{
		"nowhere":                 {},
		"to revision and leaf":    {Revision: 1, Leaf: "a1"},
		"to leaf and branch":      {Leaf: "a1", Branch: "b"},
		"to a negative revision":  {Revision: -1},
		"of a new session":        {Revision: 1, Expect: lashstore.Create()},
		"to a leaf that is no id": {Leaf: "a\x00"},
		"to a name that is no id": {Branch: "a\xff"},
		"of a turn without id":    {Revision: 1, Turn: &lashstore.TurnStamp{}},
		"lease and without lease": {Revision: 1, Lease: lease.Fence(), WithoutLease: true},
		"release without lease":   {Revision: 1, WithoutLease: true, ReleaseLease: true},
	} {
		if m.Lease == nil && !m.WithoutLease {
			m.Lease = lease.Fence()
		}
		f.notMoved(what, m, lashstore.ErrInvalid)
	}
	bare := lashstore.HeadMove{SessionID: sessionID, Revision: 1, Lease: lease.Fence()}
	_, err := f.MoveHead(f.ctx, bare)
	is(t, "no expectation", err, lashstore.ErrInvalid)
}
