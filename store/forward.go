package store

import (
	"context"
	"time"

	"github.com/lashstore/lashstore"
)

// What a reference passes on to the session's store as it is.

func (r *reference) Commit(ctx context.Context, c lashstore.Commit) (lashstore.CommitResult, error) {
	return ask(ctx, r, func(s *Store) (lashstore.CommitResult, error) { return s.Commit(ctx, c) })
}

func (r *reference) Load(ctx context.Context, options *lashstore.LoadOptions) (*lashstore.Session, error) {
	return ask(ctx, r, func(s *Store) (*lashstore.Session, error) { return s.Load(ctx, options) })
}

func (r *reference) Node(ctx context.Context, id string) (lashstore.Node, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Node, error) { return s.Node(ctx, id) })
}

func (r *reference) Children(ctx context.Context, id string) ([]lashstore.Node, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.Node, error) { return s.Children(ctx, id) })
}

func (r *reference) PutBlob(ctx context.Context, descriptor lashstore.ArtifactDescriptor, content []byte) (lashstore.Hash, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Hash, error) { return s.PutBlob(ctx, descriptor, content) })
}

func (r *reference) Blob(ctx context.Context, hash lashstore.Hash) ([]byte, error) {
	return ask(ctx, r, func(s *Store) ([]byte, error) { return s.Blob(ctx, hash) })
}

func (r *reference) PutArtifact(ctx context.Context, key lashstore.ArtifactKey, descriptor lashstore.ArtifactDescriptor, content []byte) (ref lashstore.Hash, previous *lashstore.Artifact, err error) {
	err = r.call(ctx, func(s *Store) (err error) {
		ref, previous, err = s.PutArtifact(ctx, key, descriptor, content)
		return err
	})
	return ref, previous, err
}

func (r *reference) Artifact(ctx context.Context, key lashstore.ArtifactKey) (lashstore.Artifact, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Artifact, error) { return s.Artifact(ctx, key) })
}

func (r *reference) Artifacts(ctx context.Context, namespace string) ([]lashstore.Artifact, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.Artifact, error) { return s.Artifacts(ctx, namespace) })
}

func (r *reference) DeleteArtifact(ctx context.Context, key lashstore.ArtifactKey) (bool, error) {
	return ask(ctx, r, func(s *Store) (bool, error) { return s.DeleteArtifact(ctx, key) })
}

func (r *reference) Usage(ctx context.Context) ([]lashstore.UsageTotal, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.UsageTotal, error) { return s.Usage(ctx) })
}

func (r *reference) UsageByTurn(ctx context.Context, after lashstore.Revision, limit int) ([]lashstore.TurnUsage, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.TurnUsage, error) { return s.UsageByTurn(ctx, after, limit) })
}

func (r *reference) Meta(ctx context.Context) (lashstore.SessionMeta, error) {
	return ask(ctx, r, func(s *Store) (lashstore.SessionMeta, error) { return s.Meta(ctx) })
}

func (r *reference) UpdateMeta(ctx context.Context, meta lashstore.SessionMeta) error {
	return r.call(ctx, func(s *Store) error { return s.UpdateMeta(ctx, meta) })
}

func (r *reference) TakeLease(ctx context.Context, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Lease, error) { return s.TakeLease(ctx, owner, ttl) })
}

func (r *reference) ReclaimLease(ctx context.Context, owner lashstore.Owner, observed lashstore.Lease, ttl time.Duration) (lashstore.Lease, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Lease, error) { return s.ReclaimLease(ctx, owner, observed, ttl) })
}

func (r *reference) RenewLease(ctx context.Context, fence *lashstore.Fence, ttl time.Duration) (lashstore.Lease, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Lease, error) { return s.RenewLease(ctx, fence, ttl) })
}

func (r *reference) ReleaseLease(ctx context.Context, fence *lashstore.Fence) error {
	return r.call(ctx, func(s *Store) error { return s.ReleaseLease(ctx, fence) })
}

