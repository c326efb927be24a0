package testsuite

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func frameCases() []Case {
	return []Case{
		{"Frame/RoundTrip", "8.A.2, 8.G.131", frameRoundTrip},
		{"Frame/OthersStay", "Commit.Frames", frameOthersStay},
		{"Frame/StatusFollowsTheCurrentOne", "Frame.Status", frameStatusFollowsTheCurrentOne},
		{"Frame/AssignmentMayChange", "Frame.Conflict", frameAssignmentMayChange},
		{"Frame/OriginNeverChanges", "Frame.Conflict", frameOriginNeverChanges},
		{"Frame/UnknownFrameRefused", "ErrFrameNotFound", frameUnknownFrameRefused},
		{"Frame/MissingStateRefused", "10.W28, Frame.ExecutionStateRef", frameMissingStateRefused},
		{"Frame/MalformedOrderRefused", "Commit.Frames", frameMalformedOrderRefused},
	}
}

func twoFrames() []lashstore.Frame {
	return []lashstore.Frame{
		{ID: "f1", Reason: "initial", ExecutionState: []byte("state 1")},
		{ID: "f2", PreviousID: "f1", Reason: "my reason: Überlauf", CausedBy: json.RawMessage(`{"type": "turn"}`),
			CreatedAt: time.Date(2020, 1, 1, 0, 0, 0, 1_999_999, time.UTC), Assignment: json.RawMessage(` {"policy": 1.0}`),
			Options: json.RawMessage(`null`), ExecutionState: []byte{0, 1, 0xff}},
	}
}

// 1. Every field comes back, JSON byte for byte, time in milliseconds, in the order in which frames were opened.
// 2. Only the current frame has its execution state; both have its reference.
func frameRoundTrip(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(lashstore.Commit{Frames: twoFrames(), CurrentFrameID: "f2"})
	s := f.load(nil)
	equal(t, "current frame", s.CurrentFrameID, "f2")
	want := twoFrames()
	want[0].Status, want[1].Status = lashstore.FrameSuperseded, lashstore.FrameActive
	want[0].CreatedAt, want[1].CreatedAt = Epoch, time.Date(2020, 1, 1, 0, 0, 0, 1_000_000, time.UTC)
	for i := range want {
		want[i].ExecutionStateRef = lashstore.HashOf(want[i].ExecutionState)
	}
	want[0].ExecutionState = nil
	framesEqual(t, "frames", s.Frames, want)
}

func framesEqual(t testing.TB, what string, got, want []lashstore.Frame) {
	t.Helper()
	equal(t, what+": how many", len(got), len(want))
	for i, w := range want {
		g := got[i]
		sameTime(t, what+": created at of "+w.ID, g.CreatedAt, w.CreatedAt)
		g.CreatedAt, w.CreatedAt = time.Time{}, time.Time{}
		equal(t, what, g, w)
	}
}

func frameOthersStay(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(lashstore.Commit{Frames: twoFrames(), CurrentFrameID: "f2"})
	before := f.load(nil).Frames
	f.add(user("u", ""))
	equal(t, "frames after a commit without", f.load(nil).Frames, before)
	f.clock.Advance(time.Hour)
	f.commit(lashstore.Commit{Frames: []lashstore.Frame{{ID: "f3", PreviousID: "f2", Reason: "compaction"}}})
	s := f.load(nil)
	equal(t, "frames before the new one", s.Frames[:len(s.Frames)-1], before)
	equal(t, "current frame", s.CurrentFrameID, "f2")
	equal(t, "new frame", s.Frames[2].ID, "f3")
	sameTime(t, "created at", s.Frames[2].CreatedAt, Epoch.Add(time.Hour))
}

func frameStatusFollowsTheCurrentOne(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(lashstore.Commit{Frames: twoFrames()})
	check := func(what, current string, want ...lashstore.FrameStatus) {
		t.Helper()
		s := f.load(nil)
		equal(t, what+": current frame", s.CurrentFrameID, current)
		for i, status := range want {
			equal(t, what+": status of "+s.Frames[i].ID, s.Frames[i].Status, status)
			equal(t, what+": state of "+s.Frames[i].ID+" is there", s.Frames[i].ExecutionState != nil, status == lashstore.FrameActive)
		}
	}
	check("no current frame", "", lashstore.FrameSuperseded, lashstore.FrameSuperseded)
	f.commit(lashstore.Commit{CurrentFrameID: "f1"})
	check("first", "f1", lashstore.FrameActive, lashstore.FrameSuperseded)
	f.commit(lashstore.Commit{CurrentFrameID: "f2"})
	check("second", "f2", lashstore.FrameSuperseded, lashstore.FrameActive)
	f.add(user("u", ""))
	check("kept", "f2", lashstore.FrameSuperseded, lashstore.FrameActive)
}

