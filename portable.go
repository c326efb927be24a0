package lashstore

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// The portable stream is a session as text: JSON Lines that name the version of their own form and no schema, so that a
// session goes from any version of this library to any other. docs/portable.md describes every line. In short:
//
//	{"lashstore":"portable","version":1,"session_id":"s","sum":"..."}     what this is
//	{"n":2,"session":{...},"sum":"..."}                                    the records, in the order of PortableRecord
//	{"n":9,"end":{"counts":{...},"digest":"..."},"sum":"..."}              the whole, counted and hashed
//
// Every line bears a checksum over itself and the one before it, so that damage is refused where it is.

// PortableVersion is the version of the form that this build writes, and the latest that it reads.
const PortableVersion = 1

// MaxPortablePiece is how much of a blob one line holds at most, in bytes.
const MaxPortablePiece = 1 << 20

var (
	// ErrPortable: a stream is no portable one, is damaged, ends early or contradicts itself. See PortableError.
	ErrPortable = errors.New("unusable portable stream")
	// ErrSessionExists: a session of that id is stored in this place. Nothing was written.
	ErrSessionExists = errors.New("session exists")
)

// PortableError says where a portable stream is of no use, and why. It matches ErrPortable, and Err.
type PortableError struct {
	Line   int64  // the first is 1
	Offset int64  // bytes before the line
	Reason string // what is wrong
	Err    error  // what else it is, such as a RecordVersionError or an InvalidError; nil for nothing
}

func (e *PortableError) Error() string {
	s := fmt.Sprintf("portable stream, line %d at byte %d: %s", e.Line, e.Offset, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}
func (e *PortableError) Is(target error) bool { return target == ErrPortable }
func (e *PortableError) Unwrap() error        { return e.Err }

// PortableCounts is what a stream holds, as its last line says.
type PortableCounts struct {
	Blobs     int64 `json:"blobs"`
	Nodes     int64 `json:"nodes"`
	Frames    int64 `json:"frames"`
	Artifacts int64 `json:"artifacts"`
	Revisions int64 `json:"revisions"`
	Branches  int64 `json:"branches"`
	Usage     int64 `json:"usage"`
	Totals    int64 `json:"totals"`
	Entries   int64 `json:"entries"`
}

// PortableImport is what an import made.
type PortableImport struct {
	SessionID string
	Revision  Revision
	Counts    PortableCounts
}

// ImportOptions configure an import. Nil is the zero value.
type ImportOptions struct {
	// SessionID is the id that the session gets; "" keeps the one in the stream. What else names the session, such as its
	// description's name, stays as it is.
	SessionID string
}

// Validate checks the id. Nil is valid.
func (o *ImportOptions) Validate() error {
	if o == nil || o.SessionID == "" {
		return nil
	}
	return ValidateID("session_id", o.SessionID)
}

// PortableExporter is a session that can be written as a portable stream.
type PortableExporter interface {
	// ExportPortable writes all of the session: description, configuration, graph with what is tombstoned and not yet
	// vacuumed, blobs, frames, artifacts, revisions with their pins and receipts, branches, usage, the line, the head, and
	// the generation of the lease. What is claimed is written as waiting; tokens, owners and claims are not. It is one
	// snapshot, held until w has taken the last line: a backend's log grows meanwhile, so write to what is fast. An error
	// of w ends it, and what was written is refused by whoever reads it. Errors: ErrCorrupt, ErrMissingBlob, what w fails
	// with.
	ExportPortable(ctx context.Context, w io.Writer) (PortableCounts, error)
}

// PortableImporter makes sessions of portable streams.
type PortableImporter interface {
	// ImportPortable makes a session of a stream: all of it, or nothing when there is any error. It reads r to its end,
	// in bounded memory. Errors: PortableError; ErrSessionExists; what r fails with; the storage errors. Safe to repeat:
	// the second is an ErrSessionExists.
	ImportPortable(ctx context.Context, r io.Reader, options *ImportOptions) (PortableImport, error)
}
