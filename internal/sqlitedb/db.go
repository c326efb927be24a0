// Package sqlitedb opens SQLite databases and runs transactions on them. It is the only importer of the driver.
//
// A DB has one write connection, which one transaction at a time uses, in the order in which they came, and read
// connections on demand. Every write transaction is BEGIN IMMEDIATE: it waits for other handles and processes before it
// begins and never fails half way for a lock. Every View is one snapshot.
package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/lashstore/lashstore"
)

// DB is a handle on one database. It is safe for concurrent use.
type DB struct {
	path    string // absolute; "" in memory
	memory  string // name of a database in memory; "" on disk
	kind    Kind
	options Options
	created bool

	closeOnce sync.Once
	closeErr  error
	closing   chan struct{} // closed when the handle is
	writing   chan struct{} // held by whoever uses writer
	writer    *conn         // nil for a read-only handle, and until the next use after it broke
	readers   readers
	begun     [2]atomic.Int64 // transactions for reading, for writing
	topic     *topic          // who waits for changes; nil until the handle is open
}

func newDB(kind Kind, options Options) *DB {
	return &DB{
		kind: kind, options: options, closing: make(chan struct{}), writing: make(chan struct{}, 1),
		readers: readers{slots: make(chan struct{}, options.MaxReaders)},
	}
}

// Path returns the database file; "" in memory.
func (d *DB) Path() string { return d.path }

// ReadOnly reports whether the handle only reads.
func (d *DB) ReadOnly() bool { return d.options.Mode == ReadOnly }

// Created reports whether this handle made the database.
func (d *DB) Created() bool { return d.created }

// Durability says what an acknowledged transaction survives.
func (d *DB) Durability() lashstore.Durability {
	if d.memory != "" {
		return lashstore.DurabilityNone
	}
	return d.options.Durability
}

// Transactions returns how many transactions the handle has begun, for reading and for writing.
func (d *DB) Transactions() (reads, writes int64) { return d.begun[0].Load(), d.begun[1].Load() }

// insideKey marks the context of a transaction with the DB it is on.
type insideKey struct{}

// Update runs fn in a write transaction. When fn returns nil it is committed, and Update returns nil only if that
// worked; an error or a panic of fn rolls back. ctx counts until the transaction has begun. Not to be nested.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	err := d.withWriter(ctx, func(c *conn) error {
		inner := context.WithValue(context.WithoutCancel(ctx), insideKey{}, d)
		return d.transact(ctx, inner, c, sqlBeginWrite, fn)
	})
	if err == nil {
		d.publish()
	}
	return err
}

// View runs fn on one snapshot. ctx interrupts it. It may be nested in an Update of a database on disk, whose changes it
// does not see.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	use := d.withReader
	if d.memory != "" {
		use = d.withWriter // in memory a commit would wait for readers
	}
	return use(ctx, func(c *conn) error {
		return d.transact(ctx, context.WithValue(ctx, insideKey{}, d), c, sqlBeginRead, fn)
	})
}

// acquire takes a place in a channel, in the order of arrival.
func (d *DB) acquire(ctx context.Context, place chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-d.closing:
		return lashstore.ErrClosed
	default:
	}
	select {
	case place <- struct{}{}:
		return nil
	case <-d.closing:
		return lashstore.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withWriter runs fn on the write connection.
func (d *DB) withWriter(ctx context.Context, fn func(*conn) error) error {
	if d.ReadOnly() {
		return fmt.Errorf("%w: %s was opened for reading", lashstore.ErrReadOnly, d.path)
	}
	if ctx.Value(insideKey{}) == d {
		return errors.New("a transaction is begun inside a transaction of the same database")
	}
	if err := d.acquire(ctx, d.writing); err != nil {
		return err
	}
	defer func() { <-d.writing }()
	if d.writer == nil {
		c, err := d.reconnect(ctx, d.connectionPragmas())
		if err != nil {
			return d.classify(ctx, err)
		}
		d.writer = c
	}
	defer func() {
		if d.writer != nil && d.writer.broken {
			d.replaceWriter()
		}
	}()
	return fn(d.writer)
}

// replaceWriter gives up a broken write connection; the next use opens another. That of a database in memory is all
// there is of it: it goes on, without the statement that it was stopped in.
func (d *DB) replaceWriter() {
	if d.memory == "" {
		d.discard(d.writer)
		d.writer = nil
	} else if err := d.writer.forget(); err != nil {
		d.options.Logger.Warn("ending the statements of a broken connection failed", "error", err)
	}
}

// reconnect opens another connection to a database that was opened before. A handle that has none left keeps nobody from
// removing the file: it may be gone, which is fs.ErrNotExist, or anything else by now.
func (d *DB) reconnect(ctx context.Context, pragmas string) (*conn, error) {
	unlock, err := lockDirectory(ctx, filepath.Dir(d.path), shared)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := checkFile(d.path); err != nil {
		return nil, err
	}
	look := func(c *conn) error {
		found, err := c.identity(ctx)
		if err == nil {
			err = d.judge(found)
		}
		if err == nil {
			err = c.script(ctx, pragmas)
		}
		return err
	}
	c, err := d.connectAnd(ctx, look)
	if d.mayFreeze(err) {
		return d.freeze(ctx, look)
	}
	return c, err
}

// discard closes a connection that is not to be used again. What it says no longer matters to anybody but the log.
func (d *DB) discard(c *conn) {
	if err := c.abandon(); err != nil {
		d.options.Logger.Warn("closing a broken connection failed", "path", d.path, "error", err)
	}
}

// Close waits for running transactions, brings the WAL into the database as far as nobody else reads it, and ends the
// handle. Later calls return ErrClosed. Safe to repeat: it returns the first result.
func (d *DB) Close() error {
	d.closeOnce.Do(func() {
		close(d.closing)
		d.writing <- struct{}{}
		for range cap(d.readers.slots) {
			d.readers.slots <- struct{}{}
		}
		errs := []error{d.readers.close()}
		if d.writer != nil {
			errs = append(errs, d.closeWriter())
			d.writer = nil
		}
		d.topic.close()
		d.closeErr = Classify(errors.Join(errs...))
	})
	return d.closeErr
}

func (d *DB) closeWriter() error {
	if d.writer.broken {
		return d.writer.abandon()
	}
	if d.memory == "" {
		d.lastCheckpoint(d.writer)
	}
	return d.writer.close()
}

// lastCheckpoint empties the WAL if nobody else is reading it. It waits for nobody: whoever closes last does it. What was
// committed is as safe in the WAL, so that a checkpoint that fails, on a full disk for instance, is no failure to close.
func (d *DB) lastCheckpoint(c *conn) {
	ctx := context.Background()
	err := c.script(ctx, sqlNoBusyWait)
	if err == nil {
		_, err = c.checkpoint(ctx)
	}
	if err != nil && !errors.Is(Classify(err), lashstore.ErrBusy) {
		d.options.Logger.Warn("the WAL stays as it is", "path", d.path, "error", err)
	}
}