func (r *reference) CurrentLease(ctx context.Context) (lease lashstore.Lease, live bool, err error) {
	err = r.call(ctx, func(s *Store) (err error) {
		lease, live, err = s.CurrentLease(ctx)
		return err
	})
	return lease, live, err
}

func (r *reference) EnqueueWork(ctx context.Context, draft lashstore.WorkDraft) (lashstore.EnqueuedWork, error) {
	return ask(ctx, r, func(s *Store) (lashstore.EnqueuedWork, error) { return s.EnqueueWork(ctx, draft) })
}

func (r *reference) ClaimCommand(ctx context.Context, fence *lashstore.Fence) (*lashstore.WorkClaim, error) {
	return ask(ctx, r, func(s *Store) (*lashstore.WorkClaim, error) { return s.ClaimCommand(ctx, fence) })
}

func (r *reference) ClaimWork(ctx context.Context, fence *lashstore.Fence, boundary lashstore.WorkBoundary, limit int) (*lashstore.WorkClaim, error) {
	return ask(ctx, r, func(s *Store) (*lashstore.WorkClaim, error) { return s.ClaimWork(ctx, fence, boundary, limit) })
}

func (r *reference) ClaimWorkByID(ctx context.Context, fence *lashstore.Fence, boundary lashstore.WorkBoundary, ids []string) (*lashstore.WorkClaim, error) {
	return ask(ctx, r, func(s *Store) (*lashstore.WorkClaim, error) { return s.ClaimWorkByID(ctx, fence, boundary, ids) })
}

func (r *reference) AbandonWork(ctx context.Context, claims ...*lashstore.WorkClaim) error {
	return r.call(ctx, func(s *Store) error { return s.AbandonWork(ctx, claims...) })
}

func (r *reference) CancelWork(ctx context.Context, targets ...lashstore.EntryTarget) ([]lashstore.WorkCancellation, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.WorkCancellation, error) { return s.CancelWork(ctx, targets...) })
}

func (r *reference) ListWork(ctx context.Context, options *lashstore.ListOptions) ([]lashstore.WorkBatch, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.WorkBatch, error) { return s.ListWork(ctx, options) })
}

func (r *reference) EnqueueInput(ctx context.Context, draft lashstore.InputDraft) (lashstore.EnqueuedInput, error) {
	return ask(ctx, r, func(s *Store) (lashstore.EnqueuedInput, error) { return s.EnqueueInput(ctx, draft) })
}

func (r *reference) ClaimTurnInputs(ctx context.Context, fence *lashstore.Fence, at lashstore.TurnCheckpoint, limit int) (*lashstore.InputClaim, error) {
	return ask(ctx, r, func(s *Store) (*lashstore.InputClaim, error) { return s.ClaimTurnInputs(ctx, fence, at, limit) })
}

func (r *reference) ClaimNextInputs(ctx context.Context, fence *lashstore.Fence, limit int) (*lashstore.InputClaim, error) {
	return ask(ctx, r, func(s *Store) (*lashstore.InputClaim, error) { return s.ClaimNextInputs(ctx, fence, limit) })
}

func (r *reference) AbandonInputs(ctx context.Context, claims ...*lashstore.InputClaim) error {
	return r.call(ctx, func(s *Store) error { return s.AbandonInputs(ctx, claims...) })
}

func (r *reference) CancelInputs(ctx context.Context, targets ...lashstore.EntryTarget) ([]lashstore.InputCancellation, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.InputCancellation, error) { return s.CancelInputs(ctx, targets...) })
}

func (r *reference) CancelInputsFrom(ctx context.Context, anchor lashstore.EntryTarget) ([]lashstore.InputCancellation, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.InputCancellation, error) { return s.CancelInputsFrom(ctx, anchor) })
}

func (r *reference) DeferInputs(ctx context.Context, fence *lashstore.Fence, keepTurn string) (int64, error) {
	return ask(ctx, r, func(s *Store) (int64, error) { return s.DeferInputs(ctx, fence, keepTurn) })
}

