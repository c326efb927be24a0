package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lashstore/lashstore"
)

// Open opens the database at path. What the file is is judged by its header before anything is written: a file that is
// something else is left as it is. Any number of processes may open a new path at once; one of them makes the schema.
//
// Errors, each wrapped with the path: fs.ErrNotExist for a missing file (or directory, when creating); CorruptError for a
// file that is cut to nothing or inside its first page, in every mode; SchemaError; ErrNotADatabase; EnvironmentError; the
// storage errors.
func Open(ctx context.Context, path string, kind Kind, options *Options) (*DB, error) {
	d := newDB(kind, options.withDefaults())
	var err error
	if d.path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := d.open(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", d.path, d.explain(d.classify(ctx, err)))
	}
	d.topic = openTopic(d.path)
	return d, nil
}

// OpenMemory makes a database in memory. It ends with the handle.
func OpenMemory(ctx context.Context, kind Kind, options *Options) (*DB, error) {
	full := options.withDefaults()
	full.Mode = Create
	d := newDB(kind, full)
	c, _, err := d.bear(ctx)
	if err != nil {
		return nil, fmt.Errorf("open in memory: %w", d.classify(ctx, err))
	}
	if err := d.firstLook(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("open in memory: %w", d.classify(ctx, err)), c.close())
	}
	d.created = true
	d.writer = c
	d.topic = openTopic("")
	return d, nil
}

// openTries bounds how often a new database may be removed before it is opened.
const openTries = 3

func (d *DB) open(ctx context.Context) error {
	if err := d.checkPlace(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		if d.options.Mode == Create {
			if err := d.createFile(ctx); err != nil {
				return err
			}
		}
		err := d.openFile(ctx)
		if d.options.Mode != Create || try == openTries || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

func (d *DB) openFile(ctx context.Context) error {
	// No file of this directory is removed between our opening it and our first look at it.
	unlock, err := lockDirectory(ctx, filepath.Dir(d.path), shared)
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkFile(d.path); err != nil {
		return err
	}
	look := func(c *conn) error {
		if err := d.prepareFile(ctx, c); err != nil {
			return err
		}
		return d.firstLook(ctx, c)
	}
	c, err := d.connectAnd(ctx, look)
	if d.mayFreeze(err) {
		c, err = d.freeze(ctx, look)
	}
	if err != nil {
		return err
	}
	if d.ReadOnly() {
		d.readers.put(c, d.options.ReaderIdle, func(error) {})
	} else {
		d.writer = c
	}
	return nil
}

// connectAnd opens a connection of the ordinary kind and lets prepare at it.
func (d *DB) connectAnd(ctx context.Context, prepare func(*conn) error) (*conn, error) {
	c, err := d.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := prepare(c); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (d *DB) firstLook(ctx context.Context, c *conn) error {
	if d.options.OnOpen == nil {
		return nil
	}
	return d.transact(ctx, ctx, c, sqlBeginRead, d.options.OnOpen)
}

// checkPlace refuses a directory that no database can be in.
func (d *DB) checkPlace() error {
	dir := filepath.Dir(d.path)
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	if d.options.AllowNetworkFS {
		return nil
	}
	name, err := networkFileSystem(dir)
	if err != nil {
		return err
	}
	if name != "" {
		return &lashstore.EnvironmentError{Path: d.path, Requirement: "a local file system", Found: name}
	}
	return nil
}

// prepareFile judges the file and makes it ready: identity, WAL, pragmas.
func (d *DB) prepareFile(ctx context.Context, c *conn) error {
	version, err := c.text(ctx, versionSQL)
	if err != nil {
		return err
	}
	if err := d.checkVersion(version); err != nil {
		return err
	}
	found, err := c.identity(ctx)
	if err != nil {
		return err
	}
	if err := d.judge(found); err != nil {
		return err
	}
	if d.ReadOnly() {
		return c.script(ctx, d.connectionPragmas()+";"+sqlQueryOnly)
	}
	if err := d.switchToWAL(ctx, c); err != nil {
		return err
	}
	return c.script(ctx, d.connectionPragmas())
}

// judge refuses a file that is not of this kind and version.
func (d *DB) judge(found identity) error {
	if found.application == d.kind.ApplicationID && found.version == d.kind.Version {
		return nil
	}
	kind, known := d.options.KnownKinds[found.application]
	if !known {
		kind = "unknown"
	}
	return &lashstore.SchemaError{
		Path: d.path, Application: found.application, Kind: kind, Version: found.version,
		WantApplication: d.kind.ApplicationID, WantKind: d.kind.Name, WantVersion: d.kind.Version,
	}
}

// minVersion is the first SQLite whose WAL is safe on every system the driver runs on.
const minVersion = "3.51.3"

func (d *DB) checkVersion(version string) error {
	if !olderVersion(version, minVersion) {
		return nil
	}
	return &lashstore.EnvironmentError{Path: d.path, Requirement: "SQLite " + minVersion + " or newer", Found: version}
}

// olderVersion compares dotted numbers. What is no number is old.
func olderVersion(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range bs {
		if i >= len(as) {
			return true
		}
		x, errX := strconv.Atoi(as[i])
		y, errY := strconv.Atoi(bs[i])
		if errX != nil || errY != nil || x < y {
			return true
		}
		if x > y {
			return false
		}
	}
	return false
}

// switchToWAL makes the file a WAL database, for ever. SQLite does not wait for others in this, whatever the busy
// timeout: the waiting is ours.
func (d *DB) switchToWAL(ctx context.Context, c *conn) error {
	mode, err := c.text(ctx, sqlJournalMode)
	if err != nil || mode == walMode {
		return err
	}
	deadline := time.Now().Add(d.options.BusyTimeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		mode, err = c.text(ctx, sqlSwitchToWAL)
		busy := errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED)
		switch {
		case err == nil && mode == walMode:
			return nil
		case err == nil:
			return &lashstore.EnvironmentError{Path: d.path, Requirement: "a WAL journal", Found: "journal mode " + mode}
		case !busy || time.Now().After(deadline):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// explain finds out why the driver could not open a file, which SQLite does not say.
func (d *DB) explain(err error) error {
	if !errors.Is(err, sqlite3.CANTOPEN) {
		return err
	}
	flag := os.O_RDWR
	if d.ReadOnly() {
		flag = os.O_RDONLY
	}
	f, cause := os.OpenFile(d.path, flag, 0)
	if cause == nil {
		return errors.Join(err, f.Close())
	}
	if !d.ReadOnly() && (errors.Is(cause, fs.ErrPermission) || isReadOnlyFS(cause)) {
		return fmt.Errorf("%w: %w: %w", lashstore.ErrReadOnly, cause, err)
	}
	return errors.Join(err, cause)
}
