package testsuite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func leaseCases() []Case {
	return []Case{
		{"Lease/FirstGenerationIsOne", "8.A.13, TakeLease", leaseFirstGenerationIsOne},
		{"Lease/SameIncarnationReenters", "8.A.13", leaseSameIncarnationReenters},
		{"Lease/ReentryNeverShortens", "10.W47", leaseReentryNeverShortens},
		{"Lease/ReentryRefreshesTheProcess", "10.W47", leaseReentryRefreshesTheProcess},
		{"Lease/BusyForOtherIncarnation", "8.A.13", leaseBusyForOtherIncarnation},
		{"Lease/BusyForOtherOwner", "8.A.13", leaseBusyForOtherOwner},
		{"Lease/GenerationsOnlyGrow", "8.A.13, 1.7", leaseGenerationsOnlyGrow},
		{"Lease/ZeroTTLHasExpired", "8.A.13", leaseZeroTTLHasExpired},
		{"Lease/ExpiresByTheClock", "8.A.41, 8.F.108", leaseExpiresByTheClock},
		{"Lease/CurrentLeaseHidesTheToken", "ExecutionLeases.CurrentLease", leaseCurrentLeaseHidesTheToken},
		{"Lease/TokensAreSecrets", "10.W47, Lease.Token", leaseTokensAreSecrets},
		{"Lease/RacingFirstTakesHaveOneWinner", "8.A.40", leaseRacingFirstTakesHaveOneWinner},
		{"Lease/TimeIsReadInsideTheTransaction", "10.W45", leaseTimeIsReadInsideTheTransaction},
		{"Lease/MalformedRefused", "Owner.Validate, ValidateTTL", leaseMalformedRefused},
	}
}

var otherOwner = lashstore.Owner{ID: "other", Incarnation: "boot-9"}

// current returns the lease and whether it is live.
func (f *fixture) current() (lashstore.Lease, bool) {
	f.t.Helper()
	lease, live, err := f.CurrentLease(f.ctx)
	f.ok("current lease", err)
	return lease, live
}

// leaseEqual compares leases but for the zone of their times.
func leaseEqual(t testing.TB, what string, got, want lashstore.Lease) {
	t.Helper()
	sameTime(t, what+": claimed at", got.ClaimedAt, want.ClaimedAt)
	sameTime(t, what+": expires at", got.ExpiresAt, want.ExpiresAt)
	got.ClaimedAt, got.ExpiresAt, want.ClaimedAt, want.ExpiresAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	equal(t, what, got, want)
}

func leaseFirstGenerationIsOne(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	equal(t, "token is there", lease.Token != "", true)
	leaseEqual(t, "lease", lease, lashstore.Lease{
		SessionID: sessionID, Owner: opaqueOwner, Token: lease.Token, Generation: 1, ClaimedAt: Epoch, ExpiresAt: Epoch.Add(time.Minute),
	})
}

func leaseSameIncarnationReenters(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := f.take(opaqueOwner, time.Minute)
	f.clock.Advance(30 * time.Second)
	again, err := f.other().TakeLease(f.ctx, opaqueOwner, time.Minute)
	f.ok("take again", err)
	want := first
	want.ExpiresAt = Epoch.Add(90 * time.Second)
	leaseEqual(t, "re-entered lease", again, want)
}

func leaseReentryNeverShortens(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := f.take(opaqueOwner, time.Hour)
	for _, ttl := range []time.Duration{0, time.Second, time.Minute} {
		leaseEqual(t, fmt.Sprint("taken again for ", ttl), f.take(opaqueOwner, ttl), first)
		renewed, err := f.RenewLease(f.ctx, first.Fence(), ttl)
		f.ok("renew", err)
		leaseEqual(t, fmt.Sprint("renewed for ", ttl), renewed, first)
	}
	f.clock.Advance(59 * time.Minute)
	_, live := f.current()
	equal(t, "live before its first expiry", live, true)
}

// An owner whose process changed, after an exec for instance, is judged by the process that it is now.
func leaseReentryRefreshesTheProcess(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.take(opaqueOwner, time.Minute)
	owner := opaqueOwner
	owner.Process = &lashstore.LocalProcess{HostID: "host", BootID: "boot", PID: 42, StartTime: 7}
	equal(t, "owner of the lease taken again", f.take(owner, time.Minute).Owner, owner)
	_, err := f.TakeLease(f.ctx, otherOwner, time.Minute)
	equal(t, "holder", as[*lashstore.LeaseBusyError](t, "take", err).Holder.Owner, owner)
}

