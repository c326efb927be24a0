package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func newFactory(t *testing.T) (*store.Factory, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sessions")
	f, err := store.NewFactory(dir, nil)
	require.NoError(t, err)
	return f, dir
}

func createSession(t *testing.T, f *store.Factory, id string) lashstore.SessionStore {
	t.Helper()
	s, err := f.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: id})
	require.NoError(t, err)
	return s
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// 8.F.104: the name is made from the id, always the same, and stays in its directory.
func TestFileNamesAreDeterministicAndSafe(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"../weird/session":       "weird_session-72a4af8b75b4e6fb.db",
		"plain":                  "plain-" + "",
		"日本":                     "session-",
		"CON":                    "CON-",
		strings.Repeat("a", 300): strings.Repeat("a", 80) + "-",
		"a.db":                   "a_db-",
	} {
		got := store.FileName(id)
		assert.True(t, strings.HasPrefix(got, strings.TrimSuffix(want, "72a4af8b75b4e6fb.db")), "%s: %s", id, got)
		assert.Equal(t, got, store.FileName(id))
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		name := store.FileName(a)
		assert.Regexp(t, `^[A-Za-z0-9_-]{1,80}-[0-9a-f]{16}\.db$`, name)
		assert.Equal(t, filepath.Base(name), name)
		assert.Equal(t, a == b, strings.EqualFold(name, store.FileName(b)))
	})
}

// 8.F.107, 8.B.47: deletion takes the file and all that stands beside it; a session made anew begins at its beginning.
func TestDeleteLeavesNothing(t *testing.T) {
	t.Parallel()
	f, dir := newFactory(t)
	s := createSession(t, f, "a")
	_, err := s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, 0)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	assert.Empty(t, entries(t, dir))
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	_, err = f.OpenSession(t.Context(), "a")
	require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
	s = createSession(t, f, "a")
	lease, err := s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, 0)
	require.NoError(t, err)
	assert.EqualValues(t, 1, lease.Generation)
	require.NoError(t, s.Close())
}

// 10.W13: a handle that was open when its session was deleted, in another process.
//
// 1. It learns of the deletion by a typed error, and writes nothing into a file that nobody will find.
// 2. Its session made anew meanwhile is not touched by it, and is sound after the old handle has closed.
// 3. When there was no successor, the last handle takes the file with it.
func TestDeleteUnderAnOpenHandleOfAnotherProcess(t *testing.T) {
	t.Parallel()
	for _, successor := range []bool{true, false} {
		f, dir := newFactory(t)
		s := createSession(t, f, "a")
		_, err := s.Commit(t.Context(), lashstore.Commit{
			SessionID: "a", Expect: lashstore.Create(), WithoutLease: true,
			Graph: lashstore.AppendNodes(message("old", "", lashstore.RoleUser, "old")),
		})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		other := start(t, "hold", f.PathOf("a"))
		assert.Equal(t, "open", other.line(t))
		require.NoError(t, f.DeleteSession(t.Context(), "a"))
		_, err = f.OpenSession(t.Context(), "a")
		require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
		var next lashstore.SessionStore
		if successor {
			next = createSession(t, f, "a")
			_, err = next.Commit(t.Context(), lashstore.Commit{
				SessionID: "a", Expect: lashstore.Create(), WithoutLease: true,
				Graph: lashstore.AppendNodes(message("new", "", lashstore.RoleUser, "new")),
			})
			require.NoError(t, err)
		}
		other.release(t)
		assert.Equal(t, "true true", other.line(t))
		require.NoError(t, other.Wait())
		if !successor {
			assert.Empty(t, entries(t, dir))
			continue
		}
		loaded, err := next.Load(t.Context(), &lashstore.LoadOptions{Scope: lashstore.ScopeFull})
		require.NoError(t, err)
		require.Len(t, loaded.Graph.Nodes, 1)
		assert.Equal(t, "new", loaded.Graph.Nodes[0].ID)
		report, err := next.Verify(t.Context())
		require.NoError(t, err)
		assert.Empty(t, report.Findings)
		require.NoError(t, next.Close())
	}
}

// A deletion that was killed between its two steps: the session is gone, and its file goes with the next to come by.
func TestDeletionCutShortIsFinished(t *testing.T) {
	t.Parallel()
	f, dir := newFactory(t)
	s := createSession(t, f, "a")
	require.NoError(t, s.Close())
	require.NoError(t, store.MarkDeleted(t.Context(), f.PathOf("a")))
	_, err := f.OpenSession(t.Context(), "a")
	require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
	assert.Empty(t, entries(t, dir), "whoever closes last takes the file")
	s = createSession(t, f, "a")
	require.NoError(t, s.Close())
	require.NoError(t, store.MarkDeleted(t.Context(), f.PathOf("a")))
	s = createSession(t, f, "a")
	meta, err := s.Meta(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "a", meta.SessionID)
	require.NoError(t, s.Close())
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	require.NoError(t, createSession(t, f, "b").Close())
	require.NoError(t, store.MarkDeleted(t.Context(), f.PathOf("b")))
	for range f.Sessions(t.Context()) {
		t.Error("a deleted session is listed")
	}
	assert.Empty(t, entries(t, dir), "a listing finishes what it comes by")
}

