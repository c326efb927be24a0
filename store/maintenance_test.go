package store_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

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

// A sum that would not fit is refused by name, and the session goes on.
func TestUsageBeyondWhatCanBeCountedIsRefused(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(1)
	testdb.Exec(t, f.path, fmt.Sprintf("UPDATE heads SET tokens = %d", math.MaxInt64-14))
	_, err := f.Commit(t.Context(), f.turn(2)) // 15 tokens
	var large *lashstore.TooLargeError
	require.ErrorAs(t, err, &large)
	assert.Equal(t, "usage[0]", large.Field)
	c := f.turn(2)
	c.Usage = nil
	f.commit(c)
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
