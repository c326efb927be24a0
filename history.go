package lashstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/blake3"
)

// Every commit leaves a revision behind: where the head stood, and from which state to go on. The last few stay
// loadable, so that one can look back, go back, and fork; the pinned ones stay for ever. Older ones are lines of a log.

// DefaultKeepRevisions is how many revisions of a session stay loadable unless it says otherwise.
const DefaultKeepRevisions = 20

// MaxKeepRevisions is the most that may stay loadable without being pinned.
const MaxKeepRevisions = 1_000_000

// Movement is how a revision moved the head.
type Movement string

// The movements.
const (
	MovedByCommit Movement = "commit" // a turn, or a part of one
	MovedByRewind Movement = "rewind" // back to an earlier revision
	MovedBySwitch Movement = "switch" // to the leaf of another branch
)

// RevisionInfo is what is kept of a revision.
type RevisionInfo struct {
	Revision    Revision
	Movement    Movement
	Source      Revision // of a rewind: the revision gone back to; 0 otherwise
	Leaf        string   // "" when there was none, or its node is gone
	Checkpoint  Hash     // zero when there was none
	TurnID      string   // "" for a commit without stamp
	Usage       TokenUsage
	CommittedAt time.Time
	Pinned      bool
	// Loadable says that the revision can be loaded, gone back to and forked from: it is the head, or among the last that
	// are kept, or pinned.
	Loadable bool
}

// KeepsRevision is the rule: whether a revision stays loadable with the head at head and keep revisions kept. The head
// always is; keep 0 keeps no other.
func KeepsRevision(r, head Revision, keep int, pinned bool) bool {
	return r == head || pinned || r > head-Revision(keep) && r < head
}

// RevisionListOptions choose revisions, newest first. Nil is the zero value.
type RevisionListOptions struct {
	Before       Revision // only older ones; 0 starts at the head
	Limit        int      // at most so many; 0 means all
	LoadableOnly bool
}

// Validate checks the options. Nil is valid.
func (o *RevisionListOptions) Validate() error {
	switch {
	case o == nil:
		return nil
	case o.Before < 0:
		return &InvalidError{Field: "before", Reason: "negative"}
	case o.Limit < 0:
		return &InvalidError{Field: "limit", Reason: "negative"}
	}
	return nil
}

// RevisionDiff is what lies between two revisions.
type RevisionDiff struct {
	From, To RevisionInfo
	// Base is the last node that both paths have in common; "" when they share none.
	Base string
	// Removed are the nodes of From's path behind Base, Added those of To's, each root first.
	Removed, Added []Node
	// Parts are the names of checkpoint parts that differ, were added or are gone, sorted; TurnState says that the turn
	// states differ as JSON values.
	Parts     []string
	TurnState bool
}

// HeadMove moves the head without new nodes: back to a revision, or to the leaf of another branch. It is a commit of its
// own, and can be undone by another move. Exactly one of Revision, Leaf and Branch is given.
type HeadMove struct {
	SessionID string      // must be the session that the store holds. Required.
	Expect    Expectation // as in Commit; At only. Required.
	// Revision goes back to what that revision had: leaf, checkpoint and current frame. It must be loadable.
	Revision Revision
	// Leaf goes to a live node; Branch to the leaf that the branch names. The checkpoint is that of the latest loadable
	// revision with this leaf; without one it stays.
	Leaf   string
	Branch string

	Turn         *TurnStamp // as in Commit; the hash covers the target
	Lease        *Fence     // as in Commit
	WithoutLease bool
	ReleaseLease bool
}

// Validate checks everything that can be judged without what is stored.
func (m *HeadMove) Validate() error {
	targets := 0
	for _, given := range []bool{m.Revision != 0, m.Leaf != "", m.Branch != ""} {
		if given {
			targets++
		}
	}
	switch {
	case targets != 1:
		return &InvalidError{Field: "move", Reason: "needs exactly one of revision, leaf and branch"}
	case m.Revision < 0:
		return &InvalidError{Field: "move.revision", Reason: fmt.Sprintf("negative: %d", m.Revision)}
	case m.Leaf != "":
		if err := ValidateID("move.leaf", m.Leaf); err != nil {
			return err
		}
	case m.Branch != "":
		if err := ValidateID("move.branch", m.Branch); err != nil {
			return err
		}
	}
	if m.Expect == Create() {
		return &InvalidError{Field: "expect", Reason: "a session without commits has nowhere to go"}
	}
	return m.Commit().Validate()
}

// Commit is the part of a move that is a commit like any other, for backends.
func (m *HeadMove) Commit() *Commit {
	return &Commit{
		SessionID: m.SessionID, Expect: m.Expect, Turn: m.Turn, Lease: m.Lease, WithoutLease: m.WithoutLease,
		ReleaseLease: m.ReleaseLease,
	}
}

