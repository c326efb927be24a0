package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lashstore/lashstore"
)

// Discard removes the database at path, and what SQLite keeps beside it, if it is of no use: damaged, no database, of
// another kind or version, or a log whose database is gone. What OnOpen says counts too. Nobody opens it meanwhile.
//
// Errors, each wrapped with the path: ErrNotDamaged for a database that opens; ErrBusy while any other connection, of any
// process, is open on it; fs.ErrNotExist; whatever else the opening meets that is no damage. Then nothing was removed.
func Discard(ctx context.Context, path string, kind Kind, options *Options) error {
	d := newDB(kind, options.withDefaults())
	d.options.Mode = Existing
	var err error
	if d.path, err = filepath.Abs(path); err == nil {
		err = d.discardFile(ctx)
	}
	if err != nil {
		return fmt.Errorf("discard %s: %w", path, d.explain(d.classify(ctx, err)))
	}
	return nil
}

func (d *DB) discardFile(ctx context.Context) error {
	if err := d.checkPlace(); err != nil {
		return err
	}
	unlock, err := lockDirectory(ctx, filepath.Dir(d.path), exclusive)
	if err != nil {
		return err
	}
	defer unlock()
	stat, err := os.Lstat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.checkOrphans() != nil:
		return d.removeFiles()
	case err != nil:
		return err
	case !stat.Mode().IsRegular():
		return fmt.Errorf("%w: it is no regular file", lashstore.ErrNotADatabase)
	}
	c, err := d.connect(ctx, aloneVFS)
	if err != nil {
		return err
	}
	if err = d.requireDamage(ctx, c); err == nil {
		err = d.removeFiles() // while the lock is held
	}
	if closing := c.close(); closing != nil {
		d.options.Logger.Debug("closing a damaged database failed", "path", d.path, "error", closing)
	}
	return err
}

// requireDamage takes the file's exclusive lock and returns nil if the file is of no use.
func (d *DB) requireDamage(ctx context.Context, c *conn) error {
	if err := c.script(ctx, sqlNoBusyWait+";"+sqlExclusive); err != nil {
		return err
	}
	damage := checkFile(d.path) // before SQLite makes something of it
	_, err := c.identity(ctx)   // the first to read takes the lock
	if err = d.classify(ctx, err); err != nil && !useless(err) {
		return err // there may be no lock
	}
	if damage == nil {
		damage = err
	}
	if damage == nil {
		damage = d.prepareFile(ctx, c)
	}
	if damage == nil {
		damage = d.firstLook(ctx, c)
	}
	damage = d.classify(ctx, damage)
	switch {
	case damage == nil:
		return lashstore.ErrNotDamaged
	case !useless(damage):
		return damage
	}
	d.options.Logger.Info("a database that is of no use is discarded", "path", d.path, "damage", damage)
	return nil
}

// useless reports whether an opening that failed so will always fail.
func useless(err error) bool {
	return errors.Is(err, lashstore.ErrCorrupt) || errors.Is(err, lashstore.ErrNotADatabase) || errors.Is(err, lashstore.ErrSchema)
}

// removeFiles removes the logs before the database: a log that outlives it would be played back into the next one.
func (d *DB) removeFiles() error {
	for _, suffix := range append(companions[:len(companions):len(companions)], "") {
		if err := os.Remove(d.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDirectory(filepath.Dir(d.path))
}
