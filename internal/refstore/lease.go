package refstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/lashstore/lashstore"
)

// TakeLease acquires, or re-enters, the execution lease.
func (s *Store) TakeLease(ctx context.Context, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	if err := cmp.Or(owner.Validate(), lashstore.ValidateTTL(ttl)); err != nil && !s.is(OwnersAreNotValidated) {
		return lashstore.Lease{}, err
	}
	var early *lashstore.Lease
	if s.is(LeaseIsDecidedBefore) {
		seen, err := read(ctx, s, func(t *tx) (lashstore.Lease, error) { return t.lease, nil })
		if err != nil {
			return lashstore.Lease{}, err
		}
		early = &seen
		yieldALot()
	}
	return write(ctx, s, func(t *tx) (lashstore.Lease, error) {
		stored := t.lease
		if early != nil {
			stored = *early
		}
		decision := lashstore.DecideTake(stored, owner, t.now)
		switch {
		case t.is(LeaseNeverExpires) && t.lease.Token != "" && !t.lease.Owner.SameIncarnation(owner):
			decision = lashstore.LeaseRefuse
		case t.is(ReplicasShareLease) && decision == lashstore.LeaseRefuse && t.lease.Owner.ID == owner.ID:
			decision = lashstore.LeaseReenter
		case t.is(ReentryAcquires) && decision == lashstore.LeaseReenter:
			decision = lashstore.LeaseAcquire
		}
		return t.settle(decision, owner, ttl)
	})
}

// ReclaimLease takes the execution lease over from a holder that is provably dead.
func (s *Store) ReclaimLease(ctx context.Context, owner lashstore.Owner, observed lashstore.Lease, ttl time.Duration) (lashstore.Lease, error) {
	if err := cmp.Or(owner.Validate(), lashstore.ValidateTTL(ttl)); err != nil {
		return lashstore.Lease{}, err
	}
	return write(ctx, s, func(t *tx) (lashstore.Lease, error) {
		seen := observed.Fence()
		if t.is(ReclaimIgnoresObservation) {
			seen = t.lease.Fence()
		}
		decision := lashstore.DecideReclaim(t.lease, owner, seen, t.now, s.options.Probe)
		if t.is(ReclaimNeedsNoProof) && t.lease.Generation == observed.Generation {
			decision = lashstore.LeaseAcquire
		}
		return t.settle(decision, owner, ttl)
	})
}

// RenewLease extends a live lease.
func (s *Store) RenewLease(ctx context.Context, fence *lashstore.Fence, ttl time.Duration) (lashstore.Lease, error) {
	if err := lashstore.ValidateTTL(ttl); err != nil {
		return lashstore.Lease{}, err
	}
	return write(ctx, s, func(t *tx) (lashstore.Lease, error) {
		if err := fence.Verify(s.id, t.lease, t.now); err != nil && !(t.is(RenewIgnoresToken) && t.lease.LiveAt(t.now)) {
			return lashstore.Lease{}, err
		}
		if t.is(RenewDoesNothing) {
			return t.lease, nil
		}
		t.extend(ttl)
		return t.lease, nil
	})
}

// ReleaseLease gives the lease back.
func (s *Store) ReleaseLease(ctx context.Context, fence *lashstore.Fence) error {
	return s.update(ctx, func(t *tx) error {
		t.release(fence)
		return nil
	})
}

// CurrentLease returns the lease without its token.
func (s *Store) CurrentLease(ctx context.Context) (stored lashstore.Lease, live bool, err error) {
	stored, err = read(ctx, s, func(t *tx) (lashstore.Lease, error) {
		live = t.lease.LiveAt(t.now)
		if t.is(CurrentLeaseTellsToken) {
			return t.lease, nil
		}
		return t.lease.WithoutToken(), nil
	})
	return stored, live, err
}

// settle does what was decided and returns the lease as it is then.
func (t *tx) settle(decision lashstore.LeaseDecision, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	switch decision {
	case lashstore.LeaseRefuse:
		holder := t.lease.WithoutToken()
		if t.is(BusyTellsToken) {
			holder = t.lease
		}
		return lashstore.Lease{}, &lashstore.LeaseBusyError{Holder: holder}
	case lashstore.LeaseReenter:
		if !t.is(ReentryKeepsOwner) {
			t.lease.Owner = owner
		}
		t.extend(ttl)
		if t.is(ReentryFreesClaims) {
			t.freeClaims()
		}
	default:
		t.lease = lashstore.Lease{
			SessionID: t.id, Owner: owner, Token: t.newToken(owner), Generation: t.lease.Generation + 1,
			ClaimedAt: t.now, ExpiresAt: t.now.Add(ttl),
		}
		t.freeClaims()
	}
	return t.lease, nil
}

func (t *tx) extend(ttl time.Duration) {
	if expires := t.now.Add(ttl); expires.After(t.lease.ExpiresAt) || t.is(ExtensionShortens) {
		t.lease.ExpiresAt = expires
	}
}

func (t *tx) release(fence *lashstore.Fence) {
	if !fence.Names(t.lease) && !t.is(ReleaseIgnoresToken) {
		return
	}
	generation := t.lease.Generation
	if t.is(ReleaseResetsGeneration) {
		generation = 0
	}
	t.lease = lashstore.Lease{SessionID: t.id, Generation: generation}
}

func (t *tx) newToken(owner lashstore.Owner) string {
	if t.is(TokensAreReadable) {
		return hex.EncodeToString([]byte(owner.String()))
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
