package testsuite_test

import (
	"context"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/testsuite"
)

// nothing is a backend that does nothing and never complains. With manners it knows its session, loads an empty one
// and streams no bytes; without, all it returns is zero.
type nothing struct {
	id      string
	manners bool
}

func (n nothing) Open(_ testing.TB, id string, _ testsuite.Options) lashstore.SessionStore {
	n.id = id
	return n
}
func (n nothing) Factory(testing.TB, testsuite.Options) lashstore.SessionFactory {
	return nothingFactory{n}
}

func (n nothing) SessionID() string {
	if n.manners {
		return n.id
	}
	return ""
}

func (n nothing) Load(context.Context, *lashstore.LoadOptions) (*lashstore.Session, error) {
	if n.manners {
		return &lashstore.Session{SessionID: n.id}, nil
	}
	return nil, nil
}

func (n nothing) OpenBlob(context.Context, lashstore.Hash) (io.ReadCloser, lashstore.BlobInfo, error) {
	if n.manners {
		return io.NopCloser(strings.NewReader("")), lashstore.BlobInfo{}, nil
	}
	return nil, lashstore.BlobInfo{}, nil
}

func (nothing) Path(context.Context, string) iter.Seq2[lashstore.Node, error] {
	return func(func(lashstore.Node, error) bool) {}
}

