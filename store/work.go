package store

import (
	"context"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// EnqueueWork puts a batch at the end of the line.
func (s *Store) EnqueueWork(ctx context.Context, draft lashstore.WorkDraft) (lashstore.EnqueuedWork, error) {
	if err := draft.Validate(""); err != nil {
		return lashstore.EnqueuedWork{}, err
	}
	e, err := workSubmission(draft)
	if err != nil {
		return lashstore.EnqueuedWork{}, err
	}
	var done lashstore.EnqueuedWork
	err = s.update(ctx, func(t *tx) error {
		row, existing, err := t.enqueue(e)
		if err != nil {
			return err
		}
		done.Existing = existing
		done.Batch, err = t.batch(row)
		return err
	})
	if err != nil {
		return lashstore.EnqueuedWork{}, err
	}
	return done, nil
}

// workSubmission encodes a valid draft.
func workSubmission(d lashstore.WorkDraft) (submission, error) {
	hash, err := d.Hash()
	if err != nil {
		return submission{}, err
	}
	traits := d.Traits()
	class, delivery, slot := string(traits.Class), string(traits.Delivery), string(traits.Slot)
	content := lashstore.EncodeWorkItems(d.Items)
	e := submission{sessionID: d.SessionID, row: db.EntryCreateParams{
		Family: string(familyWork), Class: &class, Delivery: &delivery, Slot: &slot, MergeKey: optional(traits.MergeKey),
		SourceKey: optional(d.SourceKey), ContentHash: hash[:], Content: &content,
	}}
	if !d.NotBefore.IsZero() {
		at := lashstore.Millis(d.NotBefore)
		e.row.NotBeforeMS = &at
	}
	return e, nil
}

// batch is a row of work as the contract has it.
func (t *tx) batch(row db.Entry) (lashstore.WorkBatch, error) {
	b := t.batchWithoutItems(row)
	if row.Content == nil {
		return b, nil
	}
	items, err := lashstore.DecodeWorkItems(*row.Content)
	if err != nil {
		return b, &lashstore.CorruptError{What: "work", Key: row.EntryID, Reason: err.Error()}
	}
	if !b.State.Settled() {
		b.Items = items
	}
	return b, nil
}

func (t *tx) batchWithoutItems(row db.Entry) lashstore.WorkBatch {
	b := lashstore.WorkBatch{
		ID: row.EntryID, Seq: row.Seq, SourceKey: value(row.SourceKey), Attempts: row.Attempts,
		WorkTraits: traitsOf(row.Class, row.Delivery, row.Slot, row.MergeKey),
		EnqueuedAt: lashstore.FromMillis(row.EnqueuedAtMS), SettledAt: settledAt(row),
	}
	if row.NotBeforeMS != nil {
		b.NotBefore = lashstore.FromMillis(*row.NotBeforeMS)
	}
	b.State, b.Claim = t.standing(row)
	return b
}

func traitsOf(class, delivery, slot, mergeKey *string) lashstore.WorkTraits {
	return lashstore.WorkTraits{
		Class: lashstore.WorkClass(value(class)), Delivery: lashstore.WorkDelivery(value(delivery)),
		Slot: lashstore.WorkSlot(value(slot)), MergeKey: value(mergeKey),
	}
}

// AbandonWork gives claims back.
func (s *Store) AbandonWork(ctx context.Context, claims ...*lashstore.WorkClaim) error {
	held := make([]lashstore.Claim, 0, len(claims))
	for _, c := range claims {
		if c != nil {
			held = append(held, c.Claim)
		}
	}
	return s.abandon(ctx, familyWork, held)
}

// CancelWork takes waiting batches out. One that cannot be read is taken out too: nothing in the line may stop it.
func (s *Store) CancelWork(ctx context.Context, targets ...lashstore.EntryTarget) ([]lashstore.WorkCancellation, error) {
	if err := lashstore.ValidateTargets(targets); err != nil {
		return nil, err
	}
	var results []lashstore.WorkCancellation
	err := s.update(ctx, func(t *tx) error {
		for _, target := range targets {
			result := lashstore.WorkCancellation{Target: target, Outcome: lashstore.CancelNotFound}
			row, err := t.find(familyWork, target)
			if err != nil {
				return err
			}
			if row != nil {
				if result.Batch, result.Outcome, err = t.cancelWork(*row); err != nil {
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

func (t *tx) cancelWork(row db.Entry) (*lashstore.WorkBatch, lashstore.CancelOutcome, error) {
	outcome, row, err := t.cancel(row)
	if err != nil {
		return nil, outcome, err
	}
	b := t.batchWithoutItems(row)
	if row.Content != nil {
		if items, err := lashstore.DecodeWorkItems(*row.Content); err == nil {
			b.Items = items
		}
	}
	return &b, outcome, nil
}

// ListWork returns batches in the order of the line.
func (s *Store) ListWork(ctx context.Context, options *lashstore.ListOptions) ([]lashstore.WorkBatch, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	var list []lashstore.WorkBatch
	err := s.view(ctx, func(t *tx) error {
		return t.entries(familyWork, options, func(row db.Entry) error {
			b, err := t.batch(row)
			list = append(list, b)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