// Branch is a live node that nothing live follows, or a live node with a name.
type Branch struct {
	Name      string // "" when it has none
	Leaf      string
	Active    bool      // it is where the head stands
	Messages  int64     // messages on the path to Leaf
	UpdatedAt time.Time // when Leaf was committed
	Revision  Revision  // that brought Leaf
}

// SessionHistory looks back, and goes back.
type SessionHistory interface {
	// Revisions returns the log of head movements, newest first.
	Revisions(ctx context.Context, options *RevisionListOptions) ([]RevisionInfo, error)
	// PinRevision keeps a loadable revision for ever; RevisionError with ErrRevisionGone for one that no longer is.
	// Needs no lease. Safe to repeat.
	PinRevision(ctx context.Context, r Revision) error
	// UnpinRevision lets go of it. One that is not pinned is left alone. Safe to repeat.
	UnpinRevision(ctx context.Context, r Revision) error
	// KeepRevisions says how many of the last revisions stay loadable from now on, the head among them; 0, like 1, keeps
	// none but the head. It is stored with the session, so that every program that cleans it keeps them. Revisions that
	// are no longer loadable do not come back, collected or not: raise it before you need it. Safe to repeat.
	KeepRevisions(ctx context.Context, n int) error
	// DiffRevisions compares two loadable revisions.
	DiffRevisions(ctx context.Context, from, to Revision) (RevisionDiff, error)
	// MoveHead goes back, or to another branch, as one commit, in the order of Commit and with its errors; besides these
	// RevisionError (ErrRevisionGone), ErrUnknownLeaf, BranchError (ErrBranchNotFound). Repeating: as Commit.
	MoveHead(ctx context.Context, move HeadMove) (CommitResult, error)

	// Branches returns the branches, those with a name first, by name, then by UpdatedAt, newest first.
	Branches(ctx context.Context) ([]Branch, error)
	// NameBranch gives a live node a name, which keeps the path to it from being tombstoned, and may be given anew. An
	// unknown node is a NodeError with ErrNodeNotFound. "" for the head's leaf. Safe to repeat.
	NameBranch(ctx context.Context, name, leaf string) error
	// DropBranch takes the name away, and nothing else, and returns whether there was one. Safe to repeat.
	DropBranch(ctx context.Context, name string) (bool, error)
}

// Hash returns what identifies a move for its turn: where it goes.
func (m *HeadMove) Hash() (Hash, error) {
	w := &turnHasher{h: blake3.New()}
	w.text("lashstore move 1")
	w.number(uint64(m.Revision))
	w.text(m.Leaf)
	w.text(m.Branch)
	return w.sum()
}

// Compare fills in what lies between two revisions, of paths given root first and checkpoints without contents.
func (d *RevisionDiff) Compare(from, to []Node, before, after *StoredCheckpoint) {
	common := 0
	for common < len(from) && common < len(to) && from[common].ID == to[common].ID {
		common++
	}
	d.Base = ""
	if common > 0 {
		d.Base = from[common-1].ID
	}
	d.Removed, d.Added = from[common:], to[common:]
	d.Parts, d.TurnState = changedParts(before, after)
}

func changedParts(before, after *StoredCheckpoint) (names []string, turnState bool) {
	if before == nil {
		before = &StoredCheckpoint{}
	}
	if after == nil {
		after = &StoredCheckpoint{}
	}
	for name, part := range before.Parts {
		if after.Parts[name].Ref != part.Ref {
			names = append(names, name)
		}
	}
	for name := range after.Parts {
		if _, was := before.Parts[name]; !was {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, !sameOptionalJSON(before.TurnState, after.TurnState)
}

// CompareBranches is the order of a list: those with a name first, by name, then the latest first.
func CompareBranches(a, b Branch) int {
	named := func(x Branch) int {
		if x.Name == "" {
			return 1
		}
		return 0
	}
	return cmp.Or(named(a)-named(b), cmp.Compare(a.Name, b.Name), b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(b.Revision, a.Revision),
		cmp.Compare(a.Leaf, b.Leaf))
}

// ValidateBranch checks a name and, unless it is "", a leaf.
func ValidateBranch(name, leaf string) error {
	if err := ValidateID("name", name); err != nil {
		return err
	}
	if leaf == "" {
		return nil
	}
	return ValidateID("leaf", leaf)
}

// ValidateKeepRevisions accepts 0 to MaxKeepRevisions.
func ValidateKeepRevisions(n int) error {
	if n < 0 {
		return &InvalidError{Field: "keep_revisions", Reason: "negative"}
	}
	if n > MaxKeepRevisions {
		return &TooLargeError{Field: "keep_revisions", Size: int64(n), Max: MaxKeepRevisions}
	}
	return nil
}
