package testsuite

import (
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func fenceCases() []Case {
	return []Case{
		{"Fence/RenewExtends", "8.A.13", fenceRenewExtends},
		{"Fence/TamperedCannotRenew", "8.A.13", fenceTamperedCannotRenew},
		{"Fence/TamperedReleaseFreesNothing", "8.A.13", fenceTamperedReleaseFreesNothing},
		{"Fence/StaleReleaseFreesNothing", "8.A.13", fenceStaleReleaseFreesNothing},
		{"Fence/ReleasedIsLost", "8.A.13", fenceReleasedIsLost},
		{"Fence/NilIsLost", "Fence.Verify", fenceNilIsLost},
	}
}

// tamperedFences are almost that of lease.
func tamperedFences(lease lashstore.Lease) map[string]*lashstore.Fence {
	fences := map[string]*lashstore.Fence{}
	for what, change := range map[string]func(f *lashstore.Fence){
		"other token":            func(f *lashstore.Fence) { f.Token = "0123456789abcdef0123456789abcdef" },
		"no token":               func(f *lashstore.Fence) { f.Token = "" },
		"earlier generation":     func(f *lashstore.Fence) { f.Generation-- },
		"later generation":       func(f *lashstore.Fence) { f.Generation++ },
		"other owner":            func(f *lashstore.Fence) { f.Owner.ID = "other" },
		"other incarnation":      func(f *lashstore.Fence) { f.Owner.Incarnation = "other" },
		"fence of other session": func(f *lashstore.Fence) { f.SessionID = "beta" },
	} {
		fence := lease.Fence()
		change(fence)
		fences[what] = fence
	}
	return fences
}

// lost wants that fence neither renews nor commits.
func (f *fixture) lost(what string, fence *lashstore.Fence) {
	f.t.Helper()
	_, err := f.RenewLease(f.ctx, fence, time.Hour)
	lost := as[*lashstore.LeaseLostError](f.t, what+" renews", err)
	equal(f.t, what+": session", lost.SessionID, sessionID)
	if fence != nil {
		f.refused(what+" commits", lashstore.Commit{Lease: fence, Graph: lashstore.AppendNodes(user("n", ""))}, lashstore.ErrLeaseLost)
	}
}

func fenceRenewExtends(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	f.clock.Advance(30 * time.Second)
	renewed, err := f.RenewLease(f.ctx, lease.Fence(), time.Minute)
	f.ok("renew", err)
	lease.ExpiresAt = Epoch.Add(90 * time.Second)
	leaseEqual(t, "renewed lease", renewed, lease)
	f.clock.Advance(45 * time.Second)
	_, err = f.TakeLease(f.ctx, otherOwner, time.Minute)
	is(t, "take by another after the first expiry", err, lashstore.ErrLeaseBusy)
	f.commit(lashstore.Commit{Lease: lease.Fence()})
}

func fenceTamperedCannotRenew(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	for what, fence := range tamperedFences(lease) {
		f.lost(what, fence)
	}
	current, _ := f.current()
	leaseEqual(t, "lease afterwards", current, lease.WithoutToken())
	_, err := f.RenewLease(f.ctx, lease.Fence(), time.Minute)
	f.ok("the holder renews", err)
}

func fenceTamperedReleaseFreesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	for what, fence := range tamperedFences(lease) {
		f.ok("release: "+what, f.ReleaseLease(f.ctx, fence))
		_, err := f.TakeLease(f.ctx, otherOwner, time.Minute)
		f.busy(what, err, lease)
	}
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	equal(t, "generation", f.take(otherOwner, time.Minute).Generation, lease.Generation+1)
}

func fenceStaleReleaseFreesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := f.take(opaqueOwner, time.Minute)
	f.ok("release", f.ReleaseLease(f.ctx, first.Fence()))
	f.ok("release again", f.ReleaseLease(f.ctx, first.Fence()))
	second := f.take(opaqueOwner, time.Minute)
	f.ok("release of the one before", f.ReleaseLease(f.ctx, first.Fence()))
	_, err := f.TakeLease(f.ctx, otherOwner, time.Minute)
	f.busy("after a stale release", err, second)
}

func fenceReleasedIsLost(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	f.lost("a released fence", lease.Fence())
	next := f.take(opaqueOwner, time.Minute)
	f.lost("a fence of the same owner's lease before", lease.Fence())
	f.commit(lashstore.Commit{Lease: next.Fence()})
}

func fenceNilIsLost(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.lost("no fence, no lease", nil)
	f.take(opaqueOwner, time.Minute)
	f.lost("no fence", nil)
}
