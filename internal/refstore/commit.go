package refstore

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lashstore/lashstore"
)

// Commit applies c.
func (s *Store) Commit(ctx context.Context, c lashstore.Commit) (lashstore.CommitResult, error) {
	if err := s.validate(&c); err != nil {
		return lashstore.CommitResult{}, err
	}
	return s.apply(ctx, c, nil)
}

// apply runs a commit, or a move of the head.
func (s *Store) apply(ctx context.Context, c lashstore.Commit, move *lashstore.HeadMove) (lashstore.CommitResult, error) {
	var result lashstore.CommitResult
	if c.Turn != nil {
		hash, err := s.hashOf(&c)
		if err != nil {
			return lashstore.CommitResult{}, err
		}
		result.TurnHash = hash
	}
	result.Parts = c.PartRefs()
	err := s.update(ctx, func(t *tx) error { return t.commit(&c, move, &result) })
	if err != nil {
		s.mutateFailure(ctx, &c)
		return lashstore.CommitResult{}, err
	}
	every := s.options.GCEveryCommits
	if !result.Replayed && every > 0 && int(result.Revision)%every == 0 && !s.is(AutoGCNeverRuns) {
		_, _ = s.GC(ctx, nil) // its failure is not the commit's
	}
	return result, nil
}

func (s *Store) validate(c *lashstore.Commit) error {
	switch {
	case s.is(GraphIsNotValidated), s.is(ParentsMayComeLater):
		c := *c
		c.Graph = lashstore.GraphDelta{}
		return c.Validate()
	case s.is(StateIsNotValidated):
		return cmp.Or(lashstore.ValidateID("session_id", c.SessionID), c.Graph.Validate())
	case s.is(FirstCommitMayContinue) && c.Turn != nil:
		c := *c
		c.Turn = &lashstore.TurnStamp{TurnID: c.Turn.TurnID, Hash: c.Turn.Hash}
		return c.Validate()
	case s.is(PathsAreNoIDs) && slices.ContainsFunc(c.Graph.Nodes, func(n lashstore.Node) bool { return strings.Contains(n.ID, "/") }):
		return lashstore.ErrInvalid
	case s.is(CompletionsNeedNoLease):
		c := *c
		c.WithoutLease = false
		return c.Validate()
	}
	return c.Validate()
}

func (t *tx) commit(c *lashstore.Commit, move *lashstore.HeadMove, result *lashstore.CommitResult) error {
	if c.SessionID != t.id && !t.is(AnySessionMayCommit) {
		return &lashstore.SessionMismatchError{Bound: t.id, Attempted: c.SessionID}
	}
	if done, err := t.replay(c, result); done || err != nil {
		return err
	}
	if err := t.authorize(c); err != nil && !(move != nil && t.is(MovesNeedNoLease)) {
		return err
	}
	if err := c.Expect.Check(t.revision); err != nil && !t.is(SkipCAS) && !(move != nil && t.is(MovesGoFromAnywhere)) {
		return err
	}
	t.committing = true
	for _, step := range []func(*lashstore.Commit) error{
		t.completeEntries, t.putCheckpoint, t.addUsage, t.changeGraph, t.putFrames,
	} {
		if err := step(c); err != nil {
			return err
		}
	}
	by, source := lashstore.MovedByCommit, lashstore.Revision(0)
	if move != nil {
		var err error
		before := *t.state
		if by, source, err = t.moveHead(move); err != nil {
			return err
		}
		t.mutateMove(by, &before)
	}
	t.advance(c)
	t.logRevision(c, by, source)
	if c.DeferInputsOf != "" && !t.is(CommitDefersNothing) {
		t.deferInputs(func(turnID string) bool { return turnID == c.DeferInputsOf || t.is(CommitDefersAllTurns) })
	}
	outbox, err := t.enqueueOutbox(c)
	if err != nil {
		return err
	}
	result.Revision, result.Checkpoint, result.Outbox = t.revision, t.checkpoint, outbox
	if c.Turn != nil {
		t.receipts[c.Turn.TurnID] = receipt{
			hash: result.TurnHash, checkpoint: t.checkpoint, parts: result.Parts, revision: t.revision, outbox: slices.Clone(outbox), at: t.now,
		}
	}
	if c.ReleaseLease && !t.is(CommitKeepsLease) {
		t.release(c.Lease)
	}
	return nil
}

