package store_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

func testLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// 10.W30, 8.F.100: another kind, application or version is refused, naming what was found and what is supported.
func TestForeignDatabasesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		want      lashstore.SchemaError
	}{
		"host database":       {"PRAGMA application_id = 0x4c534848", lashstore.SchemaError{Application: 0x4c534848, Kind: "host", Version: 1}},
		"another application": {"PRAGMA application_id = 7", lashstore.SchemaError{Application: 7, Kind: "unknown", Version: 1}},
		"newer version":       {"PRAGMA user_version = 2", lashstore.SchemaError{Application: store.ApplicationID, Kind: "session", Version: 2}},
	} {
		f := setup(t, nil)
		f.turns(1)
		require.NoError(t, f.Store.Close())
		testdb.Exec(t, f.path, c.statement)
		before, err := os.ReadFile(f.path)
		require.NoError(t, err)
		c.want.Path, c.want.WantApplication, c.want.WantKind, c.want.WantVersion = f.path, store.ApplicationID, "session", store.SchemaVersion
		for _, open := range []func() (*store.Store, error){
			func() (*store.Store, error) {
				return store.Open(t.Context(), f.path, lashstore.SessionMeta{SessionID: sessionID}, nil)
			},
			func() (*store.Store, error) { return store.OpenExisting(t.Context(), f.path, nil) },
			func() (*store.Store, error) { return store.OpenReadOnly(t.Context(), f.path, nil) }, // 10.W31
		} {
			_, err := open()
			var schema *lashstore.SchemaError
			require.ErrorAs(t, err, &schema, name)
			assert.Equal(t, c.want, *schema, name)
		}
		after, err := os.ReadFile(f.path)
		require.NoError(t, err)
		assert.Equal(t, before, after, "%s: touched", name)
	}
}

// 10.W32: opening what is not there leaves no ghost.
func TestOpeningWhatIsMissingCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "none.db")
	_, err := store.OpenExisting(t.Context(), path, nil)
	require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = store.OpenReadOnly(t.Context(), path, nil)
	require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// 10.W33: a file belongs to a session from its creation on.
func TestFileIsBoundFromItsCreation(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	_, err := store.Open(t.Context(), f.path, lashstore.SessionMeta{SessionID: "other"}, nil)
	var mismatch *lashstore.SessionMismatchError
	require.ErrorAs(t, err, &mismatch)
	assert.Equal(t, lashstore.SessionMismatchError{Bound: sessionID, Attempted: "other"}, *mismatch)
	c := f.turn(1)
	c.SessionID = "other"
	_, err = f.Commit(t.Context(), c)
	require.ErrorIs(t, err, lashstore.ErrSessionMismatch)
}

func TestReadOnlyHandleServesAndRefuses(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(2)
	r, err := store.OpenReadOnly(t.Context(), f.path, nil)
	require.NoError(t, err)
	s, err := r.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.Revision)
	_, err = r.Commit(t.Context(), f.turn(3))
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
	_, err = r.Vacuum(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrReadOnly)
	report, err := r.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	_, err = r.GC(t.Context(), &lashstore.GCOptions{DryRun: true})
	require.NoError(t, err)
	require.NoError(t, r.Close())
}

// 10.W40: what the storage says is told apart by errors.Is.
func TestClosedIsTyped(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	c := f.turn(1)
	require.NoError(t, f.Store.Close())
	require.NoError(t, f.Store.Close())
	_, err := f.Commit(t.Context(), c)
	require.ErrorIs(t, err, lashstore.ErrClosed)
	_, err = f.Load(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrClosed)
}

func TestBusyIsTyped(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(1)
	impatient, err := store.OpenExisting(t.Context(), f.path, &store.Options{BusyTimeout: 30 * time.Millisecond})
	require.NoError(t, err)
	release := holdWriteLock(t, f.path)
	_, err = impatient.Commit(t.Context(), f.turn(2))
	require.ErrorIs(t, err, lashstore.ErrBusy)
	// 10.W57: readers do not queue behind a writer.
	s, err := impatient.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 1, s.Revision)
	release()
	_, err = impatient.Commit(t.Context(), f.turn(2))
	require.NoError(t, err)
	require.NoError(t, impatient.Close())
}

// What is logged has neither payloads nor secrets.
func TestLogsHoldNoContent(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := setup(t, &store.Options{Logger: testLogger(&log), GC: store.GCPolicy{EveryCommits: 1}})
	lease, err := f.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "i"}, time.Minute)
	require.NoError(t, err)
	c := f.turn(1)
	c.WithoutLease, c.Lease = false, lease.Fence()
	f.commit(c)
	_, err = f.TakeLease(t.Context(), lashstore.Owner{ID: "p", Incarnation: "i"}, time.Minute)
	require.ErrorIs(t, err, lashstore.ErrLeaseBusy)
	for _, secret := range []string{lease.Token, "question", "tools of"} {
		assert.NotContains(t, log.String(), secret)
		assert.NotContains(t, err.Error(), secret)
	}
	var busy *lashstore.LeaseBusyError
	require.ErrorAs(t, err, &busy)
	assert.Empty(t, busy.Holder.Token)
}

func TestMemoryStoreWorks(t *testing.T) {
	t.Parallel()
	s, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: sessionID}, nil)
	require.NoError(t, err)
	f := &fixture{Store: s, t: t}
	assert.Equal(t, lashstore.DurabilityNone, s.Durability())
	f.turns(3)
	f.sound()
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 6, stats.Nodes)
	require.NoError(t, s.Close())
}

func TestOptionsAreJudged(t *testing.T) {
	t.Parallel()
	for _, o := range []*store.Options{
		{Durability: "none"}, {Profile: "tiny"}, {GC: store.GCPolicy{EveryCommits: -1}},
	} {
		_, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: sessionID}, o)
		require.ErrorIs(t, err, lashstore.ErrInvalid)
		_, err = store.NewFactory(t.TempDir(), o)
		require.ErrorIs(t, err, lashstore.ErrInvalid)
	}
	_, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: strings.Repeat("x", 600)}, nil)
	require.ErrorIs(t, err, lashstore.ErrTooLarge)
}

// A cancelled caller hears of it, and nothing is half done.
func TestCancelledCallsReturnTheContextsError(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(1)
	c := f.turn(2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Commit(ctx, c)
	require.ErrorIs(t, err, context.Canceled)
	_, err = f.Load(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = f.GC(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 2, f.commit(c).Revision)
}

func TestLeaseTimesAreReturnedAsTheyAreStored(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	owner := lashstore.Owner{ID: "o", Incarnation: "1"}
	for range 2 { // acquired, re-entered
		lease, err := f.TakeLease(t.Context(), owner, time.Minute+1500*time.Microsecond)
		require.NoError(t, err)
		stored, live, err := f.CurrentLease(t.Context())
		require.NoError(t, err)
		assert.True(t, live)
		assert.Equal(t, lease.WithoutToken(), stored)
	}
}
