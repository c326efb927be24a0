package refstore

import "github.com/lashstore/lashstore"

// The mutations of history.
const (
	// The log.
	CommitsLeaveNoLine       Mutation = "commits leave no line in the log"
	LinesCountOneDelta       Mutation = "a line counts the last delta alone"
	LinesForgetTheirTurn     Mutation = "lines do not name their turn"
	MovesLookLikeCommits     Mutation = "the line of a move says that it is a commit"
	RevisionsComeOldestFirst Mutation = "the log comes oldest first"
	RevisionPagesOverlap     Mutation = "a page of the log begins with the revision it should end before"
	ListsShowTheGone         Mutation = "a list of loadable revisions shows all"

	// What is kept.
	OneMoreIsKept          Mutation = "one revision more is loadable than is kept"
	TheDefaultIsOne        Mutation = "nothing but the head is kept unless told"
	KeepingNoneLosesHead   Mutation = "the head is not loadable when none is kept"
	PinsAreForgotten       Mutation = "pinned revisions go with the others"
	UnpinningDoesNothing   Mutation = "a pin cannot be taken away"
	GoneRevisionsArePinned Mutation = "a revision that is gone may be pinned"
	RaisingBringsBack      Mutation = "keeping more brings back what was gone"
	GoneRevisionsLoad      Mutation = "revisions that are gone load"
	GCForgetsRevisions     Mutation = "the collection forgets the checkpoints of kept revisions"
	VacuumForgetsTheKept   Mutation = "the vacuum takes nodes of kept revisions"
	ReceiptsAreLines       Mutation = "a line goes with the receipt"
	VacuumTakesTurnsLines  Mutation = "the vacuum takes lines that are receipts"
	VacuumTakesLoadable    Mutation = "the vacuum takes lines of loadable revisions"

	// Looking back.
	LookingBackKeepsCheckpoint Mutation = "a load at a revision has the head's checkpoint"
	LookingBackKeepsFrame      Mutation = "a load at a revision has the head's frame"
	LookingBackKeepsSummary    Mutation = "a load at a revision has the head's summary"
	DiffsAreBackwards          Mutation = "a difference goes from the second to the first"

	// Moves.
	RewindKeepsCheckpoint      Mutation = "going back keeps the checkpoint"
	RewindKeepsFrame           Mutation = "going back keeps the frame"
	RewindRevivesNothing       Mutation = "going back revives nothing"
	MovesNeedNoLease           Mutation = "moves need no lease"
	MovesGoFromAnywhere        Mutation = "the revision that a move expects is not compared"
	MovesHashAlike             Mutation = "all moves of a turn are the same"
	SwitchKeepsCheckpoint      Mutation = "a switch keeps the checkpoint"
	SwitchTakesFirstCheckpoint Mutation = "a switch takes the first checkpoint there was"
	SwitchTakesGoneCheckpoint  Mutation = "a switch takes the checkpoint of a revision that is gone"
	SwitchRaisesTheDead        Mutation = "a switch may go to a tombstoned leaf"
	UnknownBranchIsHere        Mutation = "a switch to an unknown branch stays where it is"

	// Branches.
	NamesProtectNothing      Mutation = "names protect no path"
	ReplacementsIgnoreNames  Mutation = "a replacement tombstones what has a name"
	OneNameANode             Mutation = "a node with two names is listed once"
	FollowedNodesAreNotNamed Mutation = "a node that is followed is not listed by its name"
	NamesNeverMove           Mutation = "a name that is known stays where it is"
	DeadNodesAreNamed        Mutation = "tombstoned nodes are named"
	DroppingAlwaysDrops      Mutation = "dropping always says that there was a name"
)

// mutateLine is called with each line before it is written, and reports whether it is.
func (t *tx) mutateLine(e *revisionEntry, c *lashstore.Commit) bool {
	switch {
	case t.is(CommitsLeaveNoLine):
		return false
	case t.is(LinesCountOneDelta) && len(c.Usage) > 0:
		e.Usage = c.Usage[len(c.Usage)-1].Usage
	case t.is(LinesForgetTheirTurn):
		e.TurnID = ""
	case t.is(MovesLookLikeCommits):
		e.Movement, e.Source = lashstore.MovedByCommit, 0
	}
	return true
}

func (s *Store) hashOfMove(m *lashstore.HeadMove) (lashstore.Hash, error) {
	if s.is(MovesHashAlike) {
		return lashstore.HashOf([]byte("move")), nil
	}
	return m.Hash()
}

// keeps is lashstore.KeepsRevision.
func (t *tx) keeps(e revisionEntry) bool {
	keep, pinned := t.kept(), e.Pinned && !t.is(PinsAreForgotten)
	switch {
	case t.is(OneMoreIsKept):
		keep = max(keep, 1) + 1
	case t.is(TheDefaultIsOne) && t.keep == lashstore.DefaultKeepRevisions:
		keep = 1
	case t.is(RaisingBringsBack):
		keep = t.keep
	case t.is(KeepingNoneLosesHead) && keep == 0:
		return pinned
	}
	return lashstore.KeepsRevision(e.Revision, t.revision, keep, pinned)
}

// mutateLookBack spoils what a snapshot shows of then.
func (t *tx) mutateLookBack(head *state) {
	switch {
	case t.is(LookingBackKeepsCheckpoint):
		t.checkpoint = head.checkpoint
	case t.is(LookingBackKeepsFrame):
		t.frame = head.frame
	case t.is(LookingBackKeepsSummary):
		t.summary = head.summary
	}
}

// mutateMove spoils where a move has put the head.
func (t *tx) mutateMove(by lashstore.Movement, before *state) {
	switch {
	case t.is(RewindKeepsCheckpoint) && by == lashstore.MovedByRewind, t.is(SwitchKeepsCheckpoint) && by == lashstore.MovedBySwitch:
		t.checkpoint = before.checkpoint
	case t.is(RewindKeepsFrame) && by == lashstore.MovedByRewind:
		t.frame = before.frame
	}
}

// atLeaf reports whether a switch to leaf takes the checkpoint of a line. Lines come newest first.
func (t *tx) atLeaf(e revisionEntry, leaf string) bool {
	if t.is(SwitchTakesFirstCheckpoint) {
		for _, first := range t.log {
			if first.Leaf == leaf {
				return first.Revision == e.Revision
			}
		}
	}
	info := t.info(e)
	return (info.Loadable || t.is(SwitchTakesGoneCheckpoint)) && info.Leaf == leaf
}

// vacuums reports whether a vacuum takes a line that is old enough.
func (t *tx) vacuums(e revisionEntry) bool {
	receipt, remembered := t.receipts[e.TurnID]
	remembered = remembered && receipt.revision == e.Revision
	return (!t.info(e).Loadable || t.is(VacuumTakesLoadable) && e.Revision != t.revision) && (!remembered || t.is(VacuumTakesTurnsLines))
}
