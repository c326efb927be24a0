package store

import (
	"context"
	"slices"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// TombstoneNodes takes nodes out of the graph, each with all that follows it.
func (s *Store) TombstoneNodes(ctx context.Context, ids []string, fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
	for _, id := range ids {
		if err := lashstore.ValidateID("ids", id); err != nil {
			return lashstore.TombstoneReport{}, err
		}
	}
	return s.tombstone(ctx, fence, func(t *tx) (int64, error) {
		at, err := t.tombstoneTime()
		if err != nil {
			return 0, err
		}
		var total int64
		for some := range slices.Chunk(ids, idsPerStatement) {
			n, err := t.tombstoneTrees(some, at)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	})
}

// idsPerStatement bounds the list that one statement is given: ids are long, and SQLite's memory is small.
const idsPerStatement = 4096

// tombstoneTrees takes nodes out, each with all that follows it, none of which is on the active path.
func (t *tx) tombstoneTrees(ids []string, at int64) (int64, error) {
	list, err := jsonList(ids)
	if err != nil {
		return 0, err
	}
	onPath, err := t.q.NodeOnPath(t.Context(), db.NodeOnPathParams{LeafSeq: t.state.leafSeq, NodeIds: list})
	if err != nil {
		return 0, err
	}
	if len(onPath) > 0 {
		return 0, &lashstore.NodeError{NodeID: onPath[0], Err: lashstore.ErrNodeOnLivePath}
	}
	revision := int64(t.state.revision)
	return t.q.NodeTombstoneTrees(t.Context(), db.NodeTombstoneTreesParams{NodeIds: list, NowMS: &at, Revision: &revision})
}

// TombstoneOrphans takes out every node that the active path does not pass through.
func (s *Store) TombstoneOrphans(ctx context.Context, fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
	return s.tombstone(ctx, fence, func(t *tx) (int64, error) {
		at, err := t.tombstoneTime()
		if err != nil {
			return 0, err
		}
		revision := int64(t.state.revision)
		return t.q.NodeTombstoneOffPath(t.Context(), db.NodeTombstoneOffPathParams{
			LeafSeq: t.state.leafSeq, NowMS: &at, Revision: &revision,
		})
	})
}

// tombstone runs fn where nobody else executes the session, and counts the messages anew.
func (s *Store) tombstone(ctx context.Context, fence *lashstore.Fence, fn func(*tx) (int64, error)) (lashstore.TombstoneReport, error) {
	var report lashstore.TombstoneReport
	err := s.update(ctx, func(t *tx) error {
		if err := t.authorizeMaintenance(fence); err != nil {
			return err
		}
		n, err := fn(t)
		if err != nil || n == 0 {
			return err
		}
		report.Nodes = n
		counts, err := t.q.NodeCountMessages(t.Context())
		if err != nil {
			return err
		}
		changed, err := t.q.HeadSetMessages(t.Context(), db.HeadSetMessagesParams(counts))
		return t.changedOne(changed, err, "head")
	})
	if err != nil {
		return lashstore.TombstoneReport{}, err
	}
	return report, nil
}

// tombstoneTime is now, or the time of the latest tombstone when the clock has gone back since.
func (t *tx) tombstoneTime() (int64, error) {
	latest, err := t.q.NodeLatestTombstone(t.Context())
	return max(latest, t.now()), err
}

// authorizeMaintenance lets a change of the graph pass under the lease, or while nobody holds it.
func (t *tx) authorizeMaintenance(fence *lashstore.Fence) error {
	if fence != nil {
		return fence.Verify(t.store.sessionID, t.state.lease, t.Now)
	}
	if t.state.lease.LiveAt(t.Now) {
		return &lashstore.LeaseBusyError{Holder: t.state.lease.WithoutToken()}
	}
	return nil
}
