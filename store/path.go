package store

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/lashstore/lashstore"
)

// pathPage is how many nodes one snapshot of a path walk reads.
const pathPage = 128

// Path walks from a live node, or the leaf, up to its root. Each page is a snapshot of its own; between them nothing is
// held, so that a slow loop body keeps no WAL alive and may write.
func (s *Store) Path(ctx context.Context, from string) iter.Seq2[lashstore.Node, error] {
	return func(yield func(lashstore.Node, error) bool) {
		page, above, err := s.firstPage(ctx, from)
		for {
			if err != nil {
				yield(lashstore.Node{}, err)
				return
			}
			for _, n := range page {
				if !yield(n, nil) {
					return
				}
			}
			if above == nil {
				return
			}
			page, above, err = s.nextPage(ctx, page[len(page)-1], *above)
		}
	}
}

func (s *Store) firstPage(ctx context.Context, from string) (page []lashstore.Node, above *int64, err error) {
	err = s.view(ctx, func(t *tx) error {
		start := t.state.leafSeq
		if from != "" {
			seq, err := t.q.NodeSeqLive(t.Context(), from)
			if errors.Is(err, sql.ErrNoRows) {
				return &lashstore.NodeError{NodeID: from, Err: lashstore.ErrNodeNotFound}
			}
			if err != nil {
				return err
			}
			start = &seq
		}
		if start == nil {
			return nil
		}
		page, above, err = t.walk(*start, pathPage)
		return err
	})
	return page, above, err
}

// nextPage goes on above the last node of a page, which may have been tombstoned or vacuumed meanwhile. Numbers can be
// given anew after a vacuum: the node's id is what must still be there.
func (s *Store) nextPage(ctx context.Context, last lashstore.Node, seq int64) (page []lashstore.Node, above *int64, err error) {
	err = s.view(ctx, func(t *tx) error {
		id, err := t.q.NodeLiveIDBySeq(t.Context(), seq)
		if errors.Is(err, sql.ErrNoRows) || err == nil && id != last.ParentID {
			return &lashstore.NodeError{NodeID: last.ParentID, Err: lashstore.ErrNodeNotFound, Detail: "taken out while it was walked to"}
		}
		if err != nil {
			return err
		}
		page, above, err = t.walk(seq, pathPage)
		return err
	})
	return page, above, err
}
