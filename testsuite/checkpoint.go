package testsuite

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/lashstore/lashstore"
)

func checkpointCases() []Case {
	return []Case{
		{"Checkpoint/PartsRoundTrip", "8.A.2, 3.3", checkpointPartsRoundTrip},
		{"Checkpoint/TurnStateByteForByte", "3.3, Checkpoint.TurnState", checkpointTurnStateByteForByte},
		{"Checkpoint/PartsAreCarriedByReference", "1.5, Part.Ref", checkpointPartsAreCarriedByReference},
		{"Checkpoint/MissingCarriedPartRefused", "10.W28", checkpointMissingCarriedPartRefused},
		{"Checkpoint/UnlistedPartIsGone", "Checkpoint", checkpointUnlistedPartIsGone},
		{"Checkpoint/NilKeepsTheOneBefore", "Commit.Checkpoint", checkpointNilKeepsTheOneBefore},
		{"Checkpoint/SameStateIsStoredOnce", "3.3", checkpointSameStateIsStoredOnce},
	}
}

// checkpoint loads the session's.
func (f *fixture) checkpoint() *lashstore.StoredCheckpoint {
	f.t.Helper()
	c := f.load(nil).Checkpoint
	if c == nil {
		f.t.Fatal("the session has no checkpoint")
	}
	return c
}

// 1. Parts come back with content, reference, kind, size and fingerprint; empty content is content.
// 2. The reference is the hash of the plain content, and the result tells it too.
func checkpointPartsRoundTrip(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	own := lashstore.Part{Content: []byte("x"), Descriptor: lashstore.ArtifactDescriptor{Kind: "my_kind"}, Fingerprint: 1 << 53}
	given := map[string]lashstore.Part{
		lashstore.PartNameToolState:      lashstore.PartContent(bytes.Repeat([]byte("tools "), 10_000)),
		lashstore.PartNamePluginSnapshot: lashstore.PartContent(nil),
		lashstore.PartNameExecutionState: lashstore.PartContent([]byte{0, 0xff, 0xfe}),
		"own_part_2":                     own,
		"host_part":                      lashstore.PartContent([]byte("host")),
	}
	kinds := map[string]lashstore.BlobKind{
		lashstore.PartNameToolState: lashstore.BlobToolState, lashstore.PartNamePluginSnapshot: lashstore.BlobPluginSnapshot,
		lashstore.PartNameExecutionState: lashstore.BlobExecutionState, "own_part_2": "my_kind", "host_part": lashstore.BlobCheckpointPart,
	}
	result := f.commit(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{Parts: given}})
	stored := f.checkpoint()
	equal(t, "reference", stored.Ref, result.Checkpoint)
	equal(t, "reference is zero", stored.Ref.IsZero(), false)
	equal(t, "parts", len(stored.Parts), len(given))
	for name, p := range given {
		equal(t, name, stored.Parts[name], lashstore.StoredPart{
			Ref: lashstore.HashOf(p.Content), Kind: kinds[name], Size: int64(len(p.Content)), Content: p.Content, Fingerprint: p.Fingerprint,
		})
		equal(t, "result's reference of "+name, result.Parts[name], lashstore.HashOf(p.Content))
		content, err := f.Blob(f.ctx, result.Parts[name])
		f.ok("blob", err)
		equal(t, "blob of "+name, string(content), string(p.Content))
	}
	equal(t, "result's parts", len(result.Parts), len(given))
}

func checkpointTurnStateByteForByte(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for _, c := range []struct{ given, want string }{
		{` {"turn_index" : 1, "list": [1.50, "\u00e9"] } `, `{"turn_index" : 1, "list": [1.50, "\u00e9"] }`},
		{`9007199254740993`, `9007199254740993`}, {`null`, `null`}, {`"<>&"`, `"<>&"`},
	} {
		f.commit(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(c.given)}})
		got := bytes.TrimSpace(f.checkpoint().TurnState) // inside a JSON record, space around the value is none of it
		equal(t, "turn state", string(got), c.want)
	}
	f.commit(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{}})
	equal(t, "nil turn state", string(f.checkpoint().TurnState), `null`)
	equal(t, "no parts", len(f.checkpoint().Parts), 0)
}

