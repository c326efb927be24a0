package store

import (
	"io"
	"log/slog"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/lease"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// Options configure a store or a factory. Nil, and the zero value of each field, take the default.
type Options struct {
	// Durability says what an acknowledged commit survives. Default DurabilityFull: power loss, for one fsync a commit.
	// DurabilityNormal survives a crash of the process and syncs only when the WAL is checkpointed. A store in memory
	// is DurabilityNone whatever is said here.
	Durability lashstore.Durability
	// Profile chooses which blobs are compressed. Default ProfileBalanced.
	Profile lashstore.CompressionProfile
	// GC is the automatic garbage collection. Default never.
	GC GCPolicy
	// Clock is read once in each transaction. Default lashstore.SystemClock.
	Clock lashstore.Clock
	// Logger gets what no caller is there to be told, such as the failure of an automatic garbage collection. Default
	// silent. Payloads, ids of content and secrets are never logged.
	Logger *slog.Logger
	// BusyTimeout is how long a writer waits for writers of other handles and processes before it returns ErrBusy.
	// Default 15 s.
	BusyTimeout time.Duration
	// CacheKiB bounds SQLite's page cache of each connection. Default 256.
	CacheKiB int
	// ProcessProbe proves lease holders dead. Default: /proc on Linux, no proof elsewhere.
	ProcessProbe lashstore.ProcessProbe
	// Random is the source of lease tokens and database ids. Default crypto/rand.
	Random io.Reader
	// AllowNetworkFS opens databases on network file systems, whose locks and shared memory SQLite cannot trust. It is
	// for people who know theirs; default refused.
	AllowNetworkFS bool
}

// GCPolicy says when commits collect garbage.
type GCPolicy struct {
	// EveryCommits runs the garbage collection after each commit whose revision is a multiple of it; 0 never. The
	// commit has returned its promise by then: its caller waits, but what the collection says changes nothing for it.
	EveryCommits int
	// OnResult hears of each automatic run, failed ones included; nil for nobody. Failures are logged too.
	OnResult func(lashstore.GCReport, error)
}

// withDefaults returns a complete copy; o may be nil.
func (o *Options) withDefaults() Options {
	var full Options
	if o != nil {
		full = *o
	}
	if full.Durability == "" {
		full.Durability = lashstore.DurabilityFull
	}
	if full.Profile == "" {
		full.Profile = lashstore.ProfileBalanced
	}
	if full.Clock == nil {
		full.Clock = lashstore.SystemClock
	}
	if full.Logger == nil {
		full.Logger = slog.New(slog.DiscardHandler)
	}
	if full.ProcessProbe == nil {
		full.ProcessProbe = lease.ProbeProcess
	}
	return full
}

func (o *Options) validate() error {
	switch o.Durability {
	case lashstore.DurabilityFull, lashstore.DurabilityNormal:
	default:
		return &lashstore.InvalidError{Field: "options.durability", Reason: "neither full nor normal"}
	}
	if o.GC.EveryCommits < 0 {
		return &lashstore.InvalidError{Field: "options.gc.every_commits", Reason: "negative"}
	}
	return o.Profile.Validate()
}

func (o *Options) database() *sqlitedb.Options {
	return &sqlitedb.Options{
		Durability: o.Durability, BusyTimeout: o.BusyTimeout, Clock: o.Clock, Logger: o.Logger,
		CacheKiB: o.CacheKiB, KnownKinds: kindNames, AllowNetworkFS: o.AllowNetworkFS,
	}
}

// LocalOwner describes this process as the owner of leases: id names the replica and stays over restarts, incarnation
// is new for each start. On Linux others on the same machine can prove its death.
func LocalOwner(id, incarnation string) lashstore.Owner { return lease.LocalOwner(id, incarnation) }

// ProvablyDead reports whether holder was a process of this machine and this boot that is gone. False proves nothing, nor
// that it lives.
func ProvablyDead(holder lashstore.Owner) bool {
	return lashstore.DefinitelyDead(holder, lease.LocalOwner("observer", "observer"), lease.ProbeProcess)
}
