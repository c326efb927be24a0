package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

// listed is a fleet whose clock is set for each session, on files that are as old as they should be.
type listed struct {
	*fleetFixture
	now time.Time
}

func newListed(t testing.TB) *listed {
	t.Helper()
	l := &listed{now: time.UnixMilli(1_700_000_000_000)}
	dir := t.TempDir()
	f, err := store.NewFleet(dir, &store.FleetOptions{Options: &store.Options{
		Durability: lashstore.DurabilityNormal, Clock: lashstore.ClockFunc(func() time.Time { return l.now }),
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	l.fleetFixture = &fleetFixture{Fleet: f, t: t, dir: dir}
	return l
}

// add creates a session and commits one message to it, a minute after the last one.
func (l *listed) add(meta lashstore.SessionMeta, text string) {
	l.t.Helper()
	l.now = l.now.Add(time.Minute)
	s, err := l.CreateSession(context.Background(), meta)
	require.NoError(l.t, err)
	_, err = s.Commit(context.Background(), lashstore.Commit{
		SessionID: meta.SessionID, Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(message("m", "", lashstore.RoleUser, text)),
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 7}}},
	})
	require.NoError(l.t, err)
	require.NoError(l.t, s.Close())
}

// age makes the files as old as if nothing had been written to them for an hour.
func (l *listed) age() {
	l.t.Helper()
	entries, err := os.ReadDir(l.dir)
	require.NoError(l.t, err)
	for i, e := range entries {
		at := time.Now().Add(-time.Hour).Add(time.Duration(i) * time.Millisecond)
		require.NoError(l.t, os.Chtimes(filepath.Join(l.dir, e.Name()), at, at))
	}
}

func (l *listed) ids(query *store.ListQuery) []string {
	l.t.Helper()
	page, err := l.List(context.Background(), query)
	require.NoError(l.t, err)
	ids := []string{}
	for _, info := range page.Sessions {
		ids = append(ids, info.Meta.SessionID)
	}
	return ids
}

func (l *listed) refreshed(inspected, removed int) {
	l.t.Helper()
	report, err := l.Refresh(context.Background())
	require.NoError(l.t, err)
	assert.Equal(l.t, inspected, report.Inspected, "inspected")
	assert.Equal(l.t, removed, report.Removed, "removed")
}

// The catalog says what the files say.
func TestCatalogListsWhatTheScanLists(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	l.add(lashstore.SessionMeta{SessionID: "a", Name: "first", Model: "m1", Cwd: "/w"}, "hello there")
	l.add(lashstore.SessionMeta{SessionID: "b", Relation: lashstore.Relation{Kind: lashstore.RelationChild, ParentSessionID: "a"}}, "x")
	l.create("empty")
	page, err := l.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, page.Next)
	assert.Empty(t, page.Problems)
	var scanned []lashstore.SessionInfo
	for info, err := range l.Sessions(t.Context()) {
		require.NoError(t, err)
		scanned = append(scanned, info)
	}
	assert.Equal(t, scanned, page.Sessions)
	assert.Equal(t, []string{"b", "a", "empty"}, l.ids(nil))
}

// 1. What has not changed is not looked into again; what has is: by its log, by its size, by its time.
// 2. A file that changed so lately that its time need not show another change is looked into again.
// 3. The row of a file that is gone goes; a file in its place is another.
func TestRefreshLooksIntoWhatChanged(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	for _, id := range []string{"a", "b", "c"} {
		l.add(lashstore.SessionMeta{SessionID: id}, id)
	}
	l.refreshed(3, 0)
	l.refreshed(3, 0)
	l.age()
	l.refreshed(3, 0)
	l.refreshed(0, 0)
	s, err := l.OpenSession(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, say(t.Context(), s, "n"))
	require.NoError(t, s.Close())
	l.refreshed(1, 0)
	assert.Equal(t, "a", l.ids(nil)[0])
	l.age()
	l.refreshed(3, 0)
	require.NoError(t, l.DeleteSession(t.Context(), "b"))
	l.refreshed(0, 1)
	assert.ElementsMatch(t, []string{"a", "c"}, l.ids(nil))
	// The same size and time, and another file.
	path := l.PathOf("c")
	require.NoError(t, l.Close())
	l.age()
	info, err := os.Stat(path)
	require.NoError(t, err)
	f, err := store.NewFleet(l.dir, nil)
	require.NoError(t, err)
	_, err = f.Refresh(t.Context())
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".tmp", data, 0o600))
	require.NoError(t, os.Chtimes(path+".tmp", info.ModTime(), info.ModTime()))
	require.NoError(t, os.Rename(path+".tmp", path))
	report, err := f.Refresh(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, report.Inspected)
	require.NoError(t, f.Close())
}

