package testsuite

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func reclaimCases() []Case {
	return []Case{
		{"Reclaim/DeadHolderLosesBeforeExpiry", "8.A.14", reclaimDeadHolderLosesBeforeExpiry},
		{"Reclaim/NoProofNoTakeover", "8.A.14, 8.G.115", reclaimNoProofNoTakeover},
		{"Reclaim/StaleObservationRefused", "8.A.14", reclaimStaleObservationRefused},
		{"Reclaim/RacingReclaimersHaveOneWinner", "8.A.14", reclaimRacingReclaimersHaveOneWinner},
		{"Reclaim/FreeLeaseIsAcquired", "2.5, ReclaimLease", reclaimFreeLeaseIsAcquired},
	}
}

// process is an owner on host and boot, whose process number says whether the probe finds it: dead below 100.
func process(id, host, boot string, pid int) lashstore.Owner {
	return lashstore.Owner{ID: id, Incarnation: "i", Process: &lashstore.LocalProcess{HostID: host, BootID: boot, PID: pid, StartTime: 5}}
}

var errProbe = errors.New("the probe cannot tell")

func probe(p lashstore.LocalProcess) (bool, error) {
	if p.PID == 99 {
		return false, errProbe
	}
	return p.PID >= 100, nil
}

// observe returns what a claimant learns of the holder from being refused.
func (f *fixture) observe(claimant lashstore.Owner) lashstore.Lease {
	f.t.Helper()
	_, err := f.TakeLease(f.ctx, claimant, time.Minute)
	return as[*lashstore.LeaseBusyError](f.t, "take", err).Holder
}

// 1. A plain request finds a dead holder's lease busy.
// 2. A claimant that observed it takes it over before it expires, as a new generation.
// 3. The dead one's fence is worth nothing any more.
func reclaimDeadHolderLosesBeforeExpiry(t testing.TB, h SessionHarness) {
	f := setupWith(t, h, Options{Probe: probe})
	held := f.take(process("dead", "h", "b", 1), time.Hour)
	claimant := process("claimant", "h", "b", 100)
	observed := f.observe(claimant)
	leaseEqual(t, "observed lease", observed, held.WithoutToken())
	f.clock.Advance(time.Second)
	won, err := f.ReclaimLease(f.ctx, claimant, observed, time.Minute)
	f.ok("reclaim", err)
	equal(t, "token is another", won.Token != "" && won.Token != held.Token, true)
	leaseEqual(t, "reclaimed lease", won, lashstore.Lease{
		SessionID: sessionID, Owner: claimant, Token: won.Token, Generation: held.Generation + 1,
		ClaimedAt: f.clock.Now(), ExpiresAt: f.clock.Now().Add(time.Minute),
	})
	f.lost("the dead holder's fence", held.Fence())
	f.commit(lashstore.Commit{Lease: won.Fence()})
}

func reclaimNoProofNoTakeover(t testing.TB, h SessionHarness) {
	claimant := process("claimant", "h", "b", 100)
	for what, c := range map[string]struct{ holder, claimant lashstore.Owner }{
		"holder on another host": {process("holder", "other", "b", 1), claimant},
		"holder of another boot": {process("holder", "h", "other", 1), claimant},
		"holder that is alive":   {process("holder", "h", "b", 101), claimant},
		"probe that fails":       {process("holder", "h", "b", 99), claimant},
		"opaque holder":          {opaqueOwner, claimant},
		"opaque claimant":        {process("holder", "h", "b", 1), otherOwner},
	} {
		f := setupWith(t, h, Options{Probe: probe})
		held := f.take(c.holder, time.Minute)
		_, err := f.ReclaimLease(f.ctx, c.claimant, f.observe(c.claimant), time.Minute)
		f.busy(what, err, held)
	}
}

// The holder that was observed died, and somebody else, as dead, holds the lease by now.
func reclaimStaleObservationRefused(t testing.TB, h SessionHarness) {
	f := setupWith(t, h, Options{Probe: probe})
	claimant := process("claimant", "h", "b", 100)
	f.take(process("first", "h", "b", 1), time.Minute)
	stale := f.observe(claimant)
	f.clock.Advance(time.Minute)
	held := f.take(process("second", "h", "b", 2), time.Minute)
	_, err := f.ReclaimLease(f.ctx, claimant, stale, time.Minute)
	f.busy("a stale observation", err, held)
	for what, change := range map[string]func(l *lashstore.Lease){
		"owner":       func(l *lashstore.Lease) { l.Owner.ID = "x" },
		"incarnation": func(l *lashstore.Lease) { l.Owner.Incarnation = "x" },
		"generation":  func(l *lashstore.Lease) { l.Generation-- },
		"session":     func(l *lashstore.Lease) { l.SessionID = "beta" },
	} {
		wrong := f.observe(claimant)
		change(&wrong)
		_, err := f.ReclaimLease(f.ctx, claimant, wrong, time.Minute)
		f.busy("an observation of another "+what, err, held)
	}
	_, err = f.ReclaimLease(f.ctx, claimant, f.observe(claimant), time.Minute)
	f.ok("a fresh observation", err)
}

func reclaimRacingReclaimersHaveOneWinner(t testing.TB, h SessionHarness) {
	f := setupWith(t, h, Options{Probe: probe})
	handles := []*fixture{f, f.other()}
	held := f.take(process("dead", "h", "b", 1), time.Hour)
	observed := f.observe(process("claimant", "h", "b", 100))
	errs := make([]error, 8)
	race(t, len(errs), func(i int) {
		claimant := process(fmt.Sprint("claimant ", i), "h", "b", 100+i)
		_, errs[i] = handles[i%2].ReclaimLease(f.ctx, claimant, observed, time.Minute)
	})
	winners := 0
	for i, err := range errs {
		if err == nil {
			winners++
			continue
		}
		is(t, fmt.Sprint("claimant ", i), err, lashstore.ErrLeaseBusy)
	}
	equal(t, "winners", winners, 1)
	current, live := f.current()
	equal(t, "generation, live", [2]any{current.Generation, live}, [2]any{held.Generation + 1, true})
}

func reclaimFreeLeaseIsAcquired(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first, err := f.ReclaimLease(f.ctx, opaqueOwner, lashstore.Lease{SessionID: sessionID}, time.Minute)
	f.ok("reclaim a lease that nobody ever held", err)
	equal(t, "generation", first.Generation, 1)
	f.clock.Advance(time.Minute)
	second, err := f.ReclaimLease(f.ctx, otherOwner, first.WithoutToken(), time.Minute)
	f.ok("reclaim an expired lease", err)
	equal(t, "generation", second.Generation, 2)
	f.ok("release", f.ReleaseLease(f.ctx, second.Fence()))
	third, err := f.ReclaimLease(f.ctx, opaqueOwner, first.WithoutToken(), time.Minute)
	f.ok("reclaim a released lease", err)
	equal(t, "generation", third.Generation, 3)
}
