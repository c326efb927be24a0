package lease

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

var errPassing = errors.New("busy for a moment")

// kept is a keeper of half a minute's leases whose renewals answer what answer says; time is the bubble's.
type kept struct {
	*Keeper
	renewals []time.Duration // when, since the start
	failures int
}

func keep(t *testing.T, ctx context.Context, answer func(n int) error) *kept {
	t.Helper()
	began := time.Now()
	k := &kept{}
	k.Keeper = Keep(ctx, began, KeeperOptions{
		Timings: lashstore.DefaultLeaseTimings,
		Renew: func(context.Context) error {
			k.renewals = append(k.renewals, time.Since(began))
			return answer(len(k.renewals))
		},
		Failed: func(error) { k.failures++ },
	})
	return k
}

func TestKeeperRenewsRegularly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, t.Context(), func(int) error { return nil })
		time.Sleep(35 * time.Second)
		k.Stop()
		assert.Equal(t, []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}, k.renewals)
		assert.Zero(t, k.failures)
		require.ErrorIs(t, k.Context().Err(), context.Canceled)
		require.NoError(t, k.Lost(), "a lease that was kept to the end is not lost")
		k.Stop()
	})
}

// 10.W20: a renewal that fails for a passing reason is tried again, soon, for as long as the lease lasts.
func TestKeeperSurvivesPassingFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, t.Context(), func(n int) error {
			if n <= 15 { // from 10 s on, one a second: 14 seconds, and the lease lasts 30
				return errPassing
			}
			return nil
		})
		time.Sleep(time.Minute)
		require.NoError(t, k.Context().Err())
		k.Stop()
		assert.Equal(t, 15, k.failures)
	})
}

// 1. When no renewal succeeds until the lease has ended, it is lost then, and not before.
// 2. The cause says so and why.
func TestKeeperLosesWhatItCannotRenew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		k := keep(t, t.Context(), func(int) error { return errPassing })
		<-k.Context().Done()
		assert.Equal(t, 30*time.Second, time.Since(began))
		require.ErrorIs(t, k.Lost(), lashstore.ErrLeaseLost)
		require.ErrorIs(t, k.Lost(), errPassing)
		require.ErrorIs(t, context.Cause(k.Context()), lashstore.ErrLeaseLost)
		k.Stop()
		require.ErrorIs(t, k.Lost(), lashstore.ErrLeaseLost, "stopping does not hide it")
	})
}

// A renewal that hangs is not waited for beyond the lease.
func TestKeeperBoundsARenewalByTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		k := Keep(t.Context(), began, KeeperOptions{
			Timings: lashstore.DefaultLeaseTimings,
			Renew:   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			Failed:  func(error) {},
		})
		<-k.Context().Done()
		assert.Equal(t, 30*time.Second, time.Since(began))
		require.ErrorIs(t, k.Lost(), lashstore.ErrLeaseLost)
		k.Stop()
	})
}

// The lease counts from when the renewal began, not from when it was answered.
func TestKeeperCountsFromTheAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		k := keep(t, t.Context(), func(n int) error {
			if n == 1 {
				time.Sleep(8 * time.Second) // asked at 10 s, answered at 18
				return nil
			}
			return errPassing
		})
		<-k.Context().Done()
		assert.Equal(t, 40*time.Second, time.Since(began))
		k.Stop()
	})
}

func TestKeeperStopsAtOnceWhenTheLeaseIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost := &lashstore.LeaseLostError{SessionID: "s", Reason: "superseded or released"}
		k := keep(t, t.Context(), func(int) error { return lost })
		<-k.Context().Done()
		k.Stop()
		assert.Len(t, k.renewals, 1)
		assert.Equal(t, error(lost), k.Lost())
	})
}

// A keeper ends with the context it was made in: then nothing is lost, and nothing renewed any more.
func TestKeeperEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		k := keep(t, ctx, func(int) error { return nil })
		time.Sleep(15 * time.Second)
		cancel()
		time.Sleep(time.Minute)
		k.Stop()
		assert.Len(t, k.renewals, 1)
		require.NoError(t, k.Lost())
	})
}
