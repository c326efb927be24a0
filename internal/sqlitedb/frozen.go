package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lashstore/lashstore"
)

// Where nothing can be written, there is no shared memory, and so no way to agree with writers. A frozen connection reads
// the database and the WAL as they are, as after a crash, and is believed only if neither file changed from before it
// was opened until after the transaction ended. Files that stay the same hold what was committed, whoever has them open.

// frozenErrors are what the ordinary way meets where nothing can be written.
var frozenErrors = []error{
	sqlite3.CANTOPEN, sqlite3.READONLY, sqlite3.PERM, sqlite3.FULL, sqlite3.IOERR_WRITE, sqlite3.IOERR_TRUNCATE,
	sqlite3.IOERR_FSYNC, sqlite3.IOERR_SHMOPEN, sqlite3.IOERR_SHMSIZE, sqlite3.IOERR_SHMMAP, sqlite3.IOERR_SHMLOCK,
}

// mayFreeze reports whether a handle for reading is to try again without writing anything.
func (d *DB) mayFreeze(err error) bool {
	if err == nil || !d.ReadOnly() {
		return false
	}
	for _, code := range frozenErrors {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// files are a database and its WAL as they are found.
type files struct {
	database os.FileInfo
	wal      os.FileInfo // nil for none, or an empty one
}

func (d *DB) filesNow() (f files, err error) {
	path, err := filepath.EvalSymlinks(d.path) // SQLite finds a WAL by the file's own name
	if err != nil {
		return files{}, err
	}
	if f.database, err = os.Stat(path); err != nil {
		return files{}, err
	}
	f.wal, err = os.Stat(path + "-wal")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return files{database: f.database}, nil
	case err != nil:
		return files{}, err
	case f.wal.Size() == 0:
		f.wal = nil
	}
	return f, nil
}

func (f files) same(g files) bool {
	return sameFile(f.database, g.database) && sameFile(f.wal, g.wal)
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// The clock of a file system ticks: within one tick a second change does not show. Some tick in whole seconds.
const (
	tick       = 50 * time.Millisecond
	coarseTick = 2 * time.Second
)

// fresh reports whether the files changed so lately that the next change might not show.
func (f files) fresh(now time.Time) bool {
	for _, info := range []os.FileInfo{f.database, f.wal} {
		if info == nil {
			continue
		}
		grain := tick
		if info.ModTime().Nanosecond() == 0 {
			grain = coarseTick
		}
		if now.Sub(info.ModTime()).Abs() < grain {
			return true
		}
	}
	return false
}

// settledFiles waits until any change to the files would show.
func (d *DB) settledFiles(ctx context.Context, deadline time.Time) (files, error) {
	for {
		f, err := d.filesNow()
		if err != nil || !f.fresh(time.Now()) {
			return f, err
		}
		if time.Now().After(deadline) {
			return f, d.changedError()
		}
		select {
		case <-ctx.Done():
			return f, ctx.Err()
		case <-time.After(tick / 10):
		}
	}
}

func (d *DB) changedError() error {
	return fmt.Errorf("%w: %s is being written, and is read from where nothing can be written", lashstore.ErrBusy, d.path)
}

// changed reports whether what a frozen connection has read is not to be believed. Others are never changed.
func (d *DB) changed(c *conn) bool {
	if c.frozen == nil {
		return false
	}
	now, err := d.filesNow()
	return err != nil || !now.same(*c.frozen)
}

// freeze opens a frozen connection and lets prepare at it, until nothing changed meanwhile.
func (d *DB) freeze(ctx context.Context, prepare func(*conn) error) (*conn, error) {
	deadline := time.Now().Add(d.options.BusyTimeout)
	for {
		f, err := d.settledFiles(ctx, deadline)
		if err != nil {
			return nil, err
		}
		c, err := d.connect(ctx, frozenVFS)
		if err != nil {
			return nil, err
		}
		c.frozen = &f
		if err = c.script(ctx, sqlExclusive); err == nil {
			err = prepare(c)
		}
		changed := d.changed(c)
		if err == nil && !changed {
			return c, nil
		}
		err = errors.Join(err, c.close())
		if !changed {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, d.changedError()
		}
	}
}
