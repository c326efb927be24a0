package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

func TestUpdateIsSeenByViewsAfterItsCommitAndNotBefore(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	require.NoError(t, d.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 5)
		require.NoError(t, err)
		assert.EqualValues(t, 0, number(t, d, sumSQL), "seen before its commit")
		return nil
	}))
	assert.EqualValues(t, 5, number(t, d, sumSQL))
}

func TestViewIsOneSnapshot(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	run(t, d, insertSQL, 1, 1)
	require.NoError(t, d.View(t.Context(), func(tx *Tx) error {
		var first, second int64
		require.NoError(t, tx.QueryRowContext(tx.Context(), sumSQL).Scan(&first))
		run(t, d, insertSQL, 2, 10)
		require.NoError(t, tx.QueryRowContext(tx.Context(), sumSQL).Scan(&second))
		assert.Equal(t, first, second)
		return nil
	}))
}

func TestViewCannotWrite(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	err := d.View(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
		return err
	})
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
}

func TestErrorRollsBackAndIsReturned(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	cause := errors.New("changed my mind")
	require.ErrorIs(t, d.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
		require.NoError(t, err)
		return cause
	}), cause)
	assert.Zero(t, number(t, d, countSQL))
}

func TestSavepointUndoesItsOwnAndNoMore(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	cause := errors.New("inner")
	require.NoError(t, d.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
		require.NoError(t, err)
		require.ErrorIs(t, tx.Savepoint(func(tx *Tx) error {
			_, err := tx.ExecContext(tx.Context(), insertSQL, 2, 10)
			require.NoError(t, err)
			return cause
		}), cause)
		assert.Panics(t, func() {
			_ = tx.Savepoint(func(tx *Tx) error {
				_, err := tx.ExecContext(tx.Context(), insertSQL, 3, 100)
				require.NoError(t, err)
				panic("inner")
			})
		})
		return tx.Savepoint(func(tx *Tx) error {
			_, err := tx.ExecContext(tx.Context(), insertSQL, 4, 1000)
			return err
		})
	}))
	assert.EqualValues(t, 1001, number(t, d, sumSQL))
}

func TestUpdateInsideATransactionIsRefusedInsteadOfHanging(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	require.NoError(t, d.Update(t.Context(), func(tx *Tx) error {
		require.ErrorContains(t, d.Update(tx.Context(), func(*Tx) error { return nil }), "inside a transaction")
		return nil
	}))
}

func TestWaitingForTheWriteLockCanBeCancelled(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d, other := openTest(t, path, nil), openTest(t, path, nil)
	for name, waiter := range map[string]*DB{"same handle": d, "other handle": other} {
		require.NoError(t, d.Update(t.Context(), func(*Tx) error {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			defer cancel()
			err := waiter.Update(ctx, func(*Tx) error { return errors.New("must not run") })
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			return nil
		}))
	}
}

// A statement of a write transaction that a cancelled context interrupted would make SQLite roll all of it back, and
// let the statements behind it commit one by one.
func TestCancellingInsideAnUpdateLeavesItWhole(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, d.Update(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, insertSQL, 1, 1)
		require.NoError(t, err)
		cancel()
		_, err = tx.ExecContext(ctx, insertSQL, 2, 2)
		return err
	}))
	assert.EqualValues(t, 3, number(t, d, sumSQL))
	require.ErrorIs(t, d.Update(ctx, func(*Tx) error { return nil }), context.Canceled)
}

func TestViewIsInterruptedByItsContext(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := d.View(ctx, func(tx *Tx) error {
		var n int64
		return tx.QueryRowContext(ctx, `WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c`).Scan(&n)
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, number(t, d, countSQL))
}

func TestWritersOfManyHandlesLoseNothing(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	handles := []*DB{openTest(t, path, nil), openTest(t, path, nil), openTest(t, path, nil)}
	run(t, handles[0], insertSQL, 1, 0)
	const goroutines, each = 9, 40
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for range each {
				assert.NoError(t, update(t.Context(), handles[i%len(handles)], addSQL, 1, 1))
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, goroutines*each, number(t, handles[1], sumSQL))
}

func TestClockIsReadInsideTheTransaction(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	var mu sync.Mutex
	now := time.UnixMilli(1_000)
	clock := lashstore.ClockFunc(func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	d := openTest(t, path, &Options{Clock: clock})
	begun, seen := make(chan struct{}), make(chan time.Time, 1)
	require.NoError(t, d.Update(t.Context(), func(*Tx) error {
		go func() {
			close(begun)
			_ = d.Update(context.Background(), func(tx *Tx) error { seen <- tx.Now; return nil })
		}()
		<-begun
		mu.Lock()
		now = time.UnixMilli(2_000) // while the other one waits
		mu.Unlock()
		return nil
	}))
	assert.Equal(t, time.UnixMilli(2_000).UTC(), <-seen)
}

func TestStatementsArePreparedOnceAConnection(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	run(t, d, insertSQL, 1, 1)
	before := d.writer.prepared
	for i := range 20 {
		run(t, d, insertSQL, 2+i, 1)
	}
	assert.Equal(t, before, d.writer.prepared)
}

func TestIdleReadersAreClosedAndComeBack(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), &Options{ReaderIdle: 20 * time.Millisecond})
	run(t, d, insertSQL, 1, 3)
	assert.EqualValues(t, 3, number(t, d, sumSQL))
	eventually(t, "the reader is closed", func() bool {
		d.readers.mu.Lock()
		defer d.readers.mu.Unlock()
		return len(d.readers.idle) == 0 && d.readers.timer == nil
	})
	assert.EqualValues(t, 3, number(t, d, sumSQL))
}

