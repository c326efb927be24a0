package lashstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// TurnBoundary is where inside a turn input may come in.
type TurnBoundary string

const (
	// AfterWork: after a round of work, while the turn goes on. The default.
	AfterWork TurnBoundary = "after_work"
	// BeforeCompletion: when the turn is about to end.
	BeforeCompletion TurnBoundary = "before_completion"
)

// Ingress is where input wants to come in: into a running turn, or with the next one. The zero value is the next one.
type Ingress struct {
	TurnID string // the turn that is meant to take it; "" is the next turn
	// Boundary is the first at which the turn may take it; "" takes AfterWork. Only with a TurnID.
	Boundary TurnBoundary
}

// NextTurn comes in with the next turn.
func NextTurn() Ingress { return Ingress{} }

// ActiveTurn comes into a running turn at its next checkpoint, or only at its end.
func ActiveTurn(turnID string, boundary TurnBoundary) Ingress {
	return Ingress{TurnID: turnID, Boundary: boundary}.WithDefaults()
}

// WithDefaults fills in the boundary.
func (g Ingress) WithDefaults() Ingress {
	if g.TurnID != "" && g.Boundary == "" {
		g.Boundary = AfterWork
	}
	return g
}

func (g Ingress) validate(field string) error {
	if g.TurnID == "" {
		if g.Boundary != "" {
			return &InvalidError{Field: field + ".boundary", Reason: "goes with a turn"}
		}
		return nil
	}
	if err := ValidateID(field+".turn_id", g.TurnID); err != nil {
		return err
	}
	return g.WithDefaults().Boundary.validate(field + ".boundary")
}

func (b TurnBoundary) validate(field string) error {
	if b != AfterWork && b != BeforeCompletion {
		return &InvalidError{Field: field, Reason: fmt.Sprintf("%q is neither %s nor %s", b, AfterWork, BeforeCompletion)}
	}
	return nil
}

// TurnCheckpoint is the place in a running turn where it looks for what came in meanwhile.
type TurnCheckpoint struct {
	TurnID   string       // required
	Boundary TurnBoundary // required
}

// Validate checks both.
func (c TurnCheckpoint) Validate() error {
	if err := ValidateID("checkpoint.turn_id", c.TurnID); err != nil {
		return err
	}
	return c.Boundary.validate("checkpoint.boundary")
}

// Admits is the rule: input comes in at a checkpoint of its own turn that is not before its boundary.
func (c TurnCheckpoint) Admits(g Ingress) bool {
	return g.TurnID == c.TurnID && (g.Boundary == AfterWork || c.Boundary == BeforeCompletion)
}

// InputDraft is a user's input as it is submitted.
type InputDraft struct {
	// SessionID is the session that it is for; "" is the store's. Another one is a SessionMismatchError.
	SessionID string
	// ID is the caller's name for it, unique in the session; "" lets the store make one.
	ID string
	// SourceKey makes submitting idempotent: the same key is the same input, for as long as it is remembered. "" is none.
	SourceKey string
	Ingress   Ingress
	Input     json.RawMessage // opaque JSON, returned byte for byte. Required.
}

// Validate checks everything that can be judged without what is stored. Errors: InvalidError, TooLargeError.
func (d InputDraft) Validate() error {
	for _, id := range []struct{ name, value string }{
		{"session_id", d.SessionID}, {"id", d.ID}, {"source_key", d.SourceKey},
	} {
		if id.value != "" {
			if err := ValidateID(id.name, id.value); err != nil {
				return err
			}
		}
	}
	if err := d.Ingress.validate("ingress"); err != nil {
		return err
	}
	return ValidateJSON("input", d.Input)
}

// TurnInput is a user's input in the line.
type TurnInput struct {
	ID        string
	Seq       int64  // place in the line, which it keeps when it is deferred
	SourceKey string // "" when there is none
	// Ingress is where it will come in now. Input whose turn ended without it has been deferred to the next turn.
	Ingress    Ingress
	Input      json.RawMessage
	EnqueuedAt time.Time
	State      EntryState
	Attempts   int64      // how often it was claimed
	Claim      *ClaimInfo // nil unless State is EntryClaimed
	SettledAt  time.Time  // zero before
}

// EnqueuedInput is what submitting input came to.
type EnqueuedInput struct {
	Input TurnInput
	// Existing says that it was submitted before, and nothing was put in. Input.State says how far it has come.
	Existing bool
}

// InputClaim holds inputs of one claim, in the order of the line.
type InputClaim struct {
	Claim
	// At is the checkpoint they were claimed at; nil for those of the next turn.
	At     *TurnCheckpoint
	Inputs []TurnInput
}

// Completion settles the whole claim.
func (c *InputClaim) Completion() Completion {
	done := Completion{ClaimID: c.ID, Token: c.Token}
	for _, in := range c.Inputs {
		done.IDs = append(done.IDs, in.ID)
	}
	return done
}

// TurnInputs is the line of what users submit.
type TurnInputs interface {
	// EnqueueInput puts input at the end of the line. A known source key, or a known id, puts nothing in: with the content
	// that was submitted then (ingress and JSON value; not the id of one that has a source key) the input is returned,
	// whatever has become of it, with other content it is an EntryConflictError. Needs no lease. Safe to repeat with a
	// source key or an id. Errors: InvalidError, TooLargeError, SessionMismatchError.
	EnqueueInput(ctx context.Context, draft InputDraft) (EnqueuedInput, error)

	// ClaimTurnInputs claims what a running turn may take at a checkpoint (TurnCheckpoint.Admits), in order, at most
	// limit; nil when there is nothing. What holds for every claim is said at WorkQueue.ClaimCommand.
	ClaimTurnInputs(ctx context.Context, fence *Fence, at TurnCheckpoint, limit int) (*InputClaim, error)
	// ClaimNextInputs claims what waits for the next turn, in order, at most limit; nil when there is nothing.
	ClaimNextInputs(ctx context.Context, fence *Fence, limit int) (*InputClaim, error)
	// AbandonInputs gives claims back, like AbandonWork.
	AbandonInputs(ctx context.Context, claims ...*InputClaim) error

	// CancelInputs takes waiting inputs out, like CancelWork.
	CancelInputs(ctx context.Context, targets ...EntryTarget) ([]InputCancellation, error)
	// CancelInputsFrom cancels an input and all behind it in the line, in one transaction: one result for each, in order,
	// settled ones included. An unknown anchor is an EntryNotFoundError, and nothing changes. Safe to repeat.
	CancelInputsFrom(ctx context.Context, anchor EntryTarget) ([]InputCancellation, error)
	// DeferInputs moves waiting input that is meant for another turn than keepTurn ("" for every turn) to the next turn,
	// and returns how many. Whoever acquires the lease runs it (package store's Lane does), naming the turn it resumes:
	// input for a turn that died waits for nobody else. LeaseLostError unless fence is held. Safe to repeat.
	DeferInputs(ctx context.Context, fence *Fence, keepTurn string) (int64, error)
	// ListInputs returns inputs in the order of the line; nil options all that are not settled.
	ListInputs(ctx context.Context, options *ListOptions) ([]TurnInput, error)
}

// InputCancellation is the result for one target.
type InputCancellation struct {
	Target  EntryTarget
	Outcome CancelOutcome
	Input   *TurnInput // as it is after the call; nil when not found
}
