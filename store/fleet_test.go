package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// fleetFixture is a fleet in a directory of its own.
type fleetFixture struct {
	*store.Fleet
	t   testing.TB
	dir string
}

func newFleet(t testing.TB, maxOpen int, idle time.Duration) *fleetFixture {
	t.Helper()
	dir := t.TempDir()
	f, err := store.NewFleet(dir, &store.FleetOptions{
		Options: &store.Options{Durability: lashstore.DurabilityNormal}, MaxOpen: maxOpen, Idle: idle,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return &fleetFixture{Fleet: f, t: t, dir: dir}
}

func (f *fleetFixture) create(id string) lashstore.SessionStore {
	f.t.Helper()
	s, err := f.CreateSession(context.Background(), lashstore.SessionMeta{SessionID: id})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, s.Close()) })
	return s
}

// say commits one message at the end of a session.
func say(ctx context.Context, s lashstore.SessionStore, id string) error {
	loaded, err := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead})
	if err != nil {
		return err
	}
	_, err = s.Commit(ctx, lashstore.Commit{
		SessionID: s.SessionID(), Expect: loaded.Expect(), WithoutLease: true,
		Graph: lashstore.AppendNodes(message(id, loaded.Graph.Leaf, lashstore.RoleUser, "text of "+id)),
	})
	return err
}

func (f *fleetFixture) opened(want int) {
	f.t.Helper()
	stores, places := f.OpenStores()
	assert.Equal(f.t, want, stores)
	assert.Equal(f.t, want, places)
}

func (f *fleetFixture) waits(n int) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return f.Waiting() == n }, 10*time.Second, time.Millisecond)
}

func TestFleetKeepsNoMoreOpenThanItSays(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, time.Hour)
	var all []lashstore.SessionStore
	for i := range 5 {
		s := f.create(fmt.Sprint("s", i))
		all = append(all, s)
		require.NoError(t, say(t.Context(), s, "m1"))
	}
	f.opened(2)
	for _, s := range all { // closed behind their backs
		require.NoError(t, say(t.Context(), s, "m2"))
		loaded, err := s.Load(t.Context(), nil)
		require.NoError(t, err)
		assert.Len(t, loaded.Graph.Nodes, 2)
	}
	f.opened(2)
}

// The longest idle makes room: what was used last stays.
func TestFleetClosesTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, time.Hour)
	a, b := f.create("a"), f.create("b")
	_, err := a.Meta(t.Context())
	require.NoError(t, err)
	f.create("c")
	assert.NoFileExists(t, f.PathOf("b")+"-wal")
	assert.FileExists(t, f.PathOf("a")+"-wal")
	_, err = b.Meta(t.Context())
	require.NoError(t, err)
	assert.NoFileExists(t, f.PathOf("a")+"-wal")
}

func TestReferencesShareOneStore(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4, time.Hour)
	first := f.create("a")
	second, err := f.OpenSession(t.Context(), "a")
	require.NoError(t, err)
	f.opened(1)
	require.NoError(t, first.Close())
	require.NoError(t, first.Close())
	_, err = first.Meta(t.Context())
	require.ErrorIs(t, err, lashstore.ErrClosed)
	require.NoError(t, say(t.Context(), second, "m"))
	require.NoError(t, second.Close())
	f.opened(1)
}

func TestFleetClosesWhatIsIdleForLong(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4, time.Millisecond)
	a := f.create("a")
	require.NoError(t, say(t.Context(), a, "m"))
	f.create("b")
	require.Eventually(t, func() bool { n, places := f.OpenStores(); return n == 0 && places == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, say(t.Context(), a, "n"))
}

// 1. A walk, a stream and a wait keep their session open, and its place taken.
// 2. Whoever needs a place waits for it, as long as its context allows.
// 3. It comes when the walk, the stream or the wait ends.
func TestFleetWaitsForAPlace(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]func(lashstore.SessionStore, lashstore.Hash, func()) error{
		"walk": func(s lashstore.SessionStore, _ lashstore.Hash, meanwhile func()) error {
			for _, err := range s.Path(context.Background(), "") {
				if err != nil {
					return err
				}
				meanwhile()
			}
			return nil
		},
		"stream": func(s lashstore.SessionStore, hash lashstore.Hash, meanwhile func()) error {
			stream, _, err := s.OpenBlob(context.Background(), hash)
			if err != nil {
				return err
			}
			meanwhile()
			_, err = io.Copy(io.Discard, stream)
			return errors.Join(err, stream.Close())
		},
		"wait": func(s lashstore.SessionStore, _ lashstore.Hash, meanwhile func()) error {
			ctx, cancel := context.WithCancel(context.Background())
			over := make(chan error)
			go func() {
				_, err := s.WaitReady(ctx, nil)
				over <- err
			}()
			meanwhile()
			cancel()
			if err := <-over; !errors.Is(err, context.Canceled) {
				return fmt.Errorf("a wait that was cancelled: %w", err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1, time.Hour)
			b, a := f.create("b"), f.create("a")
			require.NoError(t, say(t.Context(), a, "m"))
			hash, err := a.PutBlob(t.Context(), lashstore.GenericBlob, text(9000, 1))
			require.NoError(t, err)
			got := make(chan error, 1)
			require.NoError(t, hold(a, hash, func() {
				require.Eventually(t, func() bool { return f.InUse() == 1 }, 10*time.Second, time.Millisecond)
				ctx, cancel := context.WithCancel(context.Background())
				cancelled := make(chan error)
				go func() { cancelled <- say(ctx, b, "never") }()
				f.waits(1)
				cancel()
				require.ErrorIs(t, <-cancelled, context.Canceled)
				go func() { got <- say(context.Background(), b, "m") }()
				f.waits(1)
				require.NoError(t, say(context.Background(), a, "meanwhile"), "the session that is open needs no place")
			}))
			require.NoError(t, <-got)
			f.opened(1)
		})
	}
}

