package refstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/lashstore/lashstore"
)

// The mutations of queued work and of claims.
const (
	// Putting in.
	WorkIsNotValidated       Mutation = "malformed work gets into the line"
	WorkOfAnySession         Mutation = "work for another session gets into the line"
	WorkDefaultsAreLeft      Mutation = "policies that a draft leaves out stay empty"
	WorkIsRespelled          Mutation = "payloads of work lose their white space"
	WorkNeedsAFreeLease      Mutation = "work is put in only while nobody holds a lease"
	SourceKeysAreIgnored     Mutation = "a source key does nothing"
	SourceKeyIsLookedUpFirst Mutation = "a source key is looked up before the transaction"
	AnyContentUnderAKey      Mutation = "a known key with other content is taken for the same"
	WorkHashCountsTheTime    Mutation = "the time counts as content of work"
	WorkHashForgetsPolicies  Mutation = "policies do not count as content of work"
	WorkIDsAreTold           Mutation = "ids of work are made of place and time"
	PlacesAreReused          Mutation = "the place of what is gone is given again"
	CompletedKeysAreGone     Mutation = "a completed key is forgotten"
	CancelledKeysAreGone     Mutation = "a cancelled key is forgotten"
	SettledWorkKeepsItems    Mutation = "settled work keeps its items"
	KeylessWorkIsRemembered  Mutation = "settled work without key stays"
	VacuumTakesAnyKey        Mutation = "a vacuum forgets settled work of any age"
	VacuumTakesWaitingWork   Mutation = "a vacuum takes old work that waits"
	VacuumKeepsKeys          Mutation = "a vacuum forgets no work"
	SettledWorkIsCounted     Mutation = "settled work counts as open"

	// Time.
	NotBeforeIsIgnored  Mutation = "hidden work is claimed"
	NotBeforeEndsLate   Mutation = "work is hidden at its very moment"
	HiddenWorkBlocks    Mutation = "hidden work holds up what is behind it"
	HiddenIsNotPending  Mutation = "hidden work is not pending"
	HiddenIsTakenByName Mutation = "hidden work is claimed by id"

	// Lists and cancellation.
	OpenHidesClaimed      Mutation = "an open list hides what is claimed"
	PendingShowsClaimed   Mutation = "a pending list shows what is claimed"
	AllHidesSettled       Mutation = "no list shows what is settled"
	PagesOverlap          Mutation = "a page begins with the end of the one before"
	PagesAreEndless       Mutation = "the limit of a list is ignored"
	ListsAreNotValidated  Mutation = "contradictory list options pass"
	ListsForgetHolders    Mutation = "lists do not say who works on it"
	ClaimedIsCancelled    Mutation = "what is claimed is cancelled"
	CancelEndsAtUnknown   Mutation = "a cancellation ends at an unknown target"
	CancelIsPiecemeal     Mutation = "targets are judged and cancelled one by one"
	CancelMixesFamilies   Mutation = "a cancellation of work takes inputs out"
	CancelReturnsNoItems  Mutation = "a cancelled batch comes without its items"
	CancelForgetsOutcomes Mutation = "whatever is settled is called cancelled"

	// The rule.
	ClassIsIgnored          Mutation = "commands are claimed as turn work"
	TurnsOvertakeCommands   Mutation = "turn work overtakes commands"
	CommandsOvertakeTurns   Mutation = "commands overtake turn work"
	BoundaryIsIgnored       Mutation = "a checkpoint takes what waits for the turn's end"
	DeferredHeadIsSkipped   Mutation = "a checkpoint skips what waits for the turn's end"
	EmptyKeysJoin           Mutation = "batches without merge key join"
	MergeKeysAreNotCompared Mutation = "batches of any merge key join"
	MergeKeysIgnoreCase     Mutation = "merge keys that differ in case are one"
	DeliveriesMayDiffer     Mutation = "batches of either delivery join"
	ExclusiveOnesJoin       Mutation = "exclusive batches are claimed together"
	JoinReachesOver         Mutation = "batches join over others between them"
	NobodyJoins             Mutation = "each claim holds one batch"
	ScanIsBounded           Mutation = "a claim looks at so many places only"
	HeldWorkBlocks          Mutation = "what is held holds up what is behind it"
	HeldWorkIsReclaimed     Mutation = "a generation claims again what it holds"
	HugeLimitsWrap          Mutation = "huge limits overflow"
	LimitsHaveNoEnd         Mutation = "a claim holds any number"
	LimitIsOneMore          Mutation = "a claim holds one more than its limit"
	ByIDSkipsTheRule        Mutation = "a claim by id takes what the rule does not"
	ByIDTakesSome           Mutation = "a claim by id takes what it can"
	ByIDFollowsTheLine      Mutation = "a claim by id is in the order of the line"
	ByIDNeverOvertakes      Mutation = "a claim by id takes nothing from behind others"

	// Claims.
	EmptyLineNeedsNoFence Mutation = "where nothing is to be claimed the fence is not checked"
	LimitZeroNeedsNoFence Mutation = "a claim of none checks no fence"
	ClaimsAreUnfenced     Mutation = "claims ask for no fence"
	ClaimsAreNotValidated Mutation = "malformed claims pass"
	ClaimIsDecidedBefore  Mutation = "a claim is decided before its transaction"
	ClaimIDsAreTold       Mutation = "ids of claims are made of place and attempt"
	AttemptsStandStill    Mutation = "attempts are not counted"
	ClaimHoldsOldBatches  Mutation = "a claim has its batches as they were before"
	ClaimsOutliveRelease  Mutation = "claims of a released lease hold"
	ClaimsOutliveExpiry   Mutation = "claims of an expired lease hold until somebody takes it"
	ClaimsOutliveTakeover Mutation = "claims hold until they are abandoned"
	ReentryFreesClaims    Mutation = "re-entry frees claims"
	AbandonDoesNothing    Mutation = "abandoned claims hold"
	AbandonIgnoresToken   Mutation = "whoever knows a claim's id abandons it"
	AbandonTakesTheFirst  Mutation = "of several claims the first is abandoned"
	AbandonGoesToTheEnd   Mutation = "what is abandoned goes to the end of the line"
	CompletionIsCounted   Mutation = "a completion is judged by how many it names"
)

