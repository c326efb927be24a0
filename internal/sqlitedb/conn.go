package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// conn is one SQLite connection with the statements that were prepared on it. It is used by one goroutine at a time.
// It is reached through database/sql, because generated code is, but never pooled: what was prepared stays prepared.
type conn struct {
	pool     *sql.DB // of this one connection
	sql      *sql.Conn
	raw      *sqlite3.Conn
	stmts    map[string]*sql.Stmt
	broken   bool   // must not be used again
	frozen   *files // nil, but on a connection that is believed only while these stay as they are
	prepared int    // how many statements were prepared, for tests
}

// connect opens a connection through a VFS, "" for the system's, and touches nothing in the file.
func (d *DB) connect(ctx context.Context, vfs string) (*conn, error) {
	pool, err := driver.Open(d.dsn(vfs), func(c *sqlite3.Conn) error {
		c.Limit(sqlite3.LIMIT_LENGTH, maxLength)
		return c.BusyTimeout(d.options.BusyTimeout)
	})
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	c := &conn{pool: pool, stmts: map[string]*sql.Stmt{}}
	if c.sql, err = pool.Conn(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	err = c.sql.Raw(func(driverConn any) error {
		inner, ok := driverConn.(driver.Conn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", driverConn)
		}
		c.raw = inner.Raw()
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// dsn names the file as a URI, in which no character of a path means anything else.
func (d *DB) dsn(vfs string) string {
	if d.memory != "" {
		return "file:" + d.memory + "?vfs=" + vfs
	}
	// A handle for reading opens the file for writing too, where it may, and writes nothing: SQLite itself tidies up the
	// WAL and its shared memory when the last connection closes, and one that only may read would leave both behind.
	query := "mode=rw"
	if vfs != "" {
		query += "&vfs=" + vfs
	}
	path := filepath.ToSlash(d.path)
	if path[0] != '/' {
		path = "/" + path // C:/...
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String()
}

// close ends the statements and the connection.
func (c *conn) close() error {
	return errors.Join(c.forget(), c.sql.Close(), c.pool.Close())
}

// abandon closes a connection that broke. After a panic inside the driver database/sql holds locks that nobody gives
// back, and its own closing would wait for them for ever: SQLite's connection is closed past it, with its file and locks.
func (c *conn) abandon() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while closing a broken connection: %v", p)
		}
	}()
	return errors.Join(c.forget(), c.raw.Close(), c.pool.Close())
}

// forget ends the statements. They are prepared anew when they are wanted.
func (c *conn) forget() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	clear(c.stmts)
	return errors.Join(errs...)
}

// stmt returns the statement for a text, prepared once.
func (c *conn) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := c.stmts[text]; ok {
		return s, nil
	}
	s, err := c.sql.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.prepared++
	c.stmts[text] = s
	return s, nil
}

// exec runs one of the statements that frame a transaction.
func (c *conn) exec(ctx context.Context, text string) error {
	s, err := c.stmt(ctx, text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

// script runs statements that are run once, several at a time if need be.
func (c *conn) script(ctx context.Context, text string) error {
	_, err := c.sql.ExecContext(ctx, text)
	return err
}

// number and text return the one value of a pragma.
func (c *conn) number(ctx context.Context, pragma string) (int64, error) {
	var n int64
	err := c.sql.QueryRowContext(ctx, pragma).Scan(&n)
	return n, err
}

func (c *conn) text(ctx context.Context, pragma string) (string, error) {
	var s string
	err := c.sql.QueryRowContext(ctx, pragma).Scan(&s)
	return s, err
}
