package store

import (
	"context"

	"github.com/lashstore/lashstore"
)

// Stats counts rows and bytes.
func (s *Store) Stats(ctx context.Context) (lashstore.Stats, error) {
	var stats lashstore.Stats
	err := s.view(ctx, func(t *tx) error {
		r, err := t.q.StatsGet(t.Context())
		stats = lashstore.Stats{
			Nodes: r.Nodes, Tombstones: r.Tombstones, NodeBytes: r.NodeBytes,
			Blobs: r.Blobs, BlobBytes: r.BlobBytes, BlobStoredBytes: r.BlobStoredBytes,
			Receipts: r.Receipts, Revisions: r.Revisions, UsageDeltas: r.UsageDeltas, Frames: r.Frames, Artifacts: r.Artifacts,
			Work: r.Work, Inputs: r.Inputs, SettledWork: r.SettledWork, SettledInputs: r.SettledInputs, EntryBytes: r.EntryBytes,
		}
		return err
	})
	if err != nil {
		return lashstore.Stats{}, err
	}
	space, err := s.db.Space(ctx)
	stats.FileBytes, stats.WALBytes, stats.FreeBytes = space.FileBytes, space.WALBytes, space.FreePages*space.PageSize
	return stats, err
}
