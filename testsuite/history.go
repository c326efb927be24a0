package testsuite

import (
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func historyCases() []Case {
	return []Case{
		{"History/EveryCommitLeavesALine", "SessionHistory.Revisions, RevisionInfo", historyEveryCommitLeavesALine},
		{"History/ListsNewestFirstInPages", "SessionHistory.Revisions, RevisionListOptions", historyListsInPages},
		{"History/ListsTheLoadableAlone", "RevisionListOptions.LoadableOnly", historyListsTheLoadable},
		{"History/KeepsTwentyUnlessTold", "DefaultKeepRevisions", historyKeepsTwenty},
		{"History/KeptOnesLoadAsTheyWere", "LoadOptions.At, 10.W11, 10.W29, 10.W44", historyKeptOnesLoad},
		{"History/OlderOnesAreGone", "SessionHistory, ErrRevisionGone", historyOlderOnesAreGone},
		{"History/NoneAndOneKeepTheHead", "SessionHistory.KeepRevisions, KeepsRevision", historyNoneAndOne},
		{"History/PinnedOnesStay", "SessionHistory.PinRevision, KeepsRevision", historyPinnedOnesStay},
		{"History/UnpinnedOnesGo", "SessionHistory.UnpinRevision", historyUnpinnedOnesGo},
		{"History/KeepIsStored", "SessionHistory.KeepRevisions", historyKeepIsStored},
		{"History/RaisingBringsNothingBack", "SessionHistory.KeepRevisions", historyRaisingBringsNothingBack},
		{"History/DiffersByNodesAndParts", "SessionHistory.DiffRevisions, RevisionDiff", historyDiff},
		{"History/ForgottenReceiptLeavesItsLine", "VacuumOptions.ReceiptsBefore, VacuumOptions.RevisionsBefore", historyForgottenReceipt},
		{"History/VacuumTakesOldLines", "VacuumOptions.RevisionsBefore, 10.W44", historyVacuumTakesOldLines},
		{"History/MalformedRefused", "SessionHistory, RevisionListOptions.Validate", historyMalformedRefused},
		{"History/ClosedHandleRefuses", "ErrClosed", historyClosedHandleRefuses},
		{"Load/AtARevision", "LoadOptions.At", loadAtARevision},
	}
}

// keeping is a fixture of which the last n revisions stay loadable.
func keeping(t testing.TB, h SessionHarness, n int) *fixture {
	t.Helper()
	f := setup(t, h)
	f.keep(n)
	return f
}

func (f *fixture) keep(n int) {
	f.t.Helper()
	f.ok(fmt.Sprintf("keep %d revisions", n), f.KeepRevisions(f.ctx, n))
}

// log reads the revisions.
func (f *fixture) log(o *lashstore.RevisionListOptions) []lashstore.RevisionInfo {
	f.t.Helper()
	list, err := f.Revisions(f.ctx, o)
	f.ok("revisions", err)
	return list
}

// line is what is kept of a revision.
func (f *fixture) line(r lashstore.Revision) lashstore.RevisionInfo {
	f.t.Helper()
	for _, info := range f.log(nil) {
		if info.Revision == r {
			return info
		}
	}
	f.t.Fatalf("revision %d has no line", r)
	return lashstore.RevisionInfo{}
}

func (f *fixture) numbers(o *lashstore.RevisionListOptions) []lashstore.Revision {
	f.t.Helper()
	list := []lashstore.Revision{}
	for _, info := range f.log(o) {
		list = append(list, info.Revision)
	}
	return list
}

// loadable wants these revisions to be loadable, newest first, by the log and in fact, and all others gone.
func (f *fixture) loadable(what string, want ...lashstore.Revision) {
	f.t.Helper()
	equal(f.t, what+": loadable", f.numbers(&lashstore.RevisionListOptions{LoadableOnly: true}), append([]lashstore.Revision{}, want...))
	loads := []lashstore.Revision{}
	for _, info := range f.log(nil) {
		if info.Loadable {
			f.at(info.Revision)
			loads = append(loads, info.Revision)
		} else {
			f.gone(what, info.Revision)
		}
	}
	equal(f.t, what+": marked loadable", loads, append([]lashstore.Revision{}, want...))
}

// at loads what a revision left.
func (f *fixture) at(r lashstore.Revision) *lashstore.Session {
	f.t.Helper()
	return f.load(&lashstore.LoadOptions{At: r})
}

// gone wants that a revision is not there for anything.
func (f *fixture) gone(what string, r lashstore.Revision) {
	f.t.Helper()
	head := f.load(&lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true}).Revision
	_, load := f.Load(f.ctx, &lashstore.LoadOptions{At: r})
	_, from := f.DiffRevisions(f.ctx, r, head)
	_, to := f.DiffRevisions(f.ctx, head, r)
	for how, err := range map[string]error{"load": load, "diff from": from, "diff to": to, "pin": f.PinRevision(f.ctx, r)} {
		what := fmt.Sprintf("%s: %s revision %d", what, how, r)
		is(f.t, what, err, lashstore.ErrRevisionGone)
		found := as[*lashstore.RevisionError](f.t, what, err)
		equal(f.t, what, [2]lashstore.Revision{found.Revision, found.Head}, [2]lashstore.Revision{r, head})
	}
}

