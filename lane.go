package lashstore

import (
	"context"
	"time"
)

// SessionLane is the line of a session with the waiting for it: what one owner at a time works off.
type SessionLane interface {
	WorkQueue
	TurnInputs

	// ClaimCheckpoint claims what a running turn may take at a checkpoint, of both families, in one transaction: inputs
	// by the rule of ClaimTurnInputs and batches by that of ClaimWork at BoundaryCheckpoint. Both, one or neither of the
	// claims is nil. An idle checkpoint costs one read: nothing is written when there is nothing to claim.
	ClaimCheckpoint(ctx context.Context, fence *Fence, request CheckpointRequest) (CheckpointClaims, error)

	// WaitReady returns as soon as something can be claimed, as nil options or those of a checkpoint have it; at once if
	// that is so already. It is woken by every write to the session, in this process at once and from others within
	// milliseconds, by the time a batch was hidden until, and by the end of the lease that holds what was claimed. It
	// needs no lease and promises nothing: somebody else may be faster. Errors: the context's, ErrClosed, the storage
	// errors.
	WaitReady(ctx context.Context, options *WaitOptions) (Readiness, error)
	// WaitLease returns as soon as the execution lease is free or has expired. Woken and failing like WaitReady.
	WaitLease(ctx context.Context) error
}

// CheckpointRequest is what a running turn asks for at a checkpoint. A limit of 0 asks for none of that family.
type CheckpointRequest struct {
	At        TurnCheckpoint
	MaxInputs int
	MaxWork   int
}

// Validate checks the checkpoint and that no limit is negative.
func (r CheckpointRequest) Validate() error {
	if err := r.At.Validate(); err != nil {
		return err
	}
	if _, err := ClaimLimit("max_inputs", r.MaxInputs); err != nil {
		return err
	}
	_, err := ClaimLimit("max_work", r.MaxWork)
	return err
}

// CheckpointClaims are what it gets; nil where there was nothing.
type CheckpointClaims struct {
	Inputs *InputClaim
	Work   *WorkClaim
}

// WaitOptions say what is waited for.
type WaitOptions struct {
	// At waits for what a running turn could claim at this checkpoint; nil for what an idle lane could.
	At *TurnCheckpoint
}

// Validate checks the checkpoint. Nil is valid.
func (o *WaitOptions) Validate() error {
	if o == nil || o.At == nil {
		return nil
	}
	return o.At.Validate()
}

// Readiness says what could be claimed at a moment.
type Readiness struct {
	Command bool // a command is at the head of the line of work
	Work    bool // turn work is, and the boundary lets it in
	Input   bool // input waits
}

// Any reports whether anything could be claimed.
func (r Readiness) Any() bool { return r.Command || r.Work || r.Input }

// ReadyAt is the rule for a head of the line: what head, if there is one, and waiting input come to.
func (o *WaitOptions) ReadyAt(head *WorkTraits, input bool) Readiness {
	r := Readiness{Input: input}
	if head == nil {
		return r
	}
	atCheckpoint := o != nil && o.At != nil
	r.Command = head.Class == ClassCommand && !atCheckpoint
	r.Work = head.Class == ClassTurn && (!atCheckpoint || head.Delivery == DeliverEarliest)
	return r
}

// LeaseTimings say how long a lease is taken for and how often it is renewed.
type LeaseTimings struct {
	TTL   time.Duration // at least MinRenewals times Renew
	Renew time.Duration // at least a millisecond
}

// MinRenewals is how many renewals must fit into a lease, so that it outlives two that fail.
const MinRenewals = 3

// DefaultLeaseTimings survive two missed renewals and hand a dead owner's lane over within half a minute.
var DefaultLeaseTimings = LeaseTimings{TTL: 30 * time.Second, Renew: 10 * time.Second}

// LeaseTimingsFor renews as rarely as ttl allows.
func LeaseTimingsFor(ttl time.Duration) LeaseTimings {
	return LeaseTimings{TTL: ttl, Renew: ttl / MinRenewals}
}

// Validate checks both, and their ratio. The error is an InvalidError for timings.ttl or timings.renew.
func (t LeaseTimings) Validate() error {
	if t.TTL < time.Millisecond {
		return &InvalidError{Field: "timings.ttl", Reason: "shorter than a millisecond"}
	}
	if t.TTL > MaxLeaseTTL {
		return &InvalidError{Field: "timings.ttl", Reason: "longer than " + MaxLeaseTTL.String()}
	}
	if t.Renew < time.Millisecond {
		return &InvalidError{Field: "timings.renew", Reason: "shorter than a millisecond"}
	}
	if t.TTL/MinRenewals < t.Renew {
		return &InvalidError{Field: "timings.ttl", Reason: "must be at least three times timings.renew"}
	}
	return nil
}
