package store

import (
	"context"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// EnqueueInput puts input at the end of the line.
func (s *Store) EnqueueInput(ctx context.Context, draft lashstore.InputDraft) (lashstore.EnqueuedInput, error) {
	if err := draft.Validate(); err != nil {
		return lashstore.EnqueuedInput{}, err
	}
	hash, err := draft.Hash()
	if err != nil {
		return lashstore.EnqueuedInput{}, err
	}
	ingress, content := draft.Ingress.WithDefaults(), string(draft.Input)
	e := submission{sessionID: draft.SessionID, id: draft.ID, row: db.EntryCreateParams{
		Family: string(familyInput), TurnID: optional(ingress.TurnID), Boundary: optional(string(ingress.Boundary)),
		SourceKey: optional(draft.SourceKey), ContentHash: hash[:], Content: &content,
	}}
	var done lashstore.EnqueuedInput
	err = s.update(ctx, func(t *tx) error {
		row, existing, err := t.enqueue(e)
		if err != nil {
			return err
		}
		done.Existing = existing
		done.Input, err = t.input(row)
		return err
	})
	if err != nil {
		return lashstore.EnqueuedInput{}, err
	}
	return done, nil
}

// input is a row of input as the contract has it.
func (t *tx) input(row db.Entry) (lashstore.TurnInput, error) {
	in := lashstore.TurnInput{
		ID: row.EntryID, Seq: row.Seq, SourceKey: value(row.SourceKey), Ingress: ingressOf(row.TurnID, row.Boundary),
		EnqueuedAt: lashstore.FromMillis(row.EnqueuedAtMS), Attempts: row.Attempts, SettledAt: settledAt(row),
	}
	in.State, in.Claim = t.standing(row)
	var err error
	in.Input, err = rawJSON(row.Content, "input", row.EntryID)
	if err == nil && in.Input == nil {
		err = &lashstore.CorruptError{What: "input", Key: row.EntryID, Reason: "its content is missing"}
	}
	return in, err
}

func ingressOf(turnID, boundary *string) lashstore.Ingress {
	return lashstore.Ingress{TurnID: value(turnID), Boundary: lashstore.TurnBoundary(value(boundary))}
}

// AbandonInputs gives claims back.
func (s *Store) AbandonInputs(ctx context.Context, claims ...*lashstore.InputClaim) error {
	held := make([]lashstore.Claim, 0, len(claims))
	for _, c := range claims {
		if c != nil {
			held = append(held, c.Claim)
		}
	}
	return s.abandon(ctx, familyInput, held)
}

// CancelInputs takes waiting inputs out.
func (s *Store) CancelInputs(ctx context.Context, targets ...lashstore.EntryTarget) ([]lashstore.InputCancellation, error) {
	if err := lashstore.ValidateTargets(targets); err != nil {
		return nil, err
	}
	var results []lashstore.InputCancellation
	err := s.update(ctx, func(t *tx) error {
		for _, target := range targets {
			row, err := t.find(familyInput, target)
			if err != nil {
				return err
			}
			result := lashstore.InputCancellation{Target: target, Outcome: lashstore.CancelNotFound}
			if row != nil {
				if result, err = t.cancelInput(target, *row); err != nil {
					return err
				}
			}
			results = append(results, result)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// CancelInputsFrom cancels an input and all behind it in the line.
func (s *Store) CancelInputsFrom(ctx context.Context, anchor lashstore.EntryTarget) ([]lashstore.InputCancellation, error) {
	if err := anchor.Validate("anchor"); err != nil {
		return nil, err
	}
	var results []lashstore.InputCancellation
	err := s.update(ctx, func(t *tx) error {
		first, err := t.find(familyInput, anchor)
		if err != nil {
			return err
		}
		if first == nil {
			return &lashstore.EntryNotFoundError{Target: anchor}
		}
		behind := &lashstore.ListOptions{Scope: lashstore.ListAll, After: first.Seq - 1}
		return t.entries(familyInput, behind, func(row db.Entry) error {
			result, err := t.cancelInput(lashstore.ByID(row.EntryID), row)
			results = append(results, result)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// cancelInput takes one out if it waits. One that cannot be read is taken out too, and shown without its content.
func (t *tx) cancelInput(target lashstore.EntryTarget, row db.Entry) (lashstore.InputCancellation, error) {
	outcome, row, err := t.cancel(row)
	if err != nil {
		return lashstore.InputCancellation{}, err
	}
	in, err := t.input(row)
	if err != nil {
		in.Input = nil
	}
	return lashstore.InputCancellation{Target: target, Outcome: outcome, Input: &in}, nil
}

// DeferInputs moves waiting input for other turns than one to the next turn.
func (s *Store) DeferInputs(ctx context.Context, fence *lashstore.Fence, keepTurn string) (int64, error) {
	if keepTurn != "" {
		if err := lashstore.ValidateID("keep_turn", keepTurn); err != nil {
			return 0, err
		}
	}
	var moved int64
	err := s.update(ctx, func(t *tx) (err error) {
		if err := fence.Verify(s.sessionID, t.state.lease, t.Now); err != nil {
			return err
		}
		moved, err = t.q.EntryDeferOthers(t.Context(), optional(keepTurn))
		return err
	})
	if err != nil {
		return 0, err
	}
	return moved, nil
}

// ListInputs returns inputs in the order of the line.
func (s *Store) ListInputs(ctx context.Context, options *lashstore.ListOptions) ([]lashstore.TurnInput, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	var list []lashstore.TurnInput
	err := s.view(ctx, func(t *tx) error {
		return t.entries(familyInput, options, func(row db.Entry) error {
			in, err := t.input(row)
			list = append(list, in)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
