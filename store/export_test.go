package store

import (
	"context"

	"github.com/lashstore/lashstore"
)

// MarkDeleted does the first step of a deletion and no more, as a process that is killed there.
func MarkDeleted(ctx context.Context, path string) error {
	s, err := OpenExisting(ctx, path, nil)
	if err != nil {
		return err
	}
	if err := s.markDeleted(ctx); err != nil {
		return err
	}
	return s.db.Close()
}

// Transactions returns how many transactions the handle has begun.
func (s *Store) Transactions() (reads, writes int64) { return s.db.Transactions() }

// Ready is one look of WaitReady.
func (s *Store) Ready(ctx context.Context, o *lashstore.WaitOptions) (ready lashstore.Readiness, err error) {
	err = s.view(ctx, func(t *tx) (err error) {
		ready, err = t.readiness(o)
		return err
	})
	return ready, err
}
