package lashstore

import (
	"fmt"
	"strconv"
)

// Revision counts the commits of a session. 0 is a session without commits; the first commit makes 1.
type Revision int64

// String returns the number.
func (r Revision) String() string { return strconv.FormatInt(int64(r), 10) }

// Expectation is what a commit expects of the head it builds on. Make one with Create or At: the zero value is refused,
// so that a session never begins, and never goes on, by omission.
type Expectation struct {
	create   bool
	revision Revision
}

// Create expects a session without commits: the commit is its first.
func Create() Expectation { return Expectation{create: true} }

// At expects the head to be at revision r, which is 1 or more.
func At(r Revision) Expectation { return Expectation{revision: r} }

// Revision returns the revision expected; 0 for Create.
func (e Expectation) Revision() Revision { return e.revision }

// Check returns nil when the head is where e expects it, else a RevisionConflictError.
func (e Expectation) Check(actual Revision) error {
	if e.revision != actual {
		return &RevisionConflictError{Expected: e.revision, Actual: actual}
	}
	return nil
}

func (e Expectation) validate() error {
	switch {
	case e.create:
		return nil
	case e.revision == 0:
		return &InvalidError{Field: "expect", Reason: "say lashstore.Create() for the first commit, lashstore.At(revision) for others"}
	case e.revision < 0:
		return &InvalidError{Field: "expect", Reason: fmt.Sprintf("negative revision %d", e.revision)}
	}
	return nil
}
