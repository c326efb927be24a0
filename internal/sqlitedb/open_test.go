package sqlitedb

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

func TestOpenCreatesOnceAndFindsItAgain(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	runs := 0
	options := &Options{OnCreate: func(ctx context.Context, tx *Tx) error {
		runs++
		_, err := tx.ExecContext(ctx, insertSQL, 1, 42)
		return err
	}}
	first := openTest(t, path, options)
	assert.True(t, first.Created())
	second := openTest(t, path, options)
	assert.False(t, second.Created())
	assert.EqualValues(t, 42, number(t, second, sumSQL))
	assert.Equal(t, 1, runs)
}

func TestPathsOfAnyCharactersWork(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space.db", "a?mode=ro.db", "a#b.db", "100%41.db", "ünïcode-日本.db", "semi;colon&amp.db", "quote'.db"} {
		path := filepath.Join(t.TempDir(), name)
		d := openTest(t, path, nil)
		run(t, d, insertSQL, 1, 1)
		number(t, d, sumSQL) // through a connection of its own
		_, err := os.Stat(path)
		require.NoError(t, err, name)
	}
}

func TestFailedCreationLeavesNoHalfSchema(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	_, err := Open(t.Context(), path, testKind, &Options{OnCreate: func(context.Context, *Tx) error { return os.ErrInvalid }})
	require.ErrorIs(t, err, os.ErrInvalid)
	assert.True(t, openTest(t, path, nil).Created())
}

