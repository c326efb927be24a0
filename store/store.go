// Package store keeps sessions in SQLite, one database file each.
//
// A Store is one handle on one session; a Factory keeps the sessions of a directory. Both implement the contract of the
// root package, where each method is specified; what is said here is what SQLite adds.
//
// Read commit.go first: it is the order in which a turn becomes durable. Exported methods are one transaction each;
// what they are made of are functions on a tx, which never begin or end one. The SQL is in queries/session, generated
// into package db.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// What a session database carries in its header.
const (
	ApplicationID = 0x4c534853 // "LSHS"
	SchemaVersion = 1
	hostID        = 0x4c534848 // "LSHH"
)

var kindNames = map[int32]string{ApplicationID: lashstore.SessionDatabase, hostID: lashstore.HostDatabase, catalogID: lashstore.CatalogDatabase}

func sessionKind() (sqlitedb.Kind, error) {
	ddl, err := lashstore.SchemaSection(lashstore.SessionDatabase)
	return sqlitedb.Kind{Name: lashstore.SessionDatabase, ApplicationID: ApplicationID, Version: SchemaVersion, DDL: ddl}, err
}

// Store is a handle on one session. Its methods are safe for concurrent use, and any number of handles, in any number of
// processes, may be open on a session.
type Store struct {
	db         *sqlitedb.DB
	options    Options
	sessionID  string
	databaseID string
	deleted    atomic.Bool // this handle has learnt that its session was deleted
}

var _ lashstore.SessionStore = (*Store)(nil)

// Open opens the session database at path, and creates it first when there is no file. meta describes
// the session for its creation; of an existing one only meta.SessionID counts, which must be the session's:
// SessionMismatchError. A session that was deleted, and whose file is still there, is made anew. The directory must
// exist.
//
// Errors: SchemaError and ErrNotADatabase for a file that is something else, and CorruptError for one that was cut to
// nothing, none of which is touched; EnvironmentError for a file system or an SQLite that cannot keep the store's promises.
func Open(ctx context.Context, path string, meta lashstore.SessionMeta, options *Options) (*Store, error) {
	s, err := create(meta, options, func(kind sqlitedb.Kind, o *sqlitedb.Options) (*sqlitedb.DB, error) {
		return sqlitedb.Open(ctx, path, kind, o)
	})
	if err != nil || !s.deleted.Load() {
		return s, err
	}
	return s.recreate(ctx, path, meta, options)
}

// Memory creates a session in memory. It ends with the handle.
func Memory(ctx context.Context, meta lashstore.SessionMeta, options *Options) (*Store, error) {
	return create(meta, options, func(kind sqlitedb.Kind, o *sqlitedb.Options) (*sqlitedb.DB, error) {
		return sqlitedb.OpenMemory(ctx, kind, o)
	})
}

// OpenExisting opens the session database at path. A file that is not there matches fs.ErrNotExist and
// ErrSessionNotFound, and none is created; a session that was deleted is ErrSessionDeleted. Other errors as Open.
func OpenExisting(ctx context.Context, path string, options *Options) (*Store, error) {
	return openExisting(ctx, path, options, sqlitedb.Existing)
}

// OpenReadOnly opens the session database at path for reading: whatever writes returns ErrReadOnly. It also works where
// nothing can be written, on a full disk, in a read-only directory or on a read-only mount; there a call during which
// somebody else wrote is ErrBusy. Errors as OpenExisting.
func OpenReadOnly(ctx context.Context, path string, options *Options) (*Store, error) {
	return openExisting(ctx, path, options, sqlitedb.ReadOnly)
}

type opener func(sqlitedb.Kind, *sqlitedb.Options) (*sqlitedb.DB, error)

func create(meta lashstore.SessionMeta, options *Options, open opener) (*Store, error) {
	if err := meta.Validate(); err != nil {
		return nil, err
	}
	s, err := openStore(options, func(kind sqlitedb.Kind, full Options, o *sqlitedb.Options) (*sqlitedb.DB, error) {
		o.OnCreate = func(ctx context.Context, t *sqlitedb.Tx) error { return createSession(ctx, t, meta, full.Random) }
		return open(kind, o)
	})
	if err != nil {
		return nil, err
	}
	if s.sessionID != meta.SessionID {
		err = &lashstore.SessionMismatchError{Bound: s.sessionID, Attempted: meta.SessionID}
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func openExisting(ctx context.Context, path string, options *Options, mode sqlitedb.Mode) (*Store, error) {
	s, err := openStore(options, func(kind sqlitedb.Kind, _ Options, o *sqlitedb.Options) (*sqlitedb.DB, error) {
		o.Mode = mode
		return sqlitedb.Open(ctx, path, kind, o)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", lashstore.ErrSessionNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	if s.deleted.Load() {
		return nil, errors.Join(lashstore.ErrSessionDeleted, s.Close()) // which finishes the deletion if it can
	}
	return s, nil
}

// openStore opens a database and learns whose it is, in one go.
func openStore(options *Options, open func(sqlitedb.Kind, Options, *sqlitedb.Options) (*sqlitedb.DB, error)) (*Store, error) {
	full := options.withDefaults()
	if err := full.validate(); err != nil {
		return nil, err
	}
	kind, err := sessionKind()
	if err != nil {
		return nil, err
	}
	s := &Store{options: full}
	o := full.database()
	o.OnOpen = s.identify
	s.db, err = open(kind, full, o)
	return s, err
}

// identify binds the handle to the session in the file.
func (s *Store) identify(t *sqlitedb.Tx) error {
	row, err := db.New(t).SessionGet(t.Context())
	if errors.Is(err, sql.ErrNoRows) {
		return &lashstore.CorruptError{What: "session", Key: "database", Reason: "the row that says whose it is is missing"}
	}
	s.sessionID, s.databaseID = row.SessionID, row.DatabaseID
	s.deleted.Store(row.DeletedAtMS != nil)
	return err
}

// createSession writes the rows that every session database has from its start.
func createSession(ctx context.Context, t *sqlitedb.Tx, meta lashstore.SessionMeta, random io.Reader) error {
	id, err := newID(random, "a database id")
	if err != nil {
		return err
	}
	q := db.New(t)
	if err := q.SessionCreate(ctx, sessionRow(meta.WithDefaults(t.Now), id)); err != nil {
		return err
	}
	if err := q.HeadCreate(ctx); err != nil {
		return err
	}
	return q.LeaseCreate(ctx)
}

// SessionID returns the session the file was created for.
func (s *Store) SessionID() string { return s.sessionID }

// Durability says what an acknowledged commit survives.
func (s *Store) Durability() lashstore.Durability { return s.db.Durability() }

// File returns the database file; "" in memory.
func (s *Store) File() string { return s.db.Path() }

// removalPatience is how long closing the last handle on a deleted session tries to remove its file.
const removalPatience = 2 * time.Second

// Close ends the handle. It waits for running calls and checkpoints the WAL; the last handle on a deleted session
// removes the file.
func (s *Store) Close() error {
	if s.deleted.Load() && !s.db.ReadOnly() {
		// Those who are opening files keep us waiting; whoever comes by next removes the file if we do not.
		ctx, cancel := context.WithTimeout(context.Background(), removalPatience)
		defer cancel()
		if _, err := s.removeFile(ctx); err != nil && !errors.Is(err, lashstore.ErrClosed) {
			s.options.Logger.Warn("deleted session's file stays", "path", s.db.Path(), "error", err)
		}
	}
	return s.db.Close()
}
