package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lashstore/lashstore"
)

// All SQL that is not in schema.sql or queries/ is here: transactions and pragmas.

const (
	sqlBeginWrite   = "BEGIN IMMEDIATE"
	sqlBeginRead    = "BEGIN"
	sqlCommit       = "COMMIT"
	sqlRollback     = "ROLLBACK"
	sqlSavepoint    = "SAVEPOINT inner_step"
	sqlRelease      = "RELEASE inner_step"
	sqlRollbackTo   = "ROLLBACK TO inner_step"
	sqlQueryOnly    = "PRAGMA query_only = ON"
	sqlExclusive    = "PRAGMA locking_mode = EXCLUSIVE"
	sqlNoBusyWait   = "PRAGMA busy_timeout = 0"
	sqlTruncateWAL  = "PRAGMA wal_checkpoint(TRUNCATE)"
	sqlJournalMode  = "PRAGMA journal_mode"
	sqlSwitchToWAL  = "PRAGMA journal_mode = WAL"
	sqlLeaveWAL     = "PRAGMA journal_mode = DELETE"
	sqlIntegrity    = "PRAGMA integrity_check"
	sqlForeignKeys  = "PRAGMA foreign_key_check"
	sqlPageCount    = "PRAGMA page_count"
	sqlPageSize     = "PRAGMA page_size"
	sqlFreePages    = "PRAGMA freelist_count"
	walMode         = "wal"
	busyTimeoutForm = "PRAGMA busy_timeout = %d"
)

// maxLength is SQLite's limit for one value or row: the largest value and what stands beside it. Beyond 128 MiB the
// driver would panic.
const maxLength = lashstore.MaxValueSize + lashstore.MaxMetaSize + 1<<20

// pageSize is chosen when a file is made and never again. Half of SQLite's default: a session has some twenty trees,
// each of a page at least, and most sessions are small.
const pageSize = 2048

// walLimit bounds the WAL file after a checkpoint; autoCheckpoint is how many pages bring one about.
const (
	walLimit       = 4 << 20
	autoCheckpoint = walLimit / pageSize
)

// layoutPragmas choose what cannot be chosen any more once the first page is written.
var layoutPragmas = fmt.Sprintf("PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL", pageSize)

// connectionPragmas set up a connection once the file is known to be ours.
func (d *DB) connectionPragmas() string {
	synchronous := "FULL"
	if d.options.Durability != lashstore.DurabilityFull {
		synchronous = "NORMAL"
	}
	return strings.Join([]string{
		"PRAGMA synchronous = " + synchronous,
		"PRAGMA foreign_keys = ON",
		"PRAGMA trusted_schema = OFF",
		"PRAGMA temp_store = MEMORY",
		fmt.Sprintf("PRAGMA cache_size = -%d", d.options.CacheKiB),
		fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", autoCheckpoint),
		fmt.Sprintf("PRAGMA journal_size_limit = %d", walLimit),
	}, ";")
}

// stampSQL marks a new file as ours.
func (k Kind) stampSQL() string {
	return fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", k.ApplicationID, k.Version)
}

// identity is what a file's header says.
type identity struct {
	application int32
	version     int64
}

// identity reads the header in one snapshot: a program that is just making the file would show half of what it stamps.
func (c *conn) identity(ctx context.Context) (i identity, err error) {
	if err := c.script(ctx, sqlBeginRead); err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, c.script(context.WithoutCancel(ctx), sqlRollback)) }()
	application, err := c.number(ctx, "PRAGMA application_id")
	if err != nil {
		return i, err
	}
	i.application = int32(application)
	i.version, err = c.number(ctx, "PRAGMA user_version")
	return i, err
}

func incrementalVacuumSQL(pages int) string {
	return fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages)
}

// versionSQL is no pragma, but there is none for it.
const versionSQL = "SELECT sqlite_version()"
