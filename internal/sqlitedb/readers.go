package sqlitedb

import (
	"context"
	"errors"
	"sync"
	"time"
)

// readers are the read connections: opened when a snapshot is wanted and none is idle, closed when they were idle for a
// while. No goroutine waits for that, only a timer, and only while one is idle.
type readers struct {
	slots chan struct{} // one for each connection that may be in use

	mu    sync.Mutex
	idle  []idleReader // the longest idle first
	timer *time.Timer  // nil while none is idle
}

type idleReader struct {
	conn  *conn
	since time.Time
}

// take returns an idle connection, or nil when there is none.
func (r *readers) take() *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) == 0 {
		return nil
	}
	last := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return last.conn
}

// put makes a connection idle.
func (r *readers) put(c *conn, keep time.Duration, failed func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, idleReader{c, time.Now()})
	if r.timer == nil {
		r.timer = time.AfterFunc(keep, func() { r.reap(keep, failed) })
	}
}

// reap closes what was idle for long enough and comes back for the rest.
func (r *readers) reap(keep time.Duration, failed func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return // closed meanwhile
	}
	r.timer = nil
	for len(r.idle) > 0 && time.Since(r.idle[0].since) >= keep {
		if err := r.idle[0].conn.close(); err != nil {
			failed(err)
		}
		r.idle = r.idle[1:]
	}
	if len(r.idle) > 0 {
		r.timer = time.AfterFunc(keep-time.Since(r.idle[0].since), func() { r.reap(keep, failed) })
	}
}

// close closes all idle connections. The caller has taken all slots: none is in use.
func (r *readers) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	var errs []error
	for _, i := range r.idle {
		errs = append(errs, i.conn.close())
	}
	r.idle = nil
	return errors.Join(errs...)
}

// withReader runs fn on a read connection.
func (d *DB) withReader(ctx context.Context, fn func(*conn) error) error {
	if err := d.acquire(ctx, d.readers.slots); err != nil {
		return err
	}
	defer func() { <-d.readers.slots }()
	c := d.idleReader()
	if c == nil {
		var err error
		if c, err = d.reconnect(ctx, d.connectionPragmas()+";"+sqlQueryOnly); err != nil {
			return d.classify(ctx, err)
		}
	}
	defer func() {
		if c.broken {
			d.discard(c)
			return
		}
		d.readers.put(c, d.options.ReaderIdle, func(err error) {
			d.options.Logger.Warn("closing an idle reader failed", "path", d.path, "error", err)
		})
	}()
	err := fn(c)
	if d.changed(c) {
		c.broken = true
		return d.changedError() // whatever fn made of it
	}
	return err
}

// idleReader returns an idle connection that still reads what is there, or nil.
func (d *DB) idleReader() *conn {
	for {
		c := d.readers.take()
		if c == nil || !d.changed(c) {
			return c
		}
		d.discard(c)
	}
}
