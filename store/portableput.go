package store

import (
	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// put writes one record. It was found well formed, and in order; that what it names is there is for the schema to say.
func (x *putter) put(r lashstore.PortableRecord) error {
	switch {
	case r.Blob != nil:
		x.incoming, x.content = r.Blob, make([]byte, 0, r.Blob.Size)
		return x.putWholeBlob()
	case r.Piece != nil:
		x.content = append(x.content, r.Piece.Data...)
		return x.putWholeBlob()
	case r.Node != nil:
		return x.putNode(r.Node)
	case r.Frame != nil:
		return x.putFrame(r.Frame)
	case r.Artifact != nil:
		a := r.Artifact
		return x.q.PortablePutArtifact(x.Context(), db.PortablePutArtifactParams{
			Namespace: a.Namespace, ArtifactKey: a.Key, BlobHash: a.Ref[:], UpdatedAtMS: a.UpdatedAtMS,
		})
	case r.Revision != nil:
		return x.putRevision(r.Revision)
	case r.Branch != nil:
		seq, err := x.nodeSeq(r.Branch.Leaf, "branch "+r.Branch.Name, lashstore.ErrUnknownLeaf)
		if err != nil {
			return err
		}
		return x.q.PortablePutBranch(x.Context(), db.PortablePutBranchParams{Name: r.Branch.Name, LeafSeq: *seq, NamedAtMS: r.Branch.NamedAtMS})
	case r.Usage != nil:
		return x.putUsage(r.Usage)
	case r.Total != nil:
		u := r.Total.Usage
		return x.q.PortablePutTotal(x.Context(), db.PortablePutTotalParams{
			Source: r.Total.Source, Model: r.Total.Model, Input: u.Input, Output: u.Output, CacheRead: u.CacheRead,
			CacheWrite: u.CacheWrite, ReasoningOutput: u.ReasoningOutput,
		})
	case r.Entry != nil:
		return x.putEntry(r.Entry)
	case r.Head != nil:
		return x.putHead(r.Head)
	}
	return nil
}

func (x *putter) putSession() error {
	n, err := x.q.SessionSetConfig(x.Context(), string(x.session.Config))
	if err := x.changedOne(n, err, "session"); err != nil {
		return err
	}
	n, err = x.q.SessionSetKeepRevisions(x.Context(), db.SessionSetKeepRevisionsParams{
		KeepRevisions: x.session.KeepRevisions, OldestKept: int64(x.session.KeptFrom),
	})
	return x.changedOne(n, err, "session")
}

// putWholeBlob puts a blob in once all of it is here. What was worth compressing is compressed again.
func (x *putter) putWholeBlob() error {
	if int64(len(x.content)) < x.incoming.Size {
		return nil
	}
	d := lashstore.ArtifactDescriptor{Kind: x.incoming.Kind}
	if x.incoming.Compressed {
		d.Hints = lashstore.HintCompressible
	}
	b := encode(lashstore.ProfileCompact, d, x.content)
	content := b.content
	if content == nil {
		content = []byte{} // nil would be NULL
	}
	n, err := x.q.BlobCreate(x.Context(), db.BlobCreateParams{
		Hash: x.incoming.Hash[:], Kind: string(x.incoming.Kind), Codec: b.codec, Size: x.incoming.Size, Revision: int64(x.incoming.Revision),
		CreatedAtMS: x.incoming.CreatedAtMS, Content: content,
	})
	if err == nil && n == 0 {
		err = x.d.Refuse("the blob "+x.incoming.Hash.String()+" comes twice", nil)
	}
	x.incoming, x.content = nil, nil
	return err
}

func (x *putter) putNode(n *lashstore.PortableNode) error {
	parent, err := x.nodeSeq(n.ParentID, "node "+n.ID, lashstore.ErrUnknownParent)
	if err != nil {
		return err
	}
	seq, err := x.q.PortablePutNode(x.Context(), db.PortablePutNodeParams{
		ParentSeq: parent, TombstonedAtMS: n.TombstonedAtMS, NodeID: n.ID, Kind: string(n.Kind), Role: optional(string(n.Role)),
		FrameID: optional(n.FrameID), Revision: int64(n.Revision), TombstonedRevision: (*int64)(n.TombstonedRevision),
		CreatedAtMS: n.CreatedAtMS, CausedBy: optionalJSON(n.CausedBy), Payload: string(n.Payload),
	})
	x.lastID, x.lastSeq = n.ID, seq
	return err
}

func (x *putter) putFrame(f *lashstore.PortableFrame) error {
	return x.q.FrameCreate(x.Context(), db.FrameCreateParams{
		FrameID: f.ID, PreviousID: optional(f.PreviousID), Reason: f.Reason, CausedBy: optionalJSON(f.CausedBy),
		CreatedAtMS: f.CreatedAtMS, Assignment: optionalJSON(f.Assignment), Options: optionalJSON(f.Options),
		ExecutionStateHash: hashBytes(f.ExecutionState),
	})
}

func (x *putter) putRevision(r *lashstore.PortableRevision) error {
	leaf, err := x.nodeSeq(r.Leaf, "revision "+r.Revision.String(), lashstore.ErrUnknownLeaf)
	if err != nil {
		return err
	}
	p := db.PortablePutRevisionParams{
		Revision: int64(r.Revision), Movement: string(r.Movement), SourceRevision: optional(int64(r.Source)), LeafSeq: leaf,
		CheckpointHash: hashBytes(r.Checkpoint), CurrentFrameID: optional(r.CurrentFrameID), TurnID: optional(r.TurnID),
		TurnHash: hashBytes(r.TurnHash), Input: r.Usage.Input, Output: r.Usage.Output, CacheRead: r.Usage.CacheRead,
		CacheWrite: r.Usage.CacheWrite, ReasoningOutput: r.Usage.ReasoningOutput, CommittedAtMS: r.CommittedAtMS,
		PinnedAtMS: r.PinnedAtMS,
	}
	if r.Outbox != nil {
		list, err := jsonList(r.Outbox)
		if err != nil {
			return err
		}
		p.Outbox = &list
	}
	return x.q.PortablePutRevision(x.Context(), p)
}

func (x *putter) putUsage(u *lashstore.PortableUsage) error {
	return x.q.UsageRecord(x.Context(), db.UsageRecordParams{
		Revision: int64(u.Revision), Ordinal: u.Ordinal, TurnID: optional(u.TurnID), Source: u.Source, Model: u.Model,
		Input: u.Usage.Input, Output: u.Usage.Output, CacheRead: u.Usage.CacheRead, CacheWrite: u.Usage.CacheWrite,
		ReasoningOutput: u.Usage.ReasoningOutput, RecordedAtMS: u.RecordedAtMS,
	})
}

// putEntry puts an entry in its place in the line. What is to be hidden for longer is hidden by the clock that is here.
func (x *putter) putEntry(e *lashstore.PortableEntry) error {
	p := db.PortablePutEntryParams{
		Seq: e.Seq, State: string(e.State), EntryID: e.ID, SourceKey: optional(e.SourceKey), ContentHash: e.ContentHash[:],
		Attempts: e.Attempts, NotBeforeMS: e.NotBeforeMS, EnqueuedAtMS: e.EnqueuedAtMS, SettledAtMS: e.SettledAtMS,
	}
	if e.State == lashstore.EntryWaiting {
		p.State = storedReady
		if value(e.NotBeforeMS) > x.now() {
			p.State = storedLater
		}
	}
	if in := e.Input; in != nil {
		p.Family, p.TurnID, p.Boundary = string(familyInput), optional(in.TurnID), optional(string(in.Boundary))
		p.Content = optionalJSON(in.Input)
	} else {
		w := e.Work
		class, delivery, slot := string(w.Class), string(w.Delivery), string(w.Slot)
		p.Family, p.Class, p.Delivery, p.Slot, p.MergeKey = string(familyWork), &class, &delivery, &slot, optional(w.MergeKey)
		if !e.State.Settled() {
			content := lashstore.EncodeWorkItems(w.Draft().Items)
			p.Content = &content
		}
	}
	return x.q.PortablePutEntry(x.Context(), p)
}

func (x *putter) putHead(h *lashstore.PortableHead) error {
	leaf, err := x.nodeSeq(h.Leaf, "the head", lashstore.ErrUnknownLeaf)
	if err != nil {
		return err
	}
	n, err := x.q.PortablePutHead(x.Context(), db.PortablePutHeadParams{
		Revision: int64(h.Revision), LeafSeq: leaf, CheckpointHash: hashBytes(h.Checkpoint), CurrentFrameID: optional(h.CurrentFrameID),
		Title: h.Title, Turns: h.Turns, Messages: h.Messages, UserMessages: h.UserMessages, Tokens: h.Tokens, UpdatedAtMS: h.UpdatedAtMS,
	})
	if err := x.changedOne(n, err, "head"); err != nil {
		return err
	}
	x.importer.revision = h.Revision
	n, err = x.q.PortablePutLease(x.Context(), db.PortablePutLeaseParams{Generation: h.LeaseGeneration, LastSeq: h.LastSeq})
	return x.changedOne(n, err, "lease")
}