// seen is what a revision gives back: all that At promises of a session.
type seen struct {
	revision   lashstore.Revision
	graph      lashstore.Graph
	checkpoint *lashstore.StoredCheckpoint
	frame      string
	state      string // of the current frame
	at         int64
}

func sightOf(s *lashstore.Session) seen {
	v := seen{s.Revision, s.Graph, s.Checkpoint, s.CurrentFrameID, "", s.Summary.UpdatedAt.UnixMilli()}
	for _, f := range s.Frames {
		if f.ID == s.CurrentFrameID {
			v.state = string(f.ExecutionState) + " " + string(f.Status)
		}
	}
	return v
}

// sight is the path, its tail and the head of a revision; of the head when r is 0.
func (f *fixture) sight(r lashstore.Revision) [3]seen {
	f.t.Helper()
	return [3]seen{
		sightOf(f.load(&lashstore.LoadOptions{At: r})), sightOf(f.load(&lashstore.LoadOptions{At: r, Last: 2})),
		sightOf(f.load(&lashstore.LoadOptions{At: r, Scope: lashstore.ScopeHead})),
	}
}

// past is six revisions of all kinds behind each other, with what was seen of each when it was the head: two turns, a
// frame, a way back to a1, a fork from there, and a graph without what was before.
func (f *fixture) past() map[lashstore.Revision][3]seen {
	f.t.Helper()
	third := turn(3, "a2")
	third.Frames = []lashstore.Frame{{ID: "f3", Reason: "compaction", ExecutionState: []byte("state of f3")}}
	third.CurrentFrameID = "f3"
	fifth := turn(5, "a1")
	fifth.Frames = []lashstore.Frame{{ID: "f5", Reason: "compaction", ExecutionState: []byte("state of f5")}}
	fifth.CurrentFrameID = "f5"
	sixth := turn(6, "")
	sixth.Graph = lashstore.ReplaceGraph("", user("u6", ""), reply("a6", "u6"))
	were := map[lashstore.Revision][3]seen{}
	for _, c := range []lashstore.Commit{turn(1, ""), turn(2, "a1"), third, {Graph: lashstore.MoveLeaf("a1")}, fifth, sixth} {
		r := f.commit(c).Revision
		were[r] = f.sight(0)
		f.clock.Advance(time.Minute)
	}
	return were
}

// clean collects, tombstones and vacuums whatever may go.
func (f *fixture) clean() {
	f.t.Helper()
	_, err := f.TombstoneOrphans(f.ctx, nil)
	f.ok("tombstone orphans", err)
	f.clock.Advance(time.Hour)
	now := f.clock.Now()
	f.vacuum(&lashstore.VacuumOptions{ReceiptsBefore: now, UsageBefore: now, Batch: 1})
	f.gc(nil)
}

