package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Verify reads everything in one snapshot, but for the contents of blobs, and reports what is wrong.
func (s *Store) Verify(ctx context.Context) (lashstore.VerifyReport, error) {
	var v verifier
	if err := s.verifyFile(ctx, &v); err != nil {
		return v.report, err
	}
	if err := s.view(ctx, v.rows); err != nil {
		if !v.explains(err, lashstore.FindingHead) {
			return v.report, err
		}
		return v.report, nil // without a head there is nothing to hold the rest against
	}
	return v.report, s.verifyBlobs(ctx, &v)
}

// verifier collects findings. What cannot be looked at for another reason than damage ends it.
type verifier struct{ report lashstore.VerifyReport }

func (v *verifier) find(kind lashstore.FindingKind, key, detail string) {
	v.report.Findings = append(v.report.Findings, lashstore.Finding{Kind: kind, Key: key, Detail: detail})
}

// explains takes an error that tells of damage as a finding and reports whether it was one.
func (v *verifier) explains(err error, kind lashstore.FindingKind) bool {
	var missing *lashstore.MissingBlobError
	var corrupt *lashstore.CorruptError
	var node *lashstore.NodeError
	switch {
	case errors.As(err, &missing):
		v.find(lashstore.FindingBlobMissing, missing.Hash.String(), "named by "+missing.NamedBy)
	case errors.As(err, &corrupt) && corrupt.What == "blob":
		v.find(lashstore.FindingBlobCorrupt, corrupt.Key, err.Error())
	case errors.As(err, &corrupt):
		v.find(kind, corrupt.Key, err.Error())
	case errors.As(err, &node) && errors.Is(err, lashstore.ErrCorrupt):
		v.find(lashstore.FindingGraph, node.NodeID, err.Error())
	case errors.Is(err, lashstore.ErrRecordVersion):
		v.find(lashstore.FindingCheckpoint, "head", err.Error())
	case errors.Is(err, lashstore.ErrCorrupt):
		v.find(lashstore.FindingIntegrity, "database", err.Error())
	default:
		return false
	}
	return true
}

// check takes err as a finding, or returns it.
func (v *verifier) check(err error, kind lashstore.FindingKind) error {
	if err == nil || v.explains(err, kind) {
		return nil
	}
	return err
}

// verifyFile asks SQLite for the file's own soundness.
func (s *Store) verifyFile(ctx context.Context, v *verifier) error {
	problems, err := s.db.IntegrityCheck(ctx)
	if err := v.check(err, lashstore.FindingIntegrity); err != nil {
		return err
	}
	for _, p := range problems {
		v.find(lashstore.FindingIntegrity, "database", p)
	}
	violations, err := s.db.ForeignKeyCheck(ctx)
	if err := v.check(err, lashstore.FindingIntegrity); err != nil {
		return err
	}
	for _, f := range violations {
		v.find(lashstore.FindingForeignKey, fmt.Sprintf("%s row %d", f.Table, f.RowID), "refers to a missing row of "+f.Parent)
	}
	return nil
}

// rows verifies everything but the contents of blobs.
func (v *verifier) rows(t *tx) error {
	for _, step := range []struct {
		kind lashstore.FindingKind
		run  func(*tx) error
	}{
		{lashstore.FindingMeta, v.meta}, {lashstore.FindingGraph, v.graph}, {lashstore.FindingHead, v.head},
		{lashstore.FindingFrame, v.frames}, {lashstore.FindingCheckpoint, v.checkpoints}, {lashstore.FindingRevision, v.revisions}, {lashstore.FindingUsage, v.usage},
		{lashstore.FindingBlobMissing, v.references}, {lashstore.FindingEntry, v.entries},
	} {
		if err := v.check(step.run(t), step.kind); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) meta(t *tx) error {
	_, err := t.meta()
	return err
}

// graph reads every live node, and counts what the summary counts. That every parent is there, and older, is for the
// file's own checks.
func (v *verifier) graph(t *tx) error {
	orphans, err := t.q.VerifyOrphanedNodes(t.Context())
	if err != nil {
		return err
	}
	for _, o := range orphans {
		v.find(lashstore.FindingGraph, o.NodeID, fmt.Sprintf("live, but its parent %q is tombstoned", o.ParentID))
	}
	const page = 8 // rows may be as large as values
	var messages, userMessages int64
	for after := int64(-1); ; {
		rows, err := t.q.VerifyNodes(t.Context(), db.VerifyNodesParams{AfterSeq: after, MaxRows: page})
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Seq
			v.report.Nodes++
			if row.Kind == string(lashstore.NodeMessage) {
				messages++
				if value(row.Role) == string(lashstore.RoleUser) {
					userMessages++
				}
			}
			_, err := nodeFromRow(row, "")
			if err := v.check(err, lashstore.FindingGraph); err != nil {
				return err
			}
		}
		if len(rows) < page {
			break
		}
	}
	if sum := t.state.summary; sum.Messages != messages || sum.UserMessages != userMessages {
		v.find(lashstore.FindingHead, "summary", fmt.Sprintf("counts %d messages, %d of users; there are %d and %d",
			sum.Messages, sum.UserMessages, messages, userMessages))
	}
	return nil
}

