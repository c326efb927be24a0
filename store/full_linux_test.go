package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// Bad input: a disk that is full, a real one of 1 MiB.
//
// 1. A commit that does not fit is refused whole, as ErrFull.
// 2. What was stored loads, and the handle works on with what fits.
func TestFullDiskRefusesTheCommitWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system needs a mount, which is refused here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	s, err := store.Open(t.Context(), filepath.Join(dir, "s.db"), lashstore.SessionMeta{SessionID: sessionID}, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	f := &fixture{Store: s, t: t}
	f.turns(2)

	c := f.turn(3)
	c.Checkpoint.Parts["big"] = lashstore.Part{Content: make([]byte, 2<<20), Descriptor: lashstore.GenericBlob}
	for range 3 {
		_, err := f.Commit(t.Context(), c)
		require.ErrorIs(t, err, lashstore.ErrFull)
	}
	loaded, err := f.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 2, loaded.Revision)
	assert.Len(t, loaded.Graph.Nodes, 4)
	assert.EqualValues(t, 3, f.commit(f.turn(3)).Revision)
	f.sound()
}
