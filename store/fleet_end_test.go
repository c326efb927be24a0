package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// 1. A reference never creates: its session, deleted meanwhile by another process, is ErrSessionDeleted.
// 2. One made anew under the same id is another session.
// 3. The fleet itself finds the new one.
func TestReferencesToDeletedSessionsStayDeleted(t *testing.T) {
	t.Parallel()
	for _, evicted := range []bool{true, false} {
		f := newFleet(t, 1, time.Hour)
		old := f.create("a")
		require.NoError(t, say(t.Context(), old, "m"))
		if evicted {
			f.create("b")
		}
		other, err := store.NewFactory(f.dir, nil)
		require.NoError(t, err)
		require.NoError(t, other.DeleteSession(t.Context(), "a"))
		_, err = old.Load(t.Context(), nil)
		require.ErrorIs(t, err, lashstore.ErrSessionDeleted)
		_, err = f.OpenSession(t.Context(), "a")
		require.ErrorIs(t, err, lashstore.ErrSessionNotFound)
		assert.NoFileExists(t, f.PathOf("a"))
		next := f.create("a")
		require.NoError(t, say(t.Context(), next, "n"))
		_, err = old.Load(t.Context(), nil)
		require.ErrorIs(t, err, lashstore.ErrSessionDeleted)
	}
}

// A session deleted and made anew by another process, while this one has it open.
func TestFleetFindsTheSuccessorOfWhatItHasOpen(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, time.Hour)
	old := f.create("a")
	other, err := store.NewFactory(f.dir, nil)
	require.NoError(t, err)
	require.NoError(t, other.DeleteSession(t.Context(), "a"))
	s, err := other.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: "a", Name: "new"})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	again, err := f.OpenSession(t.Context(), "a")
	require.NoError(t, err)
	meta, err := again.Meta(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "new", meta.Name)
	_, err = old.Meta(t.Context())
	require.ErrorIs(t, err, lashstore.ErrSessionDeleted)
	require.NoError(t, again.Close())
}

// Deleting goes through the handle that is open: the file goes at once.
func TestFleetDeletesTheFileOfWhatItHasOpen(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, time.Hour)
	s := f.create("a")
	f.create("b")
	lease, err := s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, time.Hour)
	require.NoError(t, err)
	require.ErrorIs(t, f.DeleteSession(t.Context(), "a"), lashstore.ErrLeaseBusy)
	require.NoError(t, s.ReleaseLease(t.Context(), lease.Fence()))
	waiting := make(chan error, 1)
	go func() { _, err := s.WaitReady(context.Background(), nil); waiting <- err }()
	require.Eventually(t, func() bool { return f.InUse() == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	require.ErrorIs(t, <-waiting, lashstore.ErrSessionDeleted)
	require.NoError(t, f.DeleteSession(t.Context(), "a"))
	assert.NoFileExists(t, f.PathOf("a"))
	f.opened(1)
	require.NoError(t, f.DeleteSession(t.Context(), "b")) // which nobody uses
	assert.NoFileExists(t, f.PathOf("b"))
	f.opened(0)
}

// 1. Close ends what waits for a place, for input or for a lease, with ErrClosed.
// 2. Later calls of the fleet and of references are ErrClosed, walks that are under way too.
func TestFleetCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, time.Hour)
	a, b := f.create("a"), f.create("b")
	require.NoError(t, say(t.Context(), b, "m1"))
	require.NoError(t, say(t.Context(), b, "m2"))
	ended := make(chan error, 2)
	walked := 0
	for _, err := range b.Path(context.Background(), "") {
		if walked++; walked == 2 {
			require.ErrorIs(t, err, lashstore.ErrClosed)
			break
		}
		require.NoError(t, err)
		go func() { _, err := b.WaitReady(context.Background(), nil); ended <- err }()
		go func() { _, err := a.Meta(context.Background()); ended <- err }()
		f.waits(1)
		require.Eventually(t, func() bool { return f.InUse() == 2 }, 10*time.Second, time.Millisecond)
		require.NoError(t, f.Close())
	}
	require.ErrorIs(t, <-ended, lashstore.ErrClosed)
	require.ErrorIs(t, <-ended, lashstore.ErrClosed)
	require.NoError(t, f.Close())
	_, err := f.OpenSession(t.Context(), "a")
	require.ErrorIs(t, err, lashstore.ErrClosed)
	require.ErrorIs(t, f.DeleteSession(t.Context(), "a"), lashstore.ErrClosed)
	_, err = a.Load(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrClosed)
	for _, err := range f.Sessions(t.Context()) {
		require.ErrorIs(t, err, lashstore.ErrClosed)
	}
}

// A call of many transactions that has begun is finished before the fleet, or its reference, is closed.
func TestClosingWaitsForWhatRuns(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"fleet", "reference"} {
		var hook atomic.Pointer[func()]
		clock := lashstore.ClockFunc(func() time.Time {
			if fn := hook.Swap(nil); fn != nil {
				(*fn)()
			}
			return time.Now()
		})
		f, err := store.NewFleet(t.TempDir(), &store.FleetOptions{Options: &store.Options{Clock: clock}})
		require.NoError(t, err)
		s, err := f.CreateSession(t.Context(), lashstore.SessionMeta{SessionID: "a"})
		require.NoError(t, err)
		for i := range 4 {
			_, err := s.PutBlob(t.Context(), lashstore.GenericBlob, text(100, i))
			require.NoError(t, err)
		}
		require.NoError(t, say(t.Context(), s, "m1"))
		require.NoError(t, say(t.Context(), s, "m2"))
		closed := make(chan error, 1)
		closing := func() {
			go func() {
				if what == "fleet" {
					closed <- f.Close()
				} else {
					closed <- s.Close()
				}
			}()
			require.Eventually(t, func() bool { _, err := s.Meta(context.Background()); return errors.Is(err, lashstore.ErrClosed) }, 10*time.Second, time.Millisecond)
			assert.Empty(t, closed, "the %s was closed while a call ran", what)
		}
		hook.Store(&closing)
		report, err := s.GC(t.Context(), &lashstore.GCOptions{Batch: 1})
		require.NoError(t, err, what)
		assert.EqualValues(t, 4, report.Deleted, what)
		require.NoError(t, <-closed)
		require.NoError(t, f.Close())
	}
}

func TestClosingAReferenceEndsWhatWaitsThroughIt(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, time.Hour)
	a := f.create("a")
	other, err := f.OpenSession(t.Context(), "a")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { _, err := a.WaitReady(context.Background(), nil); ended <- err }()
	require.Eventually(t, func() bool { return f.InUse() == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, a.Close())
	require.ErrorIs(t, <-ended, lashstore.ErrClosed)
	require.NoError(t, say(t.Context(), other, "m"))
	require.NoError(t, other.Close())
}
