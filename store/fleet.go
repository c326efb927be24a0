package store

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/lashstore/lashstore"
)

// FleetOptions configure a Fleet. Nil, and the zero value of each field, take the default.
type FleetOptions struct {
	// Options are those of every session.
	Options *Options
	// MaxOpen is how many sessions may be open at once. Default 256. One that is in use counts until it is not: a call
	// that runs, a loop over a path, a stream, a wait. When all are in use, whoever needs another waits for one of them.
	MaxOpen int
	// Idle is how long a session that nobody uses stays open. Default one minute.
	Idle time.Duration
	// Catalog is the file in which the fleet keeps what List shows. Default CatalogName in the sessions' directory. It may
	// be deleted at any time when no fleet is open on it.
	Catalog string
}

// The defaults of FleetOptions.
const (
	DefaultMaxOpen = 256
	DefaultIdle    = time.Minute
)

func (o *FleetOptions) withDefaults() FleetOptions {
	var full FleetOptions
	if o != nil {
		full = *o
	}
	if full.MaxOpen == 0 {
		full.MaxOpen = DefaultMaxOpen
	}
	if full.Idle == 0 {
		full.Idle = DefaultIdle
	}
	return full
}

func (o *FleetOptions) validate() error {
	switch {
	case o.MaxOpen < 0:
		return &lashstore.InvalidError{Field: "options.max_open", Reason: "negative"}
	case o.Idle < 0:
		return &lashstore.InvalidError{Field: "options.idle", Reason: "negative"}
	}
	return nil
}

// Fleet keeps the sessions of one directory, as a Factory does, for a program that serves many of them: however many it
// has opened, at most MaxOpen are open. What CreateSession and OpenSession return are references. All references to a
// session share one Store; one that nobody uses is closed when its place is needed, or in time, and opened again by the
// next call. References are cheap; close them nevertheless: a reference's Close ends what waits through it.
//
// Any number of fleets, factories and stores, in any number of processes, may be on a directory. Its methods are safe
// for concurrent use.
type Fleet struct {
	factory *Factory
	options FleetOptions
	catalog *catalog
	life    context.Context // ends with the fleet
	end     context.CancelFunc
	running sync.WaitGroup // calls, and the fleet's own closing of handles; added to under mu while not closed

	closing  sync.Once
	closeErr error

	mu      sync.Mutex
	closed  bool
	handles map[string]*handle // by session; those that are given out
	all     map[*handle]bool   // with a store; retired ones too
	open    int                // places taken, at most MaxOpen
	idle    list.List          // of *handle that nobody uses, the longest idle first
	waiting list.List          // of *waiter for a place, the first to come first; empty while any handle is idle
	timer   *time.Timer        // nil while none is idle
}

var _ lashstore.SessionFactory = (*Fleet)(nil)

// NewFleet returns a fleet on dir, which CreateSession makes when it is not there. Close it.
func NewFleet(dir string, options *FleetOptions) (*Fleet, error) {
	full := options.withDefaults()
	if err := full.validate(); err != nil {
		return nil, err
	}
	factory, err := NewFactory(dir, full.Options)
	if err != nil {
		return nil, err
	}
	f := &Fleet{factory: factory, options: full, handles: map[string]*handle{}, all: map[*handle]bool{}}
	f.catalog = newCatalog(dir, full.Catalog, factory.options)
	f.life, f.end = context.WithCancel(context.Background())
	return f, nil
}

// Durability says what an acknowledged commit survives.
func (f *Fleet) Durability() lashstore.Durability { return f.factory.Durability() }

// PathOf returns the file in which the session is, or would be.
func (f *Fleet) PathOf(sessionID string) string { return f.factory.PathOf(sessionID) }

// CreateSession returns a reference to a session and creates it first when there is none.
func (f *Fleet) CreateSession(ctx context.Context, meta lashstore.SessionMeta) (lashstore.SessionStore, error) {
	if err := meta.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.factory.dir, 0o777); err != nil {
		return nil, fmt.Errorf("make the sessions' directory: %w", err)
	}
	return f.refer(ctx, meta.SessionID, func(ctx context.Context) (*Store, error) {
		return Open(ctx, f.PathOf(meta.SessionID), meta, &f.factory.options)
	})
}

