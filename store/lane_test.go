package store_test

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

var quick = lashstore.LeaseTimingsFor(300 * time.Millisecond)

// deadOwner is a process of this machine that has ended.
func deadOwner(t *testing.T) lashstore.Owner {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the proof of death needs /proc")
	}
	owner := store.LocalOwner("replica", "before")
	c := exec.Command("true")
	require.NoError(t, c.Run())
	owner.Process.PID = c.Process.Pid
	return owner
}

// Only a process of this machine and this boot that is gone is provably dead.
func TestProvablyDead(t *testing.T) {
	t.Parallel()
	dead := deadOwner(t)
	assert.True(t, store.ProvablyDead(dead))
	assert.False(t, store.ProvablyDead(store.LocalOwner("replica", "alive")))
	assert.False(t, store.ProvablyDead(lashstore.Owner{ID: "replica", Incarnation: "unknown"}))
	for _, foreign := range []func(*lashstore.LocalProcess){
		func(p *lashstore.LocalProcess) { p.HostID = "another" }, func(p *lashstore.LocalProcess) { p.BootID = "another" },
	} {
		p := *dead.Process
		foreign(&p)
		assert.False(t, store.ProvablyDead(lashstore.Owner{ID: "replica", Incarnation: "foreign", Process: &p}))
	}
}

// 1. The lane of a dead holder is had at once, with a higher generation.
// 2. What it had claimed waits again, and so does input for the turn it died in: for the next turn, or for the same turn
// if that is resumed.
func TestLaneTakesOverWithEverythingInIt(t *testing.T) {
	t.Parallel()
	for _, resume := range []string{"", "t1"} {
		f := setup(t, nil)
		held, err := f.TakeLease(t.Context(), deadOwner(t), time.Hour)
		require.NoError(t, err)
		batch := f.enqueue(wake("w"))
		accepted := f.submit(lashstore.ActiveTurn("t1", lashstore.AfterWork))
		unread := f.submit(lashstore.ActiveTurn("t1", lashstore.BeforeCompletion))
		other := f.submit(lashstore.ActiveTurn("t0", lashstore.AfterWork))
		claims, err := f.ClaimCheckpoint(t.Context(), held.Fence(), lashstore.CheckpointRequest{
			At: lashstore.TurnCheckpoint{TurnID: "t1", Boundary: lashstore.AfterWork}, MaxInputs: 9, MaxWork: 9,
		})
		require.NoError(t, err)
		require.Equal(t, []string{accepted.ID}, claims.Inputs.Completion().IDs)

		lane, err := store.AcquireLane(t.Context(), f, store.LocalOwner("replica", "after"), &store.LaneOptions{ResumeTurn: resume})
		require.NoError(t, err)
		assert.Equal(t, held.Generation+1, lane.Lease().Generation)
		work, err := f.ClaimWork(t.Context(), lane.Fence(), lashstore.BoundaryIdle, 9)
		require.NoError(t, err)
		assert.Equal(t, []string{batch.ID}, work.Completion().IDs)
		next, err := f.ClaimNextInputs(t.Context(), lane.Fence(), 9)
		require.NoError(t, err)
		if resume == "" {
			assert.Equal(t, []string{accepted.ID, unread.ID, other.ID}, next.Completion().IDs)
		} else {
			assert.Equal(t, []string{other.ID}, next.Completion().IDs)
			mine, err := f.ClaimTurnInputs(t.Context(), lane.Fence(), lashstore.TurnCheckpoint{TurnID: "t1", Boundary: lashstore.BeforeCompletion}, 9)
			require.NoError(t, err)
			assert.Equal(t, []string{accepted.ID, unread.ID}, mine.Completion().IDs)
		}
		require.NoError(t, lane.Close())
		f.sound()
	}
}

// 1. A lane is kept for longer than its lease lasts, and given back by Close, which may be repeated.
// 2. Meanwhile it is busy; whoever waits has it as soon as it is free.
func TestLaneIsKeptAndHandedOn(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	first, err := store.AcquireLane(t.Context(), f, worker, &store.LaneOptions{Timings: quick})
	require.NoError(t, err)
	second := lashstore.Owner{ID: "worker", Incarnation: "2"}
	_, err = store.AcquireLane(t.Context(), f, second, nil)
	require.ErrorIs(t, err, lashstore.ErrLeaseBusy)

	waited := make(chan *store.Lane, 1)
	go func() {
		lane, err := store.AcquireLane(t.Context(), f, second, &store.LaneOptions{Wait: true})
		assert.NoError(t, err)
		waited <- lane
	}()
	select {
	case <-waited:
		require.Fail(t, "the lane was handed on while it was held")
	case <-time.After(2 * quick.TTL): // more than a lease that nobody renews
	}
	require.NoError(t, first.Context().Err())
	require.NoError(t, first.Close())
	require.NoError(t, first.Close())
	require.ErrorIs(t, first.Context().Err(), context.Canceled)
	require.NoError(t, first.Lost())
	lane := <-waited
	require.NotNil(t, lane)
	assert.EqualValues(t, 2, lane.Lease().Generation)
	require.NoError(t, lane.Close())
	_, live, err := f.CurrentLease(t.Context())
	require.NoError(t, err)
	assert.False(t, live)
}

