package lashstore

import (
	"fmt"
	"time"
)

// Owner is who holds, or asks for, an execution lease: one incarnation of one replica.
type Owner struct {
	// ID is stable for a replica over its restarts. Required.
	ID string
	// Incarnation is new for each start of the replica. Required.
	Incarnation string
	// Process proves the owner dead or alive on one machine; nil is an owner of whom nothing can be proven.
	Process *LocalProcess
}

// LocalProcess identifies a process of one machine and one boot, beyond the reuse of its number.
type LocalProcess struct {
	HostID    string // one PID namespace
	BootID    string // one boot of the machine
	PID       int
	StartTime uint64 // in the machine's own unit; Linux: field 22 of /proc/<pid>/stat
}

// String returns "id/incarnation".
func (o Owner) String() string { return o.ID + "/" + o.Incarnation }

// SameIncarnation reports whether both are the same run of the same replica. What is known of the process does not
// count.
func (o Owner) SameIncarnation(other Owner) bool {
	return o.ID == other.ID && o.Incarnation == other.Incarnation
}

// Validate checks ids and process numbers.
func (o Owner) Validate() error {
	if err := ValidateID("owner.id", o.ID); err != nil {
		return err
	}
	if err := ValidateID("owner.incarnation", o.Incarnation); err != nil {
		return err
	}
	if p := o.Process; p != nil {
		if err := ValidateID("owner.process.host_id", p.HostID); err != nil {
			return err
		}
		if err := ValidateID("owner.process.boot_id", p.BootID); err != nil {
			return err
		}
		if p.PID <= 0 {
			return &InvalidError{Field: "owner.process.pid", Reason: "must be positive"}
		}
		if p.StartTime > maxInteger {
			return &InvalidError{Field: "owner.process.start_time", Reason: "beyond 2^53"}
		}
	}
	return nil
}

// ProcessProbe looks up a process of this machine. It returns running=false only when the process is gone or its
// number now belongs to another one (started at another time); an error means nothing is proven.
type ProcessProbe func(p LocalProcess) (running bool, err error)

// DefinitelyDead reports whether claimant can prove that holder is dead: both are processes of the same host and boot,
// and the probe finds holder's process gone. Everything else, a failing probe included, is no proof.
func DefinitelyDead(holder, claimant Owner, probe ProcessProbe) bool {
	h, c := holder.Process, claimant.Process
	if h == nil || c == nil || probe == nil || h.HostID != c.HostID || h.BootID != c.BootID {
		return false
	}
	running, err := probe(*h)
	return err == nil && !running
}

// Lease is the right to execute a session for a while. The holder renews it; whoever finds it expired may take it.
type Lease struct {
	SessionID string
	Owner     Owner
	// Token is the holder's secret: 128 random bits in hexadecimal digits. It is never logged and is empty in a
	// LeaseBusyError.
	Token string
	// Generation grows by one with every acquisition, and stays over renewals and re-entries. The first is 1.
	Generation int64
	ClaimedAt  time.Time // when this generation was acquired
	ExpiresAt  time.Time // the lease is live strictly before this moment
}

// LiveAt reports whether the lease is held at that moment.
func (l Lease) LiveAt(now time.Time) bool { return l.Token != "" && l.ExpiresAt.After(now) }

// Fence returns what a write shows to prove that it is made under l.
func (l Lease) Fence() *Fence {
	return &Fence{SessionID: l.SessionID, Owner: l.Owner, Token: l.Token, Generation: l.Generation}
}

// WithoutToken returns l without its secret, for errors and displays.
func (l Lease) WithoutToken() Lease {
	l.Token = ""
	return l
}

// Fence proves that its bearer acquired a lease. Whether the lease is still held is checked by the write that carries
// the fence, in the same transaction.
type Fence struct {
	SessionID  string
	Owner      Owner
	Token      string
	Generation int64
}

// Verify returns nil when the stored lease is live at now and is the one that f was made from, else a LeaseLostError.
// A nil fence is refused with the reason "no lease given". A session that nobody has leased yet is the zero Lease.
func (f *Fence) Verify(sessionID string, stored Lease, now time.Time) error {
	switch {
	case f == nil:
		return &LeaseLostError{SessionID: sessionID, Reason: "no lease given"}
	case f.SessionID != sessionID:
		return &LeaseLostError{SessionID: sessionID, Reason: "foreign session"}
	case !f.matches(stored):
		return &LeaseLostError{SessionID: sessionID, Reason: "superseded or released"}
	case !stored.LiveAt(now):
		return &LeaseLostError{SessionID: sessionID, Reason: "expired"}
	}
	return nil
}

// Names reports whether f was made from the stored lease, live or not. Releasing asks for no more than that.
func (f *Fence) Names(stored Lease) bool {
	return f != nil && f.SessionID == stored.SessionID && f.matches(stored)
}

func (f *Fence) matches(stored Lease) bool {
	return stored.Token != "" && f.Token == stored.Token && f.Generation == stored.Generation &&
		f.Owner.SameIncarnation(stored.Owner)
}

// MaxLeaseTTL is the longest a lease may be taken or renewed for at once.
const MaxLeaseTTL = 30 * 24 * time.Hour

// ValidateTTL accepts 0 (acquired and expired in one), and a millisecond, the unit of every stored time, up to
// MaxLeaseTTL.
func ValidateTTL(ttl time.Duration) error {
	if ttl < 0 {
		return &InvalidError{Field: "ttl", Reason: "negative"}
	}
	if ttl > 0 && ttl < time.Millisecond {
		return &InvalidError{Field: "ttl", Reason: "shorter than a millisecond"}
	}
	if ttl > MaxLeaseTTL {
		return &InvalidError{Field: "ttl", Reason: fmt.Sprintf("longer than %s", MaxLeaseTTL)}
	}
	return nil
}

// LeaseDecision is what becomes of a request for a lease.
type LeaseDecision int

const (
	// LeaseAcquire: a new generation begins.
	LeaseAcquire LeaseDecision = iota
	// LeaseReenter: the same incarnation holds it already; token and generation stay, the expiry never comes earlier.
	LeaseReenter
	// LeaseRefuse: somebody else holds it.
	LeaseRefuse
)

// DecideTake decides a plain request. A live lease of another incarnation refuses, even of the same owner id.
func DecideTake(stored Lease, claimant Owner, now time.Time) LeaseDecision {
	switch {
	case !stored.LiveAt(now):
		return LeaseAcquire
	case stored.Owner.SameIncarnation(claimant):
		return LeaseReenter
	default:
		return LeaseRefuse
	}
}

// DecideReclaim decides a request that has observed the holder and claims it is dead. A free lease is acquired. A live
// one is taken over only when it is still the one observed and its holder is provably dead.
func DecideReclaim(stored Lease, claimant Owner, observed *Fence, now time.Time, probe ProcessProbe) LeaseDecision {
	switch {
	case !stored.LiveAt(now):
		return LeaseAcquire
	case observed.observes(stored) && DefinitelyDead(stored.Owner, claimant, probe):
		return LeaseAcquire
	default:
		return LeaseRefuse
	}
}

// observes compares without the token: an observer learns of the holder from a LeaseBusyError, which has none. The
// generation alone identifies an acquisition.
func (f *Fence) observes(stored Lease) bool {
	return f != nil && f.SessionID == stored.SessionID && f.Generation == stored.Generation &&
		f.Owner.SameIncarnation(stored.Owner)
}
