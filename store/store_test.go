package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

func testLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// 10.W30, 8.F.100: another kind, application or version is refused, naming what was found and what is supported.
func TestForeignDatabasesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		want      lashstore.SchemaError
	}{
		"host database":       {"PRAGMA application_id = 0x4c534848", lashstore.SchemaError{Application: 0x4c534848, Kind: "host", Version: 1}},
		"another application": {"PRAGMA application_id = 7", lashstore.SchemaError{Application: 7, Kind: "unknown", Version: 1}},
		"newer version":       {"PRAGMA user_version = 2", lashstore.SchemaError{Application: store.ApplicationID, Kind: "session", Version: 2}},
	} {
		f := setup(t, nil)
		f.turns(1)
		require.NoError(t, f.Store.Close())
		testdb.Exec(t, f.path, c.statement)
		before, err := os.ReadFile(f.path)
		require.NoError(t, err)
		c.want.Path, c.want.WantApplication, c.want.WantKind, c.want.WantVersion = f.path, store.ApplicationID, "session", store.SchemaVersion
		for _, open := range []func() (*store.Store, error){
			func() (*store.Store, error) {
				return store.Open(t.Context(), f.path, lashstore.SessionMeta{SessionID: sessionID}, nil)
			},
			func() (*store.Store, error) { return store.OpenExisting(t.Context(), f.path, nil) },
			func() (*store.Store, error) { return store.OpenReadOnly(t.Context(), f.path, nil) }, // 10.W31
		} {
			_, err := open()
			var schema *lashstore.SchemaError
			require.ErrorAs(t, err, &schema, name)
			assert.Equal(t, c.want, *schema, name)
		}
		after, err := os.ReadFile(f.path)
		require.NoError(t, err)
		assert.Equal(t, before, after, "%s: touched", name)
	}
}

// 10.W32: opening what is not there leaves no ghost.
func TestOpeningWhatIsMissingCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "none.db")
	_, err := store.OpenExisting(t.Context(), path, nil)
	require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = store.OpenReadOnly(t.Context(), path, nil)
	require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// 10.W33: a file belongs to a session from its creation on.
func TestFileIsBoundFromItsCreation(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	_, err := store.Open(t.Context(), f.path, lashstore.SessionMeta{SessionID: "other"}, nil)
	var mismatch *lashstore.SessionMismatchError
	require.ErrorAs(t, err, &mismatch)
	assert.Equal(t, lashstore.SessionMismatchError{Bound: sessionID, Attempted: "other"}, *mismatch)
	c := f.turn(1)
	c.SessionID = "other"
	_, err = f.Commit(t.Context(), c)
	require.ErrorIs(t, err, lashstore.ErrSessionMismatch)
}

func TestReadOnlyHandleServesAndRefuses(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(2)
	r, err := store.OpenReadOnly(t.Context(), f.path, nil)
	require.NoError(t, err)
	s, err := r.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.Revision)
	_, err = r.Commit(t.Context(), f.turn(3))
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
	_, err = r.Vacuum(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
	report, err := r.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	_, err = r.GC(t.Context(), &lashstore.GCOptions{DryRun: true})
	require.NoError(t, err)
	require.NoError(t, r.Close())
}

// 10.W40: what the storage says is told apart by errors.Is.
func TestClosedIsTyped(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	c := f.turn(1)
	require.NoError(t, f.Store.Close())
	require.NoError(t, f.Store.Close())
	_, err := f.Commit(t.Context(), c)
	require.ErrorIs(t, err, lashstore.ErrClosed)
	_, err = f.Load(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrClosed)
}

func TestBusyIsTyped(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(1)
	impatient, err := store.OpenExisting(t.Context(), f.path, &store.Options{BusyTimeout: 30 * time.Millisecond})
	require.NoError(t, err)
	release := holdWriteLock(t, f.path)
	_, err = impatient.Commit(t.Context(), f.turn(2))
	require.ErrorIs(t, err, lashstore.ErrBusy)
	// 10.W57: readers do not queue behind a writer.
	s, err := impatient.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 1, s.Revision)
	release()
	_, err = impatient.Commit(t.Context(), f.turn(2))
	require.NoError(t, err)
	require.NoError(t, impatient.Close())
}

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