func (r *reference) ListInputs(ctx context.Context, options *lashstore.ListOptions) ([]lashstore.TurnInput, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.TurnInput, error) { return s.ListInputs(ctx, options) })
}

func (r *reference) ClaimCheckpoint(ctx context.Context, fence *lashstore.Fence, request lashstore.CheckpointRequest) (lashstore.CheckpointClaims, error) {
	return ask(ctx, r, func(s *Store) (lashstore.CheckpointClaims, error) { return s.ClaimCheckpoint(ctx, fence, request) })
}

func (r *reference) TombstoneNodes(ctx context.Context, ids []string, fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
	return ask(ctx, r, func(s *Store) (lashstore.TombstoneReport, error) { return s.TombstoneNodes(ctx, ids, fence) })
}

func (r *reference) TombstoneOrphans(ctx context.Context, fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
	return ask(ctx, r, func(s *Store) (lashstore.TombstoneReport, error) { return s.TombstoneOrphans(ctx, fence) })
}

func (r *reference) Vacuum(ctx context.Context, options *lashstore.VacuumOptions) (lashstore.VacuumReport, error) {
	return ask(ctx, r, func(s *Store) (lashstore.VacuumReport, error) { return s.Vacuum(ctx, options) })
}

func (r *reference) GC(ctx context.Context, options *lashstore.GCOptions) (lashstore.GCReport, error) {
	return ask(ctx, r, func(s *Store) (lashstore.GCReport, error) { return s.GC(ctx, options) })
}

func (r *reference) Verify(ctx context.Context) (lashstore.VerifyReport, error) {
	return ask(ctx, r, func(s *Store) (lashstore.VerifyReport, error) { return s.Verify(ctx) })
}

func (r *reference) Stats(ctx context.Context) (lashstore.Stats, error) {
	return ask(ctx, r, func(s *Store) (lashstore.Stats, error) { return s.Stats(ctx) })
}

func (r *reference) Revisions(ctx context.Context, options *lashstore.RevisionListOptions) ([]lashstore.RevisionInfo, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.RevisionInfo, error) { return s.Revisions(ctx, options) })
}

func (r *reference) PinRevision(ctx context.Context, revision lashstore.Revision) error {
	return r.call(ctx, func(s *Store) error { return s.PinRevision(ctx, revision) })
}

func (r *reference) UnpinRevision(ctx context.Context, revision lashstore.Revision) error {
	return r.call(ctx, func(s *Store) error { return s.UnpinRevision(ctx, revision) })
}

func (r *reference) KeepRevisions(ctx context.Context, n int) error {
	return r.call(ctx, func(s *Store) error { return s.KeepRevisions(ctx, n) })
}

func (r *reference) DiffRevisions(ctx context.Context, from, to lashstore.Revision) (lashstore.RevisionDiff, error) {
	return ask(ctx, r, func(s *Store) (lashstore.RevisionDiff, error) { return s.DiffRevisions(ctx, from, to) })
}

func (r *reference) MoveHead(ctx context.Context, move lashstore.HeadMove) (lashstore.CommitResult, error) {
	return ask(ctx, r, func(s *Store) (lashstore.CommitResult, error) { return s.MoveHead(ctx, move) })
}

func (r *reference) Branches(ctx context.Context) ([]lashstore.Branch, error) {
	return ask(ctx, r, func(s *Store) ([]lashstore.Branch, error) { return s.Branches(ctx) })
}

func (r *reference) NameBranch(ctx context.Context, name, leaf string) error {
	return r.call(ctx, func(s *Store) error { return s.NameBranch(ctx, name, leaf) })
}

func (r *reference) DropBranch(ctx context.Context, name string) (bool, error) {
	return ask(ctx, r, func(s *Store) (bool, error) { return s.DropBranch(ctx, name) })
}
