package store

import (
	"context"
	"math"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Vacuum deletes what was kept for a while only, one batch a transaction, and then gives free pages back.
func (s *Store) Vacuum(ctx context.Context, options *lashstore.VacuumOptions) (lashstore.VacuumReport, error) {
	var report lashstore.VacuumReport
	if err := options.Validate(); err != nil {
		return report, err
	}
	if options == nil {
		options = &lashstore.VacuumOptions{}
	}
	o := *options
	if o.Batch == 0 {
		o.Batch = lashstore.DefaultBatch
	}
	tombstonesBefore := int64(math.MaxInt64)
	if !o.TombstonesBefore.IsZero() {
		tombstonesBefore = lashstore.Millis(o.TombstonesBefore)
	}
	var err error
	report.Nodes, err = s.inBatches(ctx, func(t *tx) (int64, error) {
		return t.q.NodeVacuum(t.Context(), db.NodeVacuumParams{BeforeMS: &tombstonesBefore, MaxRows: int64(o.Batch)})
	})
	if err == nil {
		report.Receipts, err = s.vacuumBefore(ctx, o.ReceiptsBefore, func(t *tx, before int64) (int64, error) {
			return t.q.ReceiptVacuum(t.Context(), db.ReceiptVacuumParams{BeforeMS: before, MaxRows: int64(o.Batch)})
		})
	}
	if err == nil {
		report.Usage, err = s.vacuumBefore(ctx, o.UsageBefore, func(t *tx, before int64) (int64, error) {
			return t.q.UsageVacuum(t.Context(), db.UsageVacuumParams{BeforeMS: before, MaxRows: int64(o.Batch)})
		})
	}
	if err == nil && !o.KeepFreePages {
		report.Pages, err = s.returnPages(ctx)
	}
	return report, err
}

func (s *Store) vacuumBefore(ctx context.Context, before time.Time, batch func(*tx, int64) (int64, error)) (int64, error) {
	if before.IsZero() {
		return 0, nil
	}
	return s.inBatches(ctx, func(t *tx) (int64, error) { return batch(t, lashstore.Millis(before)) })
}

// inBatches repeats batch, each time in a transaction of its own, until it finds nothing more.
func (s *Store) inBatches(ctx context.Context, batch func(*tx) (int64, error)) (int64, error) {
	var total int64
	for {
		var n int64
		if err := s.update(ctx, func(t *tx) error {
			var err error
			n, err = batch(t)
			return err
		}); err != nil {
			return total, err
		}
		if n == 0 {
			return total, nil
		}
		total += n
	}
}

// pagesPerStep bounds how long giving pages back holds the write lock.
const pagesPerStep = 1024

func (s *Store) returnPages(ctx context.Context) (int64, error) {
	var total int64
	for {
		n, err := s.db.IncrementalVacuum(ctx, pagesPerStep)
		total += n
		if err != nil || n < pagesPerStep {
			return total, err
		}
	}
}