func (nothing) Close() error                         { return nil }
func (nothing) Durability() (d lashstore.Durability) { return }
func (nothing) Commit(context.Context, lashstore.Commit) (r lashstore.CommitResult, err error) {
	return
}
func (nothing) Node(context.Context, string) (n lashstore.Node, err error)          { return }
func (nothing) Children(context.Context, string) (list []lashstore.Node, err error) { return }
func (nothing) PutBlob(context.Context, lashstore.ArtifactDescriptor, []byte) (h lashstore.Hash, err error) {
	return
}
func (nothing) Blob(context.Context, lashstore.Hash) (b []byte, err error) { return }
func (nothing) PutArtifact(context.Context, lashstore.ArtifactKey, lashstore.ArtifactDescriptor, []byte) (h lashstore.Hash, a *lashstore.Artifact, err error) {
	return
}
func (nothing) Artifact(context.Context, lashstore.ArtifactKey) (a lashstore.Artifact, err error) {
	return
}
func (nothing) Artifacts(context.Context, string) (list []lashstore.Artifact, err error) { return }
func (nothing) DeleteArtifact(context.Context, lashstore.ArtifactKey) (ok bool, err error) {
	return
}
func (nothing) Usage(context.Context) (list []lashstore.UsageTotal, err error) { return }
func (nothing) UsageByTurn(context.Context, lashstore.Revision, int) (list []lashstore.TurnUsage, err error) {
	return
}
func (nothing) Meta(context.Context) (m lashstore.SessionMeta, err error)     { return }
func (nothing) UpdateMeta(context.Context, lashstore.SessionMeta) (err error) { return }
func (nothing) TakeLease(context.Context, lashstore.Owner, time.Duration) (l lashstore.Lease, err error) {
	return
}
func (nothing) ReclaimLease(context.Context, lashstore.Owner, lashstore.Lease, time.Duration) (l lashstore.Lease, err error) {
	return
}
func (nothing) RenewLease(context.Context, *lashstore.Fence, time.Duration) (l lashstore.Lease, err error) {
	return
}
func (nothing) ReleaseLease(context.Context, *lashstore.Fence) (err error)             { return }
func (nothing) CurrentLease(context.Context) (l lashstore.Lease, live bool, err error) { return }
func (nothing) EnqueueWork(context.Context, lashstore.WorkDraft) (e lashstore.EnqueuedWork, err error) {
	return
}
func (nothing) ClaimCommand(context.Context, *lashstore.Fence) (c *lashstore.WorkClaim, err error) {
	return
}
func (nothing) ClaimWork(context.Context, *lashstore.Fence, lashstore.WorkBoundary, int) (c *lashstore.WorkClaim, err error) {
	return
}
func (nothing) ClaimWorkByID(context.Context, *lashstore.Fence, lashstore.WorkBoundary, []string) (c *lashstore.WorkClaim, err error) {
	return
}
func (nothing) AbandonWork(context.Context, ...*lashstore.WorkClaim) (err error) { return }
func (nothing) CancelWork(context.Context, ...lashstore.EntryTarget) (r []lashstore.WorkCancellation, err error) {
	return
}
func (nothing) ListWork(context.Context, *lashstore.ListOptions) (list []lashstore.WorkBatch, err error) {
	return
}
func (nothing) EnqueueInput(context.Context, lashstore.InputDraft) (e lashstore.EnqueuedInput, err error) {
	return
}
func (nothing) ClaimTurnInputs(context.Context, *lashstore.Fence, lashstore.TurnCheckpoint, int) (c *lashstore.InputClaim, err error) {
	return
}
func (nothing) ClaimNextInputs(context.Context, *lashstore.Fence, int) (c *lashstore.InputClaim, err error) {
	return
}
func (nothing) AbandonInputs(context.Context, ...*lashstore.InputClaim) (err error) { return }
func (nothing) CancelInputs(context.Context, ...lashstore.EntryTarget) (r []lashstore.InputCancellation, err error) {
	return
}
func (nothing) CancelInputsFrom(context.Context, lashstore.EntryTarget) (r []lashstore.InputCancellation, err error) {
	return
}
func (nothing) DeferInputs(context.Context, *lashstore.Fence, string) (n int64, err error) { return }
func (nothing) ListInputs(context.Context, *lashstore.ListOptions) (list []lashstore.TurnInput, err error) {
	return
}
func (nothing) ClaimCheckpoint(context.Context, *lashstore.Fence, lashstore.CheckpointRequest) (c lashstore.CheckpointClaims, err error) {
	return
}
func (nothing) WaitReady(context.Context, *lashstore.WaitOptions) (r lashstore.Readiness, err error) {
	return
}
func (nothing) WaitLease(context.Context) (err error) { return }
func (nothing) Revisions(context.Context, *lashstore.RevisionListOptions) (list []lashstore.RevisionInfo, err error) {
	return
}
func (nothing) PinRevision(context.Context, lashstore.Revision) (err error)   { return }
func (nothing) UnpinRevision(context.Context, lashstore.Revision) (err error) { return }
func (nothing) KeepRevisions(context.Context, int) (err error)                { return }
func (nothing) DiffRevisions(context.Context, lashstore.Revision, lashstore.Revision) (d lashstore.RevisionDiff, err error) {
	return
}
func (nothing) MoveHead(context.Context, lashstore.HeadMove) (r lashstore.CommitResult, err error) {
	return
}
func (nothing) Branches(context.Context) (list []lashstore.Branch, err error) { return }
func (nothing) NameBranch(context.Context, string, string) (err error)        { return }
func (nothing) DropBranch(context.Context, string) (dropped bool, err error)  { return }
func (nothing) TombstoneNodes(context.Context, []string, *lashstore.Fence) (r lashstore.TombstoneReport, err error) {
	return
}
func (nothing) TombstoneOrphans(context.Context, *lashstore.Fence) (r lashstore.TombstoneReport, err error) {
	return
}
func (nothing) Vacuum(context.Context, *lashstore.VacuumOptions) (r lashstore.VacuumReport, err error) {
	return
}
func (nothing) GC(context.Context, *lashstore.GCOptions) (r lashstore.GCReport, err error) { return }
func (nothing) Verify(context.Context) (r lashstore.VerifyReport, err error)               { return }
func (nothing) Stats(context.Context) (s lashstore.Stats, err error)                       { return }

type nothingFactory struct{ nothing }

func (f nothingFactory) CreateSession(_ context.Context, meta lashstore.SessionMeta) (lashstore.SessionStore, error) {
	return nothing{meta.SessionID, f.manners}, nil
}

func (f nothingFactory) OpenSession(_ context.Context, id string) (lashstore.SessionStore, error) {
	return nothing{id, f.manners}, nil
}
func (nothingFactory) DeleteSession(context.Context, string) error { return nil }
func (nothingFactory) Sessions(context.Context) iter.Seq2[lashstore.SessionInfo, error] {
	return func(func(lashstore.SessionInfo, error) bool) {}
}
