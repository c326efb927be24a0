package lease

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lashstore/lashstore"
)

// Keeper renews a lease in the background for as long as it is wanted, and says when it is lost. It knows nothing of
// what the lease is of.
type Keeper struct {
	options KeeperOptions
	ctx     context.Context
	cancel  context.CancelCauseFunc
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

// KeeperOptions say how to keep a lease. All are required.
type KeeperOptions struct {
	Timings lashstore.LeaseTimings
	// Renew extends the lease by the TTL. An error that matches lashstore.ErrLeaseLost is final; every other one is tried
	// again for as long as the lease lasts.
	Renew func(context.Context) error
	// Failed hears of renewals that failed and are tried again.
	Failed func(error)
}

// Keep keeps a lease that was acquired, or last renewed, no earlier than at since, on this machine's own clock. The
// lease is given up for lost when its TTL has passed since the last renewal that succeeded began: no clock of anybody
// else counts.
func Keep(parent context.Context, since time.Time, o KeeperOptions) *Keeper {
	k := &Keeper{options: o, stop: make(chan struct{}), stopped: make(chan struct{})}
	k.ctx, k.cancel = context.WithCancelCause(parent)
	go k.run(since)
	return k
}

// Context is cancelled when the lease is lost, by an error that matches lashstore.ErrLeaseLost (context.Cause), or when
// the keeper is stopped.
func (k *Keeper) Context() context.Context { return k.ctx }

// Stop ends the renewing and waits for it. It cancels the context. Safe to repeat.
func (k *Keeper) Stop() {
	k.once.Do(func() { close(k.stop) })
	<-k.stopped
	k.cancel(context.Canceled)
}

// Lost returns why the lease is lost; nil while it is held, or was when the keeper was stopped.
func (k *Keeper) Lost() error {
	if cause := context.Cause(k.ctx); errors.Is(cause, lashstore.ErrLeaseLost) {
		return cause
	}
	return nil
}

func (k *Keeper) run(renewed time.Time) {
	defer close(k.stopped)
	wait := time.Until(renewed.Add(k.options.Timings.Renew))
	for k.sleep(wait) {
		began := time.Now()
		deadline := renewed.Add(k.options.Timings.TTL)
		err := k.renew(deadline)
		switch {
		case err == nil:
			renewed = began
			wait = time.Until(began.Add(k.options.Timings.Renew))
		case errors.Is(err, lashstore.ErrLeaseLost):
			k.cancel(err)
			return
		case !time.Now().Before(deadline):
			k.cancel(&lashstore.LeaseUnrenewedError{TTL: k.options.Timings.TTL, Last: err})
			return
		default:
			k.options.Failed(err)
			wait = min(retryPause(k.options.Timings), time.Until(deadline))
		}
	}
}

// renew tries once. A renewal that is still under way when the lease ends is too late.
func (k *Keeper) renew(deadline time.Time) error {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(k.ctx), deadline)
	defer cancel()
	return k.options.Renew(ctx)
}

// sleep reports whether to go on.
func (k *Keeper) sleep(d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-k.stop:
		return false
	case <-k.ctx.Done():
		return false
	}
}

// retryPause is shorter than the regular one, so that many tries fit into what is left.
func retryPause(t lashstore.LeaseTimings) time.Duration { return max(t.Renew/10, time.Millisecond) }
