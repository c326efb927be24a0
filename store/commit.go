package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Commit applies c in one transaction. What costs time and needs no lock, judging, hashing and compressing, happens
// before it.
func (s *Store) Commit(ctx context.Context, c lashstore.Commit) (lashstore.CommitResult, error) {
	w, err := s.prepareCommit(&c)
	if err != nil {
		return lashstore.CommitResult{}, err
	}
	return s.commit(ctx, w)
}

func (s *Store) commit(ctx context.Context, w *commitWork) (lashstore.CommitResult, error) {
	if err := s.update(ctx, w.run); err != nil {
		return lashstore.CommitResult{}, err
	}
	if !w.result.Replayed {
		s.collectAfter(ctx, w.result.Revision)
	}
	return w.result, nil
}

// commitWork is one commit on its way through its transaction.
type commitWork struct {
	*lashstore.Commit
	turnHash lashstore.Hash
	blobs    map[lashstore.Hash]encodedBlob // contents that the commit brings, encoded

	work  []submission        // the outbox, encoded
	to    *lashstore.HeadMove // where the head is moved without new nodes; nil in an ordinary commit
	moved *moved              // how it was

	next     state    // the head as it will be
	enqueued []string // ids of the outbox's batches
	result   lashstore.CommitResult
}

func (s *Store) prepareCommit(c *lashstore.Commit) (*commitWork, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w := &commitWork{Commit: c}
	if c.Turn != nil {
		w.turnHash = c.Turn.Hash
		if w.turnHash.IsZero() {
			hash, err := c.Hash()
			if err != nil {
				return nil, err
			}
			w.turnHash = hash
		}
	}
	w.blobs = s.encodeContents(c)
	for _, d := range c.Outbox {
		e, err := workSubmission(d)
		if err != nil {
			return nil, err
		}
		w.work = append(w.work, e)
	}
	return w, nil
}

// run is the order in which a commit happens. Every step either passes or refuses the whole.
func (w *commitWork) run(t *tx) error {
	if t.store.sessionID != w.SessionID {
		return &lashstore.SessionMismatchError{Bound: t.store.sessionID, Attempted: w.SessionID}
	}
	if replayed, err := w.replay(t); replayed || err != nil {
		return err
	}
	if err := w.Authorize(w.SessionID, t.state.lease, t.Now); err != nil {
		return err
	}
	if err := w.Expect.Check(t.state.revision); err != nil {
		return err
	}
	w.next = t.state
	w.next.revision++
	w.next.summary.UpdatedAt = t.Now
	if w.Turn != nil && !w.Turn.Continues {
		w.next.summary.Turns++
	}
	for _, step := range []func(*tx) error{
		w.completions, w.checkpoint, w.usage, w.graph, w.frames, w.move, w.head, w.deferral, w.outbox, w.revision, w.release,
	} {
		if err := step(t); err != nil {
			return err
		}
	}
	w.result = lashstore.CommitResult{
		Revision: w.next.revision, Checkpoint: w.next.checkpoint, Parts: w.PartRefs(), TurnHash: w.turnHash,
		Outbox: w.enqueued,
	}
	return nil
}

// replay answers a turn that was committed before with its first result. It looks at no lease and at no revision.
func (w *commitWork) replay(t *tx) (bool, error) {
	if w.Turn == nil {
		return false, nil
	}
	row, err := t.q.RevisionByTurn(t.Context(), &w.Turn.TurnID)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	committed, err := storedHash(row.TurnHash, "receipt", w.Turn.TurnID)
	if err != nil {
		return false, err
	}
	checkpoint, err := optionalHash(row.CheckpointHash, "receipt", w.Turn.TurnID)
	if err != nil {
		return false, err
	}
	if committed != w.turnHash {
		return false, &lashstore.TurnConflictError{
			TurnID: w.Turn.TurnID, Committed: committed, Attempted: w.turnHash, Revision: lashstore.Revision(row.Revision),
		}
	}
	parts, err := w.firstParts(t, checkpoint)
	if err != nil {
		return false, err
	}
	w.result = lashstore.CommitResult{
		Revision: lashstore.Revision(row.Revision), Checkpoint: checkpoint, Parts: parts, TurnHash: w.turnHash,
		Replayed: true,
	}
	if row.Outbox != nil {
		if err := json.Unmarshal([]byte(*row.Outbox), &w.result.Outbox); err != nil {
			return false, &lashstore.CorruptError{What: "receipt", Key: w.Turn.TurnID, Reason: "its outbox: " + err.Error()}
		}
	}
	return true, w.release(t)
}

// firstParts are the parts that the first try of a turn stored. A hash over the content answers for this try's; under
// one that the caller gave, contents may differ, and the manifest tells, as long as it is there.
func (w *commitWork) firstParts(t *tx, checkpoint lashstore.Hash) (map[string]lashstore.Hash, error) {
	if w.Checkpoint == nil || w.Turn.Hash.IsZero() {
		return w.PartRefs(), nil
	}
	m, err := t.manifest(checkpoint, "the receipt of turn "+w.Turn.TurnID)
	if errors.Is(err, lashstore.ErrMissingBlob) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s of turn %q: %w", checkpoint.Short(), w.Turn.TurnID, err)
	}
	refs := make(map[string]lashstore.Hash, len(m.Parts))
	for _, p := range m.Parts {
		refs[p.Name] = p.Hash
	}
	return refs, nil
}