// Bad input: parts at and over the limit. A large one reads as a stream in memory that does not grow with it.
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
	content := text(lashstore.MaxValueSize, 1)
	c.Checkpoint.Parts["big"] = lashstore.Part{Content: content, Descriptor: lashstore.GenericBlob}
	ref := f.commit(c).Parts["big"]

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stream, info, err := f.OpenBlob(t.Context(), ref)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, stream)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	runtime.ReadMemStats(&after)
	assert.Equal(t, info.Size, n)
	assert.Less(t, after.HeapInuse, before.HeapInuse+24<<20, "a stream holds a piece at a time")
	f.sound()
}

// Bad input: ten thousand nodes in a commit.
func TestTenThousandNodesInACommit(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	nodes := make([]lashstore.Node, 10_000)
	parent := ""
	for i := range nodes {
		nodes[i] = message(fmt.Sprintf("n%d", i), parent, lashstore.RoleUser, "text")
		parent = nodes[i].ID
	}
	f.commit(lashstore.Commit{SessionID: sessionID, Expect: lashstore.Create(), WithoutLease: true, Graph: lashstore.AppendNodes(nodes...)})
	s, err := f.Load(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, s.Graph.Nodes, len(nodes))
	assert.Equal(t, nodes[0].ID, s.Graph.Nodes[0].ID)
	walked := 0
	for _, err := range f.Path(t.Context(), "") {
		require.NoError(t, err)
		walked++
	}
	assert.Equal(t, len(nodes), walked)
	f.sound()
	report, err := f.TombstoneNodes(t.Context(), []string{"n0"}, nil)
	require.ErrorIs(t, err, lashstore.ErrNodeOnLivePath)
	assert.Zero(t, report.Nodes)
}

// 10.W51, 10.W52: what a commit writes does not grow with the history, nor with the frames there were.
func TestCommitWritesNoMoreInALongSession(t *testing.T) {
	t.Parallel()
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	written := func(n int) int64 {
		require.NoError(t, f.Store.Close())
		var err error
		f.Store, err = store.OpenExisting(t.Context(), f.path, nil)
		require.NoError(t, err)
		c := f.turn(n)
		f.commit(c)
		stats, err := f.Stats(t.Context())
		require.NoError(t, err)
		return stats.WALBytes
	}
	f.turns(20)
	short := written(21)
	for i := 22; i < 1500; i++ {
		c := f.turn(i)
		c.Frames = []lashstore.Frame{{ID: fmt.Sprintf("f%d", i), Reason: "compaction", ExecutionState: text(200, i)}}
		c.CurrentFrameID = c.Frames[0].ID
		f.commit(c)
	}
	long := written(1500)
	// Deeper trees have more inner pages, and a page may split: a handful of pages, whatever the length.
	assert.LessOrEqual(t, long, short+12*4096, "short %d, long %d", short, long)
	f.sound()
}

// 10.W61: a collection works in batches of any size and ends alike.
func TestCollectionInSmallBatchesEndsAlike(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 3, 500} {
		f := setup(t, nil)
		f.turns(10)
		dry, err := f.GC(t.Context(), &lashstore.GCOptions{DryRun: true, Batch: batch})
		require.NoError(t, err)
		report, err := f.GC(t.Context(), &lashstore.GCOptions{Batch: batch})
		require.NoError(t, err)
		assert.Equal(t, dry, report)
		assert.EqualValues(t, 9*3, report.Deleted, "manifest and two parts of each turn but the last")
		assert.EqualValues(t, 3, report.Retained)
		assert.Positive(t, report.Bytes)
		again, err := f.GC(t.Context(), nil)
		require.NoError(t, err)
		assert.Zero(t, again.Deleted)
		f.sound()
	}
}

