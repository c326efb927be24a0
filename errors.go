package lashstore

import (
	"errors"
	"fmt"
	"time"
)

// Errors met when something is opened.
var (
	// ErrSessionNotFound: no session of that id is stored in this place.
	ErrSessionNotFound = errors.New("session not found")
	// ErrSessionDeleted: the session was deleted while this handle was open. Nothing was written.
	ErrSessionDeleted = errors.New("session deleted")
	// ErrSchema: the file is not a database this build can use. See SchemaError.
	ErrSchema = errors.New("not a usable lashstore database")
	// ErrMisplaced: a session's file bears another name than its session's. See MisplacedError.
	ErrMisplaced = errors.New("session file is misplaced")
	// ErrNotADatabase: the file is not an SQLite database at all.
	ErrNotADatabase = errors.New("not an SQLite database")
	// ErrUnsupportedEnvironment: the file system or the SQLite build cannot keep the store's promises. See EnvironmentError.
	ErrUnsupportedEnvironment = errors.New("unsupported environment")
	// ErrClosed: the handle was closed.
	ErrClosed = errors.New("store closed")
)

// Errors met at every call that reaches the storage.
var (
	// ErrBusy: the write lock could not be had within the busy timeout; or what was read from a place that cannot be written
	// was changed meanwhile. Nothing was written; the call may be repeated.
	ErrBusy = errors.New("storage busy")
	// ErrFull: the disk is full. Nothing was written. A quota may look like ErrIO.
	ErrFull = errors.New("storage full")
	// ErrReadOnly: the handle, the file or its directory cannot be written.
	ErrReadOnly = errors.New("storage is read-only")
	// ErrIO: the operating system failed a read or a write. Nothing was acknowledged.
	ErrIO = errors.New("storage input/output error")
	// ErrCorrupt: what is stored is damaged. The damage is never served as data.
	ErrCorrupt = errors.New("stored data is corrupt")
	// ErrConstraint: a rule of the schema refused the write; the message names the rule. It means a bug in a backend.
	ErrConstraint = errors.New("schema constraint violated")
	// ErrInternal: a panic was met and contained. Nothing was written. It means a bug, whose stack is in the log.
	ErrInternal = errors.New("internal error")
)

// Errors met when a request is judged, before anything is written.
var (
	// ErrInvalid: the request is malformed. See InvalidError.
	ErrInvalid = errors.New("invalid request")
	// ErrTooLarge: a value is larger than MaxValueSize or another stated limit. See TooLargeError.
	ErrTooLarge = errors.New("value too large")
	// ErrNotDamaged: what is to be discarded as damaged opens. Nothing was removed; deleting it is DeleteSession's.
	ErrNotDamaged = errors.New("not damaged")
	// ErrSessionMismatch: the request names another session than the store holds. See SessionMismatchError.
	ErrSessionMismatch = errors.New("store is bound to another session")
)

// Errors met when a commit loses.
var (
	// ErrRevisionConflict: the head moved on, or exists already. See RevisionConflictError.
	ErrRevisionConflict = errors.New("head revision conflict")
	// ErrTurnConflict: the turn was committed before with other content. See TurnConflictError.
	ErrTurnConflict = errors.New("turn was committed with other content")
	// ErrLeaseBusy: somebody else holds the session's execution lease. See LeaseBusyError.
	ErrLeaseBusy = errors.New("execution lease is held")
	// ErrLeaseLost: the fence given is missing, stale, expired or foreign. See LeaseLostError.
	ErrLeaseLost = errors.New("execution lease is not held")
)

// Errors met in the graph.
var (
	// ErrNodeConflict: a known node id came with other content. See NodeConflictError.
	ErrNodeConflict = errors.New("node id is taken by another node")
	// ErrNodeNotFound: no live node has that id. See NodeError.
	ErrNodeNotFound = errors.New("node not found")
	// ErrUnknownParent: a node names a parent that is not live and not before it in the delta. See NodeError.
	ErrUnknownParent = errors.New("unknown parent node")
	// ErrGraphCycle: nodes of a delta are each other's ancestors. See NodeError.
	ErrGraphCycle = errors.New("graph has a cycle")
	// ErrUnknownLeaf: the leaf asked for is no live node. See NodeError.
	ErrUnknownLeaf = errors.New("leaf is no live node")
	// ErrNodeOnLivePath: a node of the active path cannot be tombstoned. See NodeError.
	ErrNodeOnLivePath = errors.New("node is on the live path")
)