// replay answers a turn that was committed before.
func (t *tx) replay(c *lashstore.Commit, result *lashstore.CommitResult) (bool, error) {
	if c.Turn == nil || t.is(IgnoreStamp) {
		return false, nil
	}
	first, known := t.receipts[c.Turn.TurnID]
	if !known {
		return false, nil
	}
	if first.hash != result.TurnHash && !t.is(ReplayAnyContent) {
		return false, &lashstore.TurnConflictError{
			TurnID: c.Turn.TurnID, Committed: first.hash, Attempted: result.TurnHash, Revision: first.revision,
		}
	}
	result.Revision, result.Checkpoint, result.Replayed = first.revision, first.checkpoint, true
	result.Outbox = slices.Clone(first.outbox)
	if err := t.mutateReplay(c, result); err != nil {
		return false, err
	}
	if t.is(ReplayTellsHead) {
		result.Revision, result.Checkpoint = t.revision, t.checkpoint
	}
	if !t.is(ReplayEchoesParts) {
		result.Parts = first.parts
	}
	if c.ReleaseLease && !t.is(ReplayKeepsLease) {
		t.release(c.Lease)
	}
	return true, nil
}

func (t *tx) authorize(c *lashstore.Commit) error {
	switch {
	case t.is(NoFenceCheck) && !c.WithoutLease, t.is(WithoutLeaseAlways) && c.WithoutLease:
		return nil
	case t.is(ExpiryIsNotChecked) && c.Lease != nil && c.Lease.Names(t.lease):
		return nil
	}
	return c.Authorize(t.id, t.lease, t.now)
}

// advance moves the head.
func (t *tx) advance(c *lashstore.Commit) {
	t.revision++
	if t.is(RevisionsSkip) {
		t.revision++
	}
	if c.Config != nil || t.is(ConfigIsDropped) {
		t.config = slices.Clone(c.Config)
	}
	t.summary.UpdatedAt = t.now
	if c.Turn != nil && (!c.Turn.Continues || t.is(ContinuedTurnsCount)) {
		t.summary.Turns++
	}
	t.countMessages()
}

// completeEntries settles what the turn has used of the line.
func (t *tx) completeEntries(c *lashstore.Commit) error {
	for _, done := range c.CompletedWork {
		if err := t.complete(true, done); err != nil {
			return err
		}
	}
	for _, done := range c.CompletedInputs {
		if err := t.complete(false, done); err != nil {
			return err
		}
	}
	return nil
}

// enqueueOutbox puts what the turn leaves behind into the line and returns the ids.
func (t *tx) enqueueOutbox(c *lashstore.Commit) (ids []string, err error) {
	for _, d := range t.outboxOf(c) {
		e, err := workEntry(d)
		if err != nil {
			return nil, err
		}
		at, _, err := t.enqueue(d.SessionID, e)
		if err != nil && t.is(OutboxConflictsAreSkipped) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, t.line[at].id)
	}
	if t.is(OutboxIsReversed) {
		slices.Reverse(ids)
	}
	return ids, nil
}

func (t *tx) addUsage(c *lashstore.Commit) error {
	for _, d := range c.Usage {
		if t.is(ReasoningIsDropped) && d.Usage.Total() == 0 {
			continue
		}
		row := lashstore.TurnUsage{UsageDelta: d, Revision: t.revision + 1, At: t.now}
		if c.Turn != nil {
			row.TurnID = c.Turn.TurnID
		}
		t.usage = append(t.usage, row)
		t.summary.Tokens += d.Usage.Total()
		at := slices.IndexFunc(t.totals, func(u lashstore.UsageTotal) bool {
			return u.Source == d.Source && (u.Model == d.Model || t.is(ModelsAreMerged))
		})
		if at < 0 {
			t.totals = append(t.totals, lashstore.UsageTotal(d))
		} else {
			t.totals[at].Usage = t.totals[at].Usage.Add(d.Usage)
		}
		if t.is(TotalsWrap) {
			last := &t.totals[len(t.totals)-1].Usage
			last.Input = int64(int32(last.Input))
		}
	}
	return nil
}

