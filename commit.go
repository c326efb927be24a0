package lashstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Commit is one turn, or a part of one, made durable: everything in it happens in one transaction, or nothing.
type Commit struct {
	// SessionID must be the session that the store holds. Required.
	SessionID string
	// Expect is the compare-and-swap: Create() for the first commit, At(revision) for all others. Required.
	Expect Expectation
	// Turn makes the commit idempotent; nil makes it a plain one, which a retry may apply again only if it wins the
	// compare-and-swap again.
	Turn *TurnStamp

	// Lease proves that the writer holds the session's execution lease. Required, unless WithoutLease says that a
	// single writer embeds the store and needs none. Both together are refused.
	Lease *Fence
	// WithoutLease commits under the compare-and-swap alone. It is refused while anybody holds a live lease.
	WithoutLease bool
	// ReleaseLease gives the lease back as the last step of the commit.
	ReleaseLease bool

	// Config is opaque JSON, the session's configuration; nil keeps the one before ({} at first).
	Config json.RawMessage
	// Frames are the frames that are new or changed; others stay as they are.
	Frames []Frame
	// CurrentFrameID is the frame in use afterwards; "" keeps the one before.
	CurrentFrameID string
	// Graph is what becomes of the conversation.
	Graph GraphDelta
	// Checkpoint is the state to resume from; nil keeps the one before.
	Checkpoint *Checkpoint
	// Usage is what was spent, in order.
	Usage []UsageDelta

	// CompletedWork and CompletedInputs settle what was claimed under the lease and has gone into this turn, id by id.
	// They need Lease.
	CompletedWork   []Completion
	CompletedInputs []Completion
	// DeferInputsOf moves input that waits for this turn, and that it did not take, to the next one; "" moves none. Set it
	// in every commit that ends a turn.
	DeferInputsOf string
	// Outbox is work that the turn leaves behind. It is in the line if the commit is.
	Outbox []WorkDraft
}

// TurnStamp identifies a turn, so that committing it twice is committing it once.
type TurnStamp struct {
	// TurnID is unique in its session and the same in every retry. Required.
	TurnID string
	// Hash stands for the content. Zero lets the store compute Commit.Hash, which is right unless payloads hold what
	// differs between honest retries, such as generated ids; then hash what does not differ.
	Hash Hash
	// Continues says that the commit goes on with a turn that an earlier commit, under a TurnID of its own, has begun:
	// Summary.Turns does not count it again. A retry says the same: it is part of Commit.Hash. Nothing can be continued
	// by a session's first commit.
	Continues bool
}

// CommitResult is what a commit made, or what its first try made.
type CommitResult struct {
	Revision Revision
	// Checkpoint is the reference of the checkpoint after the commit; zero when the session has none.
	Checkpoint Hash
	// Parts are the references of the parts that Commit.Checkpoint listed, by name; nil when it was nil. Of a replay they
	// are those of the first try; under a TurnStamp.Hash of the caller's own, whose content may differ, nil when that
	// checkpoint has been collected since.
	Parts map[string]Hash
	// TurnHash is the hash the turn was stamped with; zero without a stamp.
	TurnHash Hash
	// Outbox are the ids of the batches that Commit.Outbox became, in order; of a known source key, that of the batch that
	// is there. nil when there are none.
	Outbox []string
	// Replayed says that the turn was committed before and nothing was written now.
	Replayed bool
}

// Limits of one commit.
const (
	MaxCommitFrames = 4096
	MaxCommitUsage  = 4096
	MaxCommitClaims = 256
	MaxCommitOutbox = 256
)

// Validate checks everything that can be judged without what is stored. A store calls it before it begins a
// transaction. Errors: InvalidError, TooLargeError, NodeError.
func (c *Commit) Validate() error {
	if err := ValidateID("session_id", c.SessionID); err != nil {
		return err
	}
	if err := c.Expect.validate(); err != nil {
		return err
	}
	if c.Turn != nil {
		if err := ValidateID("turn.turn_id", c.Turn.TurnID); err != nil {
			return err
		}
		if c.Turn.Continues && c.Expect == Create() {
			return &InvalidError{Field: "turn.continues", Reason: "the first commit has no turn before it"}
		}
	}
	if err := c.validateAuthority(); err != nil {
		return err
	}
	if err := c.validateState(); err != nil {
		return err
	}
	if err := c.validateLane(); err != nil {
		return err
	}
	return c.Graph.Validate()
}