// spoilWork is what faults make of an entry before it is put in.
func (s *Store) spoilWork(e *entry) {
	switch {
	case s.is(WorkDefaultsAreLeft) && e.traits.Slot == lashstore.SlotExclusive:
		e.traits.Slot = ""
	case s.is(WorkIsRespelled):
		for i, item := range e.items {
			var short bytes.Buffer
			if json.Compact(&short, item.Payload) == nil {
				e.items[i].Payload = short.Bytes()
			}
		}
	case s.is(WorkHashCountsTheTime):
		e.hash = lashstore.HashOf(append(e.hash[:], e.notBefore.String()...))
	case s.is(WorkHashForgetsPolicies):
		e.hash = lashstore.HashOf(fmt.Append(nil, e.items))
	}
}

// lastPlace is the last that is in the line now.
func (t *tx) lastPlace() (last int64) {
	for _, e := range t.line {
		last = max(last, e.seq)
	}
	return last
}

// claimLive reports whether a claim of this generation holds.
func (t *tx) claimLive(generation int64) bool {
	stored := t.lease
	switch {
	case t.is(ClaimsOutliveRelease) && stored.Token == "", t.is(ClaimsOutliveExpiry) && stored.Token != "":
		return generation == stored.Generation
	case t.is(ClaimsOutliveTakeover):
		return true
	}
	return lashstore.ClaimLive(generation, stored, t.now)
}

// wrongly reports whether a fault makes an entry claimable that is not.
func (t *tx) wrongly(e entry) bool {
	state := t.standing(e)
	return t.is(NotBeforeIsIgnored) && state == lashstore.EntryWaiting || t.is(HeldWorkIsReclaimed) && state == lashstore.EntryClaimed
}

// blocks reports whether a fault lets an entry that cannot be claimed hold up those behind it.
func (t *tx) blocks(e entry) bool {
	state := t.standing(e)
	return t.is(HiddenWorkBlocks) && state == lashstore.EntryWaiting || t.is(HeldWorkBlocks) && state == lashstore.EntryClaimed
}

// passes reports whether a fault passes an entry over though it may be claimed.
func (t *tx) passes(at int, e entry, class lashstore.WorkClass, boundary lashstore.WorkBoundary) bool {
	switch {
	case t.is(TurnsOvertakeCommands) && class == lashstore.ClassTurn, t.is(CommandsOvertakeTurns) && class == lashstore.ClassCommand:
		return e.traits.Class != class
	case t.is(DeferredHeadIsSkipped):
		return boundary == lashstore.BoundaryCheckpoint && e.traits.Delivery != lashstore.DeliverEarliest
	case t.is(ScanIsBounded):
		return at > 32
	case t.is(JoinReachesOver):
		head := t.line[slices.IndexFunc(t.line, func(o entry) bool { return o.work && t.claimable(o) })]
		return head.traits.MergeKey != "" && e.traits != head.traits
	}
	return false
}

