package store

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// What the header of a catalog says.
const (
	catalogID      = 0x4c534843 // "LSHC"
	catalogVersion = 1
)

// CatalogName is the name of a catalog in the sessions' directory, unless FleetOptions.Catalog says otherwise. It does not
// end as the databases of sessions do.
const CatalogName = ".catalog"

// catalog is the cache from which a fleet lists. It is opened on first use, and made anew when it is of no use: all that
// is in it can be read again.
type catalog struct {
	path    string
	options Options

	refreshing chan struct{} // held by who refreshes: the next finds little to do
	mu         sync.Mutex
	db         *sqlitedb.DB // nil until first use
	closed     bool
}

func newCatalog(dir, path string, options Options) *catalog {
	if path == "" {
		path = filepath.Join(dir, CatalogName)
	}
	options.Durability = lashstore.DurabilityNormal
	return &catalog{path: path, options: options, refreshing: make(chan struct{}, 1)}
}

func catalogKind() (sqlitedb.Kind, error) {
	ddl, err := lashstore.SchemaSection(lashstore.CatalogDatabase)
	return sqlitedb.Kind{Name: lashstore.CatalogDatabase, ApplicationID: catalogID, Version: catalogVersion, DDL: ddl}, err
}

// use runs fn on the catalog. A catalog that turns out to be damaged, or was made by another version, is discarded, and fn
// runs once more on a new one. fn may find the handle closed when somebody else has discarded it meanwhile.
func (c *catalog) use(ctx context.Context, fn func(*sqlitedb.DB) error) error {
	const tries = 3
	for try := 1; ; try++ {
		d, err := c.opened(ctx)
		if err == nil {
			err = fn(d)
		}
		again := ofNoUse(err) || d != nil && errors.Is(err, lashstore.ErrClosed)
		if !again || try == tries {
			return err
		}
		if ofNoUse(err) {
			c.options.Logger.WarnContext(ctx, "the catalog is of no use and is made anew", "path", c.path, "error", err)
			if err := c.discard(ctx, d); err != nil {
				return err
			}
		}
	}
}

func ofNoUse(err error) bool {
	return errors.Is(err, lashstore.ErrCorrupt) || errors.Is(err, lashstore.ErrNotADatabase) || errors.Is(err, lashstore.ErrSchema)
}

func (c *catalog) opened(ctx context.Context) (*sqlitedb.DB, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, lashstore.ErrClosed
	}
	if c.db != nil {
		return c.db, nil
	}
	kind, err := catalogKind()
	if err != nil {
		return nil, err
	}
	c.db, err = sqlitedb.Open(ctx, c.path, kind, c.options.database())
	return c.db, err
}

// discard removes a catalog that was found to be of no use through the handle bad, nil when it did not even open. ErrBusy
// while another process has it open. That somebody else was faster is fine.
func (c *catalog) discard(ctx context.Context, bad *sqlitedb.DB) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db != bad {
		return nil
	}
	if c.db != nil {
		if err := c.db.Close(); err != nil {
			c.options.Logger.DebugContext(ctx, "closing a catalog of no use failed", "path", c.path, "error", err)
		}
		c.db = nil
	}
	kind, err := catalogKind()
	if err != nil {
		return err
	}
	o := c.options.database()
	o.OnOpen = func(*sqlitedb.Tx) error {
		return &lashstore.CorruptError{What: "catalog", Key: filepath.Base(c.path), Reason: "it was found damaged when it was used"}
	}
	err = sqlitedb.Discard(ctx, c.path, kind, o)
	if isNotExist(err) {
		return nil
	}
	return err
}

func (c *catalog) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.db == nil {
		return nil
	}
	return c.db.Close()
}
