//go:build linux || darwin || freebsd

package sqlitedb

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes the file system of dir has left for us, and whether it can tell.
func freeSpace(dir string) (int64, bool) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, false
	}
	return int64(stat.Bavail) * int64(stat.Bsize), true
}
