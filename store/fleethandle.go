package store

import (
	"container/list"
	"context"
	"errors"
	"time"

	"github.com/lashstore/lashstore"
)

// openStoreFunc opens the store of a session.
type openStoreFunc func(context.Context) (*Store, error)

// handle is a session that is open in a fleet, or about to be. It takes a place while it has a store. Its fields belong to
// the fleet's mutex; store does not change while somebody has it pinned.
type handle struct {
	sessionID string
	store     *Store
	pins      int           // who uses it
	busy      chan struct{} // open while it is opened or closed; nil when neither
	retired   bool          // its session was deleted: it is given out no more, and closed by the last who uses it
	idleSince time.Time
	place     *list.Element // in Fleet.idle; nil while it is in use
}

// waiter waits for a place in the fleet.
type waiter struct {
	ready  chan struct{} // closed when the place is there
	victim *handle       // whose place it is, to be closed first; nil for one that is free
}

// pin returns the session's handle, opened first if need be, and whether it was; it stays open until unpin. life ends the
// waiting like ctx, with ErrClosed.
func (f *Fleet) pin(ctx, life context.Context, sessionID string, open openStoreFunc) (h *handle, opened bool, err error) {
	for {
		f.mu.Lock()
		h := f.handles[sessionID]
		switch {
		case h == nil:
			h = &handle{sessionID: sessionID, pins: 1, busy: make(chan struct{})}
			f.handles[sessionID] = h
			f.mu.Unlock()
			err := f.fill(ctx, life, h, open)
			return h, true, err
		case h.busy == nil:
			h.pins++
			f.unlist(h)
			f.mu.Unlock()
			return h, false, nil
		}
		busy := h.busy
		f.mu.Unlock()
		select {
		case <-busy: // its opening may have failed for a reason that is none of ours
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-life.Done():
			return nil, false, lashstore.ErrClosed
		}
	}
}

// fill gives a handle a place and its store.
func (f *Fleet) fill(ctx, life context.Context, h *handle, open openStoreFunc) error {
	s, err := f.openInPlace(ctx, life, open)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		delete(f.handles, h.sessionID)
	} else {
		h.store = s
		f.all[h] = true
	}
	close(h.busy)
	h.busy = nil
	return err
}

func (f *Fleet) openInPlace(ctx, life context.Context, open openStoreFunc) (*Store, error) {
	if err := f.takePlace(ctx, life); err != nil {
		return nil, err
	}
	s, err := open(ctx)
	if err != nil {
		f.mu.Lock()
		f.freePlace()
		f.mu.Unlock()
	}
	return s, err
}

// takePlace takes a place: a free one, that of the longest idle handle, or the next that somebody is done with. Places go
// round in the order in which they were asked for: a session that is always in use cannot keep others out for ever.
func (f *Fleet) takePlace(ctx, life context.Context) error {
	f.mu.Lock()
	if f.waiting.Len() == 0 && f.open < f.options.MaxOpen {
		f.open++
		f.mu.Unlock()
		return nil
	}
	if first := f.idle.Front(); first != nil {
		h := f.evict(first)
		f.mu.Unlock()
		f.shut(h)
		return nil
	}
	w := &waiter{ready: make(chan struct{})}
	place := f.waiting.PushBack(w)
	f.mu.Unlock()
	var err error
	select {
	case <-w.ready:
	case <-ctx.Done():
		err = ctx.Err()
	case <-life.Done():
		err = lashstore.ErrClosed
	case <-f.life.Done():
		err = lashstore.ErrClosed
	}
	if err != nil {
		return f.stopWaiting(w, place, err)
	}
	if w.victim != nil {
		f.shut(w.victim)
	}
	return nil
}

// stopWaiting gives up waiting for a place. One that came in the same moment is handed on.
func (f *Fleet) stopWaiting(w *waiter, place *list.Element, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-w.ready:
		if w.victim != nil {
			f.settle(w.victim)
		} else {
			f.freePlace()
		}
	default:
		f.waiting.Remove(place)
	}
	return err
}

// unpin ends a use of the handle. outcome is what the use came to: a handle whose session is gone is retired.
func (f *Fleet) unpin(h *handle, outcome error) {
	f.mu.Lock()
	h.pins--
	if !h.retired && (errors.Is(outcome, lashstore.ErrSessionDeleted) || errors.Is(outcome, errMarked)) {
		h.retired = true
		delete(f.handles, h.sessionID)
	}
	switch {
	case h.pins > 0 || f.closed: // Close closes it
	case h.retired:
		f.running.Add(1)
		defer f.running.Done()
		f.mu.Unlock()
		f.shut(h)
		f.mu.Lock()
		f.freePlace()
	default:
		f.settle(h)
	}
	f.mu.Unlock()
}

// settle makes a handle that nobody uses idle, or hands its place to who waits for one. The mutex is held.
func (f *Fleet) settle(h *handle) {
	if h.busy == nil {
		h.busy = make(chan struct{})
	}
	if f.handOver(h) {
		return
	}
	close(h.busy)
	h.busy = nil
	h.idleSince = time.Now()
	h.place = f.idle.PushBack(h)
	if f.timer == nil && !f.closed {
		f.timer = time.AfterFunc(f.options.Idle, f.sweep)
	}
}

// freePlace frees a place, or hands it to who waits for one. The mutex is held.
func (f *Fleet) freePlace() {
	if !f.handOver(nil) {
		f.open--
	}
}

// handOver gives a place to who waits longest for one, and reports whether anybody does. The mutex is held.
func (f *Fleet) handOver(victim *handle) bool {
	first := f.waiting.Front()
	if first == nil {
		return false
	}
	w := f.waiting.Remove(first).(*waiter)
	w.victim = victim
	close(w.ready)
	return true
}

// evict takes an idle handle out of the list, to be shut. The mutex is held.
func (f *Fleet) evict(place *list.Element) *handle {
	h := place.Value.(*handle)
	f.unlist(h)
	h.busy = make(chan struct{})
	return h
}

// unlist takes a handle out of the list of idle ones. The mutex is held.
func (f *Fleet) unlist(h *handle) {
	if h.place != nil {
		f.idle.Remove(h.place)
		h.place = nil
	}
}

// shut closes the store of a handle that nobody uses or can find. Its place is the caller's.
func (f *Fleet) shut(h *handle) {
	if err := h.store.Close(); err != nil {
		f.factory.options.Logger.Warn("closing an idle session failed", "path", h.store.File(), "error", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, h)
	if f.handles[h.sessionID] == h {
		delete(f.handles, h.sessionID)
	}
	if h.busy != nil {
		close(h.busy)
		h.busy = nil
	}
}

// sweep shuts what has been idle for long enough and comes back for the rest.
func (f *Fleet) sweep() {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return
	}
	f.running.Add(1)
	defer f.running.Done()
	f.timer = nil
	var done []*handle
	for first := f.idle.Front(); first != nil; first = f.idle.Front() {
		if left := f.options.Idle - time.Since(first.Value.(*handle).idleSince); left > 0 {
			f.timer = time.AfterFunc(left, f.sweep)
			break
		}
		done = append(done, f.evict(first))
	}
	f.mu.Unlock()
	for _, h := range done {
		f.shut(h)
		f.mu.Lock()
		f.freePlace()
		f.mu.Unlock()
	}
}
