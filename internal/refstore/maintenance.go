package refstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

// TombstoneNodes takes nodes out of the graph, each with all that follows it.
func (s *Store) TombstoneNodes(ctx context.Context, ids []string, fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
	return s.tombstoning(ctx, fence, func(t *tx, path map[string]bool) (int64, error) {
		for _, id := range ids {
			if path[id] && !t.is(LivePathIsNotGuarded) {
				return 0, &lashstore.NodeError{NodeID: id, Err: lashstore.ErrNodeOnLivePath}
			}
		}
		return t.tombstoneTrees(ids), nil
	})
}

// TombstoneOrphans takes out every node that is not on the active path.
func (s *Store) TombstoneOrphans(ctx context.Context, fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
	return s.tombstoning(ctx, fence, func(t *tx, path map[string]bool) (count int64, err error) {
		for n := range t.live {
			if !path[n.ID] {
				t.tombstone(n.ID)
				count++
			}
		}
		return count, nil
	})
}

func (s *Store) tombstoning(ctx context.Context, fence *lashstore.Fence, fn func(t *tx, path map[string]bool) (int64, error)) (lashstore.TombstoneReport, error) {
	return write(ctx, s, func(t *tx) (report lashstore.TombstoneReport, err error) {
		if err := t.authorizeMaintenance(fence); err != nil {
			return report, err
		}
		report.Nodes, err = fn(t, t.protected())
		t.countMessages()
		return report, err
	})
}

// protected are the nodes on the active path and on the paths to leaves with a name.
func (t *tx) protected() map[string]bool {
	path := t.namedPaths()
	if t.is(NamesProtectNothing) {
		clear(path)
	}
	maps.Copy(path, t.onPath(t.leaf))
	return path
}

// missed reports whether a revision that is kept still had a tombstoned node.
func (t *tx) missed(n node) bool {
	return !t.is(VacuumForgetsTheKept) && slices.ContainsFunc(t.log, func(e revisionEntry) bool {
		return t.info(e).Loadable && n.revision <= e.Revision && e.Revision < n.removed
	})
}

func (t *tx) authorizeMaintenance(fence *lashstore.Fence) error {
	switch {
	case t.is(MaintenanceIsUnfenced):
		return nil
	case fence != nil:
		return fence.Verify(t.id, t.lease, t.now)
	case t.lease.LiveAt(t.now):
		return &lashstore.LeaseBusyError{Holder: t.lease.WithoutToken()}
	}
	return nil
}

// Vacuum deletes what was kept for a while only.
func (s *Store) Vacuum(ctx context.Context, options *lashstore.VacuumOptions) (lashstore.VacuumReport, error) {
	if err := options.Validate(); err != nil {
		return lashstore.VacuumReport{}, err
	}
	if options == nil {
		options = &lashstore.VacuumOptions{}
	}
	return write(ctx, s, func(t *tx) (report lashstore.VacuumReport, err error) {
		report.Nodes = t.vacuumNodes(options.TombstonesBefore)
		for turn, r := range t.receipts {
			if r.at.Before(options.ReceiptsBefore) || t.is(VacuumTakesReceipts) {
				delete(t.receipts, turn)
				t.log = slices.DeleteFunc(t.log, func(e revisionEntry) bool { return e.TurnID == turn && t.is(ReceiptsAreLines) })
				report.Receipts++
			}
		}
		report.Revisions = t.vacuumLog(options.RevisionsBefore)
		kept := slices.DeleteFunc(slices.Clone(t.usage), func(u lashstore.TurnUsage) bool { return u.At.Before(options.UsageBefore) })
		report.Work = t.vacuumEntries(true, options.WorkBefore)
		report.Inputs = t.vacuumEntries(false, options.InputsBefore)
		report.Usage = int64(len(t.usage) - len(kept))
		t.usage = kept
		if report.Usage > 0 && t.is(VacuumTakesTotals) {
			t.totals = nil
		}
		return report, nil
	})
}

// vacuumNodes deletes what was tombstoned before, children first; what a tombstoned child still names stays.
func (t *tx) vacuumNodes(before time.Time) (count int64) {
	if t.is(CutOffsAreIgnored) {
		before = time.Time{}
	}
	children := map[string]int{}
	for _, id := range t.order {
		children[t.nodes[id].ParentID]++
	}
	for _, id := range slices.Backward(slices.Clone(t.order)) {
		n := t.nodes[id]
		if n.live() || children[id] > 0 || t.missed(n) || !before.IsZero() && !n.tombstoned.Before(before) {
			continue
		}
		children[n.ParentID]--
		delete(t.nodes, id)
		t.order = slices.DeleteFunc(t.order, func(o string) bool { return o == id })
		count++
	}
	return count
}

