package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/lashstore/lashstore"
)

// reference is a session of a fleet: it finds the session's handle anew for every call, and keeps it open meanwhile.
// What each call does is said where the Store's method is.
type reference struct {
	fleet      *Fleet
	sessionID  string
	databaseID string // of the session that it was made for; one made anew under the same id is another
	life       context.Context
	end        context.CancelFunc
	running    sync.WaitGroup // added to under the fleet's mutex while not closed
	closed     bool           // guarded by the fleet's mutex
}

var _ lashstore.SessionStore = (*reference)(nil)

func newReference(f *Fleet, sessionID string) *reference {
	r := &reference{fleet: f, sessionID: sessionID}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// SessionID returns the session the reference was made for.
func (r *reference) SessionID() string { return r.sessionID }

// Durability says what an acknowledged commit survives.
func (r *reference) Durability() lashstore.Durability { return r.fleet.Durability() }

// Close ends the reference, not the session, nor other references to it. It ends what waits through it and waits for the
// calls that run.
func (r *reference) Close() error {
	r.fleet.mu.Lock()
	r.closed = true
	r.fleet.mu.Unlock()
	r.end()
	r.running.Wait()
	return nil
}

// begin counts a call of the reference.
func (r *reference) begin() error { return r.fleet.begin(r) }

func (r *reference) done() {
	r.running.Done()
	r.fleet.running.Done()
}

// pin finds the session's handle, which stays open until unpin.
func (r *reference) pin(ctx context.Context) (*handle, error) {
	h, _, err := r.fleet.pin(ctx, r.life, r.sessionID, r.fleet.existing(r.sessionID))
	if errors.Is(err, lashstore.ErrSessionNotFound) {
		return nil, fmt.Errorf("%w: %w", lashstore.ErrSessionDeleted, err)
	}
	if err != nil {
		return nil, err
	}
	if h.store.databaseID != r.databaseID {
		r.fleet.unpin(h, nil)
		return nil, fmt.Errorf("%w: it was made anew", lashstore.ErrSessionDeleted)
	}
	return h, nil
}

// call runs fn on the session.
func (r *reference) call(ctx context.Context, fn func(*Store) error) error {
	if err := r.begin(); err != nil {
		return err
	}
	defer r.done()
	h, err := r.pin(ctx)
	if err != nil {
		return err
	}
	defer func() { r.fleet.unpin(h, err) }()
	err = fn(h.store)
	return err
}

// ask is call for what returns a value.
func ask[T any](ctx context.Context, r *reference, fn func(*Store) (T, error)) (T, error) {
	var value T
	err := r.call(ctx, func(s *Store) (err error) {
		value, err = fn(s)
		return err
	})
	return value, err
}

// wait is call for what waits: the end of the reference, and of the fleet, ends it.
func (r *reference) wait(ctx context.Context, fn func(context.Context, *Store) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, life := range []context.Context{r.life, r.fleet.life} {
		defer context.AfterFunc(life, func() { cancel(lashstore.ErrClosed) })()
	}
	err := r.call(inner, func(s *Store) error { return fn(inner, s) })
	if err != nil && errors.Is(context.Cause(inner), lashstore.ErrClosed) {
		return lashstore.ErrClosed
	}
	return err
}

// WaitReady returns as soon as something can be claimed. The session stays open meanwhile.
func (r *reference) WaitReady(ctx context.Context, options *lashstore.WaitOptions) (ready lashstore.Readiness, err error) {
	err = r.wait(ctx, func(ctx context.Context, s *Store) (err error) {
		ready, err = s.WaitReady(ctx, options)
		return err
	})
	return ready, err
}

// WaitLease returns as soon as the execution lease is free or has expired. The session stays open meanwhile.
func (r *reference) WaitLease(ctx context.Context) error {
	return r.wait(ctx, func(ctx context.Context, s *Store) error { return s.WaitLease(ctx) })
}

// Path walks up from a live node. The session stays open until the loop ends; while the loop's body runs, no call does:
// it may close the reference, which ends the walk.
func (r *reference) Path(ctx context.Context, from string) iter.Seq2[lashstore.Node, error] {
	return func(yield func(lashstore.Node, error) bool) {
		err := r.begin()
		if err != nil {
			yield(lashstore.Node{}, err)
			return
		}
		inCall := true
		defer func() {
			if inCall {
				r.done()
			}
		}()
		h, err := r.pin(ctx)
		if err != nil {
			r.done()
			inCall = false
			yield(lashstore.Node{}, err)
			return
		}
		defer func() { r.fleet.unpin(h, err) }()
		for n, nodeErr := range h.store.Path(ctx, from) {
			r.done()
			inCall = false
			if err = nodeErr; !yield(n, err) || err != nil {
				return
			}
			if err = r.begin(); err != nil {
				yield(lashstore.Node{}, err)
				return
			}
			inCall = true
		}
	}
}

// OpenBlob returns content as a stream. The session stays open until the stream is closed.
func (r *reference) OpenBlob(ctx context.Context, hash lashstore.Hash) (io.ReadCloser, lashstore.BlobInfo, error) {
	if err := r.begin(); err != nil {
		return nil, lashstore.BlobInfo{}, err
	}
	defer r.done()
	h, err := r.pin(ctx)
	if err != nil {
		return nil, lashstore.BlobInfo{}, err
	}
	stream, info, err := h.store.OpenBlob(ctx, hash)
	if err != nil {
		r.fleet.unpin(h, err)
		return nil, info, err
	}
	return &pinnedStream{ReadCloser: stream, reference: r, handle: h}, info, nil
}

// pinnedStream keeps its session open. Each Read is a call of the reference.
type pinnedStream struct {
	io.ReadCloser
	reference *reference
	handle    *handle
	outcome   error
	closed    bool
}

func (p *pinnedStream) Read(b []byte) (int, error) {
	if err := p.reference.begin(); err != nil {
		return 0, err
	}
	defer p.reference.done()
	n, err := p.ReadCloser.Read(b)
	if err != nil {
		p.outcome = err
	}
	return n, err
}

// Close ends the stream and lets the session go.
func (p *pinnedStream) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	err := p.ReadCloser.Close()
	p.reference.fleet.unpin(p.handle, p.outcome)
	return err
}