// 10.W49, 10.W58: a file is what its header says, whatever its name; and what cannot be read, or is not where its session
// belongs, is said, not skipped and not served.
func TestListingGoesByWhatFilesAre(t *testing.T) {
	t.Parallel()
	f, dir := newFactory(t)
	for range f.Sessions(t.Context()) {
		t.Error("a directory that is not there lists nothing")
	}
	require.NoError(t, createSession(t, f, "old").Close())
	talked := createSession(t, f, "x.db.effects.db") // as the reference's hosts name other databases
	_, err := talked.Commit(t.Context(), lashstore.Commit{
		SessionID: "x.db.effects.db", Expect: lashstore.Create(), WithoutLease: true, Turn: &lashstore.TurnStamp{TurnID: "1"},
		Graph: lashstore.AppendNodes(message("m", "", lashstore.RoleUser, "  hello\nworld ")),
	})
	require.NoError(t, err)
	require.NoError(t, talked.Close())
	odd, err := store.Open(t.Context(), filepath.Join(dir, "y.db.effects.db"), lashstore.SessionMeta{SessionID: "odd"}, nil)
	require.NoError(t, err)
	require.NoError(t, odd.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "text.db"), []byte(strings.Repeat("no database ", 100)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not looked at"), 0o600))

	var ids []string
	failed := map[string]error{}
	for info, err := range f.Sessions(t.Context()) {
		assert.Positive(t, info.Bytes)
		if err != nil {
			failed[filepath.Base(info.Location)] = err
			continue
		}
		ids = append(ids, info.Meta.SessionID)
		if info.Meta.SessionID != "old" {
			assert.Equal(t, "hello", info.Summary.Title)
			assert.EqualValues(t, 1, info.Summary.Turns)
		}
	}
	assert.Equal(t, []string{"x.db.effects.db", "old"}, ids, "the most recently updated first")
	require.Len(t, failed, 2)
	require.ErrorIs(t, failed["text.db"], lashstore.ErrNotADatabase)
	require.ErrorIs(t, failed["y.db.effects.db"], lashstore.ErrMisplaced)
}

// A copy under another name is no second session: it is named, with the session in it and where that belongs.
func TestCopiedFileIsListedAsMisplaced(t *testing.T) {
	t.Parallel()
	f, dir := newFactory(t)
	require.NoError(t, createSession(t, f, "a").Close())
	data, err := os.ReadFile(f.PathOf("a"))
	require.NoError(t, err)
	copied := filepath.Join(dir, "backup.db")
	require.NoError(t, os.WriteFile(copied, data, 0o600))
	var ids []string
	for info, err := range f.Sessions(t.Context()) {
		if err == nil {
			ids = append(ids, info.Location)
			continue
		}
		var misplaced *lashstore.MisplacedError
		require.ErrorAs(t, err, &misplaced)
		assert.Equal(t, lashstore.MisplacedError{Location: copied, SessionID: "a", Want: f.PathOf("a")}, *misplaced)
		assert.Equal(t, "a", info.Meta.SessionID)
	}
	assert.Equal(t, []string{f.PathOf("a")}, ids)
}

// A file that was copied under another session's name is not served as that session.
func TestCopiedFileIsNotServedAsAnotherSession(t *testing.T) {
	t.Parallel()
	f, _ := newFactory(t)
	require.NoError(t, createSession(t, f, "a").Close())
	data, err := os.ReadFile(f.PathOf("a"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.PathOf("b"), data, 0o600))
	_, err = f.OpenSession(t.Context(), "b")
	require.ErrorIs(t, err, lashstore.ErrSessionMismatch)
	require.ErrorIs(t, f.DeleteSession(t.Context(), "b"), lashstore.ErrSessionMismatch)
}

// 10.W13: a handle that has no connection left, because it was idle or its last one broke, keeps no file. It learns of the
// deletion all the same: when the file is gone, and when a successor has one of that name.
func TestHandleWithoutConnectionLearnsOfTheDeletion(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*store.Factory) (lashstore.SessionStore, error){
		"for reading": func(f *store.Factory) (lashstore.SessionStore, error) { return f.OpenReadOnly(t.Context(), "s") },
		"for writing": func(f *store.Factory) (lashstore.SessionStore, error) { return f.OpenSession(t.Context(), "s") },
	} {
		var breaks atomic.Bool
		f, err := store.NewFactory(t.TempDir(), &store.Options{Clock: lashstore.ClockFunc(func() time.Time {
			if breaks.Load() {
				panic("no time")
			}
			return time.Now()
		})})
		require.NoError(t, err)
		created, err := f.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: "s"})
		require.NoError(t, err)
		require.NoError(t, created.Close())
		s, err := open(f)
		require.NoError(t, err)
		breaks.Store(true)
		_, readErr := s.Meta(t.Context())
		require.ErrorIs(t, readErr, lashstore.ErrInternal)
		_, writeErr := s.PutBlob(t.Context(), lashstore.GenericBlob, nil)
		require.Error(t, writeErr)
		breaks.Store(false)

		require.NoError(t, f.DeleteSession(t.Context(), "s"))
		require.NoFileExists(t, f.PathOf("s"))
		for range 2 {
			_, err = s.Meta(t.Context())
			require.ErrorIs(t, err, lashstore.ErrSessionDeleted, name)
			if _, err = s.PutBlob(t.Context(), lashstore.GenericBlob, nil); name == "for writing" {
				require.ErrorIs(t, err, lashstore.ErrSessionDeleted)
			}
			successor, err := f.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: "s"})
			require.NoError(t, err)
			require.NoError(t, successor.Close())
		}
		require.NoError(t, s.Close())
	}
}