// When somebody else has taken the lease, the context ends with a cause that says so, and Close gives nothing back.
func TestLostLaneCancelsItsContext(t *testing.T) {
	t.Parallel()
	var skew atomic.Int64 // how far the clock of the second handle is ahead
	f := setup(t, nil)
	lane, err := store.AcquireLane(t.Context(), f, worker, &store.LaneOptions{Timings: quick})
	require.NoError(t, err)
	skew.Store(int64(time.Hour))
	other, err := store.OpenExisting(t.Context(), f.path, &store.Options{Clock: lashstore.ClockFunc(func() time.Time {
		return time.Now().Add(time.Duration(skew.Load()))
	})})
	require.NoError(t, err)
	taken, err := other.TakeLease(t.Context(), lashstore.Owner{ID: "thief", Incarnation: "1"}, time.Hour)
	require.NoError(t, err)
	<-lane.Context().Done()
	require.ErrorIs(t, context.Cause(lane.Context()), lashstore.ErrLeaseLost)
	require.ErrorIs(t, lane.Lost(), lashstore.ErrLeaseLost)
	require.NoError(t, lane.Close())
	now, live, err := other.CurrentLease(t.Context())
	require.NoError(t, err)
	assert.True(t, live)
	assert.Equal(t, taken.Generation, now.Generation)
	require.NoError(t, other.Close())
}

// flaky is a session whose renewals fail for a while.
type flaky struct {
	lashstore.SessionStore
	failing atomic.Bool
	failed  atomic.Int64
}

func (s *flaky) RenewLease(ctx context.Context, fence *lashstore.Fence, ttl time.Duration) (lashstore.Lease, error) {
	if s.failing.Load() {
		s.failed.Add(1)
		return lashstore.Lease{}, lashstore.ErrBusy
	}
	return s.SessionStore.RenewLease(ctx, fence, ttl)
}

// 10.W20: a renewal that fails for a passing reason is no loss; a lease that cannot be renewed until it ends is.
func TestLaneOutlivesPassingFailures(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	s := &flaky{SessionStore: f}
	s.failing.Store(true)
	lane, err := store.AcquireLane(t.Context(), s, worker, &store.LaneOptions{Timings: lashstore.LeaseTimings{TTL: 3 * time.Second, Renew: 100 * time.Millisecond}})
	require.NoError(t, err)
	for s.failed.Load() < 3 {
		runtime.Gosched()
	}
	s.failing.Store(false)
	require.NoError(t, lane.Context().Err())
	require.NoError(t, lane.Close())

	s.failing.Store(true)
	lane, err = store.AcquireLane(t.Context(), s, worker, &store.LaneOptions{Timings: quick})
	require.NoError(t, err)
	<-lane.Context().Done()
	var unrenewed *lashstore.LeaseUnrenewedError
	require.ErrorAs(t, context.Cause(lane.Context()), &unrenewed)
	require.ErrorIs(t, unrenewed, lashstore.ErrLeaseLost)
	require.ErrorIs(t, unrenewed, lashstore.ErrBusy)
	require.NoError(t, lane.Close())
}

// 1. A malformed request takes nothing.
// 2. A lane that cannot be set up is given back.
func TestRefusedLaneHoldsNothing(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	for _, o := range []*store.LaneOptions{
		{Timings: lashstore.LeaseTimings{TTL: time.Second, Renew: time.Second}}, {ResumeTurn: "\x00"},
	} {
		_, err := store.AcquireLane(t.Context(), f, worker, o)
		require.ErrorIs(t, err, lashstore.ErrInvalid)
	}
	_, err := store.AcquireLane(t.Context(), f, lashstore.Owner{}, nil)
	require.ErrorIs(t, err, lashstore.ErrInvalid)
	_, err = store.AcquireLane(t.Context(), undeferring{f}, worker, nil)
	require.ErrorIs(t, err, errUndeferred)
	_, live, err := f.CurrentLease(t.Context())
	require.NoError(t, err)
	assert.False(t, live)
}

var errUndeferred = errors.New("not deferred")

type undeferring struct{ lashstore.SessionStore }

func (undeferring) DeferInputs(context.Context, *lashstore.Fence, string) (int64, error) {
	return 0, errUndeferred
}
