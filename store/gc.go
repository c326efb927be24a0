package store

import (
	"context"
	"fmt"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// GC deletes blobs that nothing names. It looks at them a window a transaction, and each window decides by what names
// blobs in that same transaction.
func (s *Store) GC(ctx context.Context, options *lashstore.GCOptions) (lashstore.GCReport, error) {
	if err := options.Validate(); err != nil {
		return lashstore.GCReport{}, err
	}
	if options == nil {
		options = &lashstore.GCOptions{}
	}
	g := collector{batch: options.Batch, dryRun: options.DryRun, read: manifests{}}
	if g.batch == 0 {
		g.batch = lashstore.DefaultBatch
	}
	in := s.update
	if g.dryRun {
		in = s.view
	}
	if err := s.view(ctx, g.checkRoots); err != nil {
		return lashstore.GCReport{}, err
	}
	for done := false; !done; {
		step := g
		if err := in(ctx, func(t *tx) error {
			var err error
			done, err = step.window(t)
			return err
		}); err != nil {
			return g.report, err
		}
		g = step // only what was committed counts
	}
	return g.report, nil
}

// collector is a garbage collection on its way through the blobs.
type collector struct {
	batch  int
	dryRun bool
	after  int64     // the last blob that was looked at
	read   manifests // so far
	report lashstore.GCReport
}

// checkRoots refuses to collect on top of damage: everything that names blobs must be readable and every blob it names
// must be there.
func (g *collector) checkRoots(t *tx) error {
	missing, err := t.q.BlobMissing(t.Context())
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		hash, err := storedHash(missing[0].Hash, "reference", missing[0].NamedBy)
		if err != nil {
			return err
		}
		return &lashstore.MissingBlobError{Hash: hash, NamedBy: missing[0].NamedBy}
	}
	live, err := t.liveBlobs(g.read)
	if err != nil {
		return err
	}
	for hash, namedBy := range live {
		if _, err := t.blobInfo(hash, namedBy); err != nil {
			return err
		}
	}
	kept, err := t.keptCheckpoints()
	if err != nil {
		return err
	}
	g.report.Roots, err = t.q.BlobCountRoots(t.Context())
	g.report.Roots += int64(len(kept))
	return err
}

// liveBlobs are the blobs that kept checkpoints are and name, each with what names it.
func (t *tx) liveBlobs(known manifests) (map[lashstore.Hash]string, error) {
	live := map[lashstore.Hash]string{}
	kept, err := t.keptCheckpoints()
	if err != nil {
		return nil, err
	}
	for ref, namedBy := range kept {
		parts, ok := known[ref]
		if !ok {
			m, err := t.manifest(ref, namedBy)
			if err != nil {
				return nil, err
			}
			parts = m.Parts
			known[ref] = parts
		}
		live[ref] = namedBy
		for _, p := range parts {
			live[p.Hash] = "checkpoint part " + p.Name
		}
	}
	return live, nil
}

// manifests are those that a collection has read. What a hash stands for never changes.
type manifests map[lashstore.Hash][]lashstore.ManifestPart

// keptCheckpoints are those of all revisions that are kept, each with what names it.
func (t *tx) keptCheckpoints() (map[lashstore.Hash]string, error) {
	kept := map[lashstore.Hash]string{}
	rows, err := t.q.RevisionCheckpoints(t.Context(), t.oldestKept())
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		namedBy := fmt.Sprintf("the checkpoint of revision %d", row.Revision)
		ref, err := storedHash(row.CheckpointHash, "revision", fmt.Sprint(row.Revision))
		if err != nil {
			return nil, err
		}
		kept[ref] = namedBy
	}
	if !t.state.checkpoint.IsZero() {
		kept[t.state.checkpoint] = headsCheckpoint
	}
	return kept, nil
}

// window judges the next blobs and deletes those that may go. It reports whether they were the last.
func (g *collector) window(t *tx) (bool, error) {
	live, err := t.liveBlobs(g.read)
	if err != nil {
		return false, err
	}
	rows, err := t.q.BlobWindow(t.Context(), db.BlobWindowParams{AfterID: g.after, MaxRows: int64(g.batch)})
	if err != nil {
		return false, err
	}
	var garbage []int64
	for _, row := range rows {
		g.after = row.BlobID
		hash, err := storedHash(row.Hash, "blob", "number")
		if err != nil {
			return false, err
		}
		_, isLive := live[hash]
		switch {
		case isLive || row.Named != 0:
			g.report.Retained++
		case row.Revision >= int64(t.state.revision):
			g.report.Spared++
		default:
			g.report.Deleted++
			g.report.Bytes += row.StoredSize
			garbage = append(garbage, row.BlobID)
		}
	}
	return len(rows) < g.batch, g.sweep(t, garbage)
}

func (g *collector) sweep(t *tx, garbage []int64) error {
	if g.dryRun || len(garbage) == 0 {
		return nil
	}
	ids, err := jsonList(garbage)
	if err != nil {
		return err
	}
	_, err = t.q.BlobDelete(t.Context(), ids)
	return err
}

// collectAfter runs the automatic policy behind a commit that has returned its promise. What goes wrong is told to the
// policy's listener and the log, never to the committer.
func (s *Store) collectAfter(ctx context.Context, revision lashstore.Revision) {
	policy := s.options.GC
	if policy.EveryCommits <= 0 || int64(revision)%int64(policy.EveryCommits) != 0 {
		return
	}
	report, err := s.GC(ctx, nil)
	if err != nil {
		s.options.Logger.WarnContext(ctx, "automatic garbage collection failed", "session", s.sessionID, "revision", int64(revision), "error", err)
	}
	if policy.OnResult != nil {
		policy.OnResult(report, err)
	}
}
