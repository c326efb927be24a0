package sqlitedb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lashstore/lashstore"
)

// Build makes a database of more than memory may hold, which appears under its name whole, as every other does: fill
// writes to it, in as many transactions as it likes, while it has another name. When fill returns nil it is synced and
// linked into place; else nothing is left. A kill leaves the other name at most, which a listing removes.
//
// Errors, each wrapped with the path: those of fill; fs.ErrExist when something is at the path, before fill runs or after;
// whatever Open would meet.
func Build(ctx context.Context, path string, kind Kind, options *Options, fill func(*DB) error) error {
	d := newDB(kind, options.withDefaults())
	var err error
	if d.path, err = filepath.Abs(path); err == nil {
		err = d.build(ctx, fill)
	}
	if err != nil {
		return fmt.Errorf("build %s: %w", path, d.explain(d.classify(ctx, err)))
	}
	return nil
}

func (d *DB) build(ctx context.Context, fill func(*DB) error) (err error) {
	if err := d.checkPlace(); err != nil {
		return err
	}
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	if err := d.checkOrphans(); err != nil {
		return err
	}
	image, err := d.newborn(ctx)
	if err != nil {
		return err
	}
	temporary := d.path + newInfix + rand.Text()[:randomLength]
	defer func() { d.removeTemporary(temporary) }()
	if err := writeSynced(temporary, image); err != nil {
		return placeError(err)
	}
	if err := d.fill(ctx, temporary, fill); err != nil {
		return err
	}
	placed, err := d.appear(ctx, temporary)
	if err == nil && !placed {
		err = fs.ErrExist
	}
	return placeError(err)
}

// fill lets fn at the database under its other name. Its commits need not survive a power loss: if there is one before
// the end, nothing of it is wanted.
func (d *DB) fill(ctx context.Context, temporary string, fn func(*DB) error) (err error) {
	options := d.options
	options.Mode, options.Durability, options.OnCreate, options.OnOpen = Existing, lashstore.DurabilityNormal, nil, nil
	inner, err := Open(ctx, temporary, d.kind, &options)
	if err != nil {
		return err
	}
	err = fn(inner)
	if err = errors.Join(err, inner.Close()); err != nil {
		return err
	}
	// The last connection takes the log into the database, or the log stays.
	if fileSize(temporary+companions[1]) > 0 {
		return fmt.Errorf("%w: the log of a new database could not be emptied", lashstore.ErrIO)
	}
	return syncFile(temporary)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeTemporary removes a file that was to become a database, and what SQLite keeps beside it.
func (d *DB) removeTemporary(temporary string) {
	for _, suffix := range append(companions[:len(companions):len(companions)], "") {
		if err := os.Remove(temporary + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.options.Logger.Warn("a file that was to become a database stays", "path", temporary+suffix, "error", err)
		}
	}
}
