package refstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lashstore/lashstore"
)

// entry is what waits in the line, of either family: a batch of work or an input. It is a value; the line holds copies.
type entry struct {
	work      bool
	id, key   string
	seq       int64
	hash      lashstore.Hash
	state     lashstore.EntryState // waiting, claimed, or how it was settled
	attempts  int64
	notBefore time.Time
	enqueued  time.Time
	settled   time.Time
	claim     lashstore.Claim // of the last claim

	traits  lashstore.WorkTraits // of work
	items   []lashstore.WorkItem
	ingress lashstore.Ingress // of input
	input   []byte
}

// standing is the entry's state: what is claimed under a lease that has ended waits.
func (t *tx) standing(e entry) lashstore.EntryState {
	if e.state == lashstore.EntryClaimed && !t.acceptedForGood(e) && !t.claimLive(e.claim.Generation) {
		return lashstore.EntryWaiting
	}
	return e.state
}

func (t *tx) claimInfo(e entry) *lashstore.ClaimInfo {
	if t.standing(e) != lashstore.EntryClaimed || t.is(ListsForgetHolders) {
		return nil
	}
	return &lashstore.ClaimInfo{ClaimID: e.claim.ID, Generation: e.claim.Generation, Holder: t.lease.Owner}
}

// claimable reports whether a claim may take the entry now.
func (t *tx) claimable(e entry) bool {
	if t.mutant(e, ClaimedInputIsClaimed) && !e.state.Settled() {
		return true
	}
	due := !e.notBefore.After(t.now) && !(t.is(NotBeforeEndsLate) && e.notBefore.Equal(t.now))
	return t.standing(e) == lashstore.EntryWaiting && due || t.wrongly(e)
}

// place is the index of an entry in the line; -1 when there is none.
func (t *tx) place(work bool, target lashstore.EntryTarget) int {
	if target == (lashstore.EntryTarget{}) {
		return -1
	}
	for at := range t.line {
		e := &t.line[at]
		if e.work == work && (target.ID != "" && e.id == target.ID || target.SourceKey != "" && e.key == target.SourceKey) {
			return at
		}
	}
	return -1
}

// enqueue puts e at the end of the line, unless its key or id is known. It returns its place.
func (t *tx) enqueue(sessionID string, e entry) (at int, existing bool, err error) {
	if sessionID != "" && sessionID != t.id && !(e.work && t.is(WorkOfAnySession)) && !t.mutant(e, InputOfAnySession) {
		return 0, false, &lashstore.SessionMismatchError{Bound: t.id, Attempted: sessionID}
	}
	keyed := e.key != "" && !t.is(SourceKeysAreIgnored) && !t.mutant(e, InputKeysAreForgotten)
	if at := t.place(e.work, lashstore.BySourceKey(e.key)); keyed && at >= 0 {
		if t.differs(t.line[at], e) && !t.is(AnyContentUnderAKey) {
			return 0, false, &lashstore.EntryConflictError{SessionID: t.id, SourceKey: e.key, ExistingID: t.line[at].id}
		}
		t.revive(at)
		return at, true, nil
	}
	if at := t.place(e.work, lashstore.ByID(e.id)); e.id != "" && at >= 0 && !t.mutant(e, InputIDsAreForgotten) {
		if e.key != "" && !t.is(InputIDsMayChangeKeys) || t.differs(t.line[at], e) {
			return 0, false, &lashstore.EntryConflictError{SessionID: t.id, ExistingID: e.id}
		}
		return at, true, nil
	}
	t.append(e)
	return len(t.line) - 1, false, nil
}