// head holds the single rows and all revisions against the head.
func (v *verifier) head(t *tx) error {
	counts, err := t.q.VerifyRowCounts(t.Context())
	if err != nil {
		return err
	}
	if counts.Sessions != 1 || counts.Heads != 1 || counts.Leases != 1 {
		v.find(lashstore.FindingHead, "rows", fmt.Sprintf("sessions %d, heads %d, leases %d; each must be 1", counts.Sessions, counts.Heads, counts.Leases))
	}
	ahead, err := t.q.VerifyAheadOfHead(t.Context())
	if err != nil {
		return err
	}
	for _, a := range ahead {
		v.find(lashstore.FindingRevision, a.What, fmt.Sprintf("is of revision %d, the head of %d", a.Revision, t.state.revision))
	}
	config, err := t.q.SessionGetConfig(t.Context())
	if err != nil {
		return err
	}
	if !json.Valid([]byte(config)) {
		v.find(lashstore.FindingHead, "config", "stored JSON is none")
	}
	dead, err := t.q.VerifyDeadLeaf(t.Context())
	for _, id := range dead {
		v.find(lashstore.FindingHead, id, "is the leaf and tombstoned")
	}
	return err
}

func (v *verifier) frames(t *tx) error {
	frames, err := t.listFrames(false)
	if err != nil {
		return err
	}
	v.report.Frames = int64(len(frames))
	for _, f := range frames {
		if f.Status == lashstore.FrameActive {
			return nil
		}
	}
	if t.state.currentFrameID != "" {
		v.find(lashstore.FindingFrame, t.state.currentFrameID, "is the current frame and does not exist")
	}
	return nil
}

// checkpoints reads the manifests of all that is kept and finds every part that they name.
func (v *verifier) checkpoints(t *tx) error {
	kept, err := t.keptCheckpoints()
	if err != nil {
		return err
	}
	for ref, namedBy := range kept {
		m, err := t.manifest(ref, namedBy)
		if err := v.check(err, lashstore.FindingCheckpoint); err != nil {
			return err
		}
		for _, p := range m.Parts {
			_, err := t.blobInfo(p.Hash, "checkpoint part "+p.Name)
			if err := v.check(err, lashstore.FindingBlobMissing); err != nil {
				return err
			}
		}
	}
	return nil
}

// revisions holds what is kept of the log against the graph and the head.
func (v *verifier) revisions(t *tx) error {
	lost, err := t.q.VerifyLostLeaves(t.Context(), t.oldestKept())
	if err != nil {
		return err
	}
	for _, r := range lost {
		v.find(lashstore.FindingRevision, fmt.Sprint(r), "is kept, and its leaf is gone")
	}
	off, err := t.q.VerifyHeadRevision(t.Context())
	for _, r := range off {
		v.find(lashstore.FindingHead, fmt.Sprint(r), "the head contradicts its revision in the log")
	}
	return err
}

func (v *verifier) usage(t *tx) error {
	short, err := t.q.UsageShort(t.Context())
	if err != nil {
		return err
	}
	for _, s := range short {
		v.find(lashstore.FindingUsage, s.Source+"/"+s.Model, "total is lower than its deltas")
	}
	stats, err := t.q.StatsGet(t.Context())
	v.report.Receipts, v.report.Artifacts = stats.Receipts, stats.Artifacts
	return err
}

func (v *verifier) references(t *tx) error {
	missing, err := t.q.BlobMissing(t.Context())
	if err != nil {
		return err
	}
	for _, m := range missing {
		v.find(lashstore.FindingBlobMissing, fmt.Sprintf("%x", m.Hash), "named by "+m.NamedBy)
	}
	return nil
}

// verifyBlobs reads every blob, a few a snapshot: a session may have gigabytes of them.
func (s *Store) verifyBlobs(ctx context.Context, v *verifier) error {
	const perSnapshot = 16
	after := int64(0)
	for {
		var rows []db.BlobWindowRow
		if err := s.view(ctx, func(t *tx) error {
			var err error
			rows, err = t.q.BlobWindow(t.Context(), db.BlobWindowParams{AfterID: after, MaxRows: perSnapshot})
			if err != nil {
				return err
			}
			return v.blobs(t, rows)
		}); err != nil {
			return v.check(err, lashstore.FindingIntegrity)
		}
		if len(rows) < perSnapshot {
			return nil
		}
		after = rows[len(rows)-1].BlobID
	}
}

func (v *verifier) blobs(t *tx, rows []db.BlobWindowRow) error {
	for _, row := range rows {
		v.report.Blobs++
		hash, err := storedHash(row.Hash, "blob", fmt.Sprint(row.BlobID))
		if err == nil {
			_, err = t.blob(hash, "blob "+hash.Short())
		}
		if err := v.check(err, lashstore.FindingBlobCorrupt); err != nil {
			return err
		}
	}
	return nil
}
