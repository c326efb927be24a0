package store_test

import (
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// 3.2, 10.W53: what is compressed, by profile; and what is not compressed is stored byte for byte.
func TestProfilesCompressWhatTheySay(t *testing.T) {
	t.Parallel()
	for profile, codecs := range map[lashstore.CompressionProfile][3]string{
		lashstore.ProfileLowLatency: {"raw", "raw", "raw"},
		lashstore.ProfileBalanced:   {"raw", "raw", "zstd"},
		lashstore.ProfileCompact:    {"raw", "zstd", "zstd"},
	} {
		f := setup(t, &store.Options{Profile: profile})
		for i, size := range []int{1023, 4095, 4096} {
			content := text(size, i)
			ref, err := f.PutBlob(t.Context(), lashstore.ToolState, content)
			require.NoError(t, err)
			assert.Equal(t, lashstore.HashOf(content), ref, "the hash is of the plain content")
			requireCodec(t, f, ref, codecs[i])
			ref, err = f.PutBlob(t.Context(), lashstore.GenericBlob, append([]byte("generic "), content...))
			require.NoError(t, err)
			requireCodec(t, f, ref, "raw")
		}
		random := make([]byte, 8192)
		state := uint32(1)
		for i := range random {
			state = state*1664525 + 1013904223
			random[i] = byte(state >> 24)
		}
		ref, err := f.PutBlob(t.Context(), lashstore.ToolState, random)
		require.NoError(t, err)
		requireCodec(t, f, ref, "raw") // smaller is kept, larger is not
		f.sound()
	}
}

func requireCodec(t *testing.T, f *fixture, ref lashstore.Hash, codec string) {
	t.Helper()
	stream, info, err := f.OpenBlob(t.Context(), ref)
	require.NoError(t, err)
	content, err := io.ReadAll(stream)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	whole, err := f.Blob(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, whole, content)
	assert.Equal(t, codec, info.Codec)
	assert.EqualValues(t, len(content), info.Size)
	if codec == "raw" {
		assert.Equal(t, info.Size, info.StoredSize)
	} else {
		assert.Less(t, info.StoredSize, info.Size)
	}
}

// Bad input: parts at and over the limit.
func TestLargePartsWorkAndLargerOnesAreRefused(t *testing.T) {
	t.Parallel()
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	f.turns(1)
	for _, size := range []int{64 << 20, lashstore.MaxValueSize + 1} {
		c := f.turn(2)
		c.Checkpoint.Parts["big"] = lashstore.PartContent(make([]byte, size))
		_, err := f.Commit(t.Context(), c)
		var large *lashstore.TooLargeError
		require.ErrorAs(t, err, &large)
		assert.EqualValues(t, size, large.Size)
	}
	c := f.turn(2)
	c.Checkpoint.Parts["big"] = lashstore.PartContent(text(lashstore.MaxValueSize, 1))
	f.commit(c)
	f.sound()
}

// What the contract lets pass fits in a row, and in SQLite's memory: the largest node, frame, and configuration beside the
// largest description. Not one byte more does: it is refused by name, and nothing is harmed.
func TestLargestRecordsAreStored(t *testing.T) {
	t.Parallel()
	text := func(size int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", size-2) + `"`) }
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	require.NoError(t, f.UpdateMeta(t.Context(), lashstore.SessionMeta{SessionID: sessionID, Extra: text(lashstore.MaxMetaSize)}))
	c := f.turn(1)
	c.Config = text(lashstore.MaxValueSize)
	c.Graph.Nodes[0].Payload, c.Graph.Nodes[0].CausedBy = text(lashstore.MaxValueSize/2), text(lashstore.MaxValueSize/2)
	c.Frames = []lashstore.Frame{{ID: "f", Reason: "initial", Assignment: text(lashstore.MaxValueSize / 2), Options: text(lashstore.MaxValueSize / 2)}}
	f.commit(c)
	c = f.turn(2)
	c.Graph.Nodes[0].Payload, c.Graph.Nodes[0].CausedBy = text(lashstore.MaxValueSize), text(lashstore.MaxValueSize)
	_, err := f.Commit(t.Context(), c)
	var large *lashstore.TooLargeError
	require.ErrorAs(t, err, &large)
	assert.Equal(t, "graph.nodes[0]", large.Field)
	f.commit(f.turn(2))
}

// A stream allocates a piece, however large the blob. Not parallel: what is allocated is counted for the whole process.
func TestStreamHoldsAPieceAtATime(t *testing.T) {
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	ref, err := f.PutBlob(t.Context(), lashstore.GenericBlob, text(lashstore.MaxValueSize, 1))
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stream, info, err := f.OpenBlob(t.Context(), ref)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, stream)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	runtime.ReadMemStats(&after)
	assert.Equal(t, info.Size, n)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
}

// A stream holds no snapshot: what it reads may be collected under it, and the row's number given to another blob. It says
// that the blob is gone, and blames no content.
func TestStreamOfACollectedBlobSaysSo(t *testing.T) {
	t.Parallel()
	for _, reused := range []bool{false, true} {
		f := setup(t, nil)
		f.turns(1)
		first, second := make([]byte, 1<<20), make([]byte, 1<<20)
		second[0] = 1
		ref, err := f.PutBlob(t.Context(), lashstore.GenericBlob, first)
		require.NoError(t, err)
		stream, _, err := f.OpenBlob(t.Context(), ref)
		require.NoError(t, err)
		_, err = io.ReadFull(stream, make([]byte, 10))
		require.NoError(t, err)
		c := f.turn(2)
		c.Checkpoint = nil
		f.commit(c)
		report, err := f.GC(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Deleted)
		if reused {
			_, err = f.PutBlob(t.Context(), lashstore.GenericBlob, second)
			require.NoError(t, err)
		}
		_, err = io.Copy(io.Discard, stream)
		var missing *lashstore.MissingBlobError
		require.ErrorAs(t, err, &missing, "reused: %t", reused)
		assert.Equal(t, ref, missing.Hash)
		require.NoError(t, stream.Close())
	}
}

// A stream that is cut off by its handle says so: the content is not to blame.
func TestStreamOfAClosedStoreIsNotCalledCorrupt(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for _, d := range []lashstore.ArtifactDescriptor{lashstore.GenericBlob, lashstore.ToolState} {
		random := make([]byte, 1<<20)
		for i, state := 0, uint32(1); i < len(random); i++ {
			state = state*1664525 + 1013904223
			random[i] = byte(state>>24) & 0x7f // compressible, a little
		}
		random[0] = byte(d.Hints)
		ref, err := f.PutBlob(t.Context(), d, random)
		require.NoError(t, err)
		stream, _, err := f.OpenBlob(t.Context(), ref)
		require.NoError(t, err)
		_, err = io.ReadFull(stream, make([]byte, 10))
		require.NoError(t, err)
		require.NoError(t, f.Store.Close())
		_, err = io.Copy(io.Discard, stream)
		require.ErrorIs(t, err, lashstore.ErrClosed)
		require.NotErrorIs(t, err, lashstore.ErrCorrupt)
		require.NoError(t, stream.Close())
		f.Store, err = store.OpenExisting(t.Context(), f.path, nil)
		require.NoError(t, err)
	}
}
