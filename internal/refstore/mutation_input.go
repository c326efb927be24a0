package refstore

import (
	"context"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

// The mutations of pending input, of checkpoints, of waiting, and of the commit's part in them.
const (
	// Submitting.
	InputIsNotValidated     Mutation = "malformed input is taken"
	InputOfAnySession       Mutation = "input for another session is taken"
	InputKeysAreForgotten   Mutation = "a source key of input is taken again"
	InputIsNotCompared      Mutation = "a known key of input has any content"
	InputIDsCount           Mutation = "the id of input counts as its content"
	InputIDsAreForgotten    Mutation = "an id of input is taken again"
	InputIDsMayChangeKeys   Mutation = "a known id of input takes a new key"
	InputIsComparedAsItIs   Mutation = "a retry is compared with where its input was moved"
	SettledInputRevives     Mutation = "cancelled input that is submitted again waits again"
	InputIsRespelled        Mutation = "input loses its white space"
	InputBoundaryStaysEmpty Mutation = "input for a turn has no boundary by itself"

	// Lists, cancellation and memory.
	InputListsShowSettled   Mutation = "lists of open input show settled ones"
	InputListsShowClaimed   Mutation = "lists of pending input show claimed ones"
	InputPagesOverlap       Mutation = "a page of input begins with the one before"
	CancelSkipsUnknownInput Mutation = "there is no answer for input that is not found"
	CancelTakesClaimedInput Mutation = "claimed input is cancelled"
	SuffixLeavesItsAnchor   Mutation = "a suffix begins behind its anchor"
	SuffixLeavesSettled     Mutation = "a suffix has no answer for what is settled"
	UnknownAnchorIsEmpty    Mutation = "a suffix of an unknown anchor is empty"
	VacuumKeepsInput        Mutation = "settled input is never forgotten"
	VacuumTakesCutOffInput  Mutation = "a vacuum takes input settled at its cut-off"

	// Claims.
	BoundariesAreOne         Mutation = "input comes in at every checkpoint of its turn"
	TurnsShareInput          Mutation = "a turn takes the input of others"
	NextTurnTakesAllInput    Mutation = "the next turn takes input that waits for a running one"
	InputLimitsAreIgnored    Mutation = "a claim of input has no limit"
	ClaimedInputIsClaimed    Mutation = "claimed input is claimed again"
	EmptyInputClaimsUnfenced Mutation = "claims that find no input ask for no fence"
	AbandonedInputGoesBack   Mutation = "abandoned input goes to the end of the line"
	AbandonInputByIDAlone    Mutation = "input is abandoned without the claim's token"
	AcceptedInputIsLost      Mutation = "input that a dead turn has accepted stays claimed"
	DeferMovesTheKeptTurns   Mutation = "input of the turn that goes on is deferred"
	DeferMovesClaimedInput   Mutation = "claimed input is deferred"
	DeferIsUnfenced          Mutation = "input is deferred without a fence"
	DeferredInputGoesBack    Mutation = "deferred input goes to the end of the line"

	// Checkpoints.
	CheckpointTakesOneFamily  Mutation = "a checkpoint with input takes no work"
	CheckpointTakesDeferred   Mutation = "a checkpoint takes work that comes in after the turn"
	CheckpointClaimsAreOne    Mutation = "the claims of a checkpoint have one token"
	CheckpointForgetsItsPlace Mutation = "a claim does not say at which checkpoint"
	CheckpointCountsAttempts  Mutation = "a checkpoint that finds nothing counts as an attempt"

	// Waiting.
	WaitsAreNotWoken      Mutation = "a write wakes nobody"
	WaitsIgnoreTime       Mutation = "what becomes due wakes nobody"
	WaitsIgnoreExpiry     Mutation = "the end of a lease wakes nobody who waits for input or work"
	WaitsOutliveContexts  Mutation = "a wait does not end with its context"
	WaitsOutliveHandles   Mutation = "a wait does not end with its handle"
	WaitsAreNeverOver     Mutation = "a wait looks only after a change"
	CheckpointsWaitIdly   Mutation = "a checkpoint is ready when an idle lane is"
	WaitsAreNotValidated  Mutation = "one may wait for a malformed checkpoint"
	LeaseWaitIsOverAtOnce Mutation = "waiting for the lease is over while it is held"

	// Commits.
	CompletionSettlesTheClaim Mutation = "a completion settles its whole claim"
	CompletionOfAnyClaim      Mutation = "a completion settles what another claim holds"
	CompletionOfAnyToken      Mutation = "a completion settles without the claim's token"
	CompletionOfDeadClaims    Mutation = "claims of an ended lease settle input that waits again"
	StaleCompletionIsSkipped  Mutation = "what a claim does not hold is passed over"
	CompletionsNeedNoLease    Mutation = "a completion without a lease is not malformed"
	ClaimsCountInTheHash      Mutation = "the turn's hash counts claims"
	CommitDefersNothing       Mutation = "a commit does not defer"
	CommitDefersAllTurns      Mutation = "a commit defers the input of every turn"
	CommitDefersTheClaimed    Mutation = "a commit without lease does not see what an ended one held"
	OutboxIsDropped           Mutation = "a commit leaves no work behind"
	OutboxOfAnySession        Mutation = "a commit leaves work for another session behind"
	OutboxConflictsAreSkipped Mutation = "work whose key is taken is left out of a commit"
	OutboxOutlivesItsCommit   Mutation = "work of a commit that failed later stays"
	OutboxIsPutInAgain        Mutation = "a replay puts its work in again"
	ReplayForgetsTheOutbox    Mutation = "a replay does not return its outbox"
	OutboxIsReversed          Mutation = "the ids of an outbox are in another order"
)

// mutant reports whether m is on and e is input.
func (s *Store) mutant(e entry, m Mutation) bool { return !e.work && s.is(m) }

func (s *Store) mutateInput(e *entry, d *lashstore.InputDraft) {
	switch {
	case s.is(InputIDsCount):
		e.hash = lashstore.HashOf(append(e.hash[:], d.ID...))
	case s.is(InputIsRespelled):
		e.input = compact(e.input)
	case s.is(InputBoundaryStaysEmpty):
		e.ingress = d.Ingress
	}
}

// differs compares what is submitted with what was.
func (t *tx) differs(stored, e entry) bool {
	switch {
	case t.mutant(e, InputIsNotCompared):
		return false
	case t.mutant(e, InputIsComparedAsItIs):
		now, err := lashstore.InputDraft{Ingress: stored.ingress, Input: stored.input}.Hash()
		return err != nil || now != e.hash
	}
	return stored.hash != e.hash
}

func (t *tx) revive(at int) {
	if e := &t.line[at]; t.mutant(*e, SettledInputRevives) && e.state == lashstore.EntryCancelled {
		e.state, e.settled = lashstore.EntryWaiting, time.Time{}
	}
}

func (t *tx) acceptedForGood(e entry) bool {
	return e.ingress.TurnID != "" && t.is(AcceptedInputIsLost)
}

func (t *tx) pageOverlaps(e entry, o *lashstore.ListOptions) bool {
	return t.mutant(e, InputPagesOverlap) && o.After > 0 && e.seq == o.After
}

// showsInput reports whether a fault lets a list of input show an entry.
func (t *tx) showsInput(e entry, o *lashstore.ListOptions) bool {
	return t.mutant(e, InputListsShowSettled) && o.Scope == lashstore.ListOpen ||
		t.mutant(e, InputListsShowClaimed) && o.Scope == lashstore.ListPending && t.standing(e) == lashstore.EntryClaimed
}

// admits is TurnCheckpoint.Admits.
func (t *tx) admits(at lashstore.TurnCheckpoint, g lashstore.Ingress) bool {
	switch {
	case t.is(BoundariesAreOne):
		at.Boundary = lashstore.BeforeCompletion
	case t.is(TurnsShareInput) && g.TurnID != "":
		g.TurnID = at.TurnID
	}
	return at.Admits(g)
}

func (t *tx) deferrable(e entry) bool {
	switch {
	case t.is(CommitDefersTheClaimed):
		return e.state == lashstore.EntryWaiting
	case t.is(DeferMovesClaimedInput):
		return !e.state.Settled()
	}
	return t.standing(e) == lashstore.EntryWaiting
}

// toTheEnd gives what of names new places.
func (t *tx) toTheEnd(of func(entry) bool) {
	var rest, moved []entry
	for _, e := range t.line {
		if e.state.Settled() || !of(e) {
			rest = append(rest, e)
			continue
		}
		t.lastSeq++
		e.seq = t.lastSeq
		moved = append(moved, e)
	}
	t.line = append(rest, moved...)
}

func (t *tx) checkpointBoundary() lashstore.WorkBoundary {
	if t.is(CheckpointTakesDeferred) {
		return lashstore.BoundaryIdle
	}
	return lashstore.BoundaryCheckpoint
}

func (t *tx) mutateClaims(c lashstore.CheckpointClaims) {
	switch {
	case t.is(CheckpointClaimsAreOne) && c.Inputs != nil && c.Work != nil:
		for i := range t.line {
			if t.line[i].claim.ID == c.Work.ID {
				t.line[i].claim.Token = c.Inputs.Token
			}
		}
		c.Work.Token = c.Inputs.Token
	case t.is(CheckpointCountsAttempts) && c.Inputs == nil && c.Work == nil:
		for i := range t.line {
			t.line[i].attempts++
		}
	}
}

// completed are the ids that a completion settles.
func (t *tx) completed(work bool, done lashstore.Completion) []string {
	ids := t.countedIDs(work, done)
	for _, e := range t.line {
		if t.is(CompletionSettlesTheClaim) && e.work == work && e.state == lashstore.EntryClaimed && e.claim.ID == done.ClaimID && !slices.Contains(ids, e.id) {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// completes reports whether the claim of a completion holds e.
func (t *tx) completes(e entry, done lashstore.Completion) bool {
	ofClaim := e.claim.ID == done.ClaimID || t.is(CompletionOfAnyClaim)
	ofToken := e.claim.Token == done.Token || t.is(CompletionOfAnyClaim) || t.is(CompletionOfAnyToken)
	holds := t.standing(e) == lashstore.EntryClaimed || t.mutant(e, CompletionOfDeadClaims) && !e.state.Settled()
	return holds && ofClaim && ofToken
}

func (t *tx) outboxOf(c *lashstore.Commit) []lashstore.WorkDraft {
	outbox := slices.Clone(c.Outbox)
	for i := range outbox {
		if t.is(OutboxOfAnySession) {
			outbox[i].SessionID = ""
		}
	}
	if t.is(OutboxIsDropped) {
		return nil
	}
	return outbox
}

func (t *tx) mutateReplay(c *lashstore.Commit, result *lashstore.CommitResult) (err error) {
	switch {
	case t.is(ReplayForgetsTheOutbox):
		result.Outbox = nil
	case t.is(OutboxIsPutInAgain):
		_, err = t.enqueueOutbox(c)
	}
	return err
}

// mutateFailure is called when a commit has lost.
func (s *Store) mutateFailure(ctx context.Context, c *lashstore.Commit) {
	if s.is(OutboxOutlivesItsCommit) {
		_ = s.update(ctx, func(t *tx) error {
			_, err := t.enqueueOutbox(c)
			return err
		})
	}
}
