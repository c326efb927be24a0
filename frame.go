package lashstore

import (
	"encoding/json"
	"fmt"
	"time"
)

// FrameStatus says whether a frame is the one in use.
type FrameStatus string

// The states of a frame. The current frame is active; opening the next one supersedes it.
const (
	FrameActive     FrameStatus = "active"
	FrameSuperseded FrameStatus = "superseded"
)

// Frame is a stretch of a session under one assignment: what the runtime continues as, after a compaction for
// instance. Frames form a chain by PreviousID.
type Frame struct {
	// ID is unique in its session. Required.
	ID string
	// PreviousID is the frame before; "" for the initial one.
	PreviousID string
	// Status is kept by the store: active for the current frame, superseded for every other one. Ignored in a commit.
	Status FrameStatus
	// Reason is a free label such as "initial", "continue_as", "compaction". Required.
	Reason string
	// CausedBy says what caused the frame; opaque, nil for nothing.
	CausedBy json.RawMessage
	// CreatedAt is kept in milliseconds and no part of the frame's identity. Zero means the time of the commit.
	CreatedAt time.Time
	// Assignment and Options are opaque to the store; nil stands for none. With CausedBy, at most MaxValueSize.
	Assignment json.RawMessage
	Options    json.RawMessage
	// ExecutionState is a snapshot, kept as a blob; nil for none. A commit may give ExecutionStateRef instead, to carry
	// a blob that is stored already.
	ExecutionState    []byte
	ExecutionStateRef Hash
}

// Conflict compares a stored frame with one given under the same id. It returns the field of its origin that differs,
// or "". Assignment, options and execution state may change; where a frame comes from may not.
func (f Frame) Conflict(given Frame) string {
	switch {
	case f.PreviousID != given.PreviousID:
		return "previous_id"
	case f.Reason != given.Reason:
		return "reason"
	case !sameOptionalJSON(f.CausedBy, given.CausedBy):
		return "caused_by"
	}
	return ""
}

func (f Frame) validate(field string) error {
	if err := ValidateID(field+".id", f.ID); err != nil {
		return err
	}
	if f.PreviousID != "" {
		if err := ValidateID(field+".previous_id", f.PreviousID); err != nil {
			return err
		}
	}
	if err := ValidateID(field+".reason", f.Reason); err != nil {
		return err
	}
	for _, v := range []struct {
		name  string
		value json.RawMessage
	}{{".caused_by", f.CausedBy}, {".assignment", f.Assignment}, {".options", f.Options}} {
		if err := validateOptionalJSON(field+v.name, v.value); err != nil {
			return err
		}
	}
	if err := validateTogether(field, MaxValueSize, f.CausedBy, f.Assignment, f.Options); err != nil {
		return err
	}
	if len(f.ExecutionState) > MaxValueSize {
		return &TooLargeError{Field: field + ".execution_state", Size: int64(len(f.ExecutionState)), Max: MaxValueSize}
	}
	if f.ExecutionState != nil && !f.ExecutionStateRef.IsZero() && HashOf(f.ExecutionState) != f.ExecutionStateRef {
		return &InvalidError{Field: field + ".execution_state_ref", Reason: "names other content than execution_state"}
	}
	return ValidateTime(field+".created_at", f.CreatedAt)
}

// validateFrames checks the frames of a commit: each one, that no id comes twice, and that a previous frame comes
// earlier when it is among them.
func validateFrames(frames []Frame) error {
	index := make(map[string]int, len(frames))
	for i, f := range frames {
		field := fmt.Sprintf("frames[%d]", i)
		if err := f.validate(field); err != nil {
			return err
		}
		if _, repeated := index[f.ID]; repeated {
			return &InvalidError{Field: field + ".id", Reason: fmt.Sprintf("%q comes twice", f.ID)}
		}
		if f.PreviousID == f.ID {
			return &InvalidError{Field: field + ".previous_id", Reason: "a frame cannot follow itself"}
		}
		index[f.ID] = i
	}
	for i, f := range frames {
		if at, ok := index[f.PreviousID]; ok && at > i {
			return &InvalidError{Field: fmt.Sprintf("frames[%d].previous_id", i), Reason: "comes later in the commit"}
		}
	}
	return nil
}
