package refstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/lashstore/lashstore"
)

// EnqueueWork puts a batch at the end of the line.
func (s *Store) EnqueueWork(ctx context.Context, draft lashstore.WorkDraft) (lashstore.EnqueuedWork, error) {
	if err := draft.Validate(""); err != nil && !s.is(WorkIsNotValidated) {
		return lashstore.EnqueuedWork{}, err
	}
	e, err := workEntry(draft)
	if err != nil {
		return lashstore.EnqueuedWork{}, err
	}
	s.spoilWork(&e)
	early := s.is(SourceKeyIsLookedUpFirst) && s.unknown(ctx, draft.SourceKey)
	return write(ctx, s, func(t *tx) (done lashstore.EnqueuedWork, err error) {
		if t.is(WorkNeedsAFreeLease) && t.lease.LiveAt(t.now) {
			return done, &lashstore.LeaseBusyError{Holder: t.lease.WithoutToken()}
		}
		if early {
			return lashstore.EnqueuedWork{Batch: t.batch(t.append(e))}, nil
		}
		at, existing, err := t.enqueue(draft.SessionID, e)
		if err != nil {
			return done, err
		}
		return lashstore.EnqueuedWork{Batch: t.batch(t.line[at]), Existing: existing}, nil
	})
}

func workEntry(d lashstore.WorkDraft) (entry, error) {
	hash, err := d.Hash()
	e := entry{work: true, key: d.SourceKey, hash: hash, traits: d.Traits()}
	if !d.NotBefore.IsZero() {
		e.notBefore = lashstore.FromMillis(lashstore.Millis(d.NotBefore))
	}
	for _, item := range d.Items {
		e.items = append(e.items, lashstore.WorkItem{Kind: item.Kind, Payload: slices.Clone(item.Payload)})
	}
	return e, err
}

// batch is an entry of work as the contract has it.
func (t *tx) batch(e entry) lashstore.WorkBatch {
	return lashstore.WorkBatch{
		ID: e.id, Seq: e.seq, SourceKey: e.key, WorkTraits: e.traits, NotBefore: e.notBefore, EnqueuedAt: e.enqueued,
		Items: e.items, State: t.standing(e), Attempts: e.attempts, Claim: t.claimInfo(e), SettledAt: e.settled,
	}
}

// selectWork is what the rule takes of the line.
func (t *tx) selectWork(class lashstore.WorkClass, boundary lashstore.WorkBoundary, limit int) []int {
	var places []int
	taken := lashstore.SelectWork(class, boundary, limit, func(yield func(lashstore.WorkTraits) bool) {
		for at, e := range t.line {
			if e.work && !t.claimable(e) && t.blocks(e) {
				return
			}
			if !e.work || !t.claimable(e) || t.passes(at, e, class, boundary) {
				continue
			}
			places = append(places, at)
			if !yield(t.traits(e, class)) {
				return
			}
		}
	})
	return places[:taken]
}

func (t *tx) claimWork(places []int) *lashstore.WorkClaim {
	before := slices.Clone(t.line)
	claim, taken := t.claim(places)
	if taken == nil {
		return nil
	}
	c := &lashstore.WorkClaim{Claim: claim}
	for i, e := range taken {
		if t.is(ClaimHoldsOldBatches) {
			e = before[places[i]]
		}
		c.Batches = append(c.Batches, t.batch(e))
	}
	return c
}

// ClaimCommand claims the batch at the head of the line if it is a command.
func (s *Store) ClaimCommand(ctx context.Context, fence *lashstore.Fence) (*lashstore.WorkClaim, error) {
	return s.claimingWork(ctx, fence, func(t *tx) []int { return t.selectWork(lashstore.ClassCommand, lashstore.BoundaryIdle, 1) })
}

// ClaimWork claims turn work at the head of the line.
func (s *Store) ClaimWork(ctx context.Context, fence *lashstore.Fence, boundary lashstore.WorkBoundary, limit int) (*lashstore.WorkClaim, error) {
	if err := boundary.Validate(); err != nil && !s.is(ClaimsAreNotValidated) {
		return nil, err
	}
	limit, err := s.claimLimit(limit)
	if err != nil || s.is(LimitZeroNeedsNoFence) && limit == 0 {
		return nil, err
	}
	return s.claimingWork(ctx, fence, func(t *tx) []int { return t.selectWork(lashstore.ClassTurn, boundary, limit) })
}

