package lashstore

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// WorkClass is what kind of work a batch is. All its items are of one class.
type WorkClass string

const (
	// ClassTurn is work for a turn: a wake by a background process, a task of a frame.
	ClassTurn WorkClass = "turn_work"
	// ClassCommand is a command to the session, run between turns, alone and in its place in the line.
	ClassCommand WorkClass = "session_command"
)

// WorkDelivery is where a batch may come in.
type WorkDelivery string

const (
	// DeliverEarliest: at the next safe boundary, the checkpoint of a running turn included.
	DeliverEarliest WorkDelivery = "earliest_safe_boundary"
	// DeliverAfterTurn: only when no turn is running.
	DeliverAfterTurn WorkDelivery = "after_current_turn_commit"
)

// WorkSlot is whether a batch shares a turn.
type WorkSlot string

const (
	// SlotExclusive: it is claimed alone.
	SlotExclusive WorkSlot = "exclusive"
	// SlotJoin: it is claimed together with its neighbours of the same delivery and merge key.
	SlotJoin WorkSlot = "join"
)

// WorkBoundary is where the lane stands when it asks for work.
type WorkBoundary string

const (
	// BoundaryIdle: no turn is running.
	BoundaryIdle WorkBoundary = "idle"
	// BoundaryCheckpoint: a running turn is at a checkpoint.
	BoundaryCheckpoint WorkBoundary = "active_turn_checkpoint"
)

// Validate accepts the two boundaries.
func (b WorkBoundary) Validate() error {
	if b != BoundaryIdle && b != BoundaryCheckpoint {
		return &InvalidError{Field: "boundary", Reason: fmt.Sprintf("%q is neither %s nor %s", b, BoundaryIdle, BoundaryCheckpoint)}
	}
	return nil
}

// WorkTraits are what the rule of claiming looks at in a batch.
type WorkTraits struct {
	Class    WorkClass
	Delivery WorkDelivery
	Slot     WorkSlot
	// MergeKey must be equal for batches to join; "" never joins, not even with another "".
	MergeKey string
}

// WorkItem is one piece of a batch.
type WorkItem struct {
	Kind    string          // the runtime's name for it: 1 to 64 of a-z, 0-9 and _. Required.
	Payload json.RawMessage // opaque JSON, returned byte for byte. Required.
}

// WorkDraft is a batch of work as it is put in.
type WorkDraft struct {
	// SessionID is the session that the work is for; "" is the store's. Another one is a SessionMismatchError.
	SessionID string
	// SourceKey makes enqueueing idempotent: the same key is the same batch, for as long as it is remembered. "" is none.
	SourceKey string
	Class     WorkClass    // required
	Delivery  WorkDelivery // "" takes DeliverEarliest for turn work, DeliverAfterTurn for commands, which allow no other
	Slot      WorkSlot     // "" takes SlotExclusive; commands allow no other
	MergeKey  string       // "" never joins; only with SlotJoin
	// NotBefore hides the batch until then. Zero is at once.
	NotBefore time.Time
	Items     []WorkItem // 1 to MaxWorkItems, of at most MaxValueSize together
}

// WithDefaults fills in delivery and slot.
func (d WorkDraft) WithDefaults() WorkDraft {
	if d.Delivery == "" {
		d.Delivery = DeliverEarliest
		if d.Class == ClassCommand {
			d.Delivery = DeliverAfterTurn
		}
	}
	if d.Slot == "" {
		d.Slot = SlotExclusive
	}
	return d
}

// Traits are those of the batch it will be.
func (d WorkDraft) Traits() WorkTraits {
	d = d.WithDefaults()
	return WorkTraits{Class: d.Class, Delivery: d.Delivery, Slot: d.Slot, MergeKey: d.MergeKey}
}

