package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/lease"
)

// LaneOptions configure AcquireLane. Nil, and the zero value of each field, take the default.
type LaneOptions struct {
	// Timings of the lease. Default lashstore.DefaultLeaseTimings.
	Timings lashstore.LeaseTimings
	// Wait waits for a lane that somebody holds, as long as the context allows. Default: LeaseBusyError at once.
	Wait bool
	// ResumeTurn is the turn that the owner goes on with. Input that waits for it stays; input for every other turn goes
	// to the next one, as nobody is left to take it. "" resumes none.
	ResumeTurn string
	// Logger gets renewals that failed and were tried again. Default silent.
	Logger *slog.Logger
}

// Lane is the execution lease of a session, held and kept: renewed in the background until Close, or until it is lost.
// Its methods are safe for concurrent use.
type Lane struct {
	store  lashstore.SessionStore
	lease  lashstore.Lease
	keeper *lease.Keeper

	closing sync.Once
	closed  error
}

// AcquireLane takes the execution lease of s for owner, from a dead holder too where its death can be proven, and keeps
// it. What the last owner had claimed, and input for turns that died with it, waits again.
//
// The lane works on any backend. Errors: LeaseBusyError without LaneOptions.Wait; InvalidError; the context's; those of
// the store.
func AcquireLane(ctx context.Context, s lashstore.SessionStore, owner lashstore.Owner, options *LaneOptions) (*Lane, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	since := time.Now()
	held, err := takeLane(ctx, s, owner, o.Timings.TTL)
	for o.Wait && errors.Is(err, lashstore.ErrLeaseBusy) {
		if err = s.WaitLease(ctx); err == nil {
			since = time.Now()
			held, err = takeLane(ctx, s, owner, o.Timings.TTL)
		}
	}
	if err != nil {
		return nil, err
	}
	l := &Lane{store: s, lease: held}
	l.keeper = lease.Keep(ctx, since, lease.KeeperOptions{
		Timings: o.Timings,
		Renew: func(ctx context.Context) error {
			_, err := s.RenewLease(ctx, held.Fence(), o.Timings.TTL)
			return err
		},
		Failed: func(err error) {
			o.Logger.Warn("renewing the lease failed; trying again", "session", held.SessionID, "error", err)
		},
	})
	if _, err := s.DeferInputs(ctx, held.Fence(), o.ResumeTurn); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (o *LaneOptions) withDefaults() (LaneOptions, error) {
	var full LaneOptions
	if o != nil {
		full = *o
	}
	if full.Timings == (lashstore.LeaseTimings{}) {
		full.Timings = lashstore.DefaultLeaseTimings
	}
	if full.Logger == nil {
		full.Logger = slog.New(slog.DiscardHandler)
	}
	if full.ResumeTurn != "" {
		if err := lashstore.ValidateID("options.resume_turn", full.ResumeTurn); err != nil {
			return full, err
		}
	}
	return full, full.Timings.Validate()
}

// takeLane takes the lease, or takes it over from a holder that is provably dead.
func takeLane(ctx context.Context, s lashstore.SessionStore, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	held, err := s.TakeLease(ctx, owner, ttl)
	var busy *lashstore.LeaseBusyError
	if errors.As(err, &busy) {
		return s.ReclaimLease(ctx, owner, busy.Holder, ttl)
	}
	return held, err
}

// Context is to be used for everything that is done under the lease. It is cancelled when the lease is lost, with a cause
// (context.Cause) that matches lashstore.ErrLeaseLost, when the lane is closed, and with the context it was acquired in.
func (l *Lane) Context() context.Context { return l.keeper.Context() }

// Lease returns the lease as it was acquired; it has been renewed since.
func (l *Lane) Lease() lashstore.Lease { return l.lease }

// Fence is what every write shows that is made under the lease.
func (l *Lane) Fence() *lashstore.Fence { return l.lease.Fence() }

// Lost returns why the lease is lost, an error that matches lashstore.ErrLeaseLost; nil while it is held.
func (l *Lane) Lost() error { return l.keeper.Lost() }

// releasePatience is how long closing a lane tries to give the lease back.
const releasePatience = 10 * time.Second

// Close stops the renewing and gives the lease back; what was claimed and not settled waits again. A lease that was
// lost, or was released by a commit, is nothing to give back. Safe to repeat: it returns the first result.
func (l *Lane) Close() error {
	l.closing.Do(func() {
		l.keeper.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), releasePatience)
		defer cancel()
		if err := l.store.ReleaseLease(ctx, l.Fence()); err != nil {
			l.closed = fmt.Errorf("release the lease: %w", err)
		}
	})
	return l.closed
}