// OpenSession returns a reference to a session that exists.
func (f *Fleet) OpenSession(ctx context.Context, sessionID string) (lashstore.SessionStore, error) {
	if err := lashstore.ValidateID("session_id", sessionID); err != nil {
		return nil, err
	}
	return f.refer(ctx, sessionID, f.existing(sessionID))
}

// existing opens a session's store and creates nothing.
func (f *Fleet) existing(sessionID string) openStoreFunc {
	return func(ctx context.Context) (*Store, error) { return f.factory.open(ctx, sessionID, OpenExisting) }
}

// refer returns a reference to the session that open opens, if it is not open.
func (f *Fleet) refer(ctx context.Context, sessionID string, open openStoreFunc) (lashstore.SessionStore, error) {
	r := newReference(f, sessionID)
	err := f.with(ctx, sessionID, open, func(s *Store) error {
		r.databaseID = s.databaseID
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// with runs do as a call of the fleet, on a session that is there: what was open may have been deleted, by another
// process too, and is opened again then.
func (f *Fleet) with(ctx context.Context, sessionID string, open openStoreFunc, do func(*Store) error) error {
	if err := f.begin(nil); err != nil {
		return err
	}
	defer f.running.Done()
	for {
		h, opened, err := f.pin(ctx, f.life, sessionID, open)
		if err != nil {
			return err
		}
		if !opened {
			err = h.store.view(ctx, func(*tx) error { return nil })
		}
		gone := errors.Is(err, lashstore.ErrSessionDeleted)
		if err == nil {
			err = do(h.store)
		}
		f.unpin(h, err)
		if !gone {
			return err
		}
	}
}

// DeleteSession removes a session and everything in it, as a Factory's does. The file goes when the calls that run on the
// session in this fleet have ended, if no other process has it open.
func (f *Fleet) DeleteSession(ctx context.Context, sessionID string) error {
	if err := lashstore.ValidateID("session_id", sessionID); err != nil {
		return err
	}
	err := f.with(ctx, sessionID, f.existing(sessionID), func(s *Store) error {
		if err := s.markDeleted(ctx); err != nil {
			return err
		}
		return errMarked
	})
	if errors.Is(err, errMarked) || errors.Is(err, lashstore.ErrSessionNotFound) {
		return nil
	}
	return err
}

// errMarked tells the fleet that a call deleted the session of its handle.
var errMarked = errors.New("the session was marked deleted")

// Sessions walks over all sessions, as a Factory's does: it looks into each file.
func (f *Fleet) Sessions(ctx context.Context) iter.Seq2[lashstore.SessionInfo, error] {
	return func(yield func(lashstore.SessionInfo, error) bool) {
		for info, err := range f.factory.Sessions(ctx) {
			if f.life.Err() != nil {
				yield(lashstore.SessionInfo{Location: f.factory.dir}, lashstore.ErrClosed)
				return
			}
			if !yield(info, err) {
				return
			}
		}
		if f.life.Err() != nil {
			yield(lashstore.SessionInfo{Location: f.factory.dir}, lashstore.ErrClosed)
		}
	}
}

// Close ends what waits, waits for the calls that run, and closes every session. Later calls, of references too, return
// ErrClosed. Safe to repeat: it returns the first result.
func (f *Fleet) Close() error {
	f.closing.Do(func() {
		f.mu.Lock()
		f.closed = true
		if f.timer != nil {
			f.timer.Stop()
		}
		f.mu.Unlock()
		f.end()
		f.running.Wait()
		var errs []error
		for h := range f.all { // nobody adds to it, or takes out of it, any more
			errs = append(errs, h.store.Close())
		}
		f.closeErr = errors.Join(append(errs, f.catalog.close())...)
	})
	return f.closeErr
}

// begin counts a call, of a reference or of the fleet itself. The caller ends it.
func (f *Fleet) begin(r *reference) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || r != nil && r.closed {
		return lashstore.ErrClosed
	}
	f.running.Add(1)
	if r != nil {
		r.running.Add(1)
	}
	return nil
}