// A session that is used all the time gives its place to others nevertheless.
func TestPlacesGoRound(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, time.Hour)
	busy, other := f.create("busy"), f.create("other")
	ctx, cancel := context.WithCancel(t.Context())
	var users sync.WaitGroup
	for range 2 {
		users.Go(func() {
			for ctx.Err() == nil {
				_, err := busy.Meta(ctx)
				assert.True(t, err == nil || ctx.Err() != nil, "%v", err)
			}
		})
	}
	for range 20 {
		_, err := other.Meta(t.Context())
		require.NoError(t, err)
	}
	cancel()
	users.Wait()
}

// Whoever gives up in the moment in which a place comes hands it on: no place is lost, and no session.
func TestPlacesAreNotLostByGivingUp(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, time.Hour)
	sessions := []lashstore.SessionStore{f.create("a"), f.create("b"), f.create("c")}
	var users sync.WaitGroup
	for user := range 6 {
		users.Go(func() {
			for round := range 60 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration((user*60+round)%40)*100*time.Microsecond)
				_, err := sessions[(user+round)%len(sessions)].Meta(ctx)
				assert.True(t, err == nil || errors.Is(err, context.DeadlineExceeded), "%v", err)
				cancel()
			}
		})
	}
	users.Wait()
	require.NoError(t, say(t.Context(), sessions[0], "m"))
	var giveUp func()
	for _, err := range sessions[0].Path(t.Context(), "") { // at whose end the place is the waiter's
		require.NoError(t, err)
		giveUp = f.QueueForPlace()
	}
	giveUp()
	for _, s := range sessions {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := s.Meta(ctx)
		require.NoError(t, err)
		cancel()
	}
	f.opened(1)
	assert.Zero(t, f.Waiting())
}

func TestFleetOptionsAreJudged(t *testing.T) {
	t.Parallel()
	for _, o := range []*store.FleetOptions{{MaxOpen: -1}, {Idle: -1}, {Options: &store.Options{Durability: "x"}}} {
		_, err := store.NewFleet(t.TempDir(), o)
		require.ErrorIs(t, err, lashstore.ErrInvalid)
	}
	_, err := store.NewFleet("", nil)
	require.ErrorIs(t, err, lashstore.ErrInvalid)
}

// Many goroutines on many sessions, more than there are places for, some of them deleted and made anew meanwhile:
//
//  1. Whatever a commit acknowledged is there, unless its session was deleted.
//  2. No more are open than may be; in the end nothing waits, and the places are those of what is open.
//  3. Nothing else goes wrong than that a session was deleted, or moved on.
func TestManyUsersOfAFleet(t *testing.T) {
	t.Parallel()
	const sessions, users, rounds = 8, 12, 15
	f := newFleet(t, 3, time.Millisecond)
	var said [sessions]atomic.Int64 // kept sessions only: the odd ones
	var group sync.WaitGroup
	for user := range users {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(user)))
			for round := range rounds {
				n := random.IntN(sessions)
				err := f.useOnce(n, fmt.Sprintf("m-%d-%d", user, round), random.IntN(6) == 0)
				if err == nil {
					said[n].Add(1)
				}
				fine := err == nil || errors.Is(err, lashstore.ErrSessionDeleted) || errors.Is(err, lashstore.ErrRevisionConflict) ||
					errors.Is(err, lashstore.ErrSessionNotFound)
				assert.True(t, fine, "%v", err)
				stores, places := f.OpenStores()
				assert.LessOrEqual(t, max(stores, places), 3)
			}
		})
	}
	group.Wait()
	for n := 1; n < sessions; n += 2 {
		loaded, err := f.create(fmt.Sprint("s", n)).Load(t.Context(), nil)
		require.NoError(t, err)
		assert.Len(t, loaded.Graph.Nodes, int(said[n].Load()))
	}
	assert.Zero(t, f.InUse())
	assert.Zero(t, f.Waiting())
}

// useOnce uses a session as somebody would: opened, walked, written to; or deletes it, if it is an even one.
func (f *fleetFixture) useOnce(n int, node string, deletes bool) error {
	ctx, id := context.Background(), fmt.Sprint("s", n)
	if deletes && n%2 == 0 {
		return errors.Join(f.DeleteSession(ctx, id), lashstore.ErrSessionDeleted)
	}
	s, err := f.CreateSession(ctx, lashstore.SessionMeta{SessionID: id})
	if err != nil {
		return err
	}
	for _, err := range s.Path(ctx, "") {
		if err != nil {
			return errors.Join(err, s.Close())
		}
		break
	}
	return errors.Join(say(ctx, s, node), s.Close())
}

func TestFleetLeavesNothingOpenInItsDirectory(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, time.Hour)
	for i := range 5 {
		require.NoError(t, say(t.Context(), f.create(fmt.Sprint(i)), "m"))
	}
	require.NoError(t, f.Close())
	left, err := os.ReadDir(f.dir)
	require.NoError(t, err)
	for _, e := range left {
		assert.NotContains(t, e.Name(), "-wal")
	}
}
