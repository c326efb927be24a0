// Package lease takes, renews and releases leases: one rule, over whatever table holds them. The rule itself is in the
// root package, so that every backend decides alike; here it meets transactions and rows.
//
// Every function works inside the caller's transaction, which has read the stored lease and the time.
package lease

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/lashstore/lashstore"
)

// Table writes one stored lease by compare-and-set. Each method reports whether the stored row was still the one meant.
type Table interface {
	// Take replaces seen by next.
	Take(ctx context.Context, seen, next lashstore.Lease) (bool, error)
	// Extend moves the expiry of a live lease, never to an earlier moment, and renews what is known of the process.
	Extend(ctx context.Context, next lashstore.Lease, now time.Time) (bool, error)
	// Release clears the row but for its generation.
	Release(ctx context.Context, fence *lashstore.Fence) (bool, error)
}

// Request is what one transaction brings: the lease it read, its time, and where tokens come from.
type Request struct {
	Table  Table
	Stored lashstore.Lease
	Now    time.Time
	Random io.Reader // nil means crypto/rand
}

// Take acquires or re-enters the lease. LeaseBusyError when somebody else holds it.
func (r Request) Take(ctx context.Context, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	return r.apply(ctx, lashstore.DecideTake(r.Stored, owner, r.Now), owner, ttl)
}

// Reclaim takes the lease over from an observed holder that is provably dead. LeaseBusyError otherwise.
func (r Request) Reclaim(ctx context.Context, owner lashstore.Owner, observed *lashstore.Fence, ttl time.Duration, probe lashstore.ProcessProbe) (lashstore.Lease, error) {
	return r.apply(ctx, lashstore.DecideReclaim(r.Stored, owner, observed, r.Now, probe), owner, ttl)
}

func (r Request) apply(ctx context.Context, decision lashstore.LeaseDecision, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	switch decision {
	case lashstore.LeaseAcquire:
		return r.acquire(ctx, owner, ttl)
	case lashstore.LeaseReenter:
		return r.extend(ctx, owner, ttl)
	default:
		return lashstore.Lease{}, &lashstore.LeaseBusyError{Holder: r.Stored.WithoutToken()}
	}
}

func (r Request) acquire(ctx context.Context, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	token, err := NewToken(r.Random)
	if err != nil {
		return lashstore.Lease{}, err
	}
	next := lashstore.Lease{
		SessionID: r.Stored.SessionID, Owner: owner, Token: token, Generation: r.Stored.Generation + 1,
		ClaimedAt: r.Now, ExpiresAt: r.expiry(ttl),
	}
	ok, err := r.Table.Take(ctx, r.Stored, next)
	return settled(next, ok, err)
}

func (r Request) extend(ctx context.Context, owner lashstore.Owner, ttl time.Duration) (lashstore.Lease, error) {
	next := r.Stored
	next.Owner = owner
	if expires := r.expiry(ttl); expires.After(next.ExpiresAt) {
		next.ExpiresAt = expires
	}
	ok, err := r.Table.Extend(ctx, next, r.Now)
	return settled(next, ok, err)
}

// expiry is ttl from now, as it is stored.
func (r Request) expiry(ttl time.Duration) time.Time {
	return lashstore.FromMillis(lashstore.Millis(r.Now.Add(ttl)))
}

// settled turns a lost compare-and-set into an error. The row was read in the same write transaction: losing it means
// that the transaction did not hold.
func settled(next lashstore.Lease, ok bool, err error) (lashstore.Lease, error) {
	if err == nil && !ok {
		err = &lashstore.CorruptError{What: "lease", Key: next.SessionID, Reason: "changed inside a write transaction"}
	}
	if err != nil {
		return lashstore.Lease{}, err
	}
	return next, nil
}

// Renew extends a lease that fence still holds. LeaseLostError otherwise.
func (r Request) Renew(ctx context.Context, fence *lashstore.Fence, ttl time.Duration) (lashstore.Lease, error) {
	if err := fence.Verify(r.Stored.SessionID, r.Stored, r.Now); err != nil {
		return lashstore.Lease{}, err
	}
	return r.extend(ctx, r.Stored.Owner, ttl)
}

// Release gives the lease back if fence holds it, live or expired, and reports whether it did.
func (r Request) Release(ctx context.Context, fence *lashstore.Fence) (bool, error) {
	if !fence.Names(r.Stored) {
		return false, nil
	}
	return r.Table.Release(ctx, fence)
}

// NewToken returns 128 random bits in hexadecimal digits; random is nil for crypto/rand.
func NewToken(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("read randomness for a token: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
