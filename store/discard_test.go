package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

// A session that is damaged so that it cannot be deleted can be discarded, and made anew.
func TestDamagedSessionsCanBeDiscarded(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string){
		"cut to nothing":  func(path string) { require.NoError(t, os.Truncate(path, 0)) },
		"no database":     func(path string) { require.NoError(t, os.WriteFile(path, []byte("lost and overwritten"), 0o600)) },
		"another version": func(path string) { testdb.Exec(t, path, "PRAGMA user_version = 99") },
		"no session":      func(path string) { testdb.Exec(t, path, "DELETE FROM sessions") },
		"no head":         func(path string) { testdb.Exec(t, path, "DELETE FROM heads") },
		"no lease":        func(path string) { testdb.Exec(t, path, "DELETE FROM leases") },
	} {
		f, dir := newFactory(t)
		require.NoError(t, createSession(t, f, "a").Close())
		damage(f.PathOf("a"))
		require.Error(t, f.DeleteSession(t.Context(), "a"), name)
		require.NoError(t, f.DiscardSession(t.Context(), "a"), name)
		assert.Empty(t, entries(t, dir), name)
		s := createSession(t, f, "a")
		loaded, err := s.Load(t.Context(), nil)
		require.NoError(t, err)
		assert.Zero(t, loaded.Revision)
		require.NoError(t, s.Close())
	}
}

// Never a session that opens, whoever holds its lease; nor one that somebody has open, or that is another.
func TestSoundSessionsAreNotDiscarded(t *testing.T) {
	t.Parallel()
	f, _ := newFactory(t)
	s := createSession(t, f, "a")
	_, err := s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, time.Hour)
	require.NoError(t, err)
	require.ErrorIs(t, f.DiscardSession(t.Context(), "a"), lashstore.ErrBusy)
	require.NoError(t, s.Close())
	require.ErrorIs(t, f.DiscardSession(t.Context(), "a"), lashstore.ErrNotDamaged)
	data, err := os.ReadFile(f.PathOf("a"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.PathOf("b"), data, 0o600))
	require.ErrorIs(t, f.DiscardSession(t.Context(), "b"), lashstore.ErrSessionMismatch)
	assert.FileExists(t, f.PathOf("b"))
	require.ErrorIs(t, f.DiscardSession(t.Context(), "none"), lashstore.ErrSessionNotFound)
	require.ErrorIs(t, f.DiscardSession(t.Context(), ""), lashstore.ErrInvalid)
	s, err = f.OpenSession(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, createSession(t, f, "c").Close())
	require.NoError(t, store.MarkDeleted(t.Context(), f.PathOf("c")))
	require.ErrorIs(t, f.DiscardSession(t.Context(), "c"), lashstore.ErrSessionNotFound)
}