// head advances the head by compare-and-swap and stores a configuration that changed.
func (w *commitWork) head(t *tx) error {
	if w.Config != nil {
		n, err := t.q.SessionSetConfig(t.Context(), string(w.Config))
		if err := t.changedOne(n, err, "session"); err != nil {
			return err
		}
	}
	n := w.next
	changed, err := t.q.HeadAdvance(t.Context(), db.HeadAdvanceParams{
		Expected: int64(t.state.revision), LeafSeq: n.leafSeq, CheckpointHash: hashBytes(n.checkpoint),
		CurrentFrameID: optional(n.currentFrameID), Title: n.summary.Title, Turns: n.summary.Turns,
		Messages: n.summary.Messages, UserMessages: n.summary.UserMessages, Tokens: n.summary.Tokens, UpdatedAtMS: t.now(),
	})
	return t.changedOne(changed, err, "head")
}

// revision leaves a line in the log, which is the turn's receipt too.
func (w *commitWork) revision(t *tx) error {
	p := db.RevisionCreateParams{
		Revision: int64(w.next.revision), Movement: string(lashstore.MovedByCommit), LeafSeq: w.next.leafSeq,
		CheckpointHash: hashBytes(w.next.checkpoint), CurrentFrameID: optional(w.next.currentFrameID), CommittedAtMS: t.now(),
	}
	if w.moved != nil {
		p.Movement, p.SourceRevision = string(w.moved.by), optional(int64(w.moved.source))
	}
	for _, d := range w.Usage {
		u := d.Usage
		p.Input, p.Output, p.CacheRead = p.Input+u.Input, p.Output+u.Output, p.CacheRead+u.CacheRead
		p.CacheWrite, p.ReasoningOutput = p.CacheWrite+u.CacheWrite, p.ReasoningOutput+u.ReasoningOutput
	}
	if w.Turn != nil {
		p.TurnID, p.TurnHash = &w.Turn.TurnID, w.turnHash[:]
	}
	if len(w.enqueued) > 0 {
		list, err := jsonList(w.enqueued)
		if err != nil {
			return err
		}
		p.Outbox = &list
	}
	return t.q.RevisionCreate(t.Context(), p)
}

// completions settle what the turn has used of the line.
func (w *commitWork) completions(t *tx) error {
	for _, done := range w.CompletedWork {
		if err := t.complete(familyWork, done); err != nil {
			return err
		}
	}
	for _, done := range w.CompletedInputs {
		if err := t.complete(familyInput, done); err != nil {
			return err
		}
	}
	return nil
}

// deferral comes behind the completions: what the turn took, it took.
func (w *commitWork) deferral(t *tx) error {
	if w.DeferInputsOf == "" {
		return nil
	}
	if w.WithoutLease { // nobody holds the lease: what is claimed was claimed under one that has ended, and waits
		if _, err := t.q.EntryFreeClaims(t.Context()); err != nil {
			return err
		}
	}
	_, err := t.q.EntryDefer(t.Context(), &w.DeferInputsOf)
	return err
}

func (w *commitWork) outbox(t *tx) error {
	for _, e := range w.work {
		row, _, err := t.enqueue(e)
		if err != nil {
			return err
		}
		w.enqueued = append(w.enqueued, row.EntryID)
	}
	return nil
}

func (w *commitWork) release(t *tx) error {
	if !w.ReleaseLease {
		return nil
	}
	return t.releaseLease(w.Lease)
}

// usage records what was spent and adds it to the totals.
func (w *commitWork) usage(t *tx) error {
	var turnID *string
	if w.Turn != nil {
		turnID = &w.Turn.TurnID
	}
	for i, d := range w.Usage {
		u := d.Usage
		if w.next.summary.Tokens > math.MaxInt64-u.Total() {
			return &lashstore.TooLargeError{Field: fmt.Sprintf("usage[%d]", i), Size: u.Total(), Max: math.MaxInt64 - w.next.summary.Tokens}
		}
		if err := t.q.UsageRecord(t.Context(), db.UsageRecordParams{
			Revision: int64(w.next.revision), Ordinal: int64(i), TurnID: turnID, Source: d.Source, Model: d.Model,
			Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite,
			ReasoningOutput: u.ReasoningOutput, RecordedAtMS: t.now(),
		}); err != nil {
			return err
		}
		if err := t.q.UsageAdd(t.Context(), db.UsageAddParams{
			Source: d.Source, Model: d.Model, Input: u.Input, Output: u.Output, CacheRead: u.CacheRead,
			CacheWrite: u.CacheWrite, ReasoningOutput: u.ReasoningOutput,
		}); err != nil {
			return err
		}
		w.next.summary.Tokens += u.Total()
	}
	return nil
}
