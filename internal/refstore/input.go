package refstore

import (
	"context"
	"slices"

	"github.com/lashstore/lashstore"
)

// EnqueueInput puts input at the end of the line.
func (s *Store) EnqueueInput(ctx context.Context, draft lashstore.InputDraft) (lashstore.EnqueuedInput, error) {
	if err := draft.Validate(); err != nil && !s.is(InputIsNotValidated) {
		return lashstore.EnqueuedInput{}, err
	}
	hash, err := draft.Hash()
	if err != nil && !s.is(InputIsNotValidated) {
		return lashstore.EnqueuedInput{}, err
	}
	e := entry{
		id: draft.ID, key: draft.SourceKey, hash: hash, ingress: draft.Ingress.WithDefaults(), input: slices.Clone(draft.Input),
	}
	s.mutateInput(&e, &draft)
	return write(ctx, s, func(t *tx) (done lashstore.EnqueuedInput, err error) {
		at, existing, err := t.enqueue(draft.SessionID, e)
		if err != nil {
			return done, err
		}
		return lashstore.EnqueuedInput{Input: t.turnInput(t.line[at]), Existing: existing}, nil
	})
}

// turnInput is an entry of input as the contract has it.
func (t *tx) turnInput(e entry) lashstore.TurnInput {
	return lashstore.TurnInput{
		ID: e.id, Seq: e.seq, SourceKey: e.key, Ingress: e.ingress, Input: e.input, EnqueuedAt: e.enqueued,
		State: t.standing(e), Attempts: e.attempts, Claim: t.claimInfo(e), SettledAt: e.settled,
	}
}

// selectInputs is what waits for the next turn, or what a running one may take at a checkpoint.
func (t *tx) selectInputs(at *lashstore.TurnCheckpoint, limit int) []int {
	var places []int
	for i, e := range t.line {
		comesIn := at == nil && (e.ingress.TurnID == "" || t.is(NextTurnTakesAllInput)) || at != nil && t.admits(*at, e.ingress)
		if !e.work && comesIn && t.claimable(e) && (len(places) < limit || t.is(InputLimitsAreIgnored)) {
			places = append(places, i)
		}
	}
	return places
}

func (t *tx) claimInputs(at *lashstore.TurnCheckpoint, places []int) *lashstore.InputClaim {
	claim, taken := t.claim(places)
	if taken == nil {
		return nil
	}
	c := &lashstore.InputClaim{Claim: claim, At: at}
	if t.is(CheckpointForgetsItsPlace) {
		c.At = nil
	}
	for _, e := range taken {
		c.Inputs = append(c.Inputs, t.turnInput(e))
	}
	return c
}

// ClaimTurnInputs claims what a running turn may take at a checkpoint.
func (s *Store) ClaimTurnInputs(ctx context.Context, fence *lashstore.Fence, at lashstore.TurnCheckpoint, limit int) (*lashstore.InputClaim, error) {
	claims, err := s.ClaimCheckpoint(ctx, fence, lashstore.CheckpointRequest{At: at, MaxInputs: limit})
	return claims.Inputs, err
}

// ClaimNextInputs claims what waits for the next turn.
func (s *Store) ClaimNextInputs(ctx context.Context, fence *lashstore.Fence, limit int) (*lashstore.InputClaim, error) {
	limit, err := lashstore.ClaimLimit("limit", limit)
	if err != nil {
		return nil, err
	}
	return write(ctx, s, func(t *tx) (*lashstore.InputClaim, error) {
		places := t.selectInputs(nil, limit)
		if err := fence.Verify(t.id, t.lease, t.now); err != nil && !(t.is(EmptyInputClaimsUnfenced) && places == nil) {
			return nil, err
		}
		return t.claimInputs(nil, places), nil
	})
}

// AbandonInputs gives claims back.
func (s *Store) AbandonInputs(ctx context.Context, claims ...*lashstore.InputClaim) error {
	var held []lashstore.Claim
	for _, c := range claims {
		if c != nil {
			held = append(held, c.Claim)
		}
	}
	return s.abandon(ctx, false, held)
}

