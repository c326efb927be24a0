package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/lashstore/lashstore"
)

// Tx is a transaction under way. It is what generated queries run on, and of no use after its function has returned.
type Tx struct {
	// Now is the time of the transaction, read once, inside of it: whole milliseconds, UTC.
	Now time.Time

	ctx  context.Context
	conn *conn
}

// Context is the transaction's own. Statements run under it whatever context they are given: a write that is
// interrupted half way would make SQLite roll back all of the transaction and let the next statement commit by itself.
func (tx *Tx) Context() context.Context { return tx.ctx }

// ExecContext runs a statement, prepared on first use.
func (tx *Tx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	s, err := tx.conn.stmt(tx.ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(tx.ctx, args...)
}

// QueryContext runs a query, prepared on first use. Its rows must be read to the end, or closed, before the same query
// is run again.
func (tx *Tx) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := tx.conn.stmt(tx.ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(tx.ctx, args...)
}

// QueryRowContext runs a query of one row, prepared on first use.
func (tx *Tx) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	s, err := tx.conn.stmt(tx.ctx, query)
	if err != nil {
		return tx.conn.sql.QueryRowContext(tx.ctx, query, args...) // fails alike, and says so in the row
	}
	return s.QueryRowContext(tx.ctx, args...)
}

// PrepareContext is there for generated code's interface; the transaction prepares by itself.
func (tx *Tx) PrepareContext(_ context.Context, query string) (*sql.Stmt, error) {
	return tx.conn.stmt(tx.ctx, query)
}

// Savepoint runs fn so that its error, or its panic, undoes what it did and no more.
func (tx *Tx) Savepoint(fn func(*Tx) error) (err error) {
	if err := tx.conn.exec(tx.ctx, sqlSavepoint); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			undo := errors.Join(tx.conn.exec(tx.ctx, sqlRollbackTo), tx.conn.exec(tx.ctx, sqlRelease))
			err = errors.Join(err, undo)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	done = true
	return tx.conn.exec(tx.ctx, sqlRelease)
}

// ReadBlobAt reads from a value of a rowid table without loading all of it. It returns fewer bytes than len(p) only at
// the value's end.
func (tx *Tx) ReadBlobAt(table, column string, rowID int64, p []byte, off int64) (n int, err error) {
	b, err := tx.conn.raw.OpenBlob("main", table, column, rowID, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if off >= b.Size() {
		return 0, nil
	}
	if _, err := b.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err = io.ReadFull(b, p)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// PanicError is a panic that was met inside a transaction. The transaction was rolled back and the connection replaced.
// It matches lashstore.ErrInternal.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string        { return fmt.Sprintf("panic in a transaction: %v", e.Value) }
func (e *PanicError) Is(target error) bool { return target == lashstore.ErrInternal }

// rollbackLimit bounds how long a rollback may take.
const rollbackLimit = 10 * time.Second

// transact frames fn: waiting for the transaction to begin counts by ctx, what happens in it by inner.
func (d *DB) transact(ctx, inner context.Context, c *conn, begin string, fn func(*Tx) error) (err error) {
	if err := c.exec(ctx, begin); err != nil {
		d.rollback(c) // begun and interrupted in one
		return d.classify(ctx, err)
	}
	if begin == sqlBeginWrite {
		d.begun[1].Add(1)
	} else {
		d.begun[0].Add(1)
	}
	committed := false
	defer func() {
		if p := recover(); p != nil {
			c.broken = true
			err = &PanicError{Value: p, Stack: debug.Stack()}
			d.options.Logger.Error("panic in a transaction", "path", d.path, "panic", p, "stack", string(debug.Stack()))
		}
		if !committed {
			d.rollback(c)
		}
	}()
	tx := &Tx{Now: d.now(), ctx: inner, conn: c}
	if err := fn(tx); err != nil {
		return d.classify(inner, err)
	}
	if c.raw.GetAutocommit() {
		c.broken = true
		return fmt.Errorf("%w: SQLite ended the transaction by itself", lashstore.ErrIO)
	}
	if err := c.exec(inner, sqlCommit); err != nil {
		return d.classify(inner, err)
	}
	committed = true
	return nil
}

// rollback ends a transaction, unless SQLite has ended it already. A connection whose transaction cannot be ended is
// not used again.
func (d *DB) rollback(c *conn) {
	if c.raw.GetAutocommit() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackLimit)
	defer cancel()
	if err := c.exec(ctx, sqlRollback); err != nil {
		c.broken = true
		d.options.Logger.Error("rollback failed; the connection is replaced", "path", d.path, "error", err)
	}
}

func (d *DB) now() time.Time {
	return lashstore.FromMillis(lashstore.Millis(d.options.Clock.Now()))
}