// busy wants that owner does not get the lease and that nothing changes; the error names the holder without its token.
func (f *fixture) busy(what string, err error, holder lashstore.Lease) {
	f.t.Helper()
	leaseEqual(f.t, what+": holder", as[*lashstore.LeaseBusyError](f.t, what, err).Holder, holder.WithoutToken())
	is(f.t, what, err, lashstore.ErrLeaseBusy)
	_, err = f.RenewLease(f.ctx, holder.Fence(), 0)
	f.ok(what+": the holder goes on", err)
}

func leaseBusyForOtherIncarnation(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	held := f.take(opaqueOwner, time.Minute)
	_, err := f.TakeLease(f.ctx, lashstore.Owner{ID: opaqueOwner.ID, Incarnation: "boot-2"}, time.Hour)
	f.busy("another incarnation of the same owner", err, held)
}

func leaseBusyForOtherOwner(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	held := f.take(opaqueOwner, time.Minute)
	_, err := f.TakeLease(f.ctx, otherOwner, time.Hour)
	f.busy("another owner", err, held)
	_, err = f.other().TakeLease(f.ctx, lashstore.Owner{ID: "other", Incarnation: opaqueOwner.Incarnation}, 0)
	f.busy("another owner on another handle", err, held)
	f.ok("release", f.ReleaseLease(f.ctx, held.Fence()))
	f.take(otherOwner, time.Minute)
}

// Each acquisition is one more, whether the one before was released, expired or its commit gave it back.
func leaseGenerationsOnlyGrow(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	owners := []lashstore.Owner{opaqueOwner, otherOwner, opaqueOwner, opaqueOwner, otherOwner, opaqueOwner}
	for i, owner := range owners {
		lease := f.take(owner, time.Minute)
		equal(t, "generation", lease.Generation, int64(i+1))
		sameTime(t, "claimed at", lease.ClaimedAt, f.clock.Now())
		switch i % 3 {
		case 0:
			f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
		case 1:
			f.clock.Advance(time.Minute)
		case 2:
			f.commit(lashstore.Commit{Lease: lease.Fence(), ReleaseLease: true})
		}
	}
}

func leaseZeroTTLHasExpired(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, 0)
	sameTime(t, "expires at", lease.ExpiresAt, Epoch)
	_, live := f.current()
	equal(t, "live", live, false)
	_, err := f.try(lashstore.Commit{Lease: lease.Fence()})
	is(t, "commit under it", err, lashstore.ErrLeaseLost)
	equal(t, "generation of the next", f.take(otherOwner, time.Minute).Generation, lease.Generation+1)
}

// A lease is live strictly before its expiry. From then on its fence neither commits nor renews, though nobody took it.
func leaseExpiresByTheClock(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	lease := f.take(opaqueOwner, time.Minute)
	f.clock.Advance(time.Minute - time.Millisecond)
	_, live := f.current()
	equal(t, "live a millisecond before", live, true)
	_, err := f.TakeLease(f.ctx, otherOwner, time.Minute)
	is(t, "take a millisecond before", err, lashstore.ErrLeaseBusy)
	f.clock.Advance(time.Millisecond)
	_, live = f.current()
	equal(t, "live at its expiry", live, false)
	f.lost("an expired fence", lease.Fence())
	successor := f.take(otherOwner, time.Minute)
	equal(t, "generation", successor.Generation, lease.Generation+1)
	f.lost("a superseded fence", lease.Fence())
	f.commit(lashstore.Commit{Lease: successor.Fence()})
}

func leaseCurrentLeaseHidesTheToken(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	none, live := f.current()
	equal(t, "before any lease", [2]any{none.Generation, live}, [2]any{int64(0), false})
	lease := f.take(opaqueOwner, time.Minute)
	current, live := f.current()
	equal(t, "live", live, true)
	leaseEqual(t, "current lease", current, lease.WithoutToken())
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	current, live = f.current()
	equal(t, "after the release", [2]any{current.Generation, live}, [2]any{int64(1), false})
}

func leaseTokensAreSecrets(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	seen := map[string]bool{}
	for range 20 {
		token := f.take(opaqueOwner, 0).Token
		if len(token) != 32 || strings.Trim(token, "0123456789abcdef") != "" {
			t.Fatalf("token has %d characters, not 32 hexadecimal digits", len(token))
		}
		if seen[token] {
			t.Fatal("a token came twice")
		}
		seen[token] = true
	}
}

