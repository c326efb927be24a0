package store

import "context"

// OpenStores returns how many sessions of the fleet have a store, and how many places they take.
func (f *Fleet) OpenStores() (stores, places int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all), f.open
}

// Waiting returns how many wait for a place.
func (f *Fleet) Waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting.Len()
}

// InUse returns how many uses of sessions are under way.
func (f *Fleet) InUse() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.all {
		n += h.pins
	}
	return n
}

// QueueForPlace waits for a place as a call does, and returns what giving up does: after the place has come, too.
func (f *Fleet) QueueForPlace() (giveUp func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &waiter{ready: make(chan struct{})}
	place := f.waiting.PushBack(w)
	return func() { _ = f.stopWaiting(w, place, context.Canceled) }
}