// 1. Each commit leaves a line with where the head then stood, its turn, its time, and the sum of what it used.
// 2. A commit without stamp, usage and checkpoint has a line, too; the checkpoint of the head stays its.
// 3. What was refused and what was replayed leaves none. The number of lines is counted.
func historyEveryCommitLeavesALine(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	equal(t, "before the first commit", len(f.log(nil)), 0)
	c := turn(1, "")
	c.Usage = append(c.Usage, lashstore.UsageDelta{Source: "sub", Model: "m2", Usage: lashstore.TokenUsage{
		Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4, ReasoningOutput: 5,
	}})
	first := f.commit(c)
	f.clock.Advance(time.Hour)
	f.add(user("n", "a1"))
	f.clock.Advance(time.Hour)
	f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{ClearLeaf: true}, Turn: &lashstore.TurnStamp{TurnID: "clears"}})
	stale := turn(4, "")
	stale.Expect = lashstore.At(1)
	f.refused("a stale commit", stale, lashstore.ErrRevisionConflict)
	equal(t, "replayed", f.commit(c).Replayed, true)
	want := []lashstore.RevisionInfo{
		{Revision: 3, Checkpoint: first.Checkpoint, TurnID: "clears", CommittedAt: Epoch.Add(2 * time.Hour)},
		{Revision: 2, Leaf: "n", Checkpoint: first.Checkpoint, CommittedAt: Epoch.Add(time.Hour)},
		{Revision: 1, Leaf: "a1", Checkpoint: first.Checkpoint, TurnID: "turn-1", CommittedAt: Epoch, Usage: lashstore.TokenUsage{
			Input: 11, Output: 7, CacheRead: 3, CacheWrite: 4, ReasoningOutput: 5,
		}},
	}
	got := f.log(nil)
	equal(t, "lines", len(got), len(want))
	for i := range want {
		want[i].Movement, want[i].Loadable = lashstore.MovedByCommit, true
		sameTime(t, "committed at", got[i].CommittedAt, want[i].CommittedAt)
		got[i].CommittedAt = want[i].CommittedAt
		equal(t, "line", got[i], want[i])
	}
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "lines counted", stats.Revisions, 3)
}

// commits makes revisions, each of a turn of its own.
func (f *fixture) commits(n int) {
	f.t.Helper()
	for range n {
		at := int(f.load(nil).Revision) + 1
		parent := ""
		if at > 1 {
			parent = fmt.Sprint("a", at-1)
		}
		f.commit(turn(at, parent))
	}
}

func historyListsInPages(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commits(5)
	for _, p := range []struct {
		before lashstore.Revision
		limit  int
		want   []lashstore.Revision
	}{
		{0, 0, []lashstore.Revision{5, 4, 3, 2, 1}}, {0, 2, []lashstore.Revision{5, 4}}, {4, 2, []lashstore.Revision{3, 2}},
		{2, 2, []lashstore.Revision{1}}, {1, 2, []lashstore.Revision{}}, {99, 9, []lashstore.Revision{5, 4, 3, 2, 1}},
	} {
		got := f.numbers(&lashstore.RevisionListOptions{Before: p.before, Limit: p.limit})
		equal(t, fmt.Sprintf("before %d, at most %d", p.before, p.limit), got, p.want)
	}
}

func historyListsTheLoadable(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 3)
	f.commits(2)
	f.ok("pin", f.PinRevision(f.ctx, 1))
	f.commits(4)
	f.loadable("the last three and the pinned", 6, 5, 4, 1)
	page := &lashstore.RevisionListOptions{LoadableOnly: true, Limit: 2, Before: 6}
	equal(t, "in pages", f.numbers(page), []lashstore.Revision{5, 4})
	page.Before = 4
	equal(t, "the last page", f.numbers(page), []lashstore.Revision{1})
	equal(t, "pinned", [2]bool{f.line(1).Pinned, f.line(6).Pinned}, [2]bool{true, false})
}

func historyKeepsTwenty(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.ok("close", f.Close())
	f.place = h.NewPlace(t)
	f.SessionStore = f.open()
	f.commits(lashstore.DefaultKeepRevisions + 2)
	list := f.log(&lashstore.RevisionListOptions{LoadableOnly: true})
	equal(t, "loadable", len(list), 20)
	equal(t, "the oldest", list[19].Revision, 3)
	equal(t, "what it loads", f.at(3).Graph.Leaf, "a3")
	f.gone("one too many", 2)
}

// 1. The last revisions load as they loaded when they were the head, though the graph was replaced, and whatever may go
// was tombstoned, vacuumed and collected: path, tail, head, checkpoint with its parts, current frame.
// 2. What only others had is gone.
func historyKeptOnesLoad(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 5)
	were := f.past()
	f.clean()
	for r := lashstore.Revision(2); r <= 6; r++ {
		equal(t, fmt.Sprintf("revision %d", r), f.sight(r), were[r])
	}
	f.loadable("after the cleaning", 6, 5, 4, 3, 2)
	f.nodes("live", "u6", "a6")
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "what old revisions had", stats.Tombstones, 8)
	f.commits(2)
	f.clean()
	for r := lashstore.Revision(4); r <= 6; r++ {
		equal(t, fmt.Sprintf("revision %d, later", r), f.sight(r), were[r])
	}
	f.lacks("only revision 2 had it", []byte("tools of turn 2"))
	f.keep(1)
	f.clean()
	stats, err = f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "nodes of revisions that went", stats.Tombstones, 0)
}

