package testdb

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// ReadOnlyView shows dir at another place, where nothing can be written. It skips the test where mounts are refused.
func ReadOnlyView(t testing.TB, dir string) string {
	t.Helper()
	view := t.TempDir()
	mount(t, dir, view, "", unix.MS_BIND, "")
	if err := unix.Mount("", view, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("a mount for reading is refused here: %v", err)
	}
	return view
}

// SmallDisk mounts a file system of a size such as "1m" for the test. It skips the test where mounts are refused.
func SmallDisk(t testing.TB, size string) string {
	t.Helper()
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size="+size)
	return dir
}

func mount(t testing.TB, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		t.Skipf("a mount is needed, and refused here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// Fill writes a file into dir until its file system is full to the last byte, and returns that file.
func Fill(t testing.TB, dir string) string {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return ballast
}