// 1. A carried part keeps content, kind, size and fingerprint over commits, beside one that changes.
// 2. A part may carry any blob that is stored, such as one that was put before.
func checkpointPartsAreCarriedByReference(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := turn(1, "")
	tools := lashstore.PartContent([]byte("tools"))
	tools.Fingerprint = 7
	first.Checkpoint.Parts[lashstore.PartNameToolState] = tools
	f.commit(first)
	before := f.checkpoint()
	for i := range 3 {
		next := f.checkpoint().Carry()
		next.Parts[lashstore.PartNameExecutionState] = lashstore.PartContent([]byte{byte(i)})
		result := f.commit(lashstore.Commit{Checkpoint: next})
		after := f.checkpoint()
		equal(t, "carried part", after.Parts[lashstore.PartNameToolState], before.Parts[lashstore.PartNameToolState])
		equal(t, "changed part", after.Parts[lashstore.PartNameExecutionState].Content, []byte{byte(i)})
		equal(t, "turn state", string(after.TurnState), `{"turn_index":1}`)
		equal(t, "result's reference", result.Parts[lashstore.PartNameToolState], lashstore.HashOf([]byte("tools")))
	}
	ref, err := f.PutBlob(f.ctx, lashstore.ArtifactDescriptor{Kind: "host_state"}, []byte("put before"))
	f.ok("put blob", err)
	f.commit(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"part": lashstore.PartRef(ref)}}})
	equal(t, "blob as a part", f.checkpoint().Parts["part"], lashstore.StoredPart{
		Ref: ref, Kind: "host_state", Size: 10, Content: []byte("put before"),
	})
}

func checkpointMissingCarriedPartRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	nowhere := lashstore.HashOf([]byte("never stored"))
	c := lashstore.Commit{Checkpoint: f.checkpoint().Carry()}
	c.Checkpoint.Parts[lashstore.PartNamePluginSnapshot] = lashstore.PartRef(nowhere)
	err := f.refused("a part that is not stored", c, lashstore.ErrMissingBlob)
	equal(t, "blob named", as[*lashstore.MissingBlobError](t, "missing part", err).Hash, nowhere)
}

func checkpointUnlistedPartIsGone(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	next := f.checkpoint().Carry()
	delete(next.Parts, lashstore.PartNameToolState)
	f.commit(lashstore.Commit{Checkpoint: next})
	parts := f.checkpoint().Parts
	_, there := parts[lashstore.PartNameToolState]
	equal(t, "unlisted part is there", there, false)
	equal(t, "listed part", string(parts[lashstore.PartNameExecutionState].Content), "stack of turn 1")
}

func checkpointNilKeepsTheOneBefore(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	result := f.commit(lashstore.Commit{Graph: lashstore.AppendNodes(user("u", ""))})
	equal(t, "reference before there is a checkpoint", result.Checkpoint, lashstore.Hash{})
	first := f.commit(turn(1, "u"))
	before := f.checkpoint()
	result = f.commit(lashstore.Commit{Graph: lashstore.AppendNodes(user("v", "u"))})
	equal(t, "reference", result.Checkpoint, first.Checkpoint)
	equal(t, "result's parts", len(result.Parts), 0)
	equal(t, "checkpoint", f.checkpoint(), before)
}

func checkpointSameStateIsStoredOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := f.commit(turn(1, ""))
	blobs := func() int64 {
		t.Helper()
		stats, err := f.Stats(f.ctx)
		f.ok("stats", err)
		return stats.Blobs
	}
	equal(t, "blobs: a manifest and two parts", blobs(), 3)
	again := f.commit(lashstore.Commit{Checkpoint: turn(1, "").Checkpoint})
	equal(t, "reference of the same state", again.Checkpoint, first.Checkpoint)
	equal(t, "blobs after the same state", blobs(), 3)
	carried := f.commit(lashstore.Commit{Checkpoint: f.checkpoint().Carry()})
	equal(t, "reference of the carried state", carried.Checkpoint, first.Checkpoint)
	c := turn(1, "").Checkpoint
	c.Parts[lashstore.PartNameToolState] = lashstore.PartContent([]byte("changed"))
	changed := f.commit(lashstore.Commit{Checkpoint: c})
	equal(t, "reference of another state is the same", changed.Checkpoint == first.Checkpoint, false)
	equal(t, "blobs: another manifest and one part", blobs(), 5)
}
