package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/lashstore/lashstore"
)

// byCode maps the driver's codes, the first that fits. Extended codes count as their primary one.
var byCode = []struct {
	code     error
	sentinel error
}{
	{sqlite3.BUSY, lashstore.ErrBusy},
	{sqlite3.LOCKED, lashstore.ErrBusy},
	{sqlite3.PROTOCOL, lashstore.ErrBusy},
	{sqlite3.FULL, lashstore.ErrFull},
	{sqlite3.NOMEM, lashstore.ErrFull},
	{sqlite3.READONLY, lashstore.ErrReadOnly},
	{sqlite3.PERM, lashstore.ErrReadOnly},
	{sqlite3.NOTADB, lashstore.ErrNotADatabase},
	{sqlite3.CORRUPT, lashstore.ErrCorrupt},
	{sqlite3.TOOBIG, lashstore.ErrTooLarge},
	{sqlite3.CONSTRAINT, lashstore.ErrConstraint},
	{sqlite3.IOERR, lashstore.ErrIO},
	{sqlite3.CANTOPEN, lashstore.ErrIO},
}

// known are errors that say already what they are.
var known = []error{
	lashstore.ErrBusy, lashstore.ErrFull, lashstore.ErrReadOnly, lashstore.ErrNotADatabase, lashstore.ErrCorrupt,
	lashstore.ErrTooLarge, lashstore.ErrConstraint, lashstore.ErrIO, context.Canceled, context.DeadlineExceeded,
	sql.ErrNoRows,
}

// Classify gives an error of the driver the sentinel that its code stands for; both are found by errors.Is. Every other
// error, and nil, is returned as it is.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	for _, k := range known {
		if errors.Is(err, k) {
			return err
		}
	}
	for _, c := range byCode {
		if errors.Is(err, c.code) {
			return fmt.Errorf("%w: %w", c.sentinel, err)
		}
	}
	return err
}

// classify also recognises that a context ended: the driver says interrupted, or busy while it waited for a lock.
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && (errors.Is(err, sqlite3.INTERRUPT) || errors.Is(err, sqlite3.BUSY)) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return Classify(err)
}

// fullBelow is how much a file system may have left and still count as full: SQLite gives up before the last byte.
const fullBelow = 1 << 20

// classify also tells a full disk from other failures to write. The driver (v0.36.0) means to and does not: it looks
// for ENOSPC in an error that wraps it.
func (d *DB) classify(ctx context.Context, err error) error {
	classified := classify(ctx, err)
	if d.path == "" || !errors.Is(classified, lashstore.ErrIO) {
		return classified
	}
	for _, code := range []error{sqlite3.IOERR_WRITE, sqlite3.IOERR_TRUNCATE, sqlite3.IOERR_FSYNC, sqlite3.IOERR_SHMSIZE, sqlite3.IOERR_SHMMAP} {
		if free, known := freeSpace(filepath.Dir(d.path)); errors.Is(err, code) && known && free < fullBelow {
			return fmt.Errorf("%w: %w", lashstore.ErrFull, classified)
		}
	}
	return classified
}
