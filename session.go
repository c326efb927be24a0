package lashstore

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"time"
)

// SessionStore holds one session. All methods are safe for concurrent use. An error that is neither documented at a
// method nor an ErrInvalid is one of the storage errors: ErrBusy, ErrFull, ErrReadOnly, ErrIO, ErrCorrupt, ErrClosed,
// ErrSessionDeleted, or the context's error. After any error nothing of the call is stored, save for GC and Vacuum, whose
// reports then count the batches that were done.
type SessionStore interface {
	// SessionID returns the session that the store is bound to since it was created.
	SessionID() string
	// Durability says what an acknowledged write survives.
	Durability() Durability

	TurnCommitter
	SessionReader
	BlobStore
	ArtifactStore
	UsageReader
	MetaStore
	ExecutionLeases
	SessionLane
	SessionHistory
	SessionMaintainer

	// Close ends the handle, not the session. It waits for running calls; later ones return ErrClosed. Safe to repeat.
	io.Closer
}

// SessionReader reads. Each method is one snapshot: it never mixes two revisions.
type SessionReader interface {
	// Load returns the session as of the head, or of a revision that is kept; nil options read the active path and all of
	// the checkpoint. A session without commits is a Session with Revision 0. Errors: ErrUnknownLeaf for
	// LoadOptions.Leaf, RevisionError (ErrRevisionGone) for LoadOptions.At, ErrMissingBlob, ErrRecordVersion, ErrCorrupt: what was asked for and cannot be read is never left out.
	Load(ctx context.Context, options *LoadOptions) (*Session, error)
	// Node returns a live node. A tombstoned or unknown one is ErrNodeNotFound.
	Node(ctx context.Context, id string) (Node, error)
	// Children returns the live nodes that follow a live node, or the roots for "", in insertion order.
	Children(ctx context.Context, id string) ([]Node, error)
	// Path walks from a live node up to its root, the node itself first; "" starts at the leaf. It reads in pages and
	// holds no snapshot while the loop body runs: nodes never change, and one that is taken out meanwhile ends the walk
	// with ErrNodeNotFound. Stop whenever you have enough: what was not walked was not read, save the rest of a page.
	Path(ctx context.Context, from string) iter.Seq2[Node, error]
}

// LoadScope is how much of the graph a load reads.
type LoadScope string

// The scopes of a load.
const (
	// ScopePath: the path from the root to the leaf. The default.
	ScopePath LoadScope = ""
	// ScopeFull: every live node, in insertion order, inactive branches too.
	ScopeFull LoadScope = "full"
	// ScopeHead: no nodes.
	ScopeHead LoadScope = "head"
)

// LoadOptions choose what a load reads. The zero value, as nil, reads the active path and all of the checkpoint.
type LoadOptions struct {
	Scope LoadScope
	// Leaf reads the path to another node than the head's leaf; ScopePath only.
	Leaf string
	// At reads the session as a revision left it, which must be loadable: leaf, path, checkpoint, current frame and
	// Session.Revision; of Session.Summary only the time. Configuration, frames and usage are as of now. 0 is the head.
	// Not with ScopeFull or Leaf.
	At Revision
	// Last reads only that many nodes at the end of the path; ScopePath only, 0 reads all. The cost does not grow with
	// the rest of the history.
	Last int
	// WithoutParts leaves the contents of the checkpoint's parts out; their references are there.
	WithoutParts bool
	// WithoutCheckpoint leaves all that is only there to resume from out: the checkpoint, which then is nil whether there
	// is one or not, and the current frame's ExecutionState, whose reference is there. It reads no blob, so that damage
	// to one keeps nobody from the conversation. Not together with WithoutParts, which promises references.
	WithoutCheckpoint bool
}

// Validate checks the combination. Nil is valid.
func (o *LoadOptions) Validate() error {
	switch {
	case o == nil:
		return nil
	case o.Scope != ScopePath && o.Scope != ScopeFull && o.Scope != ScopeHead:
		return &InvalidError{Field: "scope", Reason: "unknown: " + string(o.Scope)}
	case o.At < 0:
		return &InvalidError{Field: "at", Reason: "negative"}
	case o.At != 0 && (o.Scope == ScopeFull || o.Leaf != ""):
		return &InvalidError{Field: "at", Reason: "a revision is one path, with its own leaf"}
	case o.Last < 0:
		return &InvalidError{Field: "last", Reason: "negative"}
	case o.Scope != ScopePath && (o.Last != 0 || o.Leaf != ""):
		return &InvalidError{Field: "scope", Reason: "leaf and last go with the path"}
	case o.WithoutParts && o.WithoutCheckpoint:
		return &InvalidError{Field: "without_checkpoint", Reason: "the parts of a checkpoint that is left out have no references"}
	case o.Leaf != "":
		return ValidateID("leaf", o.Leaf)
	}
	return nil
}

// Session is what a load returns.
type Session struct {
	SessionID string
	Revision  Revision // 0: no commit yet, and everything below is empty
	Config    json.RawMessage
	// Frames in the order they were opened, CurrentFrameID "" when there is none. Only the current frame's
	// ExecutionState is filled in, and not with LoadOptions.WithoutParts or WithoutCheckpoint; the others have their
	// reference.
	Frames         []Frame
	CurrentFrameID string
	Graph          Graph
	Checkpoint     *StoredCheckpoint // nil when no commit has left one, and with LoadOptions.WithoutCheckpoint
	Usage          []UsageTotal
	Summary        Summary
}