// Validate checks everything that can be judged without what is stored, so that nothing that is in the line can stop it.
// field is "" or the path of the draft in a request. Errors: InvalidError, TooLargeError.
func (d WorkDraft) Validate(field string) error {
	if field != "" {
		field += "."
	}
	for _, id := range []struct{ name, value string }{
		{"session_id", d.SessionID}, {"source_key", d.SourceKey}, {"merge_key", d.MergeKey},
	} {
		if id.value != "" {
			if err := ValidateID(field+id.name, id.value); err != nil {
				return err
			}
		}
	}
	if err := d.validatePolicies(field); err != nil {
		return err
	}
	if err := ValidateTime(field+"not_before", d.NotBefore); err != nil {
		return err
	}
	return d.validateItems(field)
}

func (d WorkDraft) validatePolicies(field string) error {
	t := d.Traits()
	switch {
	case t.Class != ClassTurn && t.Class != ClassCommand:
		return &InvalidError{Field: field + "class", Reason: fmt.Sprintf("%q is neither %s nor %s", t.Class, ClassTurn, ClassCommand)}
	case t.Delivery != DeliverEarliest && t.Delivery != DeliverAfterTurn:
		return &InvalidError{Field: field + "delivery", Reason: fmt.Sprintf("%q is neither %s nor %s", t.Delivery, DeliverEarliest, DeliverAfterTurn)}
	case t.Slot != SlotExclusive && t.Slot != SlotJoin:
		return &InvalidError{Field: field + "slot", Reason: fmt.Sprintf("%q is neither %s nor %s", t.Slot, SlotExclusive, SlotJoin)}
	case t.Class == ClassCommand && t.Delivery != DeliverAfterTurn:
		return &InvalidError{Field: field + "delivery", Reason: "commands run between turns"}
	case t.Class == ClassCommand && t.Slot != SlotExclusive:
		return &InvalidError{Field: field + "slot", Reason: "commands run alone"}
	case t.Slot == SlotExclusive && t.MergeKey != "":
		return &InvalidError{Field: field + "merge_key", Reason: "exclusive batches join with none"}
	}
	return nil
}

func (d WorkDraft) validateItems(field string) error {
	if len(d.Items) == 0 {
		return &InvalidError{Field: field + "items", Reason: "empty"}
	}
	if len(d.Items) > MaxWorkItems {
		return &TooLargeError{Field: field + "items", Size: int64(len(d.Items)), Max: MaxWorkItems}
	}
	var total int64
	for i, item := range d.Items {
		at := fmt.Sprintf("%sitems[%d]", field, i)
		if err := validateName(at+".kind", item.Kind); err != nil {
			return err
		}
		if err := ValidateJSON(at+".payload", item.Payload); err != nil {
			return err
		}
		total += int64(len(item.Payload))
	}
	if total > MaxValueSize {
		return &TooLargeError{Field: field + "items", Size: total, Max: MaxValueSize}
	}
	return nil
}

// WorkBatch is a batch in the line.
type WorkBatch struct {
	ID        string // given by the store
	Seq       int64  // place in the line; see EntryTarget
	SourceKey string // "" when there is none
	WorkTraits
	NotBefore  time.Time // zero when it might be claimed at once
	EnqueuedAt time.Time
	// Items are nil once the batch is settled: only its key is remembered.
	Items     []WorkItem
	State     EntryState
	Attempts  int64      // how often it was claimed
	Claim     *ClaimInfo // nil unless State is EntryClaimed
	SettledAt time.Time  // zero before
}

// ItemID names an item of the batch, for as long as anybody remembers the batch.
func (b WorkBatch) ItemID(index int) string { return fmt.Sprintf("%s:item:%d", b.ID, index) }

// EnqueuedWork is what putting work in came to.
type EnqueuedWork struct {
	Batch WorkBatch
	// Existing says that the source key was known, and nothing was put in. Batch.State says how far that one has come.
	Existing bool
}

// WorkClaim holds batches of one claim, in the order of the line (or as they were asked for by id).
type WorkClaim struct {
	Claim
	Batches []WorkBatch
}