// CancelInputs takes waiting inputs out.
func (s *Store) CancelInputs(ctx context.Context, targets ...lashstore.EntryTarget) ([]lashstore.InputCancellation, error) {
	if err := lashstore.ValidateTargets(targets); err != nil {
		return nil, err
	}
	return write(ctx, s, func(t *tx) (results []lashstore.InputCancellation, err error) {
		for _, target := range targets {
			at := t.place(false, target)
			if at < 0 && t.is(CancelSkipsUnknownInput) {
				continue
			}
			if at < 0 {
				results = append(results, lashstore.InputCancellation{Target: target, Outcome: lashstore.CancelNotFound})
				continue
			}
			results = append(results, t.cancelInput(target, at))
		}
		return results, nil
	})
}

func (t *tx) cancelInput(target lashstore.EntryTarget, at int) lashstore.InputCancellation {
	outcome, e := t.cancel(at)
	in := t.turnInput(e)
	return lashstore.InputCancellation{Target: target, Outcome: outcome, Input: &in}
}

// CancelInputsFrom cancels an input and all behind it in the line.
func (s *Store) CancelInputsFrom(ctx context.Context, anchor lashstore.EntryTarget) ([]lashstore.InputCancellation, error) {
	if err := anchor.Validate("anchor"); err != nil {
		return nil, err
	}
	return write(ctx, s, func(t *tx) (results []lashstore.InputCancellation, err error) {
		first := t.place(false, anchor)
		if first < 0 && t.is(UnknownAnchorIsEmpty) {
			return nil, nil
		}
		if first < 0 {
			return nil, &lashstore.EntryNotFoundError{Target: anchor}
		}
		if t.is(SuffixLeavesItsAnchor) {
			first++
		}
		for at := first; at < len(t.line); at++ {
			if !t.line[at].work && !(t.is(SuffixLeavesSettled) && t.line[at].state.Settled()) {
				results = append(results, t.cancelInput(lashstore.ByID(t.line[at].id), at))
			}
		}
		return results, nil
	})
}

// DeferInputs moves waiting input for other turns than one to the next turn.
func (s *Store) DeferInputs(ctx context.Context, fence *lashstore.Fence, keepTurn string) (int64, error) {
	if keepTurn != "" {
		if err := lashstore.ValidateID("keep_turn", keepTurn); err != nil {
			return 0, err
		}
	}
	return write(ctx, s, func(t *tx) (int64, error) {
		if err := fence.Verify(t.id, t.lease, t.now); err != nil && !t.is(DeferIsUnfenced) {
			return 0, err
		}
		return t.deferInputs(func(turnID string) bool { return turnID != keepTurn || t.is(DeferMovesTheKeptTurns) }), nil
	})
}

// deferInputs moves waiting input of the turns that of names to the next turn.
func (t *tx) deferInputs(of func(turnID string) bool) (moved int64) {
	for i := range t.line {
		e := &t.line[i]
		if !e.work && e.ingress.TurnID != "" && t.deferrable(*e) && of(e.ingress.TurnID) {
			e.ingress = lashstore.NextTurn()
			if !t.is(DeferMovesClaimedInput) {
				e.state = lashstore.EntryWaiting
			}
			moved++
		}
	}
	if t.is(DeferredInputGoesBack) && moved > 0 {
		t.toTheEnd(func(e entry) bool { return !e.work && e.ingress.TurnID == "" })
	}
	return moved
}

// ListInputs returns inputs in the order of the line.
func (s *Store) ListInputs(ctx context.Context, options *lashstore.ListOptions) ([]lashstore.TurnInput, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	return read(ctx, s, func(t *tx) (list []lashstore.TurnInput, err error) {
		t.listed(false, options, func(e entry) { list = append(list, t.turnInput(e)) })
		return list, nil
	})
}
