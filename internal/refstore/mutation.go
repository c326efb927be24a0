package refstore

import (
	"cmp"
	"encoding/json"
	"maps"

	"github.com/lashstore/lashstore"
)

// Mutation is one deliberate fault. Each breaks one rule of the contract.
type Mutation string

// The mutations.
const (
	None Mutation = ""

	// Commits.
	SkipCAS                   Mutation = "the revision expected is not compared"
	NoFenceCheck              Mutation = "commits need no lease"
	ExpiryIsNotChecked        Mutation = "commits pass under an expired lease"
	WithoutLeaseAlways        Mutation = "commits without lease pass while somebody holds one"
	CommitKeepsLease          Mutation = "commits do not release the lease"
	AnySessionMayCommit       Mutation = "commits for another session pass"
	ConfigIsDropped           Mutation = "a commit without configuration clears it"
	FailureIsStored           Mutation = "usage of a commit that failed later stays"
	GraphIsNotValidated       Mutation = "the graph of a commit is not validated"
	StateIsNotValidated       Mutation = "nothing but ids and graph of a commit is validated"
	IgnoreStamp               Mutation = "a turn that was committed is committed again"
	ReplayAnyContent          Mutation = "a turn with other content is a replay"
	ReplayTellsHead           Mutation = "a replay returns the head instead of its first result"
	ReplayEchoesParts         Mutation = "a replay returns the parts it was given instead of the first ones"
	ReplayKeepsLease          Mutation = "a replay does not release the lease"
	HashDropsUsersKeys        Mutation = "the turn's hash leaves out keys by name"
	HashCountsNodeIDs         Mutation = "the turn's hash counts generated node ids"
	HashCountsRevision        Mutation = "the turn's hash counts the revision expected"
	GivenHashIsIgnored        Mutation = "the hash a turn gives is not used"
	ModelsAreMerged           Mutation = "usage totals are by source alone"
	ReasoningIsDropped        Mutation = "usage without a total is dropped"
	ContinuedTurnsCount       Mutation = "a commit that continues a turn is counted as one"
	HashIgnoresContinuing     Mutation = "the turn's hash leaves out that it continues"
	FirstCommitMayContinue    Mutation = "a first commit that continues passes"
	TitleIsOverwritten        Mutation = "each user message gives the title"
	TitleIsAllOfIt            Mutation = "the title is the whole message"
	CarriedPartUnchecked      Mutation = "a part that is carried need not be stored"
	UnlistedPartsStay         Mutation = "checkpoints are merged"
	NilCheckpointClears       Mutation = "a commit without checkpoint clears it"
	FingerprintsAreLost       Mutation = "fingerprints of parts are not stored"
	FrameOriginChanges        Mutation = "a known frame takes another origin"
	FramesAreNotLookedUp      Mutation = "frames that are named need not exist"
	OtherFramesGo             Mutation = "frames that a commit does not list are gone"
	FramesNeverChange         Mutation = "a known frame keeps its assignment"
	RevisionsSkip             Mutation = "a commit is two revisions"
	TotalsWrap                Mutation = "usage totals have 32 bits"
	TurnStateIsRespelled      Mutation = "turn states lose their white space"
	CarriedPartsLoseTheirMark Mutation = "a part that is carried loses its fingerprint"
	PathsAreNoIDs             Mutation = "ids that look like paths are refused"

	// The graph.
	AnyParentWillDo             Mutation = "parents need not exist"
	DeadParentWillDo            Mutation = "parents may be tombstoned"
	ReplaceTakesDroppedParents  Mutation = "a replacement's parents may be dropped by it"
	AnyLeafWillDo               Mutation = "leaves need not exist"
	ParentsMayComeLater         Mutation = "parents may come later in the delta"
	ReplaceLeavesTheLeaf        Mutation = "a replacement does not move the leaf"
	LeafNeverMoves              Mutation = "the leaf moves with new nodes only"
	ReplaceKeepsOthers          Mutation = "a replacement removes nothing"
	KnownNodesAreOverwritten    Mutation = "a known node takes other content"
	KnownPayloadsAreNotCompared Mutation = "a known node with another payload is taken for the same"
	KnownNodesComeTwice         Mutation = "a known node is inserted again"
	NothingRevives              Mutation = "a tombstoned node that is appended again stays dead"
	JSONIsRespelled             Mutation = "payloads lose their white space"

	// Reading.
	LoadsAreTorn               Mutation = "a load reads usage in another snapshot"
	LastIsOneMore              Mutation = "the last n nodes are one more"
	MoreIsNeverSaid            Mutation = "a cut path looks whole"
	CheckpointIsLoadedUnasked  Mutation = "a load without checkpoint returns one"
	LoadOptionsAreNotValidated Mutation = "contradictory load options pass"
	FullGraphIsReversed        Mutation = "the full graph comes newest first"
	UnknownLeafIsEmpty         Mutation = "the path to an unknown leaf is empty"
	TombstonesAreRead          Mutation = "tombstoned nodes are found"
	TombstonesAreChildren      Mutation = "children include tombstoned ones"
	FramesAreNeverSuperseded   Mutation = "every frame is active"
	PathNeverStops             Mutation = "a walk does not end with its loop"
	PathEndsInSilence          Mutation = "a walk that cannot go on ends without error"
	PathStartsAtTheLeaf        Mutation = "a walk starts at the leaf, whatever it is told"
	PathFollowsTheLeaf         Mutation = "a walk follows the leaf that moves"
	ClosedHandleWorks          Mutation = "a closed handle goes on working"

	// Leases.
	LeaseNeverExpires         Mutation = "a lease is busy for ever"
	ReentryAcquires           Mutation = "re-entry is a new generation"
	ReentryKeepsOwner         Mutation = "re-entry keeps the process that was known"
	RenewDoesNothing          Mutation = "renewing does not extend"
	OwnersAreNotValidated     Mutation = "malformed owners may take"
	LeaseIsDecidedBefore      Mutation = "a request is decided before its transaction"
	ReplicasShareLease        Mutation = "another incarnation of the owner re-enters"
	ExtensionShortens         Mutation = "extending may shorten"
	RenewIgnoresToken         Mutation = "whoever asks renews"
	ReleaseIgnoresToken       Mutation = "whoever asks releases"
	ReleaseResetsGeneration   Mutation = "releasing forgets the generation"
	BusyTellsToken            Mutation = "the error of a busy lease tells its token"
	CurrentLeaseTellsToken    Mutation = "the current lease tells its token"
	TokensAreReadable         Mutation = "tokens can be guessed"
	TimeReadOutside           Mutation = "the time is read before the transaction"
	ReclaimIgnoresObservation Mutation = "any observation will do"
	ReclaimNeedsNoProof       Mutation = "a living holder is taken over from"

	// Blobs and artifacts.
	LastDescriptorWins    Mutation = "a blob put again is described anew"
	PutSparesOnce         Mutation = "a blob put again is not spared anew"
	MissingBlobIsEmpty    Mutation = "a missing blob is empty"
	StreamIsCutShort      Mutation = "a stream ends early"
	ContentEndsAtNUL      Mutation = "content ends at its first zero byte"
	KeysAreNotValidated   Mutation = "malformed keys pass"
	DeletedWasAlwaysThere Mutation = "a deletion always says that there was something"
	NamespacesAreOne      Mutation = "keys of all namespaces meet"
	PreviousIsForgotten   Mutation = "an overwritten artifact is not returned"

	// Maintenance.
	TombstoneLeavesSubtree Mutation = "a tombstone leaves what follows"
	LivePathIsNotGuarded   Mutation = "the active path may be tombstoned"
	MaintenanceIsUnfenced  Mutation = "tombstones ask for no fence"
	VacuumTakesReceipts    Mutation = "a vacuum deletes receipts unasked"
	VacuumTakesTotals      Mutation = "a vacuum of deltas takes the totals"
	CutOffsAreIgnored      Mutation = "tombstones of any age are deleted"
	GCForgetsParts         Mutation = "parts of the checkpoint are garbage"
	GCForgetsFrames        Mutation = "states of superseded frames are garbage"
	GCForgetsArtifacts     Mutation = "artifacts are garbage"
	NothingIsSpared        Mutation = "a blob just put is garbage"
	NothingIsCollected     Mutation = "no garbage is found"
	DryRunDeletes          Mutation = "a dry run deletes"
	AutoGCNeverRuns        Mutation = "the policy of garbage collection is not followed"
	StatsCountNothing      Mutation = "statistics are zero"
	VerifyCountsNothing    Mutation = "a verification reads nothing"
	MetaIsMerged           Mutation = "an update keeps what it leaves out"
	MetaIsNotValidated     Mutation = "malformed descriptions pass"
	MetaOfAnySession       Mutation = "the description of another session passes"
	MetaNeedsAFreeLease    Mutation = "descriptions change only while nobody holds a lease"

	// The factory.
	WrongDurability         Mutation = "another durability is declared"
	CreateOverwritesMeta    Mutation = "creating again overwrites the description"
	CreateForgetsRelation   Mutation = "a created session is a root"
	NamesStayEmpty          Mutation = "a session without name has none"
	GenerationsBeginAtZero  Mutation = "the first generation is zero"
	FactoryValidatesNothing Mutation = "malformed sessions are created"
	HandlesAreStrangers     Mutation = "opening again makes another session"
	IDsIgnoreCase           Mutation = "ids that differ in case are one session"
	OpenCreates             Mutation = "opening creates"
	DeleteTwiceFails        Mutation = "deleting what is gone fails"
	DeleteWhileLeased       Mutation = "a leased session is deleted"
	DeleteKeepsGeneration   Mutation = "a deleted session leaves its generation behind"
	DeletedHandleWorks      Mutation = "handles of a deleted session go on working"
	ListsOldestFirst        Mutation = "the oldest session is listed first"
	ListNeverStops          Mutation = "a list does not end with its loop"
)

