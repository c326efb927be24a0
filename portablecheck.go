package lashstore

import (
	"fmt"
	"reflect"

	"github.com/zeebo/blake3"
)

// portableCheck holds each record against itself and against the order, for whoever writes or reads a stream. What one
// record says of another is for the reader to check.
type portableCheck struct {
	counts   PortableCounts
	stage    int // how far the order has come: 1 more than the place of the last record's kind
	revision Revision
	blob     *PortableBlob // whose pieces are not all here
	missing  int64         // bytes of it
	sum      *blake3.Hasher
}

// accept returns an InvalidError or a TooLargeError.
func (c *portableCheck) accept(r PortableRecord) error {
	stage, record, err := r.only()
	if err != nil {
		return err
	}
	if err := c.order(r, stage); err != nil {
		return err
	}
	if err := record.validate(); err != nil {
		return err
	}
	return c.count(r)
}

// portableValidator is a record of any kind.
type portableValidator interface{ validate() error }

// only returns the one member that is set, and its place in the order.
func (r PortableRecord) only() (stage int, record portableValidator, err error) {
	members := reflect.ValueOf(r)
	for i := range members.NumField() {
		if members.Field(i).IsNil() {
			continue
		}
		if record != nil {
			return 0, nil, &InvalidError{Field: "record", Reason: "has more than one kind"}
		}
		record, stage = members.Field(i).Interface().(portableValidator), i+1
	}
	if record == nil {
		return 0, nil, &InvalidError{Field: "record", Reason: "has no kind"}
	}
	return stage, record, nil
}

// The places of kinds with rules of their own.
const (
	stageSession = 1
	stageBlob    = 2
	stagePiece   = 3
	stageHead    = 12
)

func (c *portableCheck) order(r PortableRecord, stage int) error {
	switch {
	case (c.stage == 0) != (stage == stageSession):
		return &InvalidError{Field: "record", Reason: "the session comes first, and once"}
	case (c.blob != nil) != (stage == stagePiece):
		return &InvalidError{Field: "record", Reason: "the pieces of a blob come behind it, and none else"}
	case stage == stagePiece:
		return nil
	case stage < c.stage || c.stage == stageHead:
		return &InvalidError{Field: "record", Reason: "out of order"}
	}
	if r.Revision != nil {
		if r.Revision.Revision <= c.revision {
			return &InvalidError{Field: "revision.revision", Reason: fmt.Sprintf("%d comes behind %d", r.Revision.Revision, c.revision)}
		}
		c.revision = r.Revision.Revision
	}
	c.stage = stage
	return nil
}

func (c *portableCheck) count(r PortableRecord) error {
	switch {
	case r.Blob != nil:
		c.counts.Blobs++
		c.blob, c.missing, c.sum = r.Blob, r.Blob.Size, blake3.New()
		return c.blobEnds()
	case r.Piece != nil:
		if size := int64(len(r.Piece.Data)); size != min(c.missing, MaxPortablePiece) {
			return &InvalidError{Field: "piece.data", Reason: fmt.Sprintf("%d bytes, where %d belong", size, min(c.missing, MaxPortablePiece))}
		}
		c.missing -= int64(len(r.Piece.Data))
		_, _ = c.sum.Write(r.Piece.Data) // a hasher does not fail
		return c.blobEnds()
	case r.Node != nil:
		c.counts.Nodes++
	case r.Frame != nil:
		c.counts.Frames++
	case r.Artifact != nil:
		c.counts.Artifacts++
	case r.Revision != nil:
		c.counts.Revisions++
	case r.Branch != nil:
		c.counts.Branches++
	case r.Usage != nil:
		c.counts.Usage++
	case r.Total != nil:
		c.counts.Totals++
	case r.Entry != nil:
		c.counts.Entries++
	}
	return nil
}

// blobEnds judges a blob's content once it is whole.
func (c *portableCheck) blobEnds() error {
	if c.missing > 0 {
		return nil
	}
	var sum Hash
	c.sum.Sum(sum[:0])
	if sum != c.blob.Hash {
		return &InvalidError{Field: "blob.hash", Reason: fmt.Sprintf("the content of %s has the hash %s", c.blob.Hash, sum)}
	}
	c.blob = nil
	return nil
}

// complete holds that nothing is missing.
func (c *portableCheck) complete() error {
	if c.stage != stageHead {
		return &InvalidError{Field: "record", Reason: "the head is missing"}
	}
	return nil
}