// Expect returns what the next commit expects: Create for a session without commits, else At its revision.
func (s *Session) Expect() Expectation {
	if s.Revision == 0 {
		return Create()
	}
	return At(s.Revision)
}

// Summary is what a list shows of a session. The commits keep it, so that no list reads a graph.
type Summary struct {
	// Title is that of the first committed user message that has a text; "" before.
	Title string
	// Turns counts the commits that had a turn stamp, but for those that continued a turn counted before.
	Turns int64
	// Messages counts the live message nodes of all branches; UserMessages those of the users.
	Messages     int64
	UserMessages int64
	// Tokens is the total of all usage.
	Tokens    int64
	UpdatedAt time.Time // of the last commit; zero before the first
}

// RelationKind says how a session came to be.
type RelationKind string

// The relations.
const (
	RelationRoot  RelationKind = "root"
	RelationChild RelationKind = "child"
)

// Relation is where a session comes from. The zero value is a root.
type Relation struct {
	Kind            RelationKind
	ParentSessionID string          // children only, required there
	CausedBy        json.RawMessage // children only; opaque, nil for nothing
}

// SessionMeta describes a session. It is written once, when the session is created, and changed only by UpdateMeta.
type SessionMeta struct {
	SessionID string
	Name      string // "" takes the session's id
	Model     string // model id at creation; may be ""
	Cwd       string // working directory at creation; may be ""
	Relation  Relation
	// Extra is the host's own JSON; nil for none. Returned byte for byte. At most MaxMetaSize.
	Extra json.RawMessage
	// CreatedAt is kept in milliseconds. Zero means now.
	CreatedAt time.Time
}

// Validate checks ids, texts, JSON and time.
func (m SessionMeta) Validate() error {
	if err := ValidateID("meta.session_id", m.SessionID); err != nil {
		return err
	}
	for _, f := range []struct{ name, value string }{{"meta.name", m.Name}, {"meta.model", m.Model}, {"meta.cwd", m.Cwd}} {
		if len(f.value) > 4096 {
			return &TooLargeError{Field: f.name, Size: int64(len(f.value)), Max: 4096}
		}
		if err := validateText(f.name, f.value); err != nil {
			return err
		}
	}
	if err := m.Relation.validate(); err != nil {
		return err
	}
	if err := validateTogether("meta.extra", MaxMetaSize, m.Extra); err != nil {
		return err
	}
	if err := validateTogether("meta", MaxMetaSize, m.Extra, m.Relation.CausedBy); err != nil {
		return err
	}
	if err := validateOptionalJSON("meta.extra", m.Extra); err != nil {
		return err
	}
	return ValidateTime("meta.created_at", m.CreatedAt)
}

func (r Relation) validate() error {
	switch r.Kind {
	case "", RelationRoot:
		if r.ParentSessionID != "" || r.CausedBy != nil {
			return &InvalidError{Field: "meta.relation", Reason: "a root has neither parent nor cause"}
		}
		return nil
	case RelationChild:
		if err := ValidateID("meta.relation.parent_session_id", r.ParentSessionID); err != nil {
			return err
		}
		return validateOptionalJSON("meta.relation.caused_by", r.CausedBy)
	default:
		return &InvalidError{Field: "meta.relation.kind", Reason: "neither root nor child"}
	}
}

// WithDefaults fills in what may be left out, as of now.
func (m SessionMeta) WithDefaults(now time.Time) SessionMeta {
	if m.Name == "" {
		m.Name = m.SessionID
	}
	if m.Relation.Kind == "" {
		m.Relation.Kind = RelationRoot
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = now
	}
	m.CreatedAt = FromMillis(Millis(m.CreatedAt))
	return m
}

// MetaStore reads and changes the session's description. No lease is needed.
type MetaStore interface {
	// Meta returns the description.
	Meta(ctx context.Context) (SessionMeta, error)
	// UpdateMeta replaces the description, all of it. The session's id must be the store's: SessionMismatchError. A zero
	// CreatedAt keeps the one stored. Safe to repeat.
	UpdateMeta(ctx context.Context, meta SessionMeta) error
}

// ExecutionLeases hands out the right to execute the session to one owner at a time.
type ExecutionLeases interface {
	// TakeLease acquires the lease, free or expired, as a new generation, and what earlier ones had claimed waits again (input
	// for the turn they were running is for TurnInputs.DeferInputs); or extends it when the same incarnation holds
	// it (token and generation stay, the expiry never comes earlier, what is known of the process is as told last). Held
	// by anybody else: LeaseBusyError, and nothing changes. A ttl of 0 acquires a lease that has expired already. Safe to
	// repeat.
	TakeLease(ctx context.Context, owner Owner, ttl time.Duration) (Lease, error)
	// ReclaimLease takes the lease over before it expires when the holder is provably dead and still the one observed,
	// as a LeaseBusyError told it. A free or expired lease is acquired as by TakeLease. Otherwise LeaseBusyError.
	ReclaimLease(ctx context.Context, owner Owner, observed Lease, ttl time.Duration) (Lease, error)
	// RenewLease extends a live lease to ttl from now, never to an earlier moment than before. LeaseLostError when it is
	// not held any more: then stop. Safe to repeat.
	RenewLease(ctx context.Context, fence *Fence, ttl time.Duration) (Lease, error)
	// ReleaseLease gives the lease back. A stale fence changes nothing and is no error. Safe to repeat.
	ReleaseLease(ctx context.Context, fence *Fence) error
	// CurrentLease returns the lease as it is stored, without its token, and whether it is live.
	CurrentLease(ctx context.Context) (lease Lease, live bool, err error)
}
