package store

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// How many rows one statement reads. Memory is to stay bounded, and rows with values may be of MaxValueSize each.
const (
	portablePage  = 8
	portableLines = 256 // of rows without
)

// ExportPortable writes all of the session as a portable stream. The snapshot it reads keeps the WAL from being emptied
// until w has taken the last line: write to a file, and send that. A session in memory takes no writes meanwhile.
func (s *Store) ExportPortable(ctx context.Context, w io.Writer) (lashstore.PortableCounts, error) {
	var counts lashstore.PortableCounts
	err := s.view(ctx, func(t *tx) error {
		e, err := lashstore.NewPortableEncoder(w, s.sessionID)
		if err != nil {
			return err
		}
		x := exporter{tx: t, e: e}
		for _, step := range []func() error{
			x.session, x.blobs, x.nodes, x.frames, x.artifacts, x.revisions, x.branches, x.usage, x.totals, x.entries, x.head,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		counts = e.Counts()
		return e.Close()
	})
	return counts, err
}

// exporter writes what a snapshot shows, in the order in which it can be put in again.
type exporter struct {
	*tx
	e *lashstore.PortableEncoder
}

// pages calls read for page after page of that size, each behind the last row of the one before, which each tells.
func pages[R any](t *tx, size int, read func() ([]R, error), each func(R) error) error {
	for {
		rows, err := read()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := t.Context().Err(); err != nil {
				return err
			}
			if err := each(row); err != nil {
				return err
			}
		}
		if len(rows) < size {
			return nil
		}
	}
}

func (x *exporter) session() error {
	meta, err := x.meta()
	if err != nil {
		return err
	}
	row, err := x.q.SessionGet(x.Context())
	if err != nil {
		return err
	}
	raw, err := rawJSON(&row.Config, "config", x.store.sessionID)
	if err != nil {
		return err
	}
	return x.e.Encode(lashstore.PortableRecord{Session: &lashstore.PortableSession{
		Name: meta.Name, Model: meta.Model, Cwd: meta.Cwd, Relation: meta.Relation.Kind,
		ParentSessionID: meta.Relation.ParentSessionID, RelationCause: meta.Relation.CausedBy, Extra: meta.Extra,
		CreatedAtMS: lashstore.Millis(meta.CreatedAt), KeepRevisions: row.KeepRevisions, Config: raw,
		KeptFrom: keptFrom(row),
	}})
}

// keptFrom is 0 when all revisions there were count among those to keep.
func keptFrom(row db.Session) lashstore.Revision {
	if row.KeptFrom == 1 {
		return 0
	}
	return lashstore.Revision(row.KeptFrom)
}

// blobs are read one at a time, each held against its hash.
func (x *exporter) blobs() error {
	p := db.PortableBlobsParams{MaxRows: portablePage}
	return pages(x.tx, portablePage, func() ([]db.PortableBlobsRow, error) { return x.q.PortableBlobs(x.Context(), p) },
		func(row db.PortableBlobsRow) error {
			p.AfterID = row.BlobID
			hash, err := storedHash(row.Hash, "blob", fmt.Sprint(row.BlobID))
			if err != nil {
				return err
			}
			b, err := x.blob(hash, "blob "+hash.Short())
			if err != nil {
				return err
			}
			if err := x.e.Encode(lashstore.PortableRecord{Blob: &lashstore.PortableBlob{
				Hash: hash, Kind: b.kind, Size: b.size, Compressed: row.Codec != codecRaw, Revision: lashstore.Revision(row.Revision),
				CreatedAtMS: row.CreatedAtMS,
			}}); err != nil {
				return err
			}
			return x.pieces(b.content)
		})
}

func (x *exporter) pieces(content []byte) error {
	for len(content) > 0 {
		n := min(len(content), lashstore.MaxPortablePiece)
		if err := x.e.Encode(lashstore.PortableRecord{Piece: &lashstore.PortablePiece{Data: content[:n]}}); err != nil {
			return err
		}
		content = content[n:]
	}
	return nil
}

func (x *exporter) nodes() error {
	p := db.PortableNodesParams{AfterSeq: math.MinInt64, MaxRows: portablePage}
	return pages(x.tx, portablePage, func() ([]db.PortableNodesRow, error) { return x.q.PortableNodes(x.Context(), p) },
		func(row db.PortableNodesRow) error {
			p.AfterSeq = row.Node.Seq
			n, err := nodeFromRow(row.Node, value(row.ParentID))
			if err != nil {
				return err
			}
			if row.Node.ParentSeq != nil && row.ParentID == nil {
				return &lashstore.NodeError{NodeID: n.ID, Err: lashstore.ErrCorrupt, Detail: "its parent is missing"}
			}
			return x.e.Encode(lashstore.PortableRecord{Node: &lashstore.PortableNode{
				ID: n.ID, ParentID: n.ParentID, Kind: n.Kind, Role: n.Role, FrameID: n.FrameID,
				Revision: lashstore.Revision(row.Node.Revision), CreatedAtMS: row.Node.CreatedAtMS,
				TombstonedAtMS: row.Node.TombstonedAtMS, TombstonedRevision: (*lashstore.Revision)(row.Node.TombstonedRevision),
				CausedBy: n.CausedBy, Payload: n.Payload,
			}})
		})
}

func (x *exporter) frames() error {
	p := db.PortableFramesParams{AfterSeq: math.MinInt64, MaxRows: portablePage}
	return pages(x.tx, portablePage, func() ([]db.Frame, error) { return x.q.PortableFrames(x.Context(), p) }, func(row db.Frame) error {
		p.AfterSeq = row.Seq
		f, err := frameFromRow(row, "")
		if err != nil {
			return err
		}
		return x.e.Encode(lashstore.PortableRecord{Frame: &lashstore.PortableFrame{
			ID: f.ID, PreviousID: f.PreviousID, Reason: f.Reason, CreatedAtMS: row.CreatedAtMS, CausedBy: f.CausedBy,
			Assignment: f.Assignment, Options: f.Options, ExecutionState: f.ExecutionStateRef,
		}})
	})
}

func (x *exporter) artifacts() error {
	p := db.PortableArtifactsParams{MaxRows: portableLines}
	return pages(x.tx, portableLines, func() ([]db.Artifact, error) { return x.q.PortableArtifacts(x.Context(), p) }, func(row db.Artifact) error {
		p.Namespace, p.ArtifactKey = row.Namespace, row.ArtifactKey
		ref, err := storedHash(row.BlobHash, "artifact", row.Namespace+"/"+row.ArtifactKey)
		if err != nil {
			return err
		}
		return x.e.Encode(lashstore.PortableRecord{Artifact: &lashstore.PortableArtifact{
			Namespace: row.Namespace, Key: row.ArtifactKey, Ref: ref, UpdatedAtMS: row.UpdatedAtMS,
		}})
	})
}

func (x *exporter) branches() error {
	p := db.PortableBranchesParams{MaxRows: portableLines}
	return pages(x.tx, portableLines, func() ([]db.PortableBranchesRow, error) { return x.q.PortableBranches(x.Context(), p) },
		func(row db.PortableBranchesRow) error {
			p.AfterName = row.Name
			return x.e.Encode(lashstore.PortableRecord{Branch: &lashstore.PortableBranch{
				Name: row.Name, Leaf: row.NodeID, NamedAtMS: row.NamedAtMS,
			}})
		})
}
