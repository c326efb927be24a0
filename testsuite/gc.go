package testsuite

import (
	"fmt"
	"testing"

	"github.com/lashstore/lashstore"
)

func gcCases() []Case {
	return []Case{
		{"GC/KeepsLiveDeletesSuperseded", "8.A.38, 8.F.97, 8.F.102", gcKeepsLiveDeletesSuperseded},
		{"GC/KeepsCarriedParts", "3.4, 10.W28", gcKeepsCarriedParts},
		{"GC/KeepsStatesOfAllFrames", "10.W29", gcKeepsStatesOfAllFrames},
		{"GC/DryRunDeletesNothing", "GCOptions.DryRun", gcDryRunDeletesNothing},
		{"GC/SmallBatches", "GCOptions.Batch, 10.W61", gcSmallBatches},
		{"GC/RunsByPolicyAfterACommit", "8.F.103, 10.W43", gcRunsByPolicyAfterACommit},
		{"GC/PolicyCountsCommitsAlone", "10.W43", gcPolicyCountsCommitsAlone},
		{"GC/RacesWithCommits", "3.4, 10.W28", gcRacesWithCommits},
	}
}

func (f *fixture) gc(o *lashstore.GCOptions) lashstore.GCReport {
	f.t.Helper()
	report, err := f.GC(f.ctx, o)
	f.ok("gc", err)
	return report
}

// counts are a report without its bytes.
func counts(r lashstore.GCReport) lashstore.GCReport {
	r.Bytes = 0
	return r
}

// 1. A superseded checkpoint goes, its parts with it; the live one stays whole.
// 2. A second run finds nothing.
func gcKeepsLiveDeletesSuperseded(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	equal(t, "empty session", f.gc(nil), lashstore.GCReport{})
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	orphan := f.put([]byte("orphan"))
	f.add(user("n", "a2"))
	before := f.checkpoint()
	report := f.gc(nil)
	equal(t, "first run", counts(report), lashstore.GCReport{Roots: 1, Retained: 3, Deleted: 4})
	equal(t, "bytes are counted", report.Bytes > 0, true)
	f.lacks("superseded part", []byte("tools of turn 1"))
	_, err := f.Blob(f.ctx, orphan)
	is(t, "orphan", err, lashstore.ErrMissingBlob)
	equal(t, "live checkpoint", f.checkpoint(), before)
	equal(t, "second run", f.gc(nil), lashstore.GCReport{Roots: 1, Retained: 3})
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "blobs left", stats.Blobs, 3)
}

func gcKeepsCarriedParts(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for i := range 3 {
		next := f.checkpoint().Carry()
		next.TurnState = fmt.Append(nil, i)
		f.commit(lashstore.Commit{Checkpoint: next})
		equal(t, "a manifest goes", f.gc(nil).Deleted, 1)
		equal(t, "carried part", string(f.checkpoint().Parts[lashstore.PartNameToolState].Content), "tools of turn 1")
	}
}

// A superseded frame's state is named by its frame, and may be asked for.
func gcKeepsStatesOfAllFrames(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(lashstore.Commit{Frames: twoFrames(), CurrentFrameID: "f2"})
	f.add(user("n", ""))
	equal(t, "gc", f.gc(nil), lashstore.GCReport{Roots: 2, Retained: 2})
	for _, frame := range twoFrames() {
		f.holds("state of "+frame.ID, frame.ExecutionState)
	}
	changed := twoFrames()[0]
	changed.ExecutionState = nil
	f.commit(lashstore.Commit{Frames: []lashstore.Frame{changed}})
	equal(t, "a state that was taken away goes", f.gc(nil).Deleted, 1)
	f.commit(lashstore.Commit{CurrentFrameID: "f1"})
	f.holds("state of f2", twoFrames()[1].ExecutionState)
}

func gcDryRunDeletesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.commit(turn(2, "a1"))
	f.put([]byte("young"))
	before := f.snapshot()
	var dry lashstore.GCReport
	for range 2 {
		dry = f.gc(&lashstore.GCOptions{DryRun: true})
		equal(t, "dry run", counts(dry), lashstore.GCReport{Roots: 1, Retained: 3, Spared: 1, Deleted: 3})
	}
	f.unchanged("after dry runs", before)
	f.holds("superseded part", []byte("tools of turn 1"))
	equal(t, "the run that follows", f.gc(nil), dry)
}