func leaseRacingFirstTakesHaveOneWinner(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	leases, errs := make([]lashstore.Lease, 8), make([]error, 8)
	race(t, len(leases), func(i int) {
		owner := lashstore.Owner{ID: fmt.Sprint("owner ", i), Incarnation: "boot"}
		leases[i], errs[i] = handles[i%2].TakeLease(f.ctx, owner, time.Minute)
	})
	winners := 0
	for i, err := range errs {
		if err != nil {
			is(t, fmt.Sprint("owner ", i), err, lashstore.ErrLeaseBusy)
			continue
		}
		winners++
		equal(t, "generation", leases[i].Generation, 1)
		_, err := f.RenewLease(f.ctx, leases[i].Fence(), time.Minute)
		f.ok("winner renews", err)
	}
	equal(t, "winners", winners, 1)
}

// The clock shows a later time at each reading. A writer that reads it before it waits for its turn acts on an older
// time than those that went before it.
func leaseTimeIsReadInsideTheTransaction(t testing.TB, h SessionHarness) {
	clock := &tickingClock{Clock{now: Epoch}}
	f := setupWith(t, h, Options{Clock: clock})
	handles := []*fixture{f, f.other()}
	const writers, takes = 4, 20
	taken, errs := make([][]lashstore.Lease, writers), make([]error, writers)
	race(t, writers, func(i int) {
		owner := lashstore.Owner{ID: fmt.Sprint("owner ", i), Incarnation: "boot"}
		for range takes {
			lease, err := handles[i%2].TakeLease(f.ctx, owner, 0)
			if err != nil {
				errs[i] = err
				return
			}
			taken[i] = append(taken[i], lease)
		}
	})
	for _, err := range errs {
		f.ok("take", err)
	}
	leases := slices.Concat(taken...)
	slices.SortFunc(leases, func(a, b lashstore.Lease) int { return cmp.Compare(a.Generation, b.Generation) })
	for i, lease := range leases {
		equal(t, "generation", lease.Generation, int64(i+1))
		if i > 0 && !lease.ClaimedAt.After(leases[i-1].ClaimedAt) {
			t.Fatalf("generation %d was claimed at %v, the one before at %v", lease.Generation, lease.ClaimedAt, leases[i-1].ClaimedAt)
		}
	}
}

func leaseMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	process := lashstore.LocalProcess{HostID: "h", BootID: "b", PID: 1}
	with := func(change func(p *lashstore.LocalProcess)) lashstore.Owner {
		p := process
		change(&p)
		return lashstore.Owner{ID: "o", Incarnation: "i", Process: &p}
	}
	for what, owner := range map[string]lashstore.Owner{
		"no id": {Incarnation: "i"}, "no incarnation": {ID: "o"}, "control character": {ID: "a\nb", Incarnation: "i"},
		"overlong": {ID: badIDs["overlong"], Incarnation: "i"},
		"no host":  with(func(p *lashstore.LocalProcess) { p.HostID = "" }),
		"no boot":  with(func(p *lashstore.LocalProcess) { p.BootID = "" }),
		"no pid":   with(func(p *lashstore.LocalProcess) { p.PID = 0 }),
		"start":    with(func(p *lashstore.LocalProcess) { p.StartTime = 1<<53 + 1 }),
	} {
		_, err := f.TakeLease(f.ctx, owner, time.Minute)
		is(t, "take: "+what, err, lashstore.ErrInvalid)
		_, err = f.ReclaimLease(f.ctx, owner, lashstore.Lease{SessionID: sessionID}, time.Minute)
		is(t, "reclaim: "+what, err, lashstore.ErrInvalid)
	}
	for _, ttl := range []time.Duration{-1, lashstore.MaxLeaseTTL + 1} {
		_, err := f.TakeLease(f.ctx, opaqueOwner, ttl)
		is(t, fmt.Sprint("take for ", ttl), err, lashstore.ErrInvalid)
	}
	lease := f.take(opaqueOwner, lashstore.MaxLeaseTTL)
	equal(t, "generation after refusals", lease.Generation, 1)
	_, err := f.RenewLease(f.ctx, lease.Fence(), lashstore.MaxLeaseTTL+1)
	is(t, "renew for too long", err, lashstore.ErrInvalid)
}
