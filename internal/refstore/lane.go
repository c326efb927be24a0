package refstore

import (
	"context"
	"time"

	"github.com/lashstore/lashstore"
)

// ClaimCheckpoint claims what a running turn may take of both families.
func (s *Store) ClaimCheckpoint(ctx context.Context, fence *lashstore.Fence, request lashstore.CheckpointRequest) (lashstore.CheckpointClaims, error) {
	if err := request.Validate(); err != nil {
		return lashstore.CheckpointClaims{}, err
	}
	return write(ctx, s, func(t *tx) (claims lashstore.CheckpointClaims, err error) {
		at := request.At
		inputs := t.selectInputs(&at, min(request.MaxInputs, lashstore.MaxClaim))
		work := t.selectWork(lashstore.ClassTurn, t.checkpointBoundary(), min(request.MaxWork, lashstore.MaxClaim))
		if err := fence.Verify(t.id, t.lease, t.now); err != nil && !(t.is(EmptyInputClaimsUnfenced) && inputs == nil) {
			return claims, err
		}
		claims.Inputs = t.claimInputs(&at, inputs)
		if !(t.is(CheckpointTakesOneFamily) && claims.Inputs != nil) {
			claims.Work = t.claimWork(work)
		}
		t.mutateClaims(claims)
		return claims, nil
	})
}

// WaitReady returns as soon as something can be claimed.
func (s *Store) WaitReady(ctx context.Context, options *lashstore.WaitOptions) (ready lashstore.Readiness, err error) {
	if err := options.Validate(); err != nil && !s.is(WaitsAreNotValidated) {
		return ready, err
	}
	err = s.await(ctx, func(t *tx) (bool, time.Time) {
		ready = t.readiness(options)
		return ready.Any(), t.nextChance()
	})
	return ready, err
}

// WaitLease returns as soon as the execution lease is free or has expired.
func (s *Store) WaitLease(ctx context.Context) error {
	return s.await(ctx, func(t *tx) (bool, time.Time) {
		return !t.lease.LiveAt(t.now) || t.is(LeaseWaitIsOverAtOnce), t.lease.ExpiresAt
	})
}

func (t *tx) readiness(o *lashstore.WaitOptions) lashstore.Readiness {
	var head *lashstore.WorkTraits
	for _, e := range t.line {
		if e.work && t.claimable(e) {
			head = &e.traits
			break
		}
	}
	var at *lashstore.TurnCheckpoint
	if o != nil {
		at = o.At
	}
	if t.is(CheckpointsWaitIdly) {
		o, at = nil, nil
	}
	return o.ReadyAt(head, len(t.selectInputs(at, 1)) > 0)
}

// nextChance is when something may become claimable without anybody's writing; zero for never.
func (t *tx) nextChance() (next time.Time) {
	consider := func(at time.Time) {
		if at.After(t.now) && !t.is(WaitsIgnoreTime) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, e := range t.line {
		switch t.standing(e) {
		case lashstore.EntryWaiting:
			consider(e.notBefore)
		case lashstore.EntryClaimed:
			if !t.is(WaitsIgnoreExpiry) {
				consider(t.lease.ExpiresAt)
			}
		}
	}
	return next
}

// await looks again after every change of the place, and at the moment that the last look named.
func (s *Store) await(ctx context.Context, look func(*tx) (done bool, next time.Time)) error {
	for first := true; ; first = false {
		var done bool
		var changed <-chan struct{}
		var timer <-chan time.Time
		if err := s.view(ctx, func(t *tx) error {
			var next time.Time
			done, next = look(t)
			done = done && !(first && t.is(WaitsAreNeverOver))
			if !s.is(WaitsAreNotWoken) {
				changed = s.place.changed
			}
			if next.After(t.now) {
				timer = time.After(next.Sub(t.now))
			}
			return nil
		}); err != nil || done {
			return err
		}
		ended := ctx.Done()
		if s.is(WaitsOutliveContexts) {
			ended = nil
		}
		select {
		case <-changed:
		case <-timer:
		case <-ended:
			return ctx.Err()
		}
	}
}
