package sqlitedb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain runs the child's part when the test binary is started as one, and else the tests, after which no goroutine
// may be left.
func TestMain(m *testing.M) {
	if role := os.Getenv("SQLITEDB_TEST_ROLE"); role != "" {
		if err := childRoles[role](os.Getenv("SQLITEDB_TEST_PATH")); err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var testKind = Kind{
	Name: "session", ApplicationID: 0x74657374, Version: 7,
	DDL: `CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v INTEGER NOT NULL CHECK (v >= 0), b BLOB) STRICT;`,
}

const (
	insertSQL = "INSERT INTO t (id, v) VALUES (?, ?)"
	addSQL    = "UPDATE t SET v = v + ? WHERE id = ?"
	sumSQL    = "SELECT COALESCE(SUM(v), 0) FROM t"
	countSQL  = "SELECT COUNT(*) FROM t"
)

func testPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

// openTest opens path, which setup checks and closes after the test.
func openTest(t testing.TB, path string, options *Options) *DB {
	t.Helper()
	d, err := Open(t.Context(), path, testKind, options)
	require.NoError(t, err)
	t.Cleanup(func() { closeSound(t, d) })
	return d
}

// closeSound closes a database that may be closed already, and checks the file.
func closeSound(t testing.TB, d *DB) {
	t.Helper()
	require.NoError(t, d.Close())
	again, err := Open(context.Background(), d.path, testKind, &Options{Mode: Existing})
	require.NoError(t, err)
	problems, err := again.IntegrityCheck(context.Background())
	require.NoError(t, err)
	assert.Empty(t, problems)
	require.NoError(t, again.Close())
}

func run(t testing.TB, d *DB, query string, args ...any) {
	t.Helper()
	require.NoError(t, update(t.Context(), d, query, args...))
}

func update(ctx context.Context, d *DB, query string, args ...any) error {
	return d.Update(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

func number(t testing.TB, d *DB, query string) int64 {
	t.Helper()
	var n int64
	require.NoError(t, d.View(t.Context(), func(tx *Tx) error {
		return tx.QueryRowContext(tx.Context(), query).Scan(&n)
	}))
	return n
}

// eventually waits for another goroutine or process, which no clock of ours can hurry.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
