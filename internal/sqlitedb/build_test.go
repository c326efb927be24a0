package sqlitedb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// names lists what is beside a path, itself included.
func names(t testing.TB, path string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	require.NoError(t, err)
	return all
}

// 1. A database that is filled is not there until it is whole, and then with all of it, and no log.
// 2. OnCreate has run before.
func TestBuildAppearsWhole(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	o := &Options{OnCreate: func(_ context.Context, tx *Tx) error {
		_, err := tx.ExecContext(tx.Context(), insertSQL, 1, 1)
		return err
	}}
	require.NoError(t, Build(t.Context(), path, testKind, o, func(d *DB) error {
		for i := range 50 {
			if err := update(t.Context(), d, "INSERT INTO t (id, v, b) VALUES (?, 1, zeroblob(200000))", i+2); err != nil {
				return err
			}
		}
		assert.NoFileExists(t, path)
		return nil
	}))
	assert.Equal(t, []string{path}, names(t, path))
	d := openTest(t, path, nil)
	assert.EqualValues(t, 51, number(t, d, sumSQL))
}

// 1. A filling that fails, or panics, leaves nothing.
// 2. What is at the path stays, whether it was there before or came meanwhile; before, nothing is filled.
// 3. Where a log is left without its database, nothing is built.
func TestBuildLeavesNothingElse(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	broken := errors.New("broken")
	fill := func(d *DB) error {
		return update(t.Context(), d, insertSQL, 1, 1)
	}
	require.ErrorIs(t, Build(t.Context(), path, testKind, nil, func(d *DB) error { return errors.Join(fill(d), broken) }), broken)
	require.ErrorIs(t, Build(t.Context(), path, testKind, nil, func(d *DB) error {
		return d.Update(t.Context(), func(*Tx) error { panic("inside") })
	}), lashstore.ErrInternal)
	assert.Empty(t, names(t, path))

	require.ErrorIs(t, Build(t.Context(), path, testKind, nil, func(d *DB) error {
		require.NoError(t, os.WriteFile(path, []byte("faster"), 0o600))
		return fill(d)
	}), fs.ErrExist)
	require.ErrorIs(t, Build(t.Context(), path, testKind, nil, func(*DB) error {
		assert.Fail(t, "filled in vain")
		return nil
	}), fs.ErrExist)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "faster", string(text))
	assert.Equal(t, []string{path}, names(t, path))

	require.NoError(t, os.Rename(path, path+"-wal"))
	require.ErrorIs(t, Build(t.Context(), path, testKind, nil, fill), lashstore.ErrCorrupt)
	assert.Equal(t, []string{path + "-wal"}, names(t, path))
}

// What is beside a file that was being filled goes with it, and nothing of a session does.
func TestLeftoversOfABuildAreTold(t *testing.T) {
	t.Parallel()
	random := "-new-ABCDEFGHIJKLMNOP"
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		assert.True(t, isLeftover("s.db"+random+suffix), suffix)
		assert.False(t, isLeftover("s.db"+suffix), suffix)
		assert.False(t, isLeftover("s.db"+random+"X"+suffix), suffix)
	}
}