// append puts e at the end of the line and returns it.
func (t *tx) append(e entry) entry {
	if t.is(PlacesAreReused) {
		t.lastSeq = t.lastPlace()
	}
	t.lastSeq++
	e.id = cmp.Or(e.id, newID())
	if t.is(WorkIDsAreTold) && e.work {
		e.id = fmt.Sprint("work of ", t.now.UnixNano(), " at ", t.lastSeq)
	}
	e.seq, e.state, e.enqueued = t.lastSeq, lashstore.EntryWaiting, t.now
	t.line = append(t.line, e)
	return e
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// claim takes the entries at these places, in this order, and returns them; nil of none.
func (t *tx) claim(places []int) (lashstore.Claim, []entry) {
	if len(places) == 0 {
		return lashstore.Claim{}, nil
	}
	c := lashstore.Claim{ID: newID(), Token: t.newToken(t.lease.Owner), Generation: t.lease.Generation}
	if t.is(ClaimIDsAreTold) {
		c.ID = fmt.Sprint(t.line[places[0]].seq, ":", t.line[places[0]].attempts)
	}
	taken := make([]entry, 0, len(places))
	for _, at := range places {
		e := &t.line[at]
		e.state, e.claim = lashstore.EntryClaimed, c
		if e.attempts == 0 || !t.is(AttemptsStandStill) {
			e.attempts++
		}
		taken = append(taken, *e)
	}
	c.Attempt = taken[0].attempts
	return c, taken
}

// freeClaims is what a new generation of the lease begins with.
func (t *tx) freeClaims() {
	for i := range t.line {
		if t.line[i].state == lashstore.EntryClaimed && !t.is(ClaimsOutliveTakeover) && !t.acceptedForGood(t.line[i]) {
			t.line[i].state = lashstore.EntryWaiting
		}
	}
}

// complete settles what a commit has used.
func (t *tx) complete(work bool, done lashstore.Completion) error {
	for _, id := range t.completed(work, done) {
		at := t.place(work, lashstore.ByID(id))
		if at < 0 || !t.completes(t.line[at], done) {
			if t.is(StaleCompletionIsSkipped) {
				continue
			}
			return &lashstore.ClaimSupersededError{SessionID: t.id, ClaimID: done.ClaimID, EntryID: id}
		}
		t.settleEntry(at, lashstore.EntryCompleted)
	}
	return nil
}

// settleEntry ends an entry. Work without a key leaves nothing.
func (t *tx) settleEntry(at int, as lashstore.EntryState) entry {
	e := &t.line[at]
	e.state, e.settled = as, t.now
	settled := *e
	if e.work {
		if !t.is(SettledWorkKeepsItems) {
			e.items = nil
		}
		forgotten := t.is(CompletedKeysAreGone) && as == lashstore.EntryCompleted || t.is(CancelledKeysAreGone) && as == lashstore.EntryCancelled
		if e.key == "" && !t.is(KeylessWorkIsRemembered) || forgotten {
			t.line = slices.Delete(t.line, at, at+1)
		}
	}
	return settled
}

// cancel takes an entry out if it waits.
func (t *tx) cancel(at int) (lashstore.CancelOutcome, entry) {
	state := t.standing(t.line[at])
	outcome := lashstore.DecideCancel(state)
	switch {
	case t.is(CancelForgetsOutcomes) && state.Settled():
		return lashstore.Cancelled, t.line[at]
	case outcome != lashstore.Cancelled && !(outcome == lashstore.AlreadyClaimed && (t.is(ClaimedIsCancelled) || t.mutant(t.line[at], CancelTakesClaimedInput))):
		return outcome, t.line[at]
	}
	e := t.settleEntry(at, lashstore.EntryCancelled)
	if t.is(CancelReturnsNoItems) {
		e.items = nil
	}
	return lashstore.Cancelled, e
}

// abandon gives claims back.
func (s *Store) abandon(ctx context.Context, work bool, claims []lashstore.Claim) error {
	return s.update(ctx, func(t *tx) error {
		for n, c := range claims {
			if t.is(AbandonDoesNothing) || t.is(AbandonTakesTheFirst) && n > 0 {
				break
			}
			for i := range t.line {
				e := &t.line[i]
				ofClaim := e.claim.ID == c.ID && (e.claim.Token == c.Token || t.is(AbandonIgnoresToken) || t.mutant(*e, AbandonInputByIDAlone))
				if e.work == work && e.state == lashstore.EntryClaimed && ofClaim {
					e.state = lashstore.EntryWaiting
					t.sendBack(e)
				}
			}
			if t.is(AbandonedInputGoesBack) {
				t.toTheEnd(func(e entry) bool { return !e.work && e.claim.ID == c.ID })
			}
		}
		slices.SortStableFunc(t.line, func(a, b entry) int { return cmp.Compare(a.seq, b.seq) })
		return nil
	})
}

// listed calls fn for what a list shows.
func (t *tx) listed(work bool, o *lashstore.ListOptions, fn func(entry)) {
	if o == nil {
		o = &lashstore.ListOptions{}
	}
	n := 0
	for _, e := range t.line {
		seen := e.seq <= o.After && !(t.is(PagesOverlap) && e.seq == o.After) && !t.pageOverlaps(e, o)
		shown := t.shows(e, o) || t.showsInput(e, o)
		if e.work != work || seen || !shown || o.Limit > 0 && n == o.Limit && !t.is(PagesAreEndless) {
			continue
		}
		fn(e)
		n++
	}
}

func (t *tx) countEntries(stats *lashstore.Stats) {
	for _, e := range t.line {
		counter := map[[2]bool]*int64{
			{true, false}: &stats.Work, {true, true}: &stats.SettledWork,
			{false, false}: &stats.Inputs, {false, true}: &stats.SettledInputs,
		}[[2]bool{e.work, e.state.Settled() && !t.is(SettledWorkIsCounted)}]
		*counter++
		stats.EntryBytes += int64(len(e.input))
		for _, item := range e.items {
			stats.EntryBytes += int64(len(item.Payload))
		}
	}
}

// verifyLine finds what contradicts itself, the line or the lease.
func (t *tx) verifyLine(find func(e entry, detail string)) {
	ids, keys := map[[2]any]bool{}, map[[2]any]bool{}
	var last int64
	for _, e := range t.line {
		id, key := [2]any{e.work, e.id}, [2]any{e.work, e.key}
		switch {
		case e.seq <= last || e.seq > t.lastSeq:
			find(e, "its place is not its own")
		case ids[id] || e.key != "" && keys[key]:
			find(e, "its id or key is taken")
		case e.state == lashstore.EntryClaimed && e.claim.Generation > t.lease.Generation:
			find(e, "is claimed under a generation that has not begun")
		case e.state.Settled() == e.settled.IsZero():
			find(e, "is settled without a time, or not settled at one")
		case e.work && e.state.Settled() == (len(e.items) > 0):
			find(e, "is settled with items, or waits without")
		}
		last, ids[id], keys[key] = e.seq, true, true
	}
}

func (t *tx) vacuumEntries(work bool, before time.Time) int64 {
	kept := slices.DeleteFunc(slices.Clone(t.line), func(e entry) bool {
		switch {
		case e.work != work || t.is(VacuumKeepsKeys) || t.mutant(e, VacuumKeepsInput):
			return false
		case t.is(VacuumTakesWaitingWork) && !e.state.Settled():
			return e.enqueued.Before(before)
		}
		return e.state.Settled() && (e.settled.Before(before) || t.is(VacuumTakesAnyKey) || t.mutant(e, VacuumTakesCutOffInput) && !e.settled.After(before))
	})
	gone := len(t.line) - len(kept)
	t.line = kept
	return int64(gone)
}
