package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lashstore/lashstore"
)

// IntegrityCheck returns what SQLite finds wrong with the file; nothing when it is sound.
func (d *DB) IntegrityCheck(ctx context.Context) ([]string, error) {
	var problems []string
	err := d.View(ctx, func(tx *Tx) error {
		return tx.each(sqlIntegrity, func(rows *sql.Rows) error {
			var text string
			err := rows.Scan(&text)
			if text != "ok" {
				problems = append(problems, text)
			}
			return err
		})
	})
	return problems, err
}

// ForeignKeyViolation is a row that refers to one that is not there.
type ForeignKeyViolation struct {
	Table  string
	RowID  int64 // 0 in tables without rowid
	Parent string
}

// ForeignKeyCheck returns all violations.
func (d *DB) ForeignKeyCheck(ctx context.Context) ([]ForeignKeyViolation, error) {
	var found []ForeignKeyViolation
	err := d.View(ctx, func(tx *Tx) error {
		return tx.each(sqlForeignKeys, func(rows *sql.Rows) error {
			var v ForeignKeyViolation
			var rowID *int64
			var key int64
			err := rows.Scan(&v.Table, &rowID, &v.Parent, &key)
			if rowID != nil {
				v.RowID = *rowID
			}
			found = append(found, v)
			return err
		})
	})
	return found, err
}

// each calls fn for every row of a pragma.
func (tx *Tx) each(pragma string, fn func(*sql.Rows) error) (err error) {
	rows, err := tx.conn.sql.QueryContext(tx.ctx, pragma)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// IncrementalVacuum gives up to maxPages free pages back to the file system, in one write transaction, and returns how
// many it gave.
func (d *DB) IncrementalVacuum(ctx context.Context, maxPages int) (int64, error) {
	var freed int64
	err := d.Update(ctx, func(tx *Tx) error {
		before, err := tx.conn.number(tx.ctx, sqlFreePages)
		if err != nil || before == 0 {
			return err
		}
		if err := tx.conn.script(tx.ctx, incrementalVacuumSQL(maxPages)); err != nil {
			return err
		}
		after, err := tx.conn.number(tx.ctx, sqlFreePages)
		freed = before - after
		return err
	})
	return freed, err
}

// Space is what a database takes. FileBytes and WALBytes are 0 in memory.
type Space struct {
	PageSize, Pages, FreePages int64
	FileBytes, WALBytes        int64
}

// Space measures the database.
func (d *DB) Space(ctx context.Context) (Space, error) {
	var s Space
	err := d.View(ctx, func(tx *Tx) error {
		for pragma, n := range map[string]*int64{sqlPageSize: &s.PageSize, sqlPageCount: &s.Pages, sqlFreePages: &s.FreePages} {
			var err error
			if *n, err = tx.conn.number(tx.ctx, pragma); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && d.path != "" {
		s.FileBytes, s.WALBytes = fileSize(d.path), fileSize(d.path+"-wal")
	}
	return s, err
}

// fileSize is 0 for a file that is not there.
func fileSize(path string) int64 {
	stat, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return stat.Size()
}

// Checkpoint brings the WAL into the database and empties it, and reports whether it could: readers of other handles
// and processes may keep it.
func (d *DB) Checkpoint(ctx context.Context) (bool, error) {
	var done bool
	err := d.withWriter(ctx, func(c *conn) error {
		var err error
		done, err = c.checkpoint(ctx)
		return d.classify(ctx, err)
	})
	return done, err
}

func (c *conn) checkpoint(ctx context.Context) (bool, error) {
	var busy, frames, moved int64
	err := c.sql.QueryRowContext(ctx, sqlTruncateWAL).Scan(&busy, &frames, &moved)
	return busy == 0, err
}

// Destroy removes the database file if no other connection, of any process, is open on it and confirm agrees. It
// reports whether it did; then the handle is closed. No new connection is opened meanwhile by this package, in any
// process.
//
// The order matters: SQLite finds a WAL by its path, so that a file must never go while somebody has it open.
func (d *DB) Destroy(ctx context.Context, confirm func(*Tx) (bool, error)) (removed bool, err error) {
	if d.ReadOnly() || d.memory != "" {
		return false, fmt.Errorf("%w: %s cannot be removed through this handle", lashstore.ErrReadOnly, d.path)
	}
	var unlock func()
	defer func() {
		if unlock != nil {
			unlock()
		}
	}()
	// The directory's lock comes behind the writer's place: whoever holds the place may have to open a connection.
	err = d.withWriter(ctx, func(c *conn) error {
		if unlock, err = lockDirectory(ctx, filepath.Dir(d.path), exclusive); err == nil {
			removed, err = d.destroy(ctx, c, confirm)
		}
		return d.classify(ctx, err)
	})
	if removed {
		err = errors.Join(err, d.Close())
	}
	return removed, err
}

func (d *DB) destroy(ctx context.Context, c *conn, confirm func(*Tx) (bool, error)) (bool, error) {
	if err := d.readers.close(); err != nil {
		return false, err
	}
	if alone, err := d.leaveWAL(ctx, c); err != nil || !alone {
		return false, err
	}
	agreed := false
	if err := d.transact(ctx, ctx, c, sqlBeginRead, func(tx *Tx) (err error) {
		agreed, err = confirm(tx)
		return err
	}); err != nil || !agreed {
		return false, errors.Join(err, d.switchToWAL(ctx, c))
	}
	if err := os.Remove(d.path); err != nil {
		return false, errors.Join(err, d.switchToWAL(ctx, c))
	}
	return true, nil
}

// leaveWAL ends the WAL, which only the last connection can, and reports whether it did.
func (d *DB) leaveWAL(ctx context.Context, c *conn) (alone bool, err error) {
	if err := c.script(ctx, sqlNoBusyWait); err != nil {
		return false, err
	}
	mode, err := c.text(ctx, sqlLeaveWAL)
	if errors.Is(Classify(err), lashstore.ErrBusy) {
		mode, err = walMode, nil
	}
	return mode != walMode && err == nil, errors.Join(err, c.script(ctx, fmt.Sprintf(busyTimeoutForm, d.options.BusyTimeout.Milliseconds())))
}