// Errors met in frames, checkpoints, artifacts and records.
var (
	// ErrFrameConflict: a known frame id came with another origin. See FrameError.
	ErrFrameConflict = errors.New("frame id is taken by another frame")
	// ErrFrameNotFound: the frame named does not exist. See FrameError.
	ErrFrameNotFound = errors.New("frame not found")
	// ErrArtifactNotFound: nothing is stored under that namespace and key.
	ErrArtifactNotFound = errors.New("artifact not found")
	// ErrMissingBlob: a blob that something names is not stored. See MissingBlobError.
	ErrMissingBlob = errors.New("blob is missing")
	// ErrRecordVersion: a stored record is of no version this build reads. See RecordVersionError.
	ErrRecordVersion = errors.New("unsupported record version")
	// ErrUsageDecreased: a usage counter is lower than in the report it is compared with.
	ErrUsageDecreased = errors.New("usage counter decreased")
)

// InvalidError says which field of a request is malformed and why. It matches ErrInvalid.
type InvalidError struct {
	Field  string // path in the request, such as "graph.nodes[3].id"
	Reason string
}

func (e *InvalidError) Error() string        { return fmt.Sprintf("invalid %s: %s", e.Field, e.Reason) }
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// TooLargeError says which value is over which limit. It matches ErrTooLarge and ErrInvalid.
type TooLargeError struct {
	Field string
	Size  int64 // bytes or elements, as Max
	Max   int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is too large: %d, at most %d", e.Field, e.Size, e.Max)
}
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge || target == ErrInvalid }

// SessionMismatchError matches ErrSessionMismatch.
type SessionMismatchError struct {
	Bound     string // the session the store holds
	Attempted string // the session the request names
}

func (e *SessionMismatchError) Error() string {
	return fmt.Sprintf("store holds session %q, request is for %q", e.Bound, e.Attempted)
}
func (e *SessionMismatchError) Is(target error) bool { return target == ErrSessionMismatch }

// MisplacedError names a session's file that is not where its session is kept: a copy under another name, or one that was
// renamed. It is not served as the session, so that no session is there twice. It matches ErrMisplaced.
type MisplacedError struct {
	Location  string // the file's path
	SessionID string // the session in it
	Want      string // the path at which the session is kept
}

func (e *MisplacedError) Error() string {
	return fmt.Sprintf("%s holds session %q, which belongs in %s", e.Location, e.SessionID, e.Want)
}
func (e *MisplacedError) Is(target error) bool { return target == ErrMisplaced }

// RevisionConflictError matches ErrRevisionConflict.
type RevisionConflictError struct {
	Expected Revision // 0: the commit was to create the session's first revision
	Actual   Revision // 0: the session has no revision yet
}

func (e *RevisionConflictError) Error() string {
	return fmt.Sprintf("head is at revision %d, commit expected %d", e.Actual, e.Expected)
}
func (e *RevisionConflictError) Is(target error) bool { return target == ErrRevisionConflict }

// TurnConflictError matches ErrTurnConflict.
type TurnConflictError struct {
	TurnID    string
	Committed Hash     // hash of the commit that is stored
	Attempted Hash     // hash of the commit that was refused
	Revision  Revision // revision the stored commit made
}

func (e *TurnConflictError) Error() string {
	return fmt.Sprintf("turn %q was committed at revision %d with other content (stored %s, given %s)",
		e.TurnID, e.Revision, e.Committed.Short(), e.Attempted.Short())
}
func (e *TurnConflictError) Is(target error) bool { return target == ErrTurnConflict }

// LeaseBusyError names the holder and when the lease ends unless it is renewed. It matches ErrLeaseBusy.
type LeaseBusyError struct {
	Holder Lease // without its token
}

func (e *LeaseBusyError) Error() string {
	return fmt.Sprintf("execution lease is held by %s until %s",
		e.Holder.Owner, e.Holder.ExpiresAt.UTC().Format(time.RFC3339Nano))
}
func (e *LeaseBusyError) Is(target error) bool { return target == ErrLeaseBusy }

// LeaseLostError says why a fence was refused. It matches ErrLeaseLost.
type LeaseLostError struct {
	SessionID string
	Reason    string // "no lease given", "superseded or released", "expired", "foreign session"
}

func (e *LeaseLostError) Error() string {
	return fmt.Sprintf("execution lease of session %q is not held: %s", e.SessionID, e.Reason)
}
func (e *LeaseLostError) Is(target error) bool { return target == ErrLeaseLost }

// LeaseUnrenewedError says that a lease ended before its holder could renew it. It matches ErrLeaseLost, and what the
// last try failed for.
type LeaseUnrenewedError struct {
	TTL  time.Duration
	Last error
}

func (e *LeaseUnrenewedError) Error() string {
	return fmt.Sprintf("the execution lease was not renewed within %s: %v", e.TTL, e.Last)
}
func (e *LeaseUnrenewedError) Is(target error) bool { return target == ErrLeaseLost }
func (e *LeaseUnrenewedError) Unwrap() error        { return e.Last }

