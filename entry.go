package lashstore

import (
	"fmt"
	"time"
)

// An entry is what waits in a session's line: a batch of queued work (WorkBatch) or an input of a user (TurnInput). Both
// are put in once, handed out under a claim, and settled by the commit that used them. Seq is the place in the line,
// one sequence for both kinds, and never given twice.

// EntryState is where an entry is on its way.
type EntryState string

const (
	// EntryWaiting: nobody has it. It may be claimed, and cancelled.
	EntryWaiting EntryState = "waiting"
	// EntryClaimed: the holder of the execution lease works on it. When the lease ends, it is waiting again.
	EntryClaimed EntryState = "claimed"
	// EntryCompleted: a commit has settled it.
	EntryCompleted EntryState = "completed"
	// EntryCancelled: it was taken out before anybody claimed it.
	EntryCancelled EntryState = "cancelled"
)

// Settled reports whether the entry has come to its end.
func (s EntryState) Settled() bool { return s == EntryCompleted || s == EntryCancelled }

// Limits of the line.
const (
	// MaxClaim is how many entries one claim holds at most; a larger limit counts as this one.
	MaxClaim = 1024
	// MaxWorkItems is how many items a batch of work has at most.
	MaxWorkItems = 256
	// MaxCancel is how many targets one cancellation names at most.
	MaxCancel = 4096
)

// Claim is the right to settle some entries. It lives exactly as long as the generation of the lease it was made under:
// no clock of its own ends it, and when the lease is released, expires or is taken over, the entries wait again.
type Claim struct {
	ID string // random
	// Token is the claim's secret: 128 random bits in hexadecimal digits. It is never logged.
	Token string
	// Generation is that of the lease.
	Generation int64
	// Attempt is how often the first entry has been claimed, this time included. It grows with every claim.
	Attempt int64
}

// ClaimInfo tells who works on an entry. It has no secret.
type ClaimInfo struct {
	ClaimID    string
	Generation int64
	Holder     Owner
}

// Completion settles claimed entries in a commit. WorkClaim.Completion and InputClaim.Completion make one.
type Completion struct {
	ClaimID string
	Token   string
	IDs     []string // entries of the claim; at least one, none twice. What is not named stays claimed.
}

func (c Completion) validate(field string) error {
	if err := ValidateID(field+".claim_id", c.ClaimID); err != nil {
		return err
	}
	if err := ValidateID(field+".token", c.Token); err != nil {
		return err
	}
	if len(c.IDs) == 0 {
		return &InvalidError{Field: field + ".ids", Reason: "empty"}
	}
	return validateIDList(field+".ids", c.IDs, MaxClaim)
}

// ValidateClaimIDs checks the ids of a claim by id: valid, at most MaxClaim, none twice.
func ValidateClaimIDs(ids []string) error { return validateIDList("ids", ids, MaxClaim) }

// validateIDList accepts valid ids, none of them twice.
func validateIDList(field string, ids []string, most int) error {
	if len(ids) > most {
		return &TooLargeError{Field: field, Size: int64(len(ids)), Max: int64(most)}
	}
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", field, i)
		if err := ValidateID(at, id); err != nil {
			return err
		}
		if seen[id] {
			return &InvalidError{Field: at, Reason: "given twice"}
		}
		seen[id] = true
	}
	return nil
}

// EntryTarget names one entry, by its id or by its source key.
type EntryTarget struct {
	ID        string // "" when the source key names it
	SourceKey string // "" when the id does
}

// ByID names an entry by its id.
func ByID(id string) EntryTarget { return EntryTarget{ID: id} }

// BySourceKey names an entry by its source key.
func BySourceKey(key string) EntryTarget { return EntryTarget{SourceKey: key} }

// String returns the id, or the source key as "key=...".
func (t EntryTarget) String() string {
	if t.ID != "" {
		return t.ID
	}
	return "key=" + t.SourceKey
}

// Validate wants exactly one of both.
func (t EntryTarget) Validate(field string) error {
	switch {
	case (t.ID == "") == (t.SourceKey == ""):
		return &InvalidError{Field: field, Reason: "needs either an id or a source key"}
	case t.ID != "":
		return ValidateID(field+".id", t.ID)
	default:
		return ValidateID(field+".source_key", t.SourceKey)
	}
}

// ValidateTargets checks the targets of a cancellation.
func ValidateTargets(targets []EntryTarget) error {
	if len(targets) > MaxCancel {
		return &TooLargeError{Field: "targets", Size: int64(len(targets)), Max: MaxCancel}
	}
	for i, t := range targets {
		if err := t.Validate(fmt.Sprintf("targets[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

// CancelOutcome is what became of a cancellation.
type CancelOutcome string

// The outcomes of a cancellation.
const (
	Cancelled        CancelOutcome = "cancelled"         // it was waiting, and no longer is
	AlreadyClaimed   CancelOutcome = "already_claimed"   // the lease's holder works on it; nothing changed
	AlreadyCompleted CancelOutcome = "already_completed" // nothing changed
	AlreadyCancelled CancelOutcome = "already_cancelled" // nothing changed
	CancelNotFound   CancelOutcome = "not_found"         // no such entry, or no longer remembered
)

// DecideCancel is the rule: what a cancellation does to an entry in this state.
func DecideCancel(s EntryState) CancelOutcome {
	switch s {
	case EntryWaiting:
		return Cancelled
	case EntryClaimed:
		return AlreadyClaimed
	case EntryCompleted:
		return AlreadyCompleted
	default:
		return AlreadyCancelled
	}
}

// ListScope is which entries a list shows.
type ListScope string

// The scopes of a list.
const (
	ListOpen    ListScope = ""        // waiting and claimed. The default.
	ListPending ListScope = "pending" // waiting only, whether they may be claimed yet or later
	ListAll     ListScope = "all"     // settled ones too, as long as they are remembered
)

// ListOptions choose what a list shows, always in the order of the line. Nil is the zero value.
type ListOptions struct {
	Scope ListScope
	After int64 // only places in the line behind this one; 0 starts at the head
	Limit int   // at most so many; 0 means all
}

// Validate checks the options. Nil is valid.
func (o *ListOptions) Validate() error {
	switch {
	case o == nil:
		return nil
	case o.Scope != ListOpen && o.Scope != ListPending && o.Scope != ListAll:
		return &InvalidError{Field: "scope", Reason: "unknown: " + string(o.Scope)}
	case o.After < 0:
		return &InvalidError{Field: "after", Reason: "negative"}
	case o.Limit < 0:
		return &InvalidError{Field: "limit", Reason: "negative"}
	}
	return nil
}

// Shows reports whether a list of this scope shows an entry in state s.
func (o *ListOptions) Shows(s EntryState) bool {
	switch {
	case o == nil || o.Scope == ListOpen:
		return !s.Settled()
	case o.Scope == ListPending:
		return s == EntryWaiting
	default:
		return true
	}
}

// ClaimLive reports whether a claim made under a generation of the lease still holds at a moment: the lease is live, and
// it is that generation.
func ClaimLive(generation int64, stored Lease, now time.Time) bool {
	return generation > 0 && generation == stored.Generation && stored.LiveAt(now)
}

// ClaimLimit is how many entries a claim that asks for limit may hold. InvalidError for a negative one.
func ClaimLimit(field string, limit int) (int, error) {
	if limit < 0 {
		return 0, &InvalidError{Field: field, Reason: "negative"}
	}
	return min(limit, MaxClaim), nil
}
