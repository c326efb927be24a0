package refstore

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

// Store is a handle on one session.
type Store struct {
	*Factory
	record *record
	id     string
	closed bool // under the place's mutex
}

var _ lashstore.SessionStore = (*Store)(nil)

// tx is a session inside a call: a copy in a write, the thing itself in a read.
type tx struct {
	*Store
	*state
	now time.Time
	// committing says that what is done will be of the next revision.
	committing bool
}

func (s *Store) usable(ctx context.Context) error {
	switch {
	case s.closed:
		return lashstore.ErrClosed
	case s.record.deleted:
		return lashstore.ErrSessionDeleted
	}
	return ctx.Err()
}

// update runs fn on a copy, which becomes the session when fn returns nil.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	var early time.Time
	if s.is(TimeReadOutside) {
		early = s.Factory.now()
		yieldALot()
	}
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	next := s.record.state.clone()
	t := &tx{Store: s, state: &next, now: early}
	if early.IsZero() {
		t.now = s.Factory.now()
	}
	if err := fn(t); err != nil && !s.is(FailureIsStored) {
		return err
	} else if err != nil {
		s.record.state.usage, s.record.state.totals = next.usage, next.totals
		return err
	}
	s.record.state = next
	s.place.change()
	return nil
}

// view runs fn on the session as it is.
func (s *Store) view(ctx context.Context, fn func(*tx) error) error {
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	return fn(&tx{Store: s, state: &s.record.state, now: s.Factory.now()})
}

func yieldALot() {
	for range 50 {
		runtime.Gosched()
	}
}

// SessionID returns the session of the handle.
func (s *Store) SessionID() string { return s.id }

// Close ends the handle.
func (s *Store) Close() error {
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	s.closed = !s.is(ClosedHandleWorks)
	if !s.is(WaitsOutliveHandles) {
		s.place.change()
	}
	return nil
}

// read returns what fn reads.
func read[T any](ctx context.Context, s *Store, fn func(*tx) (T, error)) (T, error) {
	return result(func(got *T) error {
		return s.view(ctx, func(t *tx) (err error) {
			*got, err = fn(t)
			return err
		})
	})
}

// write returns what fn makes of the session.
func write[T any](ctx context.Context, s *Store, fn func(*tx) (T, error)) (T, error) {
	return result(func(got *T) error {
		return s.update(ctx, func(t *tx) (err error) {
			*got, err = fn(t)
			return err
		})
	})
}

func result[T any](run func(*T) error) (got T, err error) {
	if err = run(&got); err != nil {
		var none T
		return none, err
	}
	return got, nil
}

// Meta returns the description.
func (s *Store) Meta(ctx context.Context) (lashstore.SessionMeta, error) {
	return read(ctx, s, func(t *tx) (lashstore.SessionMeta, error) { return t.meta, nil })
}

// UpdateMeta replaces the description.
func (s *Store) UpdateMeta(ctx context.Context, meta lashstore.SessionMeta) error {
	if err := meta.Validate(); err != nil && !s.is(MetaIsNotValidated) {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		if meta.SessionID != s.id && !s.is(MetaOfAnySession) {
			return &lashstore.SessionMismatchError{Bound: s.id, Attempted: meta.SessionID}
		}
		if s.is(MetaNeedsAFreeLease) && t.lease.LiveAt(t.now) {
			return &lashstore.LeaseBusyError{Holder: t.lease.WithoutToken()}
		}
		next := meta.WithDefaults(t.meta.CreatedAt)
		if s.is(MetaIsMerged) {
			next.Model, next.Cwd = cmp.Or(next.Model, t.meta.Model), cmp.Or(next.Cwd, t.meta.Cwd)
		}
		t.meta = next
		return nil
	})
}

// Usage returns the totals.
func (s *Store) Usage(ctx context.Context) ([]lashstore.UsageTotal, error) {
	return read(ctx, s, func(t *tx) ([]lashstore.UsageTotal, error) { return slices.Clone(t.totals), nil })
}

// UsageByTurn returns the deltas of the revisions after the one given.
func (s *Store) UsageByTurn(ctx context.Context, after lashstore.Revision, limit int) ([]lashstore.TurnUsage, error) {
	return read(ctx, s, func(t *tx) (deltas []lashstore.TurnUsage, err error) {
		for _, d := range t.usage {
			if d.Revision > after && (limit <= 0 || len(deltas) < limit) {
				deltas = append(deltas, d)
			}
		}
		return deltas, nil
	})
}
