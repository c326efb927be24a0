package lashstore

import (
	"context"
	"time"
)

// SessionMaintainer keeps a session small and proves it sound. Nothing here runs by itself, save the garbage collection
// where a store's policy says so.
type SessionMaintainer interface {
	// TombstoneNodes takes nodes out of the graph, each with all that follows it. Unknown and tombstoned ids are left
	// alone. A node on the active path: NodeError with ErrNodeOnLivePath, and nothing changes. While somebody holds the
	// execution lease its fence must be given: LeaseBusyError, LeaseLostError; nil when nobody does. Safe to repeat.
	TombstoneNodes(ctx context.Context, ids []string, fence *Fence) (TombstoneReport, error)
	// TombstoneOrphans takes out every node that is not on the active path, as of this moment. Fence as above.
	TombstoneOrphans(ctx context.Context, fence *Fence) (TombstoneReport, error)
	// Vacuum deletes what was kept for a while only, in batches, and gives free space back to the file system. nil
	// deletes all tombstoned nodes and nothing else. Safe to repeat, and to interrupt.
	Vacuum(ctx context.Context, options *VacuumOptions) (VacuumReport, error)
	// GC deletes blobs that nothing names, in batches. It fails closed: as long as anything that names blobs cannot be
	// read (ErrCorrupt, ErrMissingBlob, ErrRecordVersion) it deletes nothing. Safe to repeat, and to interrupt.
	GC(ctx context.Context, options *GCOptions) (GCReport, error)
	// Verify reads everything and reports what is wrong. An error means that it could not look, not that it found
	// something. It changes nothing.
	Verify(ctx context.Context) (VerifyReport, error)
	// Stats counts rows and bytes.
	Stats(ctx context.Context) (Stats, error)
}

// TombstoneReport counts.
type TombstoneReport struct {
	Nodes int64 // that were live and no longer are
}

// DefaultBatch is how many rows a maintenance transaction deletes at most, unless the options say otherwise.
const DefaultBatch = 500

// VacuumOptions choose what goes. A zero time keeps that class of rows altogether, save for tombstoned nodes.
type VacuumOptions struct {
	// TombstonesBefore deletes nodes that were tombstoned before; zero: all that are tombstoned. A node stays for as long as
	// any revision that is kept still had it, on its path or not.
	TombstonesBefore time.Time
	// ReceiptsBefore forgets receipts of turns committed before. A retry of such a turn is then judged by its revision
	// alone.
	ReceiptsBefore time.Time
	// UsageBefore deletes usage deltas recorded before. Totals stay.
	UsageBefore time.Time
	// RevisionsBefore deletes lines of the log of revisions committed before that are neither loadable nor the receipt of a
	// turn that is remembered.
	RevisionsBefore time.Time
	// WorkBefore forgets batches settled before, and with them their source keys: a retry later than that runs again.
	WorkBefore time.Time
	// InputsBefore forgets inputs completed or cancelled before. A retry of one is then a new one.
	InputsBefore time.Time
	// Batch is how many rows one transaction deletes at most, the deltas of one revision counting together; 0 means
	// DefaultBatch.
	Batch int
	// KeepFreePages leaves the free pages in the file.
	KeepFreePages bool
}

// Validate checks times and batch size. Nil is valid.
func (o *VacuumOptions) Validate() error {
	if o == nil {
		return nil
	}
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"tombstones_before", o.TombstonesBefore}, {"receipts_before", o.ReceiptsBefore}, {"usage_before", o.UsageBefore},
		{"revisions_before", o.RevisionsBefore}, {"work_before", o.WorkBefore}, {"inputs_before", o.InputsBefore}} {
		if err := ValidateTime(t.name, t.at); err != nil {
			return err
		}
	}
	return validateBatch(o.Batch)
}

func validateBatch(n int) error {
	if n < 0 {
		return &InvalidError{Field: "batch", Reason: "negative"}
	}
	return nil
}

// VacuumReport counts what this call deleted.
type VacuumReport struct {
	Nodes     int64
	Receipts  int64
	Usage     int64
	Revisions int64
	Work      int64 // settled batches
	Inputs    int64 // settled inputs
	Pages     int64 // given back to the file system
}

// GCOptions choose how. Nil is the zero value.
type GCOptions struct {
	DryRun bool // count, delete nothing
	Batch  int  // blobs a transaction; 0 means DefaultBatch
}

// Validate checks the batch size. Nil is valid.
func (o *GCOptions) Validate() error {
	if o == nil {
		return nil
	}
	return validateBatch(o.Batch)
}

// GCReport counts.
type GCReport struct {
	Roots    int64 // what names blobs: the checkpoints of all revisions that are kept, frames, artifacts
	Retained int64 // blobs that are named, by a root or by a checkpoint
	Spared   int64 // blobs that nothing names, too young to go
	Deleted  int64 // blobs deleted; in a dry run, that would be
	Bytes    int64 // stored bytes of those
}

// FindingKind says what is wrong.
type FindingKind string

// What a verification may find.
const (
	FindingIntegrity   FindingKind = "integrity"    // the database file is damaged
	FindingForeignKey  FindingKind = "foreign_key"  // a row refers to one that is not there
	FindingBlobCorrupt FindingKind = "blob_corrupt" // content does not match its hash, or cannot be decoded
	FindingBlobMissing FindingKind = "blob_missing" // something names a blob that is not there
	FindingCheckpoint  FindingKind = "checkpoint"   // the head's checkpoint cannot be read
	FindingGraph       FindingKind = "graph"        // a live node without a live parent, or a node that cannot be read
	FindingHead        FindingKind = "head"         // the head contradicts the rest
	FindingFrame       FindingKind = "frame"        // a frame cannot be read, or its status contradicts the head
	FindingRevision    FindingKind = "revision"     // a revision that never was, or is kept and cannot be loaded
	FindingUsage       FindingKind = "usage"        // totals are lower than the deltas they hold
	FindingEntry       FindingKind = "entry"        // a batch or input that cannot be read, or contradicts the lease
	FindingMeta        FindingKind = "meta"         // the description cannot be read
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind   FindingKind
	Key    string // what it is about: an id, a hash, a table and row
	Detail string
}

// VerifyReport says what was read and what is wrong. No Findings is a sound session.
type VerifyReport struct {
	Nodes, Blobs, Receipts, Frames, Artifacts, Entries int64
	Findings                                           []Finding
}

// Stats counts what a session takes.
type Stats struct {
	Nodes, Tombstones   int64
	NodeBytes           int64 // payloads
	Blobs               int64
	BlobBytes           int64 // plain
	BlobStoredBytes     int64 // as stored
	Receipts            int64
	Revisions           int64 // lines of the log
	UsageDeltas         int64
	Frames              int64
	Artifacts           int64
	Work, Inputs        int64 // waiting or claimed
	SettledWork         int64 // remembered for their source keys
	SettledInputs       int64
	EntryBytes          int64 // contents of both
	FileBytes, WALBytes int64 // 0 in memory
	FreeBytes           int64 // free pages inside the file
}
