package testsuite

import (
	"runtime"
	"sync"
	"time"
)

// Epoch is the moment at which every Clock of the kit begins.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// Clock is a clock that stands still until it is told otherwise. Safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows Epoch.
func NewClock() *Clock { return &Clock{now: Epoch} }

// Now returns the time that is shown.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// tickingClock shows a later millisecond each time it is read. Every other time it lets others run before it answers, so
// that a reader who should not have been overtaken is.
type tickingClock struct{ Clock }

func (c *tickingClock) Now() time.Time {
	c.mu.Lock()
	c.now = c.now.Add(time.Millisecond)
	now := c.now
	c.mu.Unlock()
	if now.UnixMilli()%2 == 0 {
		for range 200 {
			runtime.Gosched()
		}
	}
	return now
}
