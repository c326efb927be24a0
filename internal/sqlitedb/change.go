package sqlitedb

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lashstore/lashstore"
)

// Waiting for changes is pushed. Who waits takes the topic's channel, then looks, then sleeps on the channel: a change
// after the look closes it. A commit of this process closes it at once. Commits of others are seen by watching the
// files (watch.go).

// topic is a database that handles of this process share, and who waits for changes of it.
type topic struct {
	path string // "" in memory

	mu      sync.Mutex
	changed chan struct{} // closed by the next change; nil while nobody waits
	waiters int
	watch   *fileWatch // while somebody waits; nil in memory
	again   *time.Timer

	waiting atomic.Bool // waiters > 0, for those who write
	handles int         // under topics.mu
}

// topics are those of all open databases on disk, by path.
var topics = struct {
	mu     sync.Mutex
	byPath map[string]*topic
}{byPath: map[string]*topic{}}

func openTopic(path string) *topic {
	if path == "" {
		return &topic{}
	}
	topics.mu.Lock()
	defer topics.mu.Unlock()
	t := topics.byPath[path]
	if t == nil {
		t = &topic{path: path}
		topics.byPath[path] = t
	}
	t.handles++
	return t
}

func (t *topic) close() {
	if t.path == "" {
		return
	}
	topics.mu.Lock()
	t.handles--
	last := t.handles == 0
	if last {
		delete(topics.byPath, t.path)
	}
	topics.mu.Unlock()
	if last {
		forget(t)
	}
}

// isOpen reports whether a handle has the database open.
func (t *topic) isOpen() bool {
	topics.mu.Lock()
	defer topics.mu.Unlock()
	return t.handles > 0
}

// wake tells everybody who waits that there is something to look at.
func (t *topic) wake() {
	if !t.waiting.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// next is closed by the next change.
func (t *topic) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.changed
}

// join makes the caller one who waits. It returns whether changes by other processes will be seen.
func (t *topic) join() (watched bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiters++
	t.waiting.Store(true)
	if t.path == "" {
		return true, nil
	}
	if t.watch == nil {
		t.watch, err = watchDatabase(t)
	}
	return t.watch != nil, err
}

// leave ends the caller's waiting. Whoever waits longer than the handle is open ends the watcher in its place.
func (t *topic) leave() {
	t.left()
	if t.path != "" && !t.isOpen() {
		forget(t)
	}
}

func (t *topic) left() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiters--; t.waiters > 0 {
		return
	}
	t.waiting.Store(false)
	t.changed = nil
	if t.again != nil {
		t.again.Stop()
		t.again = nil
	}
	if t.watch != nil {
		t.watch.close()
		t.watch = nil
	}
}

// Others write to the WAL before they publish what they wrote, and the publishing cannot be watched: it is in shared
// memory. Those who use this package touch the shared memory's file behind it; after a write of anybody else, the looks
// come back, each after four times as long as the one before.
const (
	firstLookAgain = time.Millisecond
	lastLookAgain  = time.Minute
)

// written tells of a write that may not be published yet.
func (t *topic) written() {
	t.wake()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiters > 0 {
		t.lookAgain(firstLookAgain)
	}
}

// lookAgain wakes everybody after a while, and plans the next time. The caller holds mu.
func (t *topic) lookAgain(after time.Duration) {
	if t.again != nil {
		t.again.Stop()
	}
	if after > lastLookAgain {
		t.again = nil
		return
	}
	var self *time.Timer
	self = time.AfterFunc(after, func() {
		t.mu.Lock()
		current := t.again == self && t.waiters > 0
		if current {
			t.lookAgain(4 * after)
		}
		t.mu.Unlock()
		if current {
			t.wake()
		}
	})
	t.again = self
}

// unwatchedPause is how often is looked where the files cannot be watched.
const unwatchedPause = time.Second

// Await runs look in a View again and again, after every change of the database by anybody and at the moments that look
// names (milliseconds since 1970, by the handle's clock; 0 for none), until look is done. It sleeps in between. Errors: those
// of look, the context's, ErrClosed.
func (d *DB) Await(ctx context.Context, look func(*Tx) (done bool, next int64, err error)) error {
	watched, err := d.topic.join()
	defer d.topic.leave()
	if err != nil {
		d.options.Logger.WarnContext(ctx, "the database's files cannot be watched; looking once a second", "path", d.path, "error", err)
	}
	for {
		changed := d.topic.next()
		var done bool
		var pause time.Duration // 0 for none
		if err := d.View(ctx, func(tx *Tx) error {
			var next int64
			var err error
			done, next, err = look(tx)
			if next > 0 {
				pause = max(time.Duration(next-lashstore.Millis(tx.Now))*time.Millisecond, time.Millisecond)
			}
			return err
		}); err != nil || done {
			return err
		}
		if !watched && (pause == 0 || pause > unwatchedPause) {
			pause = unwatchedPause
		}
		if err := d.sleep(ctx, changed, pause); err != nil {
			return err
		}
	}
}

// sleep ends with a change, or after a pause if there is one.
func (d *DB) sleep(ctx context.Context, changed <-chan struct{}, pause time.Duration) error {
	var after <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-changed:
		return nil
	case <-after:
		return nil
	case <-d.closing:
		return lashstore.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