func TestReadersAreBounded(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), &Options{MaxReaders: 2})
	release := make(chan struct{})
	var wg sync.WaitGroup
	var inside sync.WaitGroup
	inside.Add(2)
	for range 2 {
		wg.Go(func() {
			assert.NoError(t, d.View(t.Context(), func(*Tx) error { inside.Done(); <-release; return nil }))
		})
	}
	inside.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, d.View(ctx, func(*Tx) error { return nil }), context.DeadlineExceeded)
	close(release)
	wg.Wait()
}

func TestConstraintAndOversizeAreTyped(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	require.ErrorIs(t, update(t.Context(), d, insertSQL, 1, -1), lashstore.ErrConstraint)
	err := update(t.Context(), d, "INSERT INTO t (id, v, b) VALUES (1, 1, ?)", make([]byte, maxLength+1))
	require.ErrorIs(t, err, lashstore.ErrTooLarge)
	run(t, d, "INSERT INTO t (id, v, b) VALUES (1, 1, ?)", make([]byte, lashstore.MaxValueSize))
	assert.EqualValues(t, 1, number(t, d, countSQL))
}

func TestDiskFullIsTypedAndTheHandleWorksOn(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	run(t, d, insertSQL, 1, 1)
	require.NoError(t, d.writer.script(t.Context(), "PRAGMA max_page_count = 10"))
	err := d.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 2, 2)
		require.NoError(t, err)
		_, err = tx.ExecContext(tx.Context(), "INSERT INTO t (id, v, b) VALUES (3, 3, ?)", make([]byte, 200_000))
		return err
	})
	require.ErrorIs(t, err, lashstore.ErrFull)
	assert.EqualValues(t, 1, number(t, d, sumSQL))
	run(t, d, insertSQL, 4, 4)
	assert.EqualValues(t, 5, number(t, d, sumSQL))
}

// A body that takes a failed statement for done must not be told that all is well.
func TestSwallowedRollbackIsNoCommit(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	err := d.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
		require.NoError(t, err)
		_, err = tx.ExecContext(tx.Context(), sqlRollback) // as SQLite itself does on some errors
		return err
	})
	require.ErrorIs(t, err, lashstore.ErrIO)
	run(t, d, insertSQL, 2, 2)
	assert.EqualValues(t, 2, number(t, d, sumSQL))
}

func TestReadBlobAt(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	content := make([]byte, 100_000)
	for i := range content {
		content[i] = byte(i * 7)
	}
	run(t, d, "INSERT INTO t (id, v, b) VALUES (1, 1, ?)", content)
	require.NoError(t, d.View(t.Context(), func(tx *Tx) error {
		p := make([]byte, 1000)
		n, err := tx.ReadBlobAt("t", "b", 1, p, 99_500)
		require.NoError(t, err)
		assert.Equal(t, content[99_500:], p[:n])
		n, err = tx.ReadBlobAt("t", "b", 1, p, 100_000)
		require.NoError(t, err)
		assert.Zero(t, n)
		return nil
	}))
}

func TestMemoryDatabaseIsPrivateAndWorks(t *testing.T) {
	t.Parallel()
	d, err := OpenMemory(t.Context(), testKind, nil)
	require.NoError(t, err)
	other, err := OpenMemory(t.Context(), testKind, nil)
	require.NoError(t, err)
	run(t, d, insertSQL, 1, 1)
	assert.EqualValues(t, 1, number(t, d, sumSQL))
	assert.EqualValues(t, 0, number(t, other, sumSQL))
	assert.Equal(t, lashstore.DurabilityNone, d.Durability())
	require.NoError(t, d.Close())
	require.NoError(t, other.Close())
}

func TestCloseEndsTheHandle(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	run(t, d, insertSQL, 1, 1)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	require.ErrorIs(t, update(t.Context(), d, insertSQL, 2, 2), lashstore.ErrClosed)
	require.ErrorIs(t, d.View(t.Context(), func(*Tx) error { return nil }), lashstore.ErrClosed)
	assert.Zero(t, fileSize(d.path+"-wal"), "the WAL stays behind")
}

func TestCloseWaitsForWhatRuns(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	inside, release, closed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		assert.NoError(t, d.Update(t.Context(), func(tx *Tx) error {
			close(inside)
			<-release
			_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
			return err
		}))
	})
	<-inside
	go func() { closed <- d.Close() }()
	<-d.closing
	select {
	case <-closed:
		t.Fatal("closed under a running transaction")
	default:
	}
	close(release)
	wg.Wait()
	require.NoError(t, <-closed)
}

// 1. Commits with readers coming and going keep the WAL file near its limit.
// 2. So does a reader that takes long, once it has ended.
func TestWALStaysBounded(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), &Options{Durability: lashstore.DurabilityNormal})
	run(t, d, insertSQL, 1, 0)
	largest := int64(0)
	for i := range 1500 {
		run(t, d, "INSERT INTO t (id, v, b) VALUES (?, 1, ?)", 10+i, make([]byte, 12_000))
		if i%10 == 0 {
			number(t, d, countSQL)
		}
		largest = max(largest, fileSize(d.path+"-wal"))
	}
	assert.Less(t, largest, int64(2*walLimit), "of %d bytes written", 1500*12_000)
	done, err := d.Checkpoint(t.Context())
	require.NoError(t, err)
	assert.True(t, done)
	assert.Zero(t, fileSize(d.path+"-wal"))
}

func TestClassifyKeepsBothSides(t *testing.T) {
	t.Parallel()
	assert.NoError(t, Classify(nil))
	assert.Equal(t, sql.ErrNoRows, Classify(sql.ErrNoRows))
	other := errors.New("other")
	assert.Equal(t, other, Classify(other))
}
