package store

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/lashstore/lashstore/db"
)

// marks tell whether a session's file or its log has changed since they were taken.
type marks struct {
	inode, size, mtime          int64
	walInode, walSize, walMtime int64 // 0 while the log is empty or missing
}

// settling is how long after a change another may leave the marks as they are: file systems tell times in steps, of two
// seconds at the worst.
const settling = 2 * time.Second

// marksOf takes the marks of a file, and of its log if it has one, and tells whether nothing can change it from now on
// without changing them.
func marksOf(path string, log bool, now time.Time) (m marks, settled bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return m, false, err
	}
	m.inode, m.size, m.mtime = inode(info), info.Size(), info.ModTime().UnixNano()
	last := info.ModTime()
	if !log {
		return m, now.Sub(last) > settling, nil
	}
	wal, err := os.Stat(path + logSuffix)
	if err != nil && !isNotExist(err) {
		return m, false, err
	}
	if err == nil && wal.Size() > 0 {
		m.walInode, m.walSize, m.walMtime = inode(wal), wal.Size(), wal.ModTime().UnixNano()
		if wal.ModTime().After(last) {
			last = wal.ModTime()
		}
	}
	return m, now.Sub(last) > settling, nil
}

func marksFromRow(r db.SessionFileMarksRow) marks {
	return marks{
		inode: r.Inode, size: r.Size, mtime: r.MtimeNs,
		walInode: r.WalInode, walSize: r.WalSize, walMtime: r.WalMtimeNs,
	}
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
