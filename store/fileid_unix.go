//go:build unix

package store

import (
	"io/fs"
	"syscall"
)

// inode tells a file from another of the same name.
func inode(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(stat.Ino)
	}
	return 0
}