// GC deletes blobs that nothing names.
func (s *Store) GC(ctx context.Context, options *lashstore.GCOptions) (lashstore.GCReport, error) {
	if err := options.Validate(); err != nil {
		return lashstore.GCReport{}, err
	}
	dryRun := options != nil && options.DryRun && !s.is(DryRunDeletes)
	return write(ctx, s, func(t *tx) (report lashstore.GCReport, err error) {
		named, err := t.named(&report)
		if err != nil {
			return report, err
		}
		for hash, b := range t.blobs {
			switch {
			case named[hash]:
				report.Retained++
			case b.revision >= t.revision && !t.is(NothingIsSpared):
				report.Spared++
			case t.is(NothingIsCollected):
			default:
				report.Deleted++
				report.Bytes += int64(len(b.content))
				if !dryRun {
					delete(t.blobs, hash)
				}
			}
		}
		return report, nil
	})
}

// named are the blobs that something names.
func (t *tx) named(report *lashstore.GCReport) (map[lashstore.Hash]bool, error) {
	named := map[lashstore.Hash]bool{}
	root := func(ref lashstore.Hash) {
		if !ref.IsZero() {
			named[ref] = true
			report.Roots++
		}
	}
	kept := map[lashstore.Hash]bool{t.checkpoint: true}
	for _, e := range t.log {
		if t.info(e).Loadable && !t.is(GCForgetsRevisions) {
			kept[e.Checkpoint] = true
		}
	}
	for ref := range kept {
		root(ref)
		then := *t.state
		then.checkpoint = ref
		c, err := (&tx{Store: t.Store, state: &then, now: t.now}).loadCheckpoint(lashstore.LoadOptions{WithoutParts: true})
		if err != nil {
			return nil, err
		}
		if c != nil && !t.is(GCForgetsParts) {
			for _, p := range c.Parts {
				named[p.Ref] = true
			}
		}
	}
	for _, f := range t.frames {
		if f.ID == t.frame || !t.is(GCForgetsFrames) {
			root(f.ExecutionStateRef)
		}
	}
	if !t.is(GCForgetsArtifacts) {
		for _, ref := range t.artifacts {
			root(ref)
		}
	}
	return named, nil
}

// Verify reports what is wrong.
func (s *Store) Verify(ctx context.Context) (lashstore.VerifyReport, error) {
	return read(ctx, s, func(t *tx) (report lashstore.VerifyReport, err error) {
		report.Blobs, report.Receipts = int64(len(t.blobs)), int64(len(t.receipts))
		report.Entries = int64(len(t.line))
		report.Frames, report.Artifacts = int64(len(t.frames)), int64(len(t.artifacts))
		find := func(kind lashstore.FindingKind, key, detail string) {
			report.Findings = append(report.Findings, lashstore.Finding{Kind: kind, Key: key, Detail: detail})
		}
		for n := range t.live {
			report.Nodes++
			if p, known := t.nodes[n.ParentID]; n.ParentID != "" && (!known || !p.live()) {
				find(lashstore.FindingGraph, n.ID, "its parent is not live")
			}
		}
		if n, known := t.nodes[t.leaf]; t.leaf != "" && (!known || !n.live()) {
			find(lashstore.FindingHead, t.leaf, "the leaf is not live")
		}
		if _, err := t.named(&lashstore.GCReport{}); err != nil {
			find(lashstore.FindingBlobMissing, "head", err.Error())
		}
		for _, r := range t.receipts {
			if r.revision > t.revision {
				find(lashstore.FindingRevision, fmt.Sprint(r.revision), "is ahead of the head")
			}
		}
		t.verifyLine(func(e entry, detail string) { find(lashstore.FindingEntry, e.id, detail) })
		if t.is(VerifyCountsNothing) {
			return lashstore.VerifyReport{}, nil
		}
		return report, nil
	})
}

// Stats counts rows and bytes.
func (s *Store) Stats(ctx context.Context) (lashstore.Stats, error) {
	return read(ctx, s, func(t *tx) (lashstore.Stats, error) {
		stats := lashstore.Stats{
			Blobs: int64(len(t.blobs)), Receipts: int64(len(t.receipts)), Revisions: int64(len(t.log)), UsageDeltas: int64(len(t.usage)),
			Frames: int64(len(t.frames)), Artifacts: int64(len(t.artifacts)),
		}
		for _, n := range t.nodes {
			stats.NodeBytes += int64(len(n.Payload))
			if n.live() {
				stats.Nodes++
			} else {
				stats.Tombstones++
			}
		}
		for _, b := range t.blobs {
			stats.BlobBytes += int64(len(b.content))
		}
		stats.BlobStoredBytes = stats.BlobBytes
		t.countEntries(&stats)
		if t.is(StatsCountNothing) {
			stats = lashstore.Stats{}
		}
		return stats, nil
	})
}