// 1. A file that cannot be read is reported each time, as the scan reports it, and hides no other.
// 2. Once it can be read it is listed.
func TestCatalogReportsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	l.add(lashstore.SessionMeta{SessionID: "a"}, "x")
	l.add(lashstore.SessionMeta{SessionID: "b"}, "x")
	require.NoError(t, l.Close())
	data, err := os.ReadFile(l.PathOf("a"))
	require.NoError(t, err)
	copied := filepath.Join(l.dir, "copy.db")
	require.NoError(t, os.WriteFile(copied, data, 0o600))
	require.NoError(t, os.WriteFile(l.PathOf("a"), []byte("lost"), 0o600))
	l.age()
	f, err := store.NewFleet(l.dir, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for range 3 {
		page, err := f.List(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, page.Sessions, 1)
		require.Len(t, page.Problems, 2)
		assert.Equal(t, l.PathOf("a"), page.Problems[0].Info.Location)
		require.ErrorIs(t, page.Problems[0].Err, lashstore.ErrNotADatabase)
		require.ErrorIs(t, page.Problems[1].Err, lashstore.ErrMisplaced)
		var misplaced *lashstore.MisplacedError
		require.ErrorAs(t, page.Problems[1].Err, &misplaced)
	}
	assert.EqualValues(t, 2, testdb.Number(t, filepath.Join(l.dir, store.CatalogName), "SELECT count(*) FROM session_files WHERE error <> ''"))
	require.NoError(t, os.Remove(copied))
	require.NoError(t, os.WriteFile(l.PathOf("a"), data, 0o600))
	page, err := f.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, page.Sessions, 2)
	assert.Empty(t, page.Problems)
}

// A session that was deleted, and whose file somebody still has open, is not listed; nor is the row that it had.
func TestCatalogForgetsDeletedSessions(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	l.add(lashstore.SessionMeta{SessionID: "a"}, "x")
	assert.Equal(t, []string{"a"}, l.ids(nil))
	held, err := store.OpenExisting(t.Context(), l.PathOf("a"), nil)
	require.NoError(t, err)
	require.NoError(t, l.DeleteSession(t.Context(), "a"))
	assert.FileExists(t, l.PathOf("a"))
	assert.Empty(t, l.ids(nil))
	require.NoError(t, held.Close())
	assert.Empty(t, l.ids(nil))
	assert.NoFileExists(t, l.PathOf("a"))
}

// A catalog is a cache: whatever happens to it, the list is right, and nothing of a session is touched.
func TestCatalogIsMadeAnewWhenItIsOfNoUse(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string){
		"deleted":         func(path string) { require.NoError(t, os.Remove(path)) },
		"cut to nothing":  func(path string) { require.NoError(t, os.Truncate(path, 0)) },
		"no database":     func(path string) { require.NoError(t, os.WriteFile(path, []byte("lost and overwritten"), 0o600)) },
		"another version": func(path string) { testdb.Exec(t, path, "PRAGMA user_version = 99") },
		"pages lost": func(path string) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			for i := 4096; i < len(data); i++ {
				data[i] = 0xa5
			}
			require.NoError(t, os.WriteFile(path, data, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newListed(t)
			for i := range 3 {
				l.add(lashstore.SessionMeta{SessionID: fmt.Sprint("s", i)}, "x")
			}
			want := l.ids(nil)
			require.NoError(t, l.Close())
			damage(filepath.Join(l.dir, store.CatalogName))
			var log bytes.Buffer
			f, err := store.NewFleet(l.dir, &store.FleetOptions{Options: &store.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
			require.NoError(t, err)
			again := &listed{fleetFixture: &fleetFixture{Fleet: f, t: t, dir: l.dir}}
			assert.Equal(t, want, again.ids(nil))
			require.NoError(t, f.Close())
			assert.Equal(t, name != "deleted", strings.Contains(log.String(), "the catalog is of no use and is made anew"), log.String())
		})
	}
}

// A session's file under the catalog's name is not a catalog, and no catalog is a session.
func TestCatalogIsNoSession(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	l.add(lashstore.SessionMeta{SessionID: "a"}, "x")
	l.ids(nil)
	assert.Equal(t, 1, len(slices.Collect(func(yield func(string) bool) {
		for info := range l.Sessions(t.Context()) {
			if !yield(info.Location) {
				return
			}
		}
	})))
	_, err := store.OpenExisting(t.Context(), filepath.Join(l.dir, store.CatalogName), nil)
	var schema *lashstore.SchemaError
	require.ErrorAs(t, err, &schema)
	assert.Equal(t, lashstore.CatalogDatabase, schema.Kind)
}

// Several fleets on one directory refresh at once while sessions come, change and go: no list fails, none shows what is
// no session, and the last one is right for all.
func TestManyRefreshAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := &store.FleetOptions{Options: &store.Options{Durability: lashstore.DurabilityNormal}}
	fleets := make([]*store.Fleet, 3)
	var group sync.WaitGroup
	for n := range fleets {
		var err error
		fleets[n], err = store.NewFleet(dir, options)
		require.NoError(t, err)
		group.Go(func() {
			for i := range 6 {
				id := fmt.Sprintf("s%d-%d", n, i)
				s, err := fleets[n].CreateSession(t.Context(), lashstore.SessionMeta{SessionID: id})
				if !assert.NoError(t, err) {
					return
				}
				assert.NoError(t, errors.Join(say(t.Context(), s, "m"), s.Close()))
				_, err = fleets[n].List(t.Context(), nil)
				assert.NoError(t, err)
				if i%2 == 0 {
					assert.NoError(t, fleets[n].DeleteSession(t.Context(), id))
				}
			}
		})
	}
	group.Wait()
	for _, f := range fleets {
		page, err := f.List(t.Context(), nil)
		require.NoError(t, err)
		assert.Len(t, page.Sessions, 9)
		assert.Empty(t, page.Problems)
	}
	for _, f := range fleets {
		require.NoError(t, f.Close())
	}
}
