package store

import (
	"context"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Usage returns the totals by source and model.
func (s *Store) Usage(ctx context.Context) ([]lashstore.UsageTotal, error) {
	var totals []lashstore.UsageTotal
	err := s.view(ctx, func(t *tx) error {
		var err error
		totals, err = t.usageTotals()
		return err
	})
	return totals, err
}

func (t *tx) usageTotals() ([]lashstore.UsageTotal, error) {
	rows, err := t.q.UsageTotals(t.Context())
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	totals := make([]lashstore.UsageTotal, len(rows))
	for i, r := range rows {
		totals[i] = lashstore.UsageTotal{Source: r.Source, Model: r.Model, Usage: lashstore.TokenUsage{
			Input: r.Input, Output: r.Output, CacheRead: r.CacheRead, CacheWrite: r.CacheWrite,
			ReasoningOutput: r.ReasoningOutput,
		}}
	}
	return totals, nil
}

// UsageByTurn returns the deltas of the revisions after the one given.
func (s *Store) UsageByTurn(ctx context.Context, after lashstore.Revision, limit int) ([]lashstore.TurnUsage, error) {
	if limit <= 0 {
		limit = -1 // SQLite's word for no limit
	}
	var list []lashstore.TurnUsage
	err := s.view(ctx, func(t *tx) error {
		rows, err := t.q.UsageDeltas(t.Context(), db.UsageDeltasParams{AfterRevision: int64(after), MaxRows: int64(limit)})
		if err != nil {
			return err
		}
		for _, r := range rows {
			list = append(list, lashstore.TurnUsage{
				UsageDelta: lashstore.UsageDelta{Source: r.Source, Model: r.Model, Usage: lashstore.TokenUsage{
					Input: r.Input, Output: r.Output, CacheRead: r.CacheRead, CacheWrite: r.CacheWrite,
					ReasoningOutput: r.ReasoningOutput,
				}},
				Revision: lashstore.Revision(r.Revision), TurnID: value(r.TurnID), At: lashstore.FromMillis(r.RecordedAtMS),
			})
		}
		return nil
	})
	return list, err
}
