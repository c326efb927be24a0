package store

import (
	"context"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/lease"
)

// TakeLease acquires, or re-enters, the execution lease.
func (s *Store) TakeLease(ctx context.Context, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	if err := validateClaim(owner, ttl); err != nil {
		return lashstore.Lease{}, err
	}
	return s.withLease(ctx, func(t *tx, r lease.Request) (lashstore.Lease, error) {
		return r.Take(t.Context(), owner, ttl)
	})
}

// ReclaimLease takes the execution lease over from an observed holder that is provably dead.
func (s *Store) ReclaimLease(ctx context.Context, owner lashstore.Owner, observed lashstore.Lease, ttl time.Duration) (lashstore.Lease, error) {
	if err := validateClaim(owner, ttl); err != nil {
		return lashstore.Lease{}, err
	}
	return s.withLease(ctx, func(t *tx, r lease.Request) (lashstore.Lease, error) {
		return r.Reclaim(t.Context(), owner, observed.Fence(), ttl, s.options.ProcessProbe)
	})
}

// RenewLease extends the execution lease.
func (s *Store) RenewLease(ctx context.Context, fence *lashstore.Fence, ttl time.Duration) (lashstore.Lease, error) {
	if err := lashstore.ValidateTTL(ttl); err != nil {
		return lashstore.Lease{}, err
	}
	return s.withLease(ctx, func(t *tx, r lease.Request) (lashstore.Lease, error) {
		return r.Renew(t.Context(), fence, ttl)
	})
}

// ReleaseLease gives the execution lease back.
func (s *Store) ReleaseLease(ctx context.Context, fence *lashstore.Fence) error {
	return s.update(ctx, func(t *tx) error { return t.releaseLease(fence) })
}

// CurrentLease returns the execution lease without its token.
func (s *Store) CurrentLease(ctx context.Context) (stored lashstore.Lease, live bool, err error) {
	err = s.view(ctx, func(t *tx) error {
		stored, live = t.state.lease.WithoutToken(), t.state.lease.LiveAt(t.Now)
		return nil
	})
	return stored, live, err
}

func validateClaim(owner lashstore.Owner, ttl time.Duration) error {
	if err := owner.Validate(); err != nil {
		return err
	}
	return lashstore.ValidateTTL(ttl)
}

func (s *Store) withLease(ctx context.Context, fn func(*tx, lease.Request) (lashstore.Lease, error)) (lashstore.Lease, error) {
	var got lashstore.Lease
	err := s.update(ctx, func(t *tx) error {
		var err error
		got, err = fn(t, t.leaseRequest())
		return err
	})
	if err != nil {
		return lashstore.Lease{}, err
	}
	return got, nil
}

func (t *tx) leaseRequest() lease.Request {
	return lease.Request{Table: leaseTable{t.q}, Stored: t.state.lease, Now: t.Now, Random: t.store.options.Random}
}

func (t *tx) releaseLease(fence *lashstore.Fence) error {
	_, err := t.leaseRequest().Release(t.Context(), fence)
	return err
}

// leaseTable writes the one row of leases.
type leaseTable struct{ q *db.Queries }

func (l leaseTable) Take(ctx context.Context, seen, next lashstore.Lease) (bool, error) {
	p := processColumns(next.Owner.Process)
	claimed, expires := lashstore.Millis(next.ClaimedAt), lashstore.Millis(next.ExpiresAt)
	n, err := l.q.LeaseTake(ctx, db.LeaseTakeParams{
		Token: &next.Token, OwnerID: &next.Owner.ID, OwnerIncarnation: &next.Owner.Incarnation,
		OwnerHostID: p.host, OwnerBootID: p.boot, OwnerPid: p.pid, OwnerStartTime: p.start,
		ClaimedAtMS: &claimed, ExpiresAtMS: &expires,
		SeenGeneration: seen.Generation, SeenToken: optional(seen.Token),
	})
	if err != nil || n != 1 {
		return false, err
	}
	_, err = l.q.EntryFreeClaims(ctx) // claims end with the generation they were made under
	return true, err
}

func (l leaseTable) Extend(ctx context.Context, next lashstore.Lease, now time.Time) (bool, error) {
	p := processColumns(next.Owner.Process)
	at := lashstore.Millis(now)
	n, err := l.q.LeaseExtend(ctx, db.LeaseExtendParams{
		ExpiresAtMS: lashstore.Millis(next.ExpiresAt), NowMS: &at, Generation: next.Generation,
		Token: &next.Token, OwnerID: &next.Owner.ID, OwnerIncarnation: &next.Owner.Incarnation,
		OwnerHostID: p.host, OwnerBootID: p.boot, OwnerPid: p.pid, OwnerStartTime: p.start,
	})
	return n == 1, err
}

func (l leaseTable) Release(ctx context.Context, fence *lashstore.Fence) (bool, error) {
	n, err := l.q.LeaseRelease(ctx, db.LeaseReleaseParams{
		Generation: fence.Generation, Token: &fence.Token, OwnerID: &fence.Owner.ID,
		OwnerIncarnation: &fence.Owner.Incarnation,
	})
	return n == 1, err
}

type ownerProcess struct {
	host, boot *string
	pid, start *int64
}

func processColumns(p *lashstore.LocalProcess) ownerProcess {
	if p == nil {
		return ownerProcess{}
	}
	pid, start := int64(p.PID), int64(p.StartTime)
	return ownerProcess{host: &p.HostID, boot: &p.BootID, pid: &pid, start: &start}
}

func leaseFromRow(sessionID string, row db.Lease) lashstore.Lease {
	l := lashstore.Lease{SessionID: sessionID, Generation: row.Generation}
	if row.Token == nil {
		return l
	}
	l.Token = *row.Token
	l.Owner = lashstore.Owner{ID: value(row.OwnerID), Incarnation: value(row.OwnerIncarnation)}
	if row.OwnerPid != nil {
		l.Owner.Process = &lashstore.LocalProcess{
			HostID: value(row.OwnerHostID), BootID: value(row.OwnerBootID),
			PID: int(*row.OwnerPid), StartTime: uint64(value(row.OwnerStartTime)),
		}
	}
	l.ClaimedAt = lashstore.FromMillis(value(row.ClaimedAtMS))
	l.ExpiresAt = lashstore.FromMillis(value(row.ExpiresAtMS))
	return l
}