// 8.F.97, 8.F.102: of a checkpoint's blobs none goes, of the others exactly the orphan.
func TestCollectionTakesExactlyTheOrphan(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	orphan, err := f.PutBlob(t.Context(), lashstore.GenericBlob, []byte("nobody names me"))
	require.NoError(t, err)
	f.turns(1)
	report, err := f.GC(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 1, report.Deleted)
	assert.EqualValues(t, 3, report.Retained)
	_, err = f.Blob(t.Context(), orphan)
	require.ErrorIs(t, err, lashstore.ErrMissingBlob)
	_, err = f.Load(t.Context(), nil)
	require.NoError(t, err)
}

// 8.F.103: the automatic collection runs behind the commit, and does not wait for itself.
func TestAutomaticCollectionRunsBehindTheCommit(t *testing.T) {
	t.Parallel()
	var reports []lashstore.GCReport
	f := setup(t, &store.Options{GC: store.GCPolicy{EveryCommits: 1, OnResult: func(r lashstore.GCReport, err error) {
		assert.NoError(t, err)
		reports = append(reports, r)
	}}})
	_, err := f.PutBlob(t.Context(), lashstore.GenericBlob, []byte("orphan"))
	require.NoError(t, err)
	f.turns(1)
	require.Len(t, reports, 1)
	assert.EqualValues(t, 1, reports[0].Deleted)
}

// 10.W44, 10.W55: receipts, usage and tombstones go by age, in batches, and their space comes back.
func TestVacuumGoesByAge(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_000_000)
	f := setup(t, &store.Options{Clock: lashstore.ClockFunc(func() time.Time { return now })})
	for i := 1; i <= 20; i++ {
		now = now.Add(time.Minute)
		f.commit(f.turn(i))
	}
	f.commit(lashstore.Commit{SessionID: sessionID, Expect: lashstore.At(20), WithoutLease: true, Graph: lashstore.MoveLeaf("a10")})
	_, err := f.TombstoneOrphans(t.Context(), nil)
	require.NoError(t, err)
	cut := time.UnixMilli(1_000_000).Add(10*time.Minute + time.Second)
	report, err := f.Vacuum(t.Context(), &lashstore.VacuumOptions{ReceiptsBefore: cut, UsageBefore: cut, TombstonesBefore: cut, Batch: 3})
	require.NoError(t, err)
	assert.Equal(t, lashstore.VacuumReport{Receipts: 10, Usage: 10, Pages: report.Pages}, report)
	report, err = f.Vacuum(t.Context(), &lashstore.VacuumOptions{Batch: 7})
	require.NoError(t, err)
	assert.EqualValues(t, 20, report.Nodes)
	usage, err := f.Usage(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 20*15, usage[0].Usage.Total(), "totals outlive the deltas")
	stats, err := f.Stats(t.Context())
	require.NoError(t, err)
	assert.Zero(t, stats.FreeBytes)
	assert.EqualValues(t, 10, stats.Receipts)
	f.sound()
}

// What is logged has neither payloads nor secrets.
func TestLogsHoldNoContent(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := setup(t, &store.Options{Logger: testLogger(&log), GC: store.GCPolicy{EveryCommits: 1}})
	lease, err := f.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "i"}, time.Minute)
	require.NoError(t, err)
	c := f.turn(1)
	c.WithoutLease, c.Lease = false, lease.Fence()
	f.commit(c)
	_, err = f.TakeLease(t.Context(), lashstore.Owner{ID: "p", Incarnation: "i"}, time.Minute)
	require.ErrorIs(t, err, lashstore.ErrLeaseBusy)
	for _, secret := range []string{lease.Token, "question", "tools of"} {
		assert.NotContains(t, log.String(), secret)
		assert.NotContains(t, err.Error(), secret)
	}
	var busy *lashstore.LeaseBusyError
	require.ErrorAs(t, err, &busy)
	assert.Empty(t, busy.Holder.Token)
}