// 1. A known frame given again takes the assignment, options and state that are given, none included.
// 2. Its time and place stay.
func frameAssignmentMayChange(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(lashstore.Commit{Frames: twoFrames(), CurrentFrameID: "f2"})
	before := f.load(nil).Frames
	f.clock.Advance(time.Hour)
	changed := twoFrames()[1]
	changed.CausedBy = json.RawMessage(`{"type":"turn"}`) // the same, spelled otherwise
	changed.CreatedAt, changed.Assignment, changed.Options = time.Time{}, json.RawMessage(`{"policy":2}`), nil
	changed.ExecutionState, changed.ExecutionStateRef = nil, lashstore.HashOf([]byte("state 1")) // carried
	f.commit(lashstore.Commit{Frames: []lashstore.Frame{changed}})
	after := f.load(nil).Frames
	equal(t, "other frame", after[0], before[0])
	equal(t, "assignment", string(after[1].Assignment), `{"policy":2}`)
	equal(t, "options", after[1].Options, nil)
	equal(t, "carried state", string(after[1].ExecutionState), "state 1")
	sameTime(t, "created at", after[1].CreatedAt, before[1].CreatedAt)

	changed.ExecutionStateRef = lashstore.Hash{}
	f.commit(lashstore.Commit{Frames: []lashstore.Frame{changed}})
	equal(t, "state taken away", f.load(nil).Frames[1].ExecutionStateRef, lashstore.Hash{})
}

func frameOriginNeverChanges(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(lashstore.Commit{Frames: twoFrames(), CurrentFrameID: "f2"})
	for field, change := range map[string]func(frame *lashstore.Frame){
		"previous_id": func(frame *lashstore.Frame) { frame.PreviousID = "" },
		"reason":      func(frame *lashstore.Frame) { frame.Reason = "initial" },
		"caused_by":   func(frame *lashstore.Frame) { frame.CausedBy = nil },
	} {
		frame := twoFrames()[1]
		frame.Assignment = json.RawMessage(`{"policy":2}`)
		change(&frame)
		err := f.refused(field, lashstore.Commit{Frames: []lashstore.Frame{frame}}, lashstore.ErrFrameConflict)
		conflict := as[*lashstore.FrameError](t, field, err)
		equal(t, "frame, field", [2]string{conflict.FrameID, conflict.Field}, [2]string{"f2", field})
	}
}

func frameUnknownFrameRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, c := range map[string]lashstore.Commit{
		"unknown current frame":  {CurrentFrameID: "nobody"},
		"unknown previous frame": {Frames: []lashstore.Frame{{ID: "f", PreviousID: "nobody", Reason: "compaction"}}},
	} {
		err := f.refused(what, c, lashstore.ErrFrameNotFound)
		equal(t, "frame named", as[*lashstore.FrameError](t, what, err).FrameID, "nobody")
	}
}

func frameMissingStateRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	nowhere := lashstore.HashOf([]byte("never stored"))
	frame := lashstore.Frame{ID: "f", Reason: "initial", ExecutionStateRef: nowhere}
	err := f.refused("a state that is not stored", lashstore.Commit{Frames: []lashstore.Frame{frame}}, lashstore.ErrMissingBlob)
	equal(t, "blob named", as[*lashstore.MissingBlobError](t, "missing state", err).Hash, nowhere)
	frame.ExecutionState = []byte("other content")
	f.refused("a reference beside other content", lashstore.Commit{Frames: []lashstore.Frame{frame}}, lashstore.ErrInvalid)
}

func frameMalformedOrderRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, frames := range map[string][]lashstore.Frame{
		"twice":          {{ID: "f", Reason: "initial"}, {ID: "f", Reason: "initial"}},
		"own previous":   {{ID: "f", PreviousID: "f", Reason: "initial"}},
		"previous later": {{ID: "f", PreviousID: "g", Reason: "initial"}, {ID: "g", Reason: "initial"}},
	} {
		f.refused(what, lashstore.Commit{Frames: frames}, lashstore.ErrInvalid)
	}
}