func TestMissingFilesAreNotCreatedUnlessAsked(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	for _, mode := range []Mode{Existing, ReadOnly} {
		_, err := Open(t.Context(), path, testKind, &Options{Mode: mode})
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	_, err := Open(t.Context(), filepath.Join(filepath.Dir(path), "no", "such", "dir.db"), testKind, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Empty(t, entries)
	_, err = Open(t.Context(), filepath.Dir(path), testKind, nil)
	require.ErrorIs(t, err, lashstore.ErrNotADatabase)
}

func TestReadOnlyHandleReadsAndWritesNothing(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d := openTest(t, path, nil)
	run(t, d, insertSQL, 1, 8)
	r, err := Open(t.Context(), path, testKind, &Options{Mode: ReadOnly})
	require.NoError(t, err)
	assert.EqualValues(t, 8, number(t, r, sumSQL))
	require.ErrorIs(t, update(t.Context(), r, insertSQL, 2, 2), lashstore.ErrReadOnly)
	run(t, d, insertSQL, 2, 1)
	assert.EqualValues(t, 9, number(t, r, sumSQL), "commits of others are seen")
	require.NoError(t, r.Close())
}

// foreign makes files that are no test database, each with what refusing it must look like.
func foreign(t *testing.T) map[string]struct {
	make func(path string)
	want error
} {
	raw := func(statements string) func(string) {
		return func(path string) {
			d, err := sql.Open("sqlite3", "file:"+path)
			require.NoError(t, err)
			_, err = d.Exec(statements)
			require.NoError(t, err)
			require.NoError(t, d.Close())
		}
	}
	write := func(data []byte) func(string) {
		return func(path string) { require.NoError(t, os.WriteFile(path, data, 0o600)) }
	}
	type file = struct {
		make func(path string)
		want error
	}
	return map[string]file{
		"text":                   {write(bytes.Repeat([]byte("no database at all\n"), 400)), lashstore.ErrNotADatabase},
		"short text":             {write([]byte("hello")), lashstore.ErrNotADatabase},
		"another application":    {raw("PRAGMA application_id = 99; PRAGMA user_version = 7; CREATE TABLE x (y)"), lashstore.ErrSchema},
		"SQLite without a stamp": {raw("CREATE TABLE x (y)"), lashstore.ErrSchema},
		"a newer version":        {raw(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 8; CREATE TABLE x (y)", testKind.ApplicationID)), lashstore.ErrSchema},
		"an older version":       {raw(fmt.Sprintf("PRAGMA application_id = %d; CREATE TABLE x (y)", testKind.ApplicationID)), lashstore.ErrSchema},
		"another kind":           {raw("PRAGMA application_id = 1234; PRAGMA user_version = 7; CREATE TABLE x (y)"), lashstore.ErrSchema},
		"a header cut short":     {write([]byte("SQLite format 3\x00")), lashstore.ErrCorrupt},
		"an empty database":      {raw("PRAGMA user_version = 0; VACUUM"), lashstore.ErrSchema},
	}
}

// 1. A file that is something else is refused with its own typed error, in every mode.
// 2. Not a byte of it changes, and nothing appears beside it.
func TestForeignFilesAreRefusedUntouched(t *testing.T) {
	t.Parallel()
	for name, file := range foreign(t) {
		for _, mode := range []Mode{Create, Existing, ReadOnly} {
			path := testPath(t)
			file.make(path)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = Open(t.Context(), path, testKind, &Options{Mode: mode, KnownKinds: map[int32]string{1234: "host"}})
			require.ErrorIs(t, err, file.want, name)
			assert.Contains(t, err.Error(), path, name)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, before, after, name)
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			assert.Len(t, entries, 1, name)
		}
	}
}

func TestSchemaErrorNamesAllThree(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	foreign(t)["another kind"].make(path)
	_, err := Open(t.Context(), path, testKind, &Options{KnownKinds: map[int32]string{1234: "host"}})
	var schema *lashstore.SchemaError
	require.ErrorAs(t, err, &schema)
	assert.Equal(t, lashstore.SchemaError{
		Path: path, Application: 1234, Kind: "host", Version: 7,
		WantApplication: testKind.ApplicationID, WantKind: "session", WantVersion: 7,
	}, *schema)
}

// A file cut anywhere is refused, or found damaged, or whole; it never panics.
func TestTruncatedFilesAreNeverServed(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d, err := Open(t.Context(), path, testKind, nil)
	require.NoError(t, err)
	for i := range 200 {
		run(t, d, "INSERT INTO t (id, v, b) VALUES (?, 1, ?)", i, make([]byte, 500))
	}
	require.NoError(t, d.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for size := 0; size < len(whole); size += 1511 {
		cut := testPath(t)
		require.NoError(t, os.WriteFile(cut, whole[:size], 0o600))
		d, err := Open(t.Context(), cut, testKind, &Options{Mode: Existing})
		if err != nil {
			requireOneOf(t, err, lashstore.ErrCorrupt, lashstore.ErrNotADatabase, lashstore.ErrSchema, lashstore.ErrIO)
			continue
		}
		problems, err := d.IntegrityCheck(t.Context())
		if err != nil {
			requireOneOf(t, err, lashstore.ErrCorrupt, lashstore.ErrNotADatabase, lashstore.ErrIO)
		} else {
			assert.NotEmpty(t, problems, "cut at %d of %d", size, len(whole))
		}
		require.NoError(t, d.Close())
	}
}

func requireOneOf(t *testing.T, err error, sentinels ...error) {
	t.Helper()
	for _, s := range sentinels {
		if assert.ObjectsAreEqual(true, errorIs(err, s)) {
			return
		}
	}
	require.Fail(t, "untyped error", "%v", err)
}

func TestFileSystemWithoutWALIsRefused(t *testing.T) {
	t.Parallel()
	d := newDB(testKind, (&Options{}).withDefaults())
	c, _, err := d.bear(t.Context())
	require.NoError(t, err)
	var environment *lashstore.EnvironmentError
	require.ErrorAs(t, d.switchToWAL(t.Context(), c), &environment)
	assert.Equal(t, "a WAL journal", environment.Requirement)
	require.NoError(t, c.close())
}

func TestOldSQLiteIsRefused(t *testing.T) {
	t.Parallel()
	for version, old := range map[string]bool{
		"3.51.3": false, "3.51.4": false, "3.52.0": false, "4.0": false, "3.54.1": false,
		"3.51.2": true, "3.50.9": true, "3.9.99": true, "2.99.99": true, "3.51": true, "new": true,
	} {
		err := (&DB{path: "x"}).checkVersion(version)
		assert.Equal(t, old, errorIs(err, lashstore.ErrUnsupportedEnvironment), version)
	}
}

// 1. Destroy leaves a file alone that others have open, and one that it is told to leave.
// 2. It removes it, and everything beside it, when nobody has it open.
func TestDestroyWaitsForTheLastHandle(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d, err := Open(t.Context(), path, testKind, nil)
	require.NoError(t, err)
	run(t, d, insertSQL, 1, 1)
	yes := func(*Tx) (bool, error) { return true, nil }

	other, err := Open(t.Context(), path, testKind, nil)
	require.NoError(t, err)
	removed, err := d.Destroy(t.Context(), yes)
	require.NoError(t, err)
	assert.False(t, removed)
	run(t, other, insertSQL, 2, 2)
	run(t, d, insertSQL, 3, 3)
	require.NoError(t, other.Close())

	removed, err = d.Destroy(t.Context(), func(*Tx) (bool, error) { return false, nil })
	require.NoError(t, err)
	assert.False(t, removed)
	assert.EqualValues(t, 6, number(t, d, sumSQL))

	removed, err = d.Destroy(t.Context(), yes)
	require.NoError(t, err)
	assert.True(t, removed)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Empty(t, entries)
	require.ErrorIs(t, update(t.Context(), d, insertSQL, 2, 2), lashstore.ErrClosed)
}

func TestIncrementalVacuumGivesPagesBack(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	for i := range 100 {
		run(t, d, "INSERT INTO t (id, v, b) VALUES (?, 1, ?)", i, make([]byte, 8000))
	}
	run(t, d, "DELETE FROM t")
	before, err := d.Space(t.Context())
	require.NoError(t, err)
	freed, err := d.IncrementalVacuum(t.Context(), 50)
	require.NoError(t, err)
	assert.EqualValues(t, 50, freed)
	_, err = d.IncrementalVacuum(t.Context(), 10_000)
	require.NoError(t, err)
	_, err = d.Checkpoint(t.Context())
	require.NoError(t, err)
	after, err := d.Space(t.Context())
	require.NoError(t, err)
	assert.Less(t, after.Pages, before.Pages-150)
	assert.Zero(t, after.FreePages)
	assert.Equal(t, after.Pages*after.PageSize, after.FileBytes)
}

func TestForeignKeyCheckNamesTheRow(t *testing.T) {
	t.Parallel()
	kind := testKind
	kind.DDL = "CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY) STRICT; CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, p INTEGER REFERENCES p (id)) STRICT"
	d, err := Open(t.Context(), testPath(t), kind, nil)
	require.NoError(t, err)
	require.NoError(t, d.writer.script(t.Context(), "PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (5, 6)"))
	found, err := d.ForeignKeyCheck(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []ForeignKeyViolation{{Table: "c", RowID: 5, Parent: "p"}}, found)
	require.NoError(t, d.Close())
}

// 10.W42: what an acknowledged commit survives is an option, and on every connection as it was chosen.
func TestDurabilityIsSetOnEveryConnection(t *testing.T) {
	t.Parallel()
	for durability, synchronous := range map[lashstore.Durability]int64{lashstore.DurabilityFull: 2, lashstore.DurabilityNormal: 1} {
		d := openTest(t, testPath(t), &Options{Durability: durability})
		want := map[string]int64{
			"PRAGMA synchronous": synchronous, "PRAGMA foreign_keys": 1, "PRAGMA trusted_schema": 0,
			"PRAGMA cache_size": -DefaultCacheKiB, "PRAGMA busy_timeout": DefaultBusyTimeout.Milliseconds(),
			"PRAGMA journal_size_limit": walLimit, "PRAGMA auto_vacuum": 2, sqlPageSize: pageSize,
		}
		read := func(tx *Tx) error {
			for pragma, n := range want {
				got, err := tx.conn.number(tx.ctx, pragma)
				require.NoError(t, err)
				assert.Equal(t, n, got, pragma)
			}
			mode, err := tx.conn.text(tx.ctx, sqlJournalMode)
			assert.Equal(t, walMode, mode)
			return err
		}
		require.NoError(t, d.Update(t.Context(), read))
		require.NoError(t, d.View(t.Context(), read))
	}
}
