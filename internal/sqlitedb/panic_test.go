package sqlitedb

import (
	"context"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// 1. A panic rolls back and becomes an error.
// 2. The handle works on.
func TestPanicRollsBackAndTheHandleWorksOn(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	for range 3 {
		err := d.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
			require.NoError(t, err)
			panic("boom")
		})
		var p *PanicError
		require.ErrorAs(t, err, &p)
		assert.Equal(t, "boom", p.Value)
		require.ErrorIs(t, err, lashstore.ErrInternal)
		require.ErrorAs(t, d.View(t.Context(), func(*Tx) error { panic("bang") }), &p)
	}
	run(t, d, insertSQL, 2, 2)
	assert.EqualValues(t, 2, number(t, d, sumSQL))
}

// A panic inside the driver, for want of memory for instance, leaves database/sql holding locks that nobody ever gives
// back. It is an error all the same, the transaction is undone, its lock is free, and the handle works on and closes.
func TestPanicInsideTheDriverDoesNotHangTheHandle(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d, other := openTest(t, path, nil), openTest(t, path, nil)
	run(t, d, insertSQL, 1, 0)
	for i, c := range []struct {
		in    func(context.Context, func(*Tx) error) error
		query string
	}{{d.Update, "UPDATE t SET v = 100 + boom() WHERE v >= 0"}, {d.View, "SELECT boom() + v FROM t"}} {
		ended := make(chan error, 1)
		go func() {
			ended <- c.in(context.Background(), func(tx *Tx) error {
				if err := tx.conn.raw.CreateFunction("boom", 0, 0, func(sqlite3.Context, ...sqlite3.Value) { panic("boom") }); err != nil {
					return err
				}
				_, err := tx.ExecContext(tx.Context(), c.query)
				return err
			})
		}()
		select {
		case err := <-ended:
			require.ErrorIs(t, err, lashstore.ErrInternal)
		case <-time.After(30 * time.Second):
			t.Fatal("the handle hangs")
		}
		require.NoError(t, update(t.Context(), other, addSQL, 1, 1), "the write lock is free")
		assert.EqualValues(t, i+1, number(t, d, sumSQL))
	}
	require.NoError(t, d.Close())
}

// A database in memory lives in its one connection, which goes on after such a panic, and closes.
func TestPanicInsideTheDriverLeavesADatabaseInMemory(t *testing.T) {
	t.Parallel()
	d, err := OpenMemory(t.Context(), testKind, nil)
	require.NoError(t, err)
	run(t, d, insertSQL, 1, 1)
	require.ErrorIs(t, d.Update(t.Context(), func(tx *Tx) error {
		require.NoError(t, tx.conn.raw.CreateFunction("boom", 0, 0, func(sqlite3.Context, ...sqlite3.Value) { panic("boom") }))
		_, err := tx.ExecContext(tx.Context(), "UPDATE t SET v = 100 + boom() WHERE v >= 0")
		return err
	}), lashstore.ErrInternal)
	run(t, d, addSQL, 1, 1)
	assert.EqualValues(t, 2, number(t, d, sumSQL))
	ended := make(chan error, 1)
	go func() { ended <- d.Close() }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		t.Fatal("the handle hangs in closing")
	}
}