func (c *Commit) validateLane() error {
	for _, family := range []struct {
		field string
		list  []Completion
	}{{"completed_work", c.CompletedWork}, {"completed_inputs", c.CompletedInputs}} {
		if err := c.validateCompletions(family.field, family.list); err != nil {
			return err
		}
	}
	if c.DeferInputsOf != "" {
		if err := ValidateID("defer_inputs_of", c.DeferInputsOf); err != nil {
			return err
		}
	}
	if len(c.Outbox) > MaxCommitOutbox {
		return &TooLargeError{Field: "outbox", Size: int64(len(c.Outbox)), Max: MaxCommitOutbox}
	}
	for i, d := range c.Outbox {
		if err := d.Validate(fmt.Sprintf("outbox[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Commit) validateCompletions(field string, list []Completion) error {
	if len(list) > 0 && c.WithoutLease {
		return &InvalidError{Field: field, Reason: "claims are made under a lease, and settled under it"}
	}
	if len(list) > MaxCommitClaims {
		return &TooLargeError{Field: field, Size: int64(len(list)), Max: MaxCommitClaims}
	}
	for i, done := range list {
		if err := done.validate(fmt.Sprintf("%s[%d]", field, i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Commit) validateAuthority() error {
	if c.Lease != nil && c.WithoutLease {
		return &InvalidError{Field: "without_lease", Reason: "a lease is given too"}
	}
	if c.ReleaseLease && c.Lease == nil {
		return &InvalidError{Field: "release_lease", Reason: "no lease is given"}
	}
	return nil
}

func (c *Commit) validateState() error {
	if err := validateOptionalJSON("config", c.Config); err != nil {
		return err
	}
	if len(c.Frames) > MaxCommitFrames {
		return &TooLargeError{Field: "frames", Size: int64(len(c.Frames)), Max: MaxCommitFrames}
	}
	if err := validateFrames(c.Frames); err != nil {
		return err
	}
	if c.CurrentFrameID != "" {
		if err := ValidateID("current_frame_id", c.CurrentFrameID); err != nil {
			return err
		}
	}
	if err := c.Checkpoint.validate(); err != nil {
		return err
	}
	if len(c.Usage) > MaxCommitUsage {
		return &TooLargeError{Field: "usage", Size: int64(len(c.Usage)), Max: MaxCommitUsage}
	}
	for i, u := range c.Usage {
		if err := u.validate(fmt.Sprintf("usage[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

// Authorize decides whether a commit may write, given the stored lease: under a live lease of its own, or
// without one when it says so and nobody holds one. Errors: LeaseLostError, LeaseBusyError.
func (c *Commit) Authorize(sessionID string, stored Lease, now time.Time) error {
	if !c.WithoutLease {
		return c.Lease.Verify(sessionID, stored, now)
	}
	if stored.LiveAt(now) {
		return &LeaseBusyError{Holder: stored.WithoutToken()}
	}
	return nil
}

// PartRefs returns the references of the checkpoint's parts, by name; nil without a checkpoint.
func (c *Commit) PartRefs() map[string]Hash {
	if c.Checkpoint == nil {
		return nil
	}
	refs := make(map[string]Hash, len(c.Checkpoint.Parts))
	for name, p := range c.Checkpoint.Parts {
		refs[name] = p.Hash()
	}
	return refs
}

// TurnCommitter writes.
type TurnCommitter interface {
	// Commit applies c in one transaction, in this order: the store holds another session: SessionMismatchError; the
	// turn was committed before: with the same hash its first result is returned (the lease is released if c says so,
	// and nothing else is looked at: no lease, no revision), with another TurnConflictError; the lease is not held:
	// LeaseLostError, or LeaseBusyError for a commit without one; the head is elsewhere: RevisionConflictError; a
	// completion names an entry that its claim does not hold: ClaimSupersededError; then checkpoint (a part carried that
	// is not stored: MissingBlobError), usage, graph (NodeConflictError, NodeError), frames (FrameError), head, deferral
	// of input, outbox (SessionMismatchError, EntryConflictError), receipt, release of the lease.
	//
	// A malformed c is refused before (ErrInvalid, ErrTooLarge). Whatever the error, nothing was written. nil means that
	// the commit survives what the store's durability covers.
	//
	// Repeating: with a Turn always safe; without one, the compare-and-swap refuses the second.
	Commit(ctx context.Context, c Commit) (CommitResult, error)
}