func (t *tx) putCheckpoint(c *lashstore.Commit) error {
	if c.Checkpoint == nil {
		if t.is(NilCheckpointClears) {
			t.checkpoint = lashstore.Hash{}
		}
		return nil
	}
	m := lashstore.Manifest{TurnState: c.Checkpoint.TurnState}
	if t.is(TurnStateIsRespelled) && m.TurnState != nil {
		m.TurnState = compact(m.TurnState)
	}
	if t.is(UnlistedPartsStay) && !t.checkpoint.IsZero() {
		m.Parts = t.unlisted(c.Checkpoint)
	}
	for _, name := range c.Checkpoint.PartNames() {
		p := c.Checkpoint.Parts[name]
		if p.Content != nil {
			t.put(p.DescriptorFor(name), p.Content)
		}
		b, stored := t.blobs[p.Hash()]
		if !stored && !t.is(CarriedPartUnchecked) {
			return &lashstore.MissingBlobError{Hash: p.Ref, NamedBy: "checkpoint part " + name}
		}
		part := lashstore.ManifestPart{
			Name: name, Hash: p.Hash(), Size: int64(len(b.content)), Fingerprint: p.Fingerprint,
		}
		if t.is(FingerprintsAreLost) || t.is(CarriedPartsLoseTheirMark) && p.Content == nil {
			part.Fingerprint = 0
		}
		m.Parts = append(m.Parts, part)
	}
	record, err := m.Encode()
	if err != nil {
		return err
	}
	t.checkpoint = t.put(lashstore.CheckpointManifest, record)
	return nil
}

func (t *tx) unlisted(c *lashstore.Checkpoint) []lashstore.ManifestPart {
	before, err := lashstore.DecodeManifest(t.blobs[t.checkpoint].content)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(before.Parts, func(p lashstore.ManifestPart) bool { _, listed := c.Parts[p.Name]; return listed })
}

// putFrames writes the frames that are new or changed and finds the current one.
func (t *tx) putFrames(c *lashstore.Commit) error {
	if t.is(OtherFramesGo) && len(c.Frames) > 0 {
		t.frames = nil
	}
	for _, f := range c.Frames {
		if err := t.putFrame(f); err != nil {
			return err
		}
	}
	if c.CurrentFrameID == "" {
		return nil
	}
	t.frame = c.CurrentFrameID
	return t.requireFrame(c.CurrentFrameID)
}

func (t *tx) putFrame(f lashstore.Frame) error {
	if f.ExecutionState != nil {
		f.ExecutionStateRef = t.put(lashstore.ExecutionState, f.ExecutionState)
		f.ExecutionState = nil
	}
	if _, stored := t.blobs[f.ExecutionStateRef]; !stored && !f.ExecutionStateRef.IsZero() {
		return &lashstore.MissingBlobError{Hash: f.ExecutionStateRef, NamedBy: "frame " + f.ID}
	}
	f.Status, f.CausedBy = "", cloneJSON(f.CausedBy)
	f.Assignment, f.Options = cloneJSON(f.Assignment), cloneJSON(f.Options)
	at := t.frameIndex(f.ID)
	if at >= 0 {
		if field := t.frames[at].Conflict(f); field != "" && !t.is(FrameOriginChanges) {
			return &lashstore.FrameError{FrameID: f.ID, Field: field, Err: lashstore.ErrFrameConflict}
		}
		f.CreatedAt = t.frames[at].CreatedAt
		if !t.is(FramesNeverChange) {
			t.frames[at] = f
		}
		return nil
	}
	if f.PreviousID != "" {
		if err := t.requireFrame(f.PreviousID); err != nil {
			return err
		}
	}
	f.CreatedAt = t.timeOf(f.CreatedAt)
	t.frames = append(t.frames, f)
	return nil
}

func (t *tx) frameIndex(id string) int {
	return slices.IndexFunc(t.frames, func(f lashstore.Frame) bool { return f.ID == id })
}

func (t *tx) requireFrame(id string) error {
	if t.frameIndex(id) < 0 && !t.is(FramesAreNotLookedUp) {
		return &lashstore.FrameError{FrameID: id, Err: lashstore.ErrFrameNotFound}
	}
	return nil
}

func cloneJSON(v json.RawMessage) json.RawMessage { return slices.Clone(v) }