// 10.W13: deletion is fenced.
func TestDeleteWaitsForTheLeasesHolder(t *testing.T) {
	t.Parallel()
	f, _ := newFactory(t)
	s := createSession(t, f, "a")
	lease, err := s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, time.Hour)
	require.NoError(t, err)
	require.ErrorIs(t, f.DeleteSession(t.Context(), "a"), lashstore.ErrLeaseBusy)
	require.NoError(t, s.ReleaseLease(t.Context(), lease.Fence()))
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	_, err = s.Load(context.Background(), nil)
	require.ErrorIs(t, err, lashstore.ErrSessionDeleted)
	require.NoError(t, s.Close())
}

// A handle that has learnt of the deletion and closes last must not take the file of a session made anew meanwhile.
func TestLastHandleOfADeletedSessionLeavesItsSuccessor(t *testing.T) {
	t.Parallel()
	f, _ := newFactory(t)
	old := createSession(t, f, "a")
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	_, err := old.Load(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrSessionDeleted)
	next := createSession(t, f, "a")
	_, err = next.Commit(t.Context(), lashstore.Commit{
		SessionID: "a", Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(message("new", "", lashstore.RoleUser, "new")),
	})
	require.NoError(t, err)
	require.NoError(t, next.Close())
	require.NoError(t, old.Close())
	again, err := f.OpenSession(t.Context(), "a")
	require.NoError(t, err)
	loaded, err := again.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, loaded.Graph.Nodes, 1)
	require.NoError(t, again.Close())
}

// Bad input: a session's file that was cut to nothing is listed as damage, and nothing is made in its place.
func TestCutSessionIsNamed(t *testing.T) {
	t.Parallel()
	f, dir := newFactory(t)
	require.NoError(t, createSession(t, f, "a").Close())
	require.NoError(t, createSession(t, f, "b").Close())
	require.NoError(t, os.Truncate(f.PathOf("a"), 0))
	leftover := f.PathOf("c") + "-new-ABCDEFGHIJKLMNOP"
	require.NoError(t, os.WriteFile(leftover, nil, 0o600))
	require.NoError(t, os.Chtimes(leftover, time.Time{}, time.Now().Add(-2*time.Hour)))
	var sound, cut []string
	for info, err := range f.Sessions(t.Context()) {
		if err != nil {
			require.ErrorIs(t, err, lashstore.ErrCorrupt)
			cut = append(cut, info.Location)
			continue
		}
		sound = append(sound, info.Meta.SessionID)
	}
	assert.Equal(t, []string{f.PathOf("a")}, cut)
	assert.Equal(t, []string{"b"}, sound)
	_, err := f.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: "a"})
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	_, err = f.OpenSession(t.Context(), "a")
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	require.ErrorIs(t, f.DeleteSession(t.Context(), "a"), lashstore.ErrCorrupt)
	assert.Equal(t, []string{store.FileName("a"), store.FileName("b")}, entries(t, dir), "the leftover goes, the cut file stays")
	stat, err := os.Stat(f.PathOf("a"))
	require.NoError(t, err)
	assert.Zero(t, stat.Size())
}
