// Package testdb holds what tests of the SQLite stores share: damage on purpose.
package testdb

import (
	"database/sql"
	"net/url"
	"os"
	"testing"

	_ "github.com/lashstore/lashstore/internal/sqlitedb" // registers the driver
)

// Exec runs statements on a database in one connection with foreign keys and checks off: the damage that a bug, or a
// person with a shell, could do. It fails the test when a statement fails.
func Exec(t testing.TB, path string, statements ...string) {
	t.Helper()
	withDatabase(t, path, func(d *sql.DB) {
		for _, s := range append([]string{"PRAGMA ignore_check_constraints = ON", "PRAGMA foreign_keys = OFF"}, statements...) {
			if _, err := d.Exec(s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	})
}

// Number returns the one number a query selects.
func Number(t testing.TB, path, query string, args ...any) int64 {
	t.Helper()
	var n int64
	withDatabase(t, path, func(d *sql.DB) {
		if err := d.QueryRow(query, args...).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	})
	return n
}

func withDatabase(t testing.TB, path string, fn func(*sql.DB)) {
	t.Helper()
	dsn := (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw&_pragma=busy_timeout(10000)"}).String()
	d, err := sql.Open("sqlite3", dsn)
	if err != nil {
		t.Fatal(err)
	}
	d.SetMaxOpenConns(1)
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	fn(d)
}

// FlipByte inverts one byte of a file.
func FlipByte(t testing.TB, path string, offset int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[offset] ^= 0xff
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