// NodeConflictError says in which field the stored node differs. It matches ErrNodeConflict.
type NodeConflictError struct {
	NodeID string
	Field  string // "parent", "kind", "role", "frame", "caused_by" or "payload"
}

func (e *NodeConflictError) Error() string {
	return fmt.Sprintf("node %q is stored with another %s", e.NodeID, e.Field)
}
func (e *NodeConflictError) Is(target error) bool { return target == ErrNodeConflict }

// NodeError names the node a graph rule was broken at. It matches the sentinel in Err.
type NodeError struct {
	NodeID   string
	ParentID string // "" when the parent plays no part
	Err      error  // ErrNodeNotFound, ErrUnknownParent, ErrGraphCycle, ErrUnknownLeaf, ErrNodeOnLivePath, ErrCorrupt or ErrInternal
	Detail   string // "" when Err says all
}

func (e *NodeError) Error() string {
	s := fmt.Sprintf("node %q: %v", e.NodeID, e.Err)
	if e.ParentID != "" {
		s += fmt.Sprintf(" (parent %q)", e.ParentID)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}
func (e *NodeError) Unwrap() error { return e.Err }

// FrameError names the frame a rule was broken at. It matches the sentinel in Err.
type FrameError struct {
	FrameID string
	Field   string // the field that differs, "" for ErrFrameNotFound
	Err     error  // ErrFrameConflict, ErrFrameNotFound or ErrCorrupt
}

func (e *FrameError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("frame %q: %v", e.FrameID, e.Err)
	}
	return fmt.Sprintf("frame %q: %v (%s)", e.FrameID, e.Err, e.Field)
}
func (e *FrameError) Unwrap() error { return e.Err }

// MissingBlobError names a blob that is not stored and what names it. It matches ErrMissingBlob.
type MissingBlobError struct {
	Hash    Hash
	NamedBy string // such as "head", "checkpoint part tool_state", "frame f1", "artifact modules/main"
}

func (e *MissingBlobError) Error() string {
	return fmt.Sprintf("blob %s, named by %s, is missing", e.Hash, e.NamedBy)
}
func (e *MissingBlobError) Is(target error) bool { return target == ErrMissingBlob }

// CorruptError names stored data that cannot be trusted. It matches ErrCorrupt.
type CorruptError struct {
	What   string // what kind of thing: "database", "session", "blob", "head", "node", "frame", "checkpoint", "meta", "usage", "lease"
	Key    string // which one
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("stored %s %s is corrupt: %s", e.What, e.Key, e.Reason)
}
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// RecordVersionError tells a record without version, with one that is no number, and with one this build does not
// read apart. It matches ErrRecordVersion.
type RecordVersionError struct {
	Record    string // "checkpoint"
	Problem   RecordVersionProblem
	Found     string // the raw JSON text of the version; "" when missing
	Supported int
}

// RecordVersionProblem is what is wrong with a record's schema_version.
type RecordVersionProblem string

// The problems a record's version can have.
const (
	VersionMissing     RecordVersionProblem = "missing"
	VersionInvalid     RecordVersionProblem = "invalid"
	VersionUnsupported RecordVersionProblem = "unsupported"
)

func (e *RecordVersionError) Error() string {
	return fmt.Sprintf("%s record: %s schema_version %s (supported: %d)", e.Record, e.Problem, e.Found, e.Supported)
}
func (e *RecordVersionError) Is(target error) bool { return target == ErrRecordVersion }

// SchemaError tells what a file is and what was wanted of it. Nothing in the file was changed. It matches ErrSchema.
type SchemaError struct {
	Path string
	// Found in the file. Application is the raw application_id; Kind is "session", "host", "catalog" or "unknown".
	Application int32
	Kind        string
	Version     int64
	// Wanted by the caller.
	WantApplication int32
	WantKind        string
	WantVersion     int64
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("%s is not a database this build can use: found application %#08x, kind %s, version %d; "+
		"supported application %#08x, kind %s, version %d; there is no migration in place: "+
		"export with the version that wrote it and import here",
		e.Path, uint32(e.Application), e.Kind, e.Version, uint32(e.WantApplication), e.WantKind, e.WantVersion)
}
func (e *SchemaError) Is(target error) bool { return target == ErrSchema }

// EnvironmentError says which requirement the machine does not meet. It matches ErrUnsupportedEnvironment.
type EnvironmentError struct {
	Path        string
	Requirement string // "WAL journal", "SQLite version", "local file system"
	Found       string
}

func (e *EnvironmentError) Error() string {
	return fmt.Sprintf("%s: needs %s, found %s", e.Path, e.Requirement, e.Found)
}
func (e *EnvironmentError) Is(target error) bool { return target == ErrUnsupportedEnvironment }
