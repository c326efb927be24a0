package sqlitedb

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/lashstore/lashstore"
)

// Kind is what a database file must be.
type Kind struct {
	Name          string // "session" or "host"
	ApplicationID int32
	Version       int64  // user_version; the only one supported
	DDL           string // the section of the schema
}

// Mode says what Open may do to the file system.
type Mode int

const (
	// Create makes the file when it is missing.
	Create Mode = iota
	// Existing opens a database that is there, and never creates one.
	Existing
	// ReadOnly opens a database that is there and writes nothing. It needs no place to write: see frozen.go.
	ReadOnly
)

// Options configure a database. The zero value of each field takes the default.
type Options struct {
	Mode        Mode
	Durability  lashstore.Durability // default DurabilityFull
	BusyTimeout time.Duration        // default 15 s
	Clock       lashstore.Clock      // default the system's
	Logger      *slog.Logger         // default silent
	CacheKiB    int                  // page cache of a connection; default 256
	MaxReaders  int                  // read connections at once; default 4
	ReaderIdle  time.Duration        // idle read connections are closed after this; default 10 s
	// KnownKinds names application ids, so that a refusal can say what a file is.
	KnownKinds map[int32]string
	// AllowNetworkFS skips the check for network file systems.
	AllowNetworkFS bool
	// OnCreate runs in a transaction on a new database before it appears under its name. Somebody else may be faster:
	// then what it wrote is dropped.
	OnCreate func(ctx context.Context, tx *Tx) error
	// OnOpen reads what every open needs, in a snapshot on the connection that is there already: a View would open a
	// second one.
	OnOpen func(tx *Tx) error

	link func(from, to string) error // os.Link, but in tests
}

// Defaults of Options.
const (
	DefaultBusyTimeout = 15 * time.Second
	DefaultCacheKiB    = 256
	DefaultMaxReaders  = 4
	DefaultReaderIdle  = 10 * time.Second
)

func (o *Options) withDefaults() Options {
	var full Options
	if o != nil {
		full = *o
	}
	if full.Durability == "" {
		full.Durability = lashstore.DurabilityFull
	}
	if full.BusyTimeout <= 0 {
		full.BusyTimeout = DefaultBusyTimeout
	}
	if full.Clock == nil {
		full.Clock = lashstore.SystemClock
	}
	if full.Logger == nil {
		full.Logger = slog.New(slog.DiscardHandler)
	}
	if full.CacheKiB <= 0 {
		full.CacheKiB = DefaultCacheKiB
	}
	if full.MaxReaders <= 0 {
		full.MaxReaders = DefaultMaxReaders
	}
	if full.ReaderIdle <= 0 {
		full.ReaderIdle = DefaultReaderIdle
	}
	if full.link == nil {
		full.link = os.Link
	}
	return full
}