// ClaimWorkByID claims exactly these batches of turn work.
func (s *Store) ClaimWorkByID(ctx context.Context, fence *lashstore.Fence, boundary lashstore.WorkBoundary, ids []string) (*lashstore.WorkClaim, error) {
	if err := cmp.Or(boundary.Validate(), lashstore.ValidateClaimIDs(ids)); err != nil && !s.is(ClaimsAreNotValidated) {
		return nil, err
	}
	return s.claimingWork(ctx, fence, func(t *tx) []int { return t.wrongPlaces(ids, boundary, t.placesOf(ids, boundary)) })
}

// placesOf is where these batches are, if the rule takes all of them.
func (t *tx) placesOf(ids []string, boundary lashstore.WorkBoundary) (places []int) {
	var line []lashstore.WorkTraits
	for _, id := range ids {
		at := t.place(true, lashstore.ByID(id))
		if at < 0 || !t.claimable(t.line[at]) {
			return nil
		}
		places, line = append(places, at), append(line, t.traits(t.line[at], lashstore.ClassTurn))
	}
	if lashstore.SelectWork(lashstore.ClassTurn, boundary, len(ids), slices.Values(line)) < len(ids) {
		return nil
	}
	return places
}

func (s *Store) claimingWork(ctx context.Context, fence *lashstore.Fence, choose func(*tx) []int) (*lashstore.WorkClaim, error) {
	var early []int
	if s.is(ClaimIsDecidedBefore) {
		_ = s.view(ctx, func(t *tx) error { early = choose(t); return nil })
		yieldALot()
	}
	return write(ctx, s, func(t *tx) (*lashstore.WorkClaim, error) {
		places := choose(t)
		if err := fence.Verify(t.id, t.lease, t.now); err != nil && !t.skipsFence(places) {
			return nil, err
		}
		if t.is(ClaimIsDecidedBefore) {
			places = early
		}
		return t.claimWork(places), nil
	})
}

// AbandonWork gives claims back.
func (s *Store) AbandonWork(ctx context.Context, claims ...*lashstore.WorkClaim) error {
	var held []lashstore.Claim
	for _, c := range claims {
		if c != nil {
			held = append(held, c.Claim)
		}
	}
	return s.abandon(ctx, true, held)
}

// CancelWork takes waiting batches out.
func (s *Store) CancelWork(ctx context.Context, targets ...lashstore.EntryTarget) ([]lashstore.WorkCancellation, error) {
	if err := lashstore.ValidateTargets(targets); err != nil {
		if s.is(CancelIsPiecemeal) && len(targets) > 1 {
			_, _ = s.CancelWork(ctx, targets[:1]...)
		}
		return nil, err
	}
	return write(ctx, s, func(t *tx) (results []lashstore.WorkCancellation, err error) {
		for _, target := range targets {
			result := lashstore.WorkCancellation{Target: target, Outcome: lashstore.CancelNotFound}
			at := t.place(true, target)
			if at < 0 && t.is(CancelMixesFamilies) {
				at = t.place(false, target)
			}
			if at >= 0 {
				outcome, e := t.cancel(at)
				b := t.batch(e)
				result.Outcome, result.Batch = outcome, &b
			} else if t.is(CancelEndsAtUnknown) {
				return append(results, make([]lashstore.WorkCancellation, len(targets)-len(results))...), nil
			}
			results = append(results, result)
		}
		return results, nil
	})
}

// ListWork returns batches in the order of the line.
func (s *Store) ListWork(ctx context.Context, options *lashstore.ListOptions) ([]lashstore.WorkBatch, error) {
	if err := options.Validate(); err != nil && !s.is(ListsAreNotValidated) {
		return nil, err
	}
	return read(ctx, s, func(t *tx) (list []lashstore.WorkBatch, err error) {
		t.listed(true, options, func(e entry) { list = append(list, t.batch(e)) })
		return list, nil
	})
}
