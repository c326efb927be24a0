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

// A directory that nothing can be written to. The superuser may write everywhere, so that only a file system mounted
// for reading shows it.
func TestReadOnlyDirectoryIsTyped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mark"), nil, 0o600))
	if os.Geteuid() == 0 {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("the superuser writes everywhere, and a bind mount is refused: %v", err)
		}
		t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
		if err := unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Skipf("the superuser writes everywhere, and a mount for reading is refused: %v", err)
		}
	} else {
		require.NoError(t, os.Chmod(dir, 0o500))
		t.Cleanup(func() { assert.NoError(t, os.Chmod(dir, 0o700)) })
	}
	_, err := Open(t.Context(), filepath.Join(dir, "new.db"), testKind, nil)
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
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
	unlock()
}