func historyOlderOnesAreGone(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 2)
	f.commits(4)
	f.loadable("the last two", 4, 3)
	before := f.snapshot()
	for _, r := range []lashstore.Revision{1, 2, 5, 99} {
		f.gone("one that is not kept", r)
	}
	f.unchanged("refusals", before)
	f.clean()
	for n := 1; n <= 4; n++ {
		if n <= 2 {
			f.lacks("of a revision that is gone", fmt.Appendf(nil, "tools of turn %d", n))
		} else {
			f.holds("of a revision that is kept", fmt.Appendf(nil, "tools of turn %d", n))
		}
	}
	f.loadable("after the cleaning", 4, 3)
}

func historyNoneAndOne(t testing.TB, h SessionHarness) {
	for n := range 2 {
		f := keeping(t, h, n)
		f.commits(3)
		f.loadable(fmt.Sprintf("keeping %d", n), 3)
		f.gc(nil)
		f.lacks("of the revision before", []byte("tools of turn 2"))
		f.holds("of the head", []byte("tools of turn 3"))
		equal(t, "leaf", f.at(3).Graph.Leaf, "a3")
	}
}

// 1. A pinned revision loads as it did, whatever happens behind it; its node, parts and frame stay.
// 2. Pinning needs no lease, may be repeated, and is no revision.
func historyPinnedOnesStay(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 6)
	were := f.past()
	lease := f.take(opaqueOwner, time.Minute)
	for range 2 {
		f.ok("pin", f.PinRevision(f.ctx, 3))
	}
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	f.keep(1)
	f.loadable("pinned", 6, 3)
	f.commits(3)
	f.clean()
	f.clean()
	equal(t, "the pinned one", f.sight(3), were[3])
	f.loadable("in the end", 9, 3)
	f.ok("pin again what stays by its pin alone", f.PinRevision(f.ctx, 3))
	f.lacks("of another", []byte("tools of turn 5"))
}

func historyUnpinnedOnesGo(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 1)
	f.commits(1)
	f.ok("pin", f.PinRevision(f.ctx, 1))
	f.commits(2)
	f.loadable("pinned", 3, 1)
	for range 2 {
		f.ok("unpin", f.UnpinRevision(f.ctx, 1))
	}
	before := f.snapshot()
	for _, r := range []lashstore.Revision{2, 3, 99} {
		f.ok("unpin what is not pinned", f.UnpinRevision(f.ctx, r))
	}
	f.unchanged("nothing to unpin", before)
	equal(t, "pinned", f.line(1).Pinned, false)
	f.loadable("unpinned", 3)
	f.gc(nil)
	f.lacks("of the unpinned one", []byte("tools of turn 1"))
}

// 1. What one handle says, the others and the next process keep to.
// 2. It counts at once, for revisions there are already.
func historyKeepIsStored(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 3)
	f.commits(3)
	f.other().gc(nil)
	f.loadable("after a second handle collected", 3, 2, 1)
	f.other().keep(2)
	f.loadable("after a second handle lowered it", 3, 2)
	f.keep(2)
	f.loadable("said again", 3, 2)
	f.restart()
	f.gc(nil)
	f.loadable("after a restart", 3, 2)
	f.commits(1)
	f.loadable("after another commit", 4, 3)
}

// 1. What is gone stays gone when more are kept, whether it was collected meanwhile or not.
// 2. Nothing is harmed by it: the session can be collected and is sound. From then on more are kept.
func historyRaisingBringsNothingBack(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 2)
	f.commits(4)
	f.keep(10)
	f.loadable("raised, not collected", 4, 3)
	f.keep(1)
	f.gc(nil)
	f.keep(10)
	f.loadable("raised, collected", 4)
	f.clean()
	f.commits(2)
	f.loadable("later", 6, 5, 4)
	f.clean()
	f.loadable("later, and cleaned", 6, 5, 4)
}
