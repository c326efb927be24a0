package store

import (
	"encoding/json"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// The parts of an export that tell what happened, what waits, and where the session stands.

func (x *exporter) revisions() error {
	p := db.PortableRevisionsParams{MaxRows: portableLines}
	return pages(x.tx, portableLines, func() ([]db.PortableRevisionsRow, error) { return x.q.PortableRevisions(x.Context(), p) },
		func(row db.PortableRevisionsRow) error {
			p.AfterRevision = row.Revision.Revision
			r, err := x.revision(row.Revision, value(row.LeafID))
			if err != nil {
				return err
			}
			return x.e.Encode(lashstore.PortableRecord{Revision: &r})
		})
}

func (x *exporter) revision(row db.Revision, leafID string) (lashstore.PortableRevision, error) {
	info, err := x.revisionInfo(row, leafID)
	if err != nil {
		return lashstore.PortableRevision{}, err
	}
	r := lashstore.PortableRevision{
		Revision: info.Revision, Movement: info.Movement, Source: info.Source, Leaf: leafID, Checkpoint: info.Checkpoint,
		CurrentFrameID: value(row.CurrentFrameID), TurnID: info.TurnID, Usage: info.Usage, CommittedAtMS: row.CommittedAtMS,
		PinnedAtMS: row.PinnedAtMS,
	}
	if row.Outbox != nil {
		if err := json.Unmarshal([]byte(*row.Outbox), &r.Outbox); err != nil {
			return r, &lashstore.CorruptError{What: "receipt", Key: info.TurnID, Reason: "its outbox: " + err.Error()}
		}
	}
	r.TurnHash, err = optionalHash(row.TurnHash, "receipt", info.TurnID)
	return r, err
}

func (x *exporter) usage() error {
	p := db.PortableUsageParams{Revision: -1, MaxRows: portableLines}
	return pages(x.tx, portableLines, func() ([]db.UsageDelta, error) { return x.q.PortableUsage(x.Context(), p) }, func(row db.UsageDelta) error {
		p.Revision, p.Ordinal = row.Revision, row.Ordinal
		return x.e.Encode(lashstore.PortableRecord{Usage: &lashstore.PortableUsage{
			Revision: lashstore.Revision(row.Revision), Ordinal: row.Ordinal, TurnID: value(row.TurnID), Source: row.Source,
			Model: row.Model, RecordedAtMS: row.RecordedAtMS,
			Usage: lashstore.TokenUsage{
				Input: row.Input, Output: row.Output, CacheRead: row.CacheRead, CacheWrite: row.CacheWrite, ReasoningOutput: row.ReasoningOutput,
			},
		}})
	})
}

func (x *exporter) totals() error {
	totals, err := x.usageTotals()
	for _, u := range totals {
		if err := x.e.Encode(lashstore.PortableRecord{Total: &lashstore.PortableTotal{Source: u.Source, Model: u.Model, Usage: u.Usage}}); err != nil {
			return err
		}
	}
	return err
}

func (x *exporter) entries() error {
	p := db.VerifyEntriesParams{MaxRows: portablePage}
	return pages(x.tx, portablePage, func() ([]db.Entry, error) { return x.q.VerifyEntries(x.Context(), p) }, func(row db.Entry) error {
		p.AfterSeq = row.Seq
		e, err := x.entry(row)
		if err != nil {
			return err
		}
		return x.e.Encode(lashstore.PortableRecord{Entry: &e})
	})
}

// entry is a row of the line. A claim is the affair of who holds it, here.
func (x *exporter) entry(row db.Entry) (e lashstore.PortableEntry, err error) {
	e = lashstore.PortableEntry{
		Seq: row.Seq, ID: row.EntryID, SourceKey: value(row.SourceKey), State: lashstore.EntryState(row.State), Attempts: row.Attempts,
		NotBeforeMS: row.NotBeforeMS, EnqueuedAtMS: row.EnqueuedAtMS, SettledAtMS: row.SettledAtMS,
	}
	if !e.State.Settled() {
		e.State = lashstore.EntryWaiting
	}
	if e.ContentHash, err = storedHash(row.ContentHash, "entry", row.EntryID); err != nil {
		return e, err
	}
	if row.Family == string(familyInput) {
		in, err := x.input(row)
		e.Input = &lashstore.PortableSubmit{TurnID: in.Ingress.TurnID, Boundary: in.Ingress.Boundary, Input: in.Input}
		return e, err
	}
	b, err := x.batch(row)
	e.Work = &lashstore.PortableWork{Class: b.Class, Delivery: b.Delivery, Slot: b.Slot, MergeKey: b.MergeKey}
	for _, item := range b.Items {
		e.Work.Items = append(e.Work.Items, lashstore.PortableItem(item))
	}
	return e, err
}

func (x *exporter) head() error {
	lease, err := x.q.LeaseGet(x.Context())
	if err != nil {
		return err
	}
	h := lashstore.PortableHead{
		Revision: x.state.revision, Leaf: x.state.leafID, Checkpoint: x.state.checkpoint, CurrentFrameID: x.state.currentFrameID,
		Title: x.state.summary.Title, Turns: x.state.summary.Turns, Messages: x.state.summary.Messages,
		UserMessages: x.state.summary.UserMessages, Tokens: x.state.summary.Tokens,
		LeaseGeneration: lease.Generation, LastSeq: lease.LastSeq,
	}
	if !x.state.summary.UpdatedAt.IsZero() {
		h.UpdatedAtMS = lashstore.Millis(x.state.summary.UpdatedAt)
	}
	return x.e.Encode(lashstore.PortableRecord{Head: &h})
}