func gcSmallBatches(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for i := 1; i <= 5; i++ {
		f.put(fmt.Append(nil, "orphan ", i))
	}
	f.commit(turn(1, ""))
	f.put([]byte("young"))
	equal(t, "batches of one", counts(f.gc(&lashstore.GCOptions{Batch: 1})), lashstore.GCReport{Roots: 1, Retained: 3, Spared: 1, Deleted: 5})
	equal(t, "batches of two", counts(f.gc(&lashstore.GCOptions{Batch: 2})), lashstore.GCReport{Roots: 1, Retained: 3, Spared: 1})
}

// With a policy of one, the first commit after a blob was put collects it, without standing in its own way.
func gcRunsByPolicyAfterACommit(t testing.TB, h SessionHarness) {
	f := setupWith(t, h, Options{GCEveryCommits: 1})
	f.put([]byte("orphan"))
	f.holds("before a commit", []byte("orphan"))
	f.commit(turn(1, ""))
	f.lacks("after a commit", []byte("orphan"))
	f.commit(turn(2, "a1"))
	f.lacks("superseded part", []byte("tools of turn 1"))
	equal(t, "part", string(f.checkpoint().Parts[lashstore.PartNameToolState].Content), "tools of turn 2")
}

// With a policy of two, every second commit collects, whatever else was written in between; replays do not count.
func gcPolicyCountsCommitsAlone(t testing.TB, h SessionHarness) {
	f := setupWith(t, h, Options{GCEveryCommits: 2})
	for i := 1; i <= 6; i++ {
		content := fmt.Append(nil, "orphan ", (i+1)/2)
		if i%2 == 1 {
			f.put(content)
		}
		_, _, err := f.PutArtifact(f.ctx, moduleKey, lashstore.GenericBlob, []byte("module"))
		f.ok("put artifact", err)
		f.commit(lashstore.Commit{Turn: &lashstore.TurnStamp{TurnID: fmt.Sprint(i)}})
		if i%2 == 0 {
			f.lacks("after a second commit", content)
			continue
		}
		_, err = f.try(lashstore.Commit{Turn: &lashstore.TurnStamp{TurnID: fmt.Sprint(i)}})
		f.ok("replay", err)
		f.holds("after a first commit and its replay", content)
	}
}

// Garbage is collected without end while commits bring parts, put blobs and carry them: whatever a load finds is whole.
func gcRacesWithCommits(t testing.TB, h SessionHarness) {
	const commits = 25
	f := setup(t, h)
	collector := f.other()
	f.commit(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{}})
	var collected, committed error
	alternate(t, func() bool {
		_, collected = collector.GC(f.ctx, nil)
		return collected == nil
	}, commits-1, func(i int) bool {
		committed = f.putAndCarry(i + 2)
		return committed == nil
	})
	f.ok("commit beside a garbage collection", committed)
	f.ok("garbage collection beside commits", collected)
	equal(t, "revision", f.load(nil).Revision, commits)
}

// putAndCarry makes revision n: it puts a blob, carries it in a checkpoint and reads that.
func (f *fixture) putAndCarry(n int) error {
	content := fmt.Append(nil, "content ", n)
	hash, err := f.PutBlob(f.ctx, lashstore.GenericBlob, content)
	if err != nil {
		return err
	}
	_, err = f.Commit(f.ctx, lashstore.Commit{
		SessionID: sessionID, Expect: lashstore.At(lashstore.Revision(n - 1)), WithoutLease: true,
		Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{
			"carried": lashstore.PartRef(hash), "given": lashstore.PartContent(fmt.Append(nil, "given ", n)),
		}},
	})
	if err != nil {
		return err
	}
	s, err := f.Load(f.ctx, nil)
	if err == nil && string(s.Checkpoint.Parts["carried"].Content) != string(content) {
		err = fmt.Errorf("carried part of revision %d is %q", n, s.Checkpoint.Parts["carried"].Content)
	}
	return err
}
