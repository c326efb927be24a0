package store

import (
	"context"
	"database/sql"
	"errors"
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
		return t.q.NodeVacuum(t.Context(), db.NodeVacuumParams{
			BeforeMS: &tombstonesBefore, OldestKept: t.oldestKept(), MaxRows: int64(o.Batch),
		})
	})
	if err == nil {
		report.Receipts, err = s.walkRevisions(ctx, o.ReceiptsBefore, receiptWalk(o.Batch))
	}
	if err == nil {
		report.Revisions, err = s.walkRevisions(ctx, o.RevisionsBefore, logWalk(o.Batch))
	}
	if err == nil {
		report.Usage, err = s.walkRevisions(ctx, o.UsageBefore, usageWalk(o.Batch))
	}
	if err == nil {
		report.Work, err = s.vacuumEntries(ctx, familyWork, o.WorkBefore, o.Batch)
	}
	if err == nil {
		report.Inputs, err = s.vacuumEntries(ctx, familyInput, o.InputsBefore, o.Batch)
	}
	if err == nil && !o.KeepFreePages {
		report.Pages, err = s.returnPages(ctx)
	}
	return report, err
}

// vacuumEntries forgets settled entries of a family, oldest first.
func (s *Store) vacuumEntries(ctx context.Context, f family, before time.Time, batch int) (int64, error) {
	if before.IsZero() {
		return 0, nil
	}
	at := lashstore.Millis(before)
	return s.inBatches(ctx, func(t *tx) (int64, error) {
		return t.q.EntryVacuum(t.Context(), db.EntryVacuumParams{Family: string(f), BeforeMS: &at, MaxRows: int64(batch)})
	})
}

// revisionWalk deletes what is old from a table in the order of revisions, a batch a transaction.
type revisionWalk struct {
	// end finds the revision at which the batch behind after ends; sql.ErrNoRows when all that is left is one batch.
	end func(t *tx, after int64) (int64, error)
	// delete removes what is older than before, of the revisions behind after up to last.
	delete func(t *tx, after, last, before int64) (int64, error)
}

func receiptWalk(batch int) revisionWalk {
	return revisionWalk{
		func(t *tx, after int64) (int64, error) {
			return t.q.RevisionBatchEnd(t.Context(), db.RevisionBatchEndParams{AfterRevision: after, RowsBefore: int64(batch) - 1})
		},
		func(t *tx, after, last, before int64) (int64, error) {
			return t.q.RevisionForgetReceipts(t.Context(), db.RevisionForgetReceiptsParams{AfterRevision: after, LastRevision: last, BeforeMS: before})
		},
	}
}

// logWalk deletes lines of the log that are neither loadable nor a receipt.
func logWalk(batch int) revisionWalk {
	w := receiptWalk(batch)
	w.delete = func(t *tx, after, last, before int64) (int64, error) {
		return t.q.RevisionVacuum(t.Context(), db.RevisionVacuumParams{
			AfterRevision: after, LastRevision: last, BeforeMS: before, OldestKept: t.oldestKept(),
		})
	}
	return w
}

func usageWalk(batch int) revisionWalk {
	return revisionWalk{
		func(t *tx, after int64) (int64, error) {
			return t.q.UsageBatchEnd(t.Context(), db.UsageBatchEndParams{AfterRevision: after, RowsBefore: int64(batch) - 1})
		},
		func(t *tx, after, last, before int64) (int64, error) {
			return t.q.UsageVacuum(t.Context(), db.UsageVacuumParams{AfterRevision: after, LastRevision: last, BeforeMS: before})
		},
	}
}

// walkRevisions walks to the end of the table, whatever it meets: a clock that went back puts what is old behind what
// seems young.
func (s *Store) walkRevisions(ctx context.Context, before time.Time, w revisionWalk) (int64, error) {
	var total int64
	for after, done := int64(math.MinInt64), before.IsZero(); !done; {
		var n, last int64
		if err := s.update(ctx, func(t *tx) (err error) {
			last, err = w.end(t, after)
			if errors.Is(err, sql.ErrNoRows) {
				last, done, err = math.MaxInt64, true, nil
			}
			if err == nil {
				n, err = w.delete(t, after, last, lashstore.Millis(before))
			}
			return err
		}); err != nil {
			return total, err
		}
		total, after = total+n, last
	}
	return total, nil
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