// maxPortableBlob is the largest blob: a checkpoint's record, which holds a turn state and a list of parts.
const maxPortableBlob = MaxValueSize + 1<<20

// validateMillis accepts 1970 to the year 9999, and nil.
func validateMillis(field string, times ...*int64) error {
	for _, at := range times {
		if at != nil && (*at < 0 || FromMillis(*at).Year() > 9999) {
			return &InvalidError{Field: field, Reason: fmt.Sprintf("%d is no time in milliseconds since 1970", *at)}
		}
	}
	return nil
}

// validateNatural accepts what is not negative.
func validateNatural(field string, numbers ...int64) error {
	for _, n := range numbers {
		if n < 0 {
			return &InvalidError{Field: field, Reason: fmt.Sprintf("negative: %d", n)}
		}
	}
	return nil
}

// validateIDs accepts ids, and "" for those that may be missing.
func validateIDs(field string, ids ...string) error {
	for _, id := range ids {
		if id != "" {
			if err := ValidateID(field, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Meta is the description that s gives a session of that id.
func (s *PortableSession) Meta(sessionID string) SessionMeta {
	return SessionMeta{
		SessionID: sessionID, Name: s.Name, Model: s.Model, Cwd: s.Cwd, Extra: s.Extra, CreatedAt: FromMillis(s.CreatedAtMS),
		Relation: Relation{Kind: s.Relation, ParentSessionID: s.ParentSessionID, CausedBy: s.RelationCause},
	}
}

func (s *PortableSession) validate() error {
	if s.Name == "" || s.Relation == "" {
		return &InvalidError{Field: "session", Reason: "has no name, or no relation"}
	}
	if s.KeepRevisions < 0 || s.KeepRevisions > MaxKeepRevisions {
		return &InvalidError{Field: "session.keep_revisions", Reason: "out of range"}
	}
	if s.KeptFrom < 0 {
		return &InvalidError{Field: "session.kept_from", Reason: "negative"}
	}
	return firstError(
		validateMillis("session.created_at_ms", &s.CreatedAtMS), s.Meta("any").Validate(), ValidateJSON("session.config", s.Config))
}

func (b *PortableBlob) validate() error {
	if b.Size > maxPortableBlob {
		return &TooLargeError{Field: "blob.size", Size: b.Size, Max: maxPortableBlob}
	}
	return firstError(
		validateName("blob.kind", string(b.Kind)), validateNatural("blob", b.Size, int64(b.Revision)),
		validateMillis("blob.created_at_ms", &b.CreatedAtMS))
}

func (p *PortablePiece) validate() error { return nil } // it is held against its blob

// Node is the node without what has become of it.
func (n *PortableNode) Node() Node {
	return Node{
		ID: n.ID, ParentID: n.ParentID, Kind: n.Kind, Role: n.Role, FrameID: n.FrameID, CausedBy: n.CausedBy,
		CreatedAt: FromMillis(n.CreatedAtMS), Payload: n.Payload,
	}
}

func (n *PortableNode) validate() error {
	switch {
	case n.Revision < 1:
		return &InvalidError{Field: "node.revision", Reason: "not positive"}
	case (n.TombstonedAtMS == nil) != (n.TombstonedRevision == nil):
		return &InvalidError{Field: "node.tombstoned_revision", Reason: "goes with a time"}
	}
	return firstError(validateMillis("node", &n.CreatedAtMS, n.TombstonedAtMS), n.Node().validate("node"))
}

func (f *PortableFrame) validate() error {
	if f.PreviousID == f.ID {
		return &InvalidError{Field: "frame.previous_id", Reason: "a frame cannot follow itself"}
	}
	return firstError(validateMillis("frame.created_at_ms", &f.CreatedAtMS), Frame{
		ID: f.ID, PreviousID: f.PreviousID, Reason: f.Reason, CausedBy: f.CausedBy, Assignment: f.Assignment,
		Options: f.Options, ExecutionStateRef: f.ExecutionState,
	}.validate("frame"))
}

func (a *PortableArtifact) validate() error {
	return firstError(ArtifactKey{a.Namespace, a.Key}.Validate(), validateMillis("artifact.updated_at_ms", &a.UpdatedAtMS))
}

func (r *PortableRevision) validate() error {
	switch {
	case r.Movement != MovedByCommit && r.Movement != MovedByRewind && r.Movement != MovedBySwitch:
		return &InvalidError{Field: "revision.movement", Reason: fmt.Sprintf("%q is unknown", r.Movement)}
	case (r.Movement == MovedByRewind) != (r.Source > 0):
		return &InvalidError{Field: "revision.source", Reason: "goes with a rewind"}
	case r.Source < 0 || r.Source >= max(r.Revision, 1):
		return &InvalidError{Field: "revision.source", Reason: "not before the revision"}
	case r.TurnID == "" && !r.TurnHash.IsZero():
		return &InvalidError{Field: "revision.turn_hash", Reason: "a receipt needs a turn"}
	}
	return firstError(
		validateIDs("revision", append([]string{r.Leaf, r.CurrentFrameID, r.TurnID}, r.Outbox...)...),
		validateCounters("revision.usage", r.Usage), validateMillis("revision", &r.CommittedAtMS, r.PinnedAtMS))
}

func validateCounters(field string, u TokenUsage) error {
	c := u.counters()
	return validateNatural(field, c[:]...)
}

func (b *PortableBranch) validate() error {
	return firstError(ValidateID("branch.name", b.Name), ValidateID("branch.leaf", b.Leaf), validateMillis("branch.named_at_ms", &b.NamedAtMS))
}

func (u *PortableUsage) validate() error {
	return firstError(
		validateNatural("usage", u.Ordinal), validateIDs("usage.turn_id", u.TurnID), validateMillis("usage.recorded_at_ms", &u.RecordedAtMS),
		UsageDelta{Source: u.Source, Model: u.Model, Usage: u.Usage}.validate("usage"))
}

func (t *PortableTotal) validate() error {
	return firstError(ValidateID("total.source", t.Source), ValidateID("total.model", t.Model), validateCounters("total", t.Usage))
}

func (h *PortableHead) validate() error {
	if h.Revision == 0 && (h.Leaf != "" || !h.Checkpoint.IsZero() || h.CurrentFrameID != "") {
		return &InvalidError{Field: "head.revision", Reason: "nothing was committed, and something stands"}
	}
	return firstError(
		validateNatural("head", int64(h.Revision), h.Turns, h.Messages, h.UserMessages, h.Tokens, h.LeaseGeneration, h.LastSeq),
		validateIDs("head", h.Leaf, h.CurrentFrameID), validateText("head.title", h.Title), validateMillis("head.updated_at_ms", &h.UpdatedAtMS))
}

func (e *PortableEntry) validate() error {
	settled := e.State == EntryCompleted || e.State == EntryCancelled
	switch {
	case !settled && e.State != EntryWaiting:
		return &InvalidError{Field: "entry.state", Reason: fmt.Sprintf("%q is none of waiting, completed, cancelled", e.State)}
	case settled != (e.SettledAtMS != nil):
		return &InvalidError{Field: "entry.settled_at_ms", Reason: "goes with what is settled"}
	case (e.Work == nil) == (e.Input == nil):
		return &InvalidError{Field: "entry", Reason: "is either work or input"}
	case e.Seq < 1:
		return &InvalidError{Field: "entry.seq", Reason: "not positive"}
	}
	what := e.Input.validate
	if e.Work != nil {
		what = func() error { return e.Work.validate(settled) }
	}
	return firstError(
		ValidateID("entry.id", e.ID), validateIDs("entry.source_key", e.SourceKey), validateNatural("entry.attempts", e.Attempts),
		validateMillis("entry", e.NotBeforeMS, &e.EnqueuedAtMS, e.SettledAtMS), what())
}

// Draft is the batch as it was put in.
func (w *PortableWork) Draft() WorkDraft {
	d := WorkDraft{Class: w.Class, Delivery: w.Delivery, Slot: w.Slot, MergeKey: w.MergeKey}
	for _, item := range w.Items {
		d.Items = append(d.Items, WorkItem(item))
	}
	return d
}

func (w *PortableWork) validate(settled bool) error {
	d := w.Draft()
	if w.Delivery == "" || w.Slot == "" {
		return &InvalidError{Field: "entry.work", Reason: "delivery or slot is missing"}
	}
	if settled && len(w.Items) == 0 {
		return firstError(validateIDs("entry.work.merge_key", w.MergeKey), d.validatePolicies("entry.work."))
	}
	if settled {
		return &InvalidError{Field: "entry.work.items", Reason: "settled work keeps none"}
	}
	return d.Validate("entry.work")
}

func (s *PortableSubmit) validate() error {
	return InputDraft{Ingress: Ingress{TurnID: s.TurnID, Boundary: s.Boundary}, Input: s.Input}.Validate()
}
