package sqlitedb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3/util/vfsutil"

	"github.com/lashstore/lashstore"
)

// A new database is made in memory, whole: the schema and what OnCreate puts in. Its bytes are written and synced under
// another name, which a hard link turns into the name asked for if nothing is there. A kill leaves nothing, or the other
// name, or the database; never a file that is to become one.

// newInfix is in the names of files that are being written: <database>-new-<random>. They do not end as databases do.
const newInfix = "-new-"

// randomLength is how long the random part is: 80 bits in base 32.
const randomLength = 16

// leftoverAge is when a file that was being written must have been given up.
const leftoverAge = time.Hour

// createFile makes the database at the path, unless something is there.
func (d *DB) createFile(ctx context.Context) error {
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.checkOrphans(); err != nil {
		return err
	}
	image, err := d.newborn(ctx)
	if err != nil {
		return err
	}
	d.created, err = d.place(ctx, image)
	return placeError(err)
}

// placeError gives what the operating system says of writing files its sentinel.
func placeError(err error) error {
	switch {
	case isFullFS(err):
		err = fmt.Errorf("%w: %w", lashstore.ErrFull, err)
	case errors.Is(err, fs.ErrPermission), isReadOnlyFS(err):
		err = fmt.Errorf("%w: %w", lashstore.ErrReadOnly, err)
	}
	return err
}

// companions are the files that SQLite finds by a database's name, in the order in which to remove them before it.
var companions = []string{"-journal", "-wal", "-shm"}

// checkOrphans refuses to make a database where the log of another one is left: SQLite would play it back into the new
// one.
func (d *DB) checkOrphans() error {
	for _, suffix := range companions[:2] {
		if fileSize(d.path+suffix) == 0 {
			continue
		}
		if _, err := os.Lstat(d.path); err == nil {
			return nil // made by somebody else just now, and its log with it
		}
		return &lashstore.CorruptError{
			What: "database", Key: filepath.Base(d.path), Reason: "it is missing, and its log " + filepath.Base(d.path) + suffix + " is there",
		}
	}
	return nil
}

// newborn returns a database file as it is to appear.
func (d *DB) newborn(ctx context.Context) ([]byte, error) {
	inMemory := newDB(d.kind, d.options)
	c, image, err := inMemory.bear(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.close(); err != nil {
		return nil, err
	}
	(*image)[writeVersion], (*image)[readVersion] = walVersion, walVersion
	return *image, nil
}

// bear makes a database in memory, whose bytes are in the image as long as the connection is open, and after.
func (d *DB) bear(ctx context.Context) (c *conn, image *vfsutil.SliceFile, err error) {
	schema, err := schemaImage(ctx, d.kind)
	if err != nil {
		return nil, nil, err
	}
	data := vfsutil.SliceFile(slices.Clone(schema))
	if c, err = d.connectMemory(ctx, &data); err != nil {
		return nil, nil, err
	}
	version, err := c.text(ctx, versionSQL)
	if err == nil {
		err = d.checkVersion(version)
	}
	if err == nil {
		err = c.script(ctx, d.connectionPragmas())
	}
	if err == nil && d.options.OnCreate != nil {
		err = d.transact(ctx, context.WithoutCancel(ctx), c, sqlBeginWrite, func(tx *Tx) error { return d.options.OnCreate(tx.ctx, tx) })
	}
	if err != nil {
		return nil, nil, errors.Join(err, c.close())
	}
	return c, &data, nil
}

// connectMemory opens a connection on bytes.
func (d *DB) connectMemory(ctx context.Context, data *vfsutil.SliceFile) (*conn, error) {
	d.memory = "/" + rand.Text()
	memory.offer(d.memory, data)
	defer memory.take(d.memory) // nobody else is to find it
	return d.connect(ctx, memoryVFSName)
}

// schemaImages are the databases of each kind with nothing in them. Parsing the schema takes longer than all the rest.
var (
	schemaImagesLock sync.Mutex
	schemaImages     = map[Kind][]byte{}
)

func schemaImage(ctx context.Context, kind Kind) ([]byte, error) {
	schemaImagesLock.Lock()
	defer schemaImagesLock.Unlock()
	if image, ok := schemaImages[kind]; ok {
		return image, nil
	}
	image, err := makeSchemaImage(context.WithoutCancel(ctx), kind)
	if err == nil {
		schemaImages[kind] = image
	}
	return image, err
}

func makeSchemaImage(ctx context.Context, kind Kind) ([]byte, error) {
	d := newDB(kind, (*Options)(nil).withDefaults())
	var image vfsutil.SliceFile
	c, err := d.connectMemory(ctx, &image)
	if err != nil {
		return nil, err
	}
	if err = c.script(ctx, layoutPragmas); err == nil {
		err = d.transact(ctx, ctx, c, sqlBeginWrite, func(tx *Tx) error {
			return errors.Join(c.script(tx.ctx, kind.DDL), c.script(tx.ctx, kind.stampSQL()))
		})
	}
	if err = errors.Join(err, c.close()); err != nil {
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	return image, nil
}

// place puts a database under its name and reports whether it did: somebody else may have been faster.
func (d *DB) place(ctx context.Context, image []byte) (placed bool, err error) {
	temporary := d.path + newInfix + rand.Text()[:randomLength]
	defer func() { d.removeTemporary(temporary) }()
	if err := writeSynced(temporary, image); err != nil {
		return false, err
	}
	return d.appear(ctx, temporary)
}

// appear turns the other name of a whole and synced file into its own, unless something is there.
func (d *DB) appear(ctx context.Context, temporary string) (placed bool, err error) {
	err = d.options.link(temporary, d.path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = d.renameAlone(ctx, temporary)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if d.options.Durability != lashstore.DurabilityFull {
		return true, nil
	}
	return true, syncDirectory(filepath.Dir(d.path))
}

// writeSynced writes a new file, so that it is on the disk.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// renameAlone does what a link would, on file systems without links: nobody of us renames meanwhile.
func (d *DB) renameAlone(ctx context.Context, temporary string) error {
	unlock, err := lockDirectory(ctx, filepath.Dir(d.path), exclusive)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	return os.Rename(temporary, d.path)
}

// RemoveLeftover removes a file of a directory's listing if it is what a creation that was killed has left, an hour ago
// at the least. It reports whether it did.
func RemoveLeftover(dir string, entry fs.DirEntry) (bool, error) {
	if !entry.Type().IsRegular() || !isLeftover(entry.Name()) {
		return false, nil
	}
	info, err := entry.Info()
	if err == nil && time.Since(info.ModTime()) < leftoverAge {
		return false, nil
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, entry.Name()))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // gone meanwhile
	}
	return err == nil, err
}

func isLeftover(name string) bool {
	at := strings.LastIndex(name, newInfix)
	if at <= 0 {
		return false
	}
	random := name[at+len(newInfix):]
	for _, suffix := range companions { // of one that was being filled
		random = strings.TrimSuffix(random, suffix)
	}
	return len(random) == randomLength && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