// hashOf is the commit's hash.
func (s *Store) hashOf(c *lashstore.Commit) (lashstore.Hash, error) {
	d := *c
	if s.is(HashDropsUsersKeys) {
		d.Graph.Nodes = append([]lashstore.Node{}, c.Graph.Nodes...)
		for i := range d.Graph.Nodes {
			d.Graph.Nodes[i].Payload = withoutKeys(d.Graph.Nodes[i].Payload)
		}
	}
	if s.is(HashIgnoresContinuing) {
		d.Turn = nil
	}
	hash, err := d.Hash()
	switch {
	case s.is(HashCountsNodeIDs):
		for _, n := range c.Graph.Nodes {
			hash = lashstore.HashOf(append(hash[:], n.ID...))
		}
	case s.is(HashCountsRevision):
		hash = lashstore.HashOf(append(hash[:], byte(c.Expect.Revision())))
	case s.is(ClaimsCountInTheHash):
		for _, done := range c.CompletedInputs {
			hash = lashstore.HashOf(append(hash[:], done.ClaimID...))
		}
	case !s.is(GivenHashIsIgnored):
		hash = cmp.Or(c.Turn.Hash, hash)
	}
	return hash, err
}

// withoutKeys drops what looks volatile to somebody who does not know better.
func withoutKeys(payload json.RawMessage) json.RawMessage {
	var value map[string]any
	if json.Unmarshal(payload, &value) != nil {
		return payload
	}
	scrub(value)
	scrubbed, err := json.Marshal(value)
	if err != nil {
		return payload
	}
	return scrubbed
}

func scrub(value any) {
	switch v := value.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(key string, _ any) bool { return key == "timestamp" || key == "node_id" || key == "id" })
		for _, inner := range v {
			scrub(inner)
		}
	case []any:
		for _, inner := range v {
			scrub(inner)
		}
	}
}
