package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// WaitReady returns as soon as something can be claimed.
func (s *Store) WaitReady(ctx context.Context, options *lashstore.WaitOptions) (lashstore.Readiness, error) {
	if err := options.Validate(); err != nil {
		return lashstore.Readiness{}, err
	}
	var ready lashstore.Readiness
	err := s.await(ctx, func(t *tx) (done bool, next int64, err error) {
		if ready, err = t.readiness(options); err != nil || ready.Any() {
			return true, 0, err
		}
		next, err = t.nextChance()
		return false, next, err
	})
	if err != nil {
		return lashstore.Readiness{}, err
	}
	return ready, nil
}

// WaitLease returns as soon as the execution lease is free or has expired.
func (s *Store) WaitLease(ctx context.Context) error {
	return s.await(ctx, func(t *tx) (done bool, next int64, err error) {
		return !t.state.lease.LiveAt(t.Now), lashstore.Millis(t.state.lease.ExpiresAt), nil
	})
}

// await looks again after every change of the session, and at the moment that the last look named, until look is done.
// Moments are milliseconds, 0 for none.
func (s *Store) await(ctx context.Context, look func(*tx) (done bool, next int64, err error)) error {
	return s.db.Await(ctx, func(raw *sqlitedb.Tx) (done bool, next int64, err error) {
		err = s.within(raw, func(t *tx) error {
			done, next, err = look(t)
			return err
		})
		return done, next, err
	})
}

// readiness is what could be claimed now by whoever takes the lease, or has it.
func (t *tx) readiness(o *lashstore.WaitOptions) (lashstore.Readiness, error) {
	head, err := t.workHead()
	if err != nil {
		return lashstore.Readiness{}, err
	}
	var at *lashstore.TurnCheckpoint
	if o != nil {
		at = o.At
	}
	waiting, err := inputSelection(at, 1)(t)
	if err != nil {
		return lashstore.Readiness{}, err
	}
	input := len(waiting) > 0
	if !input {
		input, err = t.inputToReturn(at)
	}
	return o.ReadyAt(head, input), err
}

// workHead is the first batch that counts as ready: it is, or it is hidden and due, or it is claimed under a lease that
// has ended.
func (t *tx) workHead() (*lashstore.WorkTraits, error) {
	var first int64
	var head *lashstore.WorkTraits
	consider := func(seq int64, traits lashstore.WorkTraits, err error) error {
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil && (head == nil || seq < first) {
			first, head = seq, &traits
		}
		return err
	}
	ready, err := t.q.EntryNextReady(t.Context(), db.EntryNextReadyParams{Family: string(familyWork)})
	if err := consider(ready.Seq, traitsOf(ready.Class, ready.Delivery, ready.Slot, ready.MergeKey), err); err != nil {
		return nil, err
	}
	now := t.now()
	due, err := t.q.EntryFirstDue(t.Context(), &now)
	if err := consider(due.Seq, traitsOf(due.Class, due.Delivery, due.Slot, due.MergeKey), err); err != nil {
		return nil, err
	}
	if t.state.lease.LiveAt(t.Now) {
		return head, nil
	}
	back, err := t.q.EntryFirstClaimed(t.Context(), string(familyWork))
	err = consider(back.Seq, traitsOf(back.Class, back.Delivery, back.Slot, back.MergeKey), err)
	return head, err
}

// inputToReturn reports whether input is claimed under a lease that has ended and comes in there.
func (t *tx) inputToReturn(at *lashstore.TurnCheckpoint) (bool, error) {
	if t.state.lease.LiveAt(t.Now) {
		return false, nil
	}
	rows, err := t.q.EntryClaimedInputs(t.Context())
	for _, row := range rows {
		ingress := ingressOf(row.TurnID, row.Boundary)
		if at == nil && ingress.TurnID == "" || at != nil && at.Admits(ingress) {
			return true, err
		}
	}
	return false, err
}

// nextChance is when something may become claimable without anybody's writing: what is hidden is due, or the lease
// under which something is claimed ends.
func (t *tx) nextChance() (int64, error) {
	next, err := t.nextDue()
	if err != nil || !t.state.lease.LiveAt(t.Now) {
		return next, err
	}
	ends := lashstore.Millis(t.state.lease.ExpiresAt)
	for _, f := range []family{familyWork, familyInput} {
		_, err := t.q.EntryFirstClaimed(t.Context(), string(f))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if next == 0 || ends < next {
			next = ends
		}
	}
	return next, nil
}
