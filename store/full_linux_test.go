package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

// Bad input: a disk that is full, a real one of 1 MiB.
//
// 1. A commit that does not fit is refused whole, as ErrFull.
// 2. What was stored loads, and the handle works on with what fits.
func TestFullDiskRefusesTheCommitWhole(t *testing.T) {
	t.Parallel()
	dir := testdb.SmallDisk(t, "1m")
	s, err := store.Open(t.Context(), filepath.Join(dir, "s.db"), lashstore.SessionMeta{SessionID: sessionID}, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	f := &fixture{Store: s, t: t}
	f.turns(2)

	c := f.turn(3)
	c.Checkpoint.Parts["big"] = lashstore.Part{Content: make([]byte, 2<<20), Descriptor: lashstore.GenericBlob}
	for range 3 {
		_, err := f.Commit(t.Context(), c)
		require.ErrorIs(t, err, lashstore.ErrFull)
	}
	loaded, err := f.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 2, loaded.Revision)
	assert.Len(t, loaded.Graph.Nodes, 4)
	assert.EqualValues(t, 3, f.commit(f.turn(3)).Revision)
	f.sound()
}

// A disk that is full to the last byte, and a place that is mounted for reading: sessions open for reading there, are
// listed, loaded and verified as they were, and refuse what writes by its typed error.
func TestSessionsAreReadWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(t *testing.T, dir string) (string, error){
		"read-only mount": func(t *testing.T, dir string) (string, error) {
			return testdb.ReadOnlyView(t, dir), lashstore.ErrReadOnly
		},
		"full disk": func(t *testing.T, dir string) (string, error) {
			disk := testdb.SmallDisk(t, "1m")
			require.NoError(t, os.CopyFS(disk, os.DirFS(dir)))
			testdb.Fill(t, disk)
			return disk, lashstore.ErrFull
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, dir := newFactory(t)
			require.NoError(t, os.Mkdir(dir, 0o700))
			s := &fixture{t: t}
			var err error
			s.Store, err = store.Open(t.Context(), f.PathOf(sessionID), lashstore.SessionMeta{SessionID: sessionID}, nil)
			require.NoError(t, err)
			s.turns(3)
			want, err := s.Load(t.Context(), nil)
			require.NoError(t, err)
			crashed := filepath.Join(t.TempDir(), "crashed") // what a kill leaves: the turns are in the WAL
			require.NoError(t, os.CopyFS(crashed, os.DirFS(dir)))
			require.NoError(t, os.Remove(filepath.Join(crashed, store.FileName(sessionID)+"-shm")))
			require.NoError(t, s.Close())
			for _, from := range []string{dir, crashed} {
				to, refusal := place(t, from)
				requireReadable(t, to, want, refusal)
			}
		})
	}
}

func requireReadable(t *testing.T, dir string, want *lashstore.Session, refusal error) {
	t.Helper()
	f, err := store.NewFactory(dir, nil)
	require.NoError(t, err)
	for info, err := range f.Sessions(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, sessionID, info.Meta.SessionID)
		assert.Equal(t, want.Revision, info.Revision)
	}
	s, err := f.OpenReadOnly(t.Context(), sessionID)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	got, err := s.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	_, err = s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, 0)
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
	_, err = f.OpenSession(t.Context(), sessionID)
	require.ErrorIs(t, err, refusal)
	_, err = f.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: "new"})
	require.ErrorIs(t, err, refusal)
}