// Completion settles the whole claim.
func (c *WorkClaim) Completion() Completion {
	done := Completion{ClaimID: c.ID, Token: c.Token}
	for _, b := range c.Batches {
		done.IDs = append(done.IDs, b.ID)
	}
	return done
}

// SelectWork is the rule of claiming: how many batches at the head of line one claim takes, at most limit. line yields
// the batches that may be claimed, in order, and is read no further than one behind the last that is taken.
//
//   - Class: the head must be of class want, so that nothing is overtaken, neither a command by turn work nor the other way.
//   - Boundary: at a checkpoint the head must be DeliverEarliest. A head that must wait is not skipped.
//   - An exclusive head is taken alone. A joining one takes the batches behind it for as long as they join, are of the
//     same class and delivery, and have the same merge key, which "" never is.
func SelectWork(want WorkClass, boundary WorkBoundary, limit int, line iter.Seq[WorkTraits]) int {
	taken := 0
	if limit <= 0 {
		return taken
	}
	var head WorkTraits
	for t := range line {
		if taken == 0 {
			if t.Class != want || boundary == BoundaryCheckpoint && t.Delivery != DeliverEarliest {
				break
			}
			head = t
		} else if t != head {
			break
		}
		taken++
		if taken == limit || head.Slot != SlotJoin || head.MergeKey == "" {
			break
		}
	}
	return taken
}

// WorkQueue is the line of work that is not a user's: wakes, tasks, commands.
type WorkQueue interface {
	// EnqueueWork puts a batch at the end of the line. A known source key puts nothing in: with the same content (class,
	// policies, items; not the time) the batch of that key is returned, settled or not, with other content it is an
	// EntryConflictError. A settled key is known until a vacuum forgets it. Needs no lease. Safe to repeat with a
	// source key. Errors: InvalidError, TooLargeError, SessionMismatchError.
	EnqueueWork(ctx context.Context, draft WorkDraft) (EnqueuedWork, error)

	// ClaimCommand claims the batch at the head of the line if it is a command; nil when it is not, or there is none.
	// Like every claim: LeaseLostError unless fence is held, whether or not there is anything to claim; what this
	// generation of the lease has claimed is passed over; what an earlier one had claimed waits again; when nothing can
	// be claimed, nothing is written. Not safe to repeat blindly: what a lost answer had claimed stays claimed until it
	// is abandoned or the lease ends.
	ClaimCommand(ctx context.Context, fence *Fence) (*WorkClaim, error)
	// ClaimWork claims turn work at the head of the line by the rule of SelectWork, at most limit batches; nil when there
	// is none, or limit is 0.
	ClaimWork(ctx context.Context, fence *Fence, boundary WorkBoundary, limit int) (*WorkClaim, error)
	// ClaimWorkByID claims exactly these batches of turn work, wherever in the line, in the order given: all of them must
	// be claimable and the rule must take all of them; nil, and nothing changes, when not.
	ClaimWorkByID(ctx context.Context, fence *Fence, boundary WorkBoundary, ids []string) (*WorkClaim, error)
	// AbandonWork gives claims back: their batches wait again, in their old place. A claim that no longer holds is left
	// alone. All of them in one transaction. Safe to repeat.
	AbandonWork(ctx context.Context, claims ...*WorkClaim) error
	// CancelWork takes waiting batches out, all in one transaction, and returns one result for each target, in order. A
	// source key that was cancelled stays known. Needs no lease. Safe to repeat.
	CancelWork(ctx context.Context, targets ...EntryTarget) ([]WorkCancellation, error)
	// ListWork returns batches in the order of the line; nil options all that are not settled.
	ListWork(ctx context.Context, options *ListOptions) ([]WorkBatch, error)
}

// WorkCancellation is the result for one target.
type WorkCancellation struct {
	Target  EntryTarget
	Outcome CancelOutcome
	Batch   *WorkBatch // as it was when it was cancelled, with its items, or as it is; nil when not found
}