// 8.F.109: the schema holds receipts, and neither checkpoints of turns in flight nor effects.
func TestSchemaHoldsWhatBelongsToASession(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	names := testdb.Number(t, f.path, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('receipts', 'blobs', 'nodes', 'heads', 'leases')")
	assert.EqualValues(t, 5, names)
	assert.Zero(t, testdb.Number(t, f.path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%effect%' OR name LIKE '%in_flight%'"))
	assert.EqualValues(t, 4, testdb.Number(t, f.path, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"))
}

func TestAuditViewsReadLikeTheSession(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(3)
	native, err := lashstore.Message{Role: lashstore.RoleUser, Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: "in parts"}}}.Payload()
	require.NoError(t, err)
	c := f.turn(4)
	c.Graph.Nodes[0].Payload = native
	f.commit(c)
	assert.EqualValues(t, 8, testdb.Number(t, f.path, "SELECT count(*) FROM conversation"))
	assert.EqualValues(t, 1, testdb.Number(t, f.path, "SELECT count(*) FROM conversation WHERE position = 3 AND text = 'question 2' AND role = 'user'"))
	assert.EqualValues(t, 1, testdb.Number(t, f.path, "SELECT count(*) FROM conversation WHERE text = 'in parts'"))
	assert.EqualValues(t, 8, testdb.Number(t, f.path, "SELECT count(*) FROM active_path"))
	assert.EqualValues(t, 4, testdb.Number(t, f.path, "SELECT count(*) FROM turns WHERE tokens = 15 AND nodes = 2"))
	assert.EqualValues(t, 60, testdb.Number(t, f.path, "SELECT total FROM token_usage"))
}

func TestMemoryStoreWorks(t *testing.T) {
	t.Parallel()
	s, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: sessionID}, nil)
	require.NoError(t, err)
	f := &fixture{Store: s, t: t}
	assert.Equal(t, lashstore.DurabilityNone, s.Durability())
	f.turns(3)
	f.sound()
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 6, stats.Nodes)
	require.NoError(t, s.Close())
}

// A walk holds no snapshot while its body runs: it may commit, and what it walks to stays what it was.
func TestPathWalkHoldsNothing(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(150)
	var ids []string
	for n, err := range f.Path(t.Context(), "") {
		require.NoError(t, err)
		ids = append(ids, n.ID)
		if len(ids) == 5 {
			f.commit(f.turn(151))
		}
	}
	assert.Len(t, ids, 300)
	assert.Equal(t, "a150", ids[0])
	assert.Equal(t, "u1", ids[299])
}

func TestOptionsAreJudged(t *testing.T) {
	t.Parallel()
	for _, o := range []*store.Options{
		{Durability: "none"}, {Profile: "tiny"}, {GC: store.GCPolicy{EveryCommits: -1}},
	} {
		_, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: sessionID}, o)
		require.ErrorIs(t, err, lashstore.ErrInvalid)
		_, err = store.NewFactory(t.TempDir(), o)
		require.ErrorIs(t, err, lashstore.ErrInvalid)
	}
	_, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: strings.Repeat("x", 600)}, nil)
	require.ErrorIs(t, err, lashstore.ErrTooLarge)
}

// A cancelled caller hears of it, and nothing is half done.
func TestCancelledCallsReturnTheContextsError(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(1)
	c := f.turn(2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Commit(ctx, c)
	require.ErrorIs(t, err, context.Canceled)
	_, err = f.Load(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = f.GC(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 2, f.commit(c).Revision)
}

func TestPayloadsComeBackByteForByte(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	payload := json.RawMessage("{ \"role\" : \"user\",\n \"n\": 12345678901234567890, \"e\": 1.50e+3, \"s\": \"\\u00e9<>&\" , \"z\":null}")
	n := message("n", "", lashstore.RoleUser, "")
	n.Payload, n.CausedBy = payload, json.RawMessage(`{ "type":"turn" }`)
	f.commit(lashstore.Commit{SessionID: sessionID, Expect: lashstore.Create(), WithoutLease: true, Graph: lashstore.AppendNodes(n), Config: json.RawMessage(`{ "a" : 1 }`)})
	s, err := f.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, string(payload), string(s.Graph.Nodes[0].Payload))
	assert.Equal(t, `{ "type":"turn" }`, string(s.Graph.Nodes[0].CausedBy))
	assert.Equal(t, `{ "a" : 1 }`, string(s.Config))
	require.False(t, errors.Is(err, lashstore.ErrCorrupt))
}