// traits are those of an entry as the rule sees them.
func (t *tx) traits(e entry, class lashstore.WorkClass) lashstore.WorkTraits {
	traits := e.traits
	switch {
	case t.is(ClassIsIgnored) && class == lashstore.ClassTurn:
		traits.Class = class
	case t.is(BoundaryIsIgnored), t.is(DeliveriesMayDiffer) && traits.Slot == lashstore.SlotJoin:
		traits.Delivery = lashstore.DeliverEarliest
	case t.is(EmptyKeysJoin) && traits.MergeKey == "", t.is(MergeKeysAreNotCompared) && traits.MergeKey != "":
		traits.MergeKey = "any"
	case t.is(MergeKeysIgnoreCase):
		traits.MergeKey = string(bytes.ToLower([]byte(traits.MergeKey)))
	case t.is(ExclusiveOnesJoin) && traits.Slot == lashstore.SlotExclusive:
		traits.Slot, traits.MergeKey = lashstore.SlotJoin, "any"
	case t.is(NobodyJoins):
		traits.Slot = lashstore.SlotExclusive
	}
	return traits
}

// claimLimit is how many entries a claim that asks for limit may hold.
func (s *Store) claimLimit(limit int) (int, error) {
	most, err := lashstore.ClaimLimit("limit", limit)
	switch {
	case s.is(ClaimsAreNotValidated) && err != nil:
		return 0, nil
	case s.is(HugeLimitsWrap) && limit > math.MaxInt-32:
		return 0, err
	case s.is(LimitsHaveNoEnd):
		return limit, err
	case s.is(LimitIsOneMore):
		return most + 1, err
	}
	return most, err
}

// wrongPlaces is what faults make of a choice by id.
func (t *tx) wrongPlaces(ids []string, boundary lashstore.WorkBoundary, places []int) []int {
	var known []int
	for _, id := range ids {
		if at := t.place(true, lashstore.ByID(id)); at >= 0 && (t.claimable(t.line[at]) || t.is(HiddenIsTakenByName)) {
			known = append(known, at)
		}
	}
	switch {
	case t.is(ByIDSkipsTheRule) && len(known) == len(ids), t.is(HiddenIsTakenByName) && len(known) == len(ids) && len(ids) == 1:
		return known
	case t.is(ByIDTakesSome) && places == nil && len(known) > 0:
		return known[:1]
	case t.is(ByIDFollowsTheLine):
		slices.Sort(places)
	case t.is(ByIDNeverOvertakes) && len(places) > 0 && !slices.Equal(places, t.selectWork(lashstore.ClassTurn, boundary, len(places))):
		return nil
	}
	return places
}

// skipsFence reports whether a fault lets a claim pass without its fence.
func (t *tx) skipsFence(places []int) bool {
	return t.is(ClaimsAreUnfenced) || t.is(EmptyLineNeedsNoFence) && len(places) == 0
}

// countedIDs are the ids that a completion names, or what a fault that only counts them takes for these.
func (t *tx) countedIDs(work bool, done lashstore.Completion) []string {
	var held []string
	for _, e := range t.line {
		if e.work == work && t.completes(e, done) {
			held = append(held, e.id)
		}
	}
	if t.is(CompletionIsCounted) && len(done.IDs) <= len(held) {
		return held[:len(done.IDs)]
	}
	return slices.Clone(done.IDs)
}

// shows reports whether a list shows an entry.
func (t *tx) shows(e entry, o *lashstore.ListOptions) bool {
	state := t.standing(e)
	switch {
	case t.is(OpenHidesClaimed) && o.Scope == lashstore.ListOpen && state == lashstore.EntryClaimed,
		t.is(HiddenIsNotPending) && o.Scope == lashstore.ListPending && e.notBefore.After(t.now),
		t.is(AllHidesSettled) && state.Settled():
		return false
	case t.is(PendingShowsClaimed) && state == lashstore.EntryClaimed:
		return true
	}
	return o.Shows(state)
}

// unknown reports whether a key is in the line, and lets others run before it answers.
func (s *Store) unknown(ctx context.Context, key string) (unknown bool) {
	_ = s.view(ctx, func(t *tx) error {
		unknown = key != "" && t.place(true, lashstore.BySourceKey(key)) < 0
		return nil
	})
	yieldALot()
	return unknown
}

// sendBack gives what is abandoned a new place.
func (t *tx) sendBack(e *entry) {
	if t.is(AbandonGoesToTheEnd) {
		t.lastSeq++
		e.seq = t.lastSeq
	}
}
