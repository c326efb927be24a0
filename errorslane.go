package lashstore

import (
	"errors"
	"fmt"
)

// Errors met in the line of work and input.
var (
	// ErrEntryConflict: a known source key or id came with other content. See EntryConflictError.
	ErrEntryConflict = errors.New("source key or id is taken by other content")
	// ErrEntryNotFound: no such batch or input, or it is no longer remembered. See EntryNotFoundError.
	ErrEntryNotFound = errors.New("no such batch or input")
	// ErrClaimSuperseded: a claim does not hold an entry (any more). See ClaimSupersededError.
	ErrClaimSuperseded = errors.New("claim does not hold the entry")
)

// Errors met when looking, or going, back.
var (
	// ErrRevisionGone: the revision was never there, or is no longer loadable. See RevisionError.
	ErrRevisionGone = errors.New("revision cannot be loaded")
	// ErrBranchNotFound: no branch has that name. See BranchError.
	ErrBranchNotFound = errors.New("branch not found")
)

// RevisionError names a revision that cannot be loaded. It matches the sentinel in Err.
type RevisionError struct {
	Revision Revision
	Head     Revision
	Err      error // ErrRevisionGone
}

func (e *RevisionError) Error() string {
	return fmt.Sprintf("revision %d: %v (the head is at %d)", e.Revision, e.Err, e.Head)
}
func (e *RevisionError) Unwrap() error { return e.Err }

// BranchError names a branch. It matches the sentinel in Err.
type BranchError struct {
	Name string
	Err  error // ErrBranchNotFound
}

func (e *BranchError) Error() string { return fmt.Sprintf("branch %q: %v", e.Name, e.Err) }
func (e *BranchError) Unwrap() error { return e.Err }

// EntryConflictError names what is there under a key or id that was given with other content. Nothing was changed. It
// matches ErrEntryConflict.
type EntryConflictError struct {
	SessionID string
	SourceKey string // the key that is taken; "" when the id is
	// ExistingID is the batch or input that has it.
	ExistingID string
}

func (e *EntryConflictError) Error() string {
	if e.SourceKey == "" {
		return fmt.Sprintf("id %q is taken by other content", e.ExistingID)
	}
	return fmt.Sprintf("source key %q is taken by %q with other content", e.SourceKey, e.ExistingID)
}
func (e *EntryConflictError) Is(target error) bool { return target == ErrEntryConflict }

// EntryNotFoundError matches ErrEntryNotFound.
type EntryNotFoundError struct {
	Target EntryTarget
}

func (e *EntryNotFoundError) Error() string        { return fmt.Sprintf("no batch or input %s", e.Target) }
func (e *EntryNotFoundError) Is(target error) bool { return target == ErrEntryNotFound }

// ClaimSupersededError names the first entry that a completion named and its claim does not hold: it was never part of
// it, was settled or abandoned, or the lease's generation has ended since. It matches ErrClaimSuperseded.
type ClaimSupersededError struct {
	SessionID string
	ClaimID   string
	EntryID   string
}

func (e *ClaimSupersededError) Error() string {
	return fmt.Sprintf("claim %q does not hold %q (any more)", e.ClaimID, e.EntryID)
}
func (e *ClaimSupersededError) Is(target error) bool { return target == ErrClaimSuperseded }
