package sqlitedb

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lashstore/lashstore"
)

func TestNetworkFileSystemsAreKnownByTheirMagic(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "nfs", networkName(0x6969))
	assert.Equal(t, "cifs", networkName(-0xacb2be)) // 0xFF534D42, sign-extended from 32 bits
	assert.Empty(t, networkName(unix.EXT4_SUPER_MAGIC))
	assert.Empty(t, networkName(unix.TMPFS_MAGIC))
	name, err := networkFileSystem(t.TempDir())
	require.NoError(t, err)
	assert.Empty(t, name)
}

// readOnlyView shows dir at a place where nothing can be written. The superuser may write everywhere, so that only a file
// system mounted for reading shows it; others get a directory without the right to write, which is dir itself.
func readOnlyView(t *testing.T, dir string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		require.NoError(t, os.Chmod(dir, 0o500))
		t.Cleanup(func() { assert.NoError(t, os.Chmod(dir, 0o700)) })
		return dir
	}
	view := t.TempDir()
	if err := unix.Mount(dir, view, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("the superuser writes everywhere, and a bind mount is refused: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(view, unix.MNT_DETACH)) })
	if err := unix.Mount("", view, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("the superuser writes everywhere, and a mount for reading is refused: %v", err)
	}
	return view
}

func TestReadOnlyDirectoryIsTyped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := Open(t.Context(), filepath.Join(dir, "test.db"), testKind, nil)
	require.NoError(t, err)
	require.NoError(t, d.Close())
	view := readOnlyView(t, dir)
	_, err = Open(t.Context(), filepath.Join(view, "new.db"), testKind, nil)
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
	for _, mode := range []Mode{Create, Existing} {
		_, err = Open(t.Context(), filepath.Join(view, "test.db"), testKind, &Options{Mode: mode})
		require.ErrorIs(t, err, lashstore.ErrReadOnly)
	}
	assert.Equal(t, []string{"test.db"}, dirNames(t, dir))
}

// No file is opened while another process may be about to remove it, and none removed while one is being opened.
func TestOpeningAndRemovingExcludeEachOther(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d := openTest(t, path, nil)
	expired := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), 30*time.Millisecond)
	}
	unlock, err := lockDirectory(t.Context(), filepath.Dir(path), exclusive)
	require.NoError(t, err)
	ctx, cancel := expired()
	_, err = Open(ctx, path, testKind, nil)
	cancel()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	unlock, err = lockDirectory(t.Context(), filepath.Dir(path), shared)
	require.NoError(t, err)
	openTest(t, path, nil)
	ctx, cancel = expired()
	_, err = d.Destroy(ctx, func(*Tx) (bool, error) { return true, nil })
	cancel()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	ctx, cancel = expired()
	err = Discard(ctx, path, testKind, nil)
	require.ErrorIs(t, d.renameAlone(ctx, path), context.DeadlineExceeded)
	cancel()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
}
