package testsuite

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func claimRuleCases() []Case {
	return []Case{
		{"Claim/FollowsTheRule", "8.A.22, 8.A.26, 8.A.27, SelectWork", claimFollowsTheRule},
		{"Claim/NeverKeyJoinsNothing", "10.W24", claimNeverKeyJoinsNothing},
		{"Claim/JoinsByDeliveryAndKey", "8.A.27", claimJoinsByDeliveryAndKey},
		{"Claim/ClassesGateEachOther", "8.A.21", claimClassesGateEachOther},
		{"Claim/BoundariesGateTheHead", "8.A.22", claimBoundariesGateTheHead},
		{"Claim/ByIDTakesExactlyThese", "8.A.20, 5.6", claimByIDTakesExactlyThese},
		{"Claim/LimitsAreKept", "8.A.26, 10.W26", claimLimitsAreKept},
		{"Claim/HugeLimitsTakeTheMost", "10.W26, MaxClaim", claimHugeLimitsTakeTheMost},
		{"Claim/ReachesEveryBatch", "8.A.25", claimReachesEveryBatch},
		{"Claim/OtherSessionsAreUnaffected", "8.A.26", claimOtherSessionsAreUnaffected},
	}
}

// ruleLine is a line with what each way of asking takes of it first.
type ruleLine struct {
	what       string
	line       []lashstore.WorkDraft
	limit      int
	idle       []string
	checkpoint []string
	command    []string
}

var ruleLines = []ruleLine{
	{"an empty line", nil, 8, nil, nil, nil},
	{"an exclusive one", []lashstore.WorkDraft{wake("a"), wake("b")}, 8, []string{"a"}, []string{"a"}, nil},
	{"an exclusive one before joining ones", []lashstore.WorkDraft{wake("a"), joining("b", "m"), joining("c", "m")}, 8, []string{"a"}, []string{"a"}, nil},
	{"joining ones", []lashstore.WorkDraft{joining("a", "m"), joining("b", "m"), joining("c", "m")}, 8, []string{"a", "b", "c"}, []string{"a", "b", "c"}, nil},
	{"joining ones, some", []lashstore.WorkDraft{joining("a", "m"), joining("b", "m"), joining("c", "m")}, 2, []string{"a", "b"}, []string{"a", "b"}, nil},
	{"joining ones, one", []lashstore.WorkDraft{joining("a", "m"), joining("b", "m")}, 1, []string{"a"}, []string{"a"}, nil},
	{"joining ones, none", []lashstore.WorkDraft{joining("a", "m")}, 0, nil, nil, nil},
	{"another key between", []lashstore.WorkDraft{joining("a", "m"), joining("b", "n"), joining("c", "m")}, 8, []string{"a"}, []string{"a"}, nil},
	{"another key behind", []lashstore.WorkDraft{joining("a", "m"), joining("b", "m"), joining("c", "n")}, 8, []string{"a", "b"}, []string{"a", "b"}, nil},
	{"an exclusive one between", []lashstore.WorkDraft{joining("a", "m"), wake("b"), joining("c", "m")}, 8, []string{"a"}, []string{"a"}, nil},
	{"a command between", []lashstore.WorkDraft{joining("a", "m"), command("b"), joining("c", "m")}, 8, []string{"a"}, []string{"a"}, nil},
	{"another delivery behind", []lashstore.WorkDraft{joining("a", "m"), afterTurn(joining("b", "m"))}, 8, []string{"a"}, []string{"a"}, nil},
	{"a head after the turn", []lashstore.WorkDraft{afterTurn(wake("a")), wake("b")}, 8, []string{"a"}, nil, nil},
	{"joining ones after the turn", []lashstore.WorkDraft{afterTurn(joining("a", "m")), afterTurn(joining("b", "m")), joining("c", "m")}, 8, []string{"a", "b"}, nil, nil},
	{"never joining", []lashstore.WorkDraft{joining("a", ""), joining("b", "")}, 8, []string{"a"}, []string{"a"}, nil},
	{"a command first", []lashstore.WorkDraft{command("a"), command("b"), wake("c")}, 8, nil, nil, []string{"a"}},
	{"a command second", []lashstore.WorkDraft{wake("a"), command("b")}, 8, []string{"a"}, []string{"a"}, nil},
}

// Each way of asking takes of a line what the rule says, from whatever handle, and nothing is claimed where it takes none.
func claimFollowsTheRule(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	second := f.other()
	for _, rule := range ruleLines {
		f.putWork(rule.line...)
		for ask, want := range map[string][]string{"idle": rule.idle, "checkpoint": rule.checkpoint, "command": rule.command} {
			what := rule.what + ", " + ask
			lease := f.take(opaqueOwner, time.Minute)
			switch {
			case ask == "idle":
				second.claimedAt(what, lashstore.BoundaryIdle, lease, rule.limit, want...)
			case ask == "checkpoint":
				f.claimedAt(what, lashstore.BoundaryCheckpoint, lease, rule.limit, want...)
			default:
				f.takes(what, f.claimedCommand(lease), want...)
			}
			if want == nil {
				equal(t, what+": still waiting", len(f.listWork(lashstore.ListPending)), len(rule.line))
			}
			f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
		}
		f.clearWork()
	}
}

// clearWork cancels all that waits.
func (f *fixture) clearWork() {
	f.t.Helper()
	var targets []lashstore.EntryTarget
	for _, b := range f.listWork(lashstore.ListOpen) {
		targets = append(targets, lashstore.ByID(b.ID))
	}
	for _, r := range f.cancelWork(targets...) {
		equal(f.t, "outcome", r.Outcome, lashstore.Cancelled)
	}
	f.worksListed("cleared", lashstore.ListOpen)
}

func claimNeverKeyJoinsNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", ""), joining("b", ""), joining("c", "m"))
	waiting := f.listWork(lashstore.ListOpen)
	lease := f.take(opaqueOwner, time.Minute)
	f.takes("two by id", f.claimedByID(lease, lashstore.BoundaryIdle, waiting[:2]...))
	f.claimed("the first", lease, 8, "a")
	f.claimed("the second", lease, 8, "b")
	f.claimed("the third", lease, 8, "c")
}

// Only neighbours of equal delivery and key come together; the others in later claims, and none is lost.
func claimJoinsByDeliveryAndKey(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(
		joining("a", "m"), joining("b", "m"), joining("c", "n"), afterTurn(joining("d", "n")), afterTurn(joining("e", "n")),
		wake("f"), afterTurn(wake("g")), joining("h", "M"), joining("i", "m"),
	)
	lease := f.take(opaqueOwner, time.Minute)
	for _, want := range [][]string{{"a", "b"}, {"c"}, {"d", "e"}, {"f"}, {"g"}, {"h"}, {"i"}, nil} {
		f.claimed("the next", lease, 8, want...)
	}
}

func claimClassesGateEachOther(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(command("a"), command("b"), wake("c"), command("d"))
	waiting := f.listWork(lashstore.ListOpen)
	lease := f.take(opaqueOwner, time.Minute)
	f.claimed("turn work behind a command", lease, 8)
	f.takes("a command by id", f.claimedByID(lease, lashstore.BoundaryIdle, waiting[0]))
	first := f.takes("the command", f.claimedCommand(lease), "a")
	f.completeWork(lease, first)
	f.takes("turn work by id", f.claimedByID(lease, lashstore.BoundaryIdle, waiting[2]), "c")
	second := f.takes("the second command", f.claimedCommand(lease), "b")
	f.ok("abandon", f.AbandonWork(f.ctx, second))
	f.worksListed("in order", lashstore.ListPending, "b", "d")
	f.takes("the second command again", f.claimedCommand(lease), "b")
	f.putWork(wake("e"))
	f.claimed("turn work behind a command", lease, 8)
	f.takes("the last command", f.claimedCommand(lease), "d")
	f.putWork(command("f"))
	f.takes("a command behind turn work", f.claimedCommand(lease))
	f.claimed("turn work", lease, 8, "e")
}

// A head that must wait for the end of the turn is not skipped while it waits, and blocks nobody once it is claimed.
func claimBoundariesGateTheHead(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(afterTurn(wake("a")), wake("b"))
	lease := f.take(opaqueOwner, time.Minute)
	f.claimedAt("a head that waits", lashstore.BoundaryCheckpoint, lease, 8)
	head := f.claimed("the head", lease, 8, "a")
	f.claimedAt("behind it", lashstore.BoundaryCheckpoint, lease, 8, "b")
	f.ok("abandon", f.AbandonWork(f.ctx, head))
	again := f.claimed("the head again", lease, 8, "a")
	equal(t, "attempt", again.Attempt, 2)
}

// 1. All of the batches named are claimed, wherever they are, in the order given; the others stay.
// 2. Unless each of them may be claimed and the rule takes them together: then none is.
func claimByIDTakesExactlyThese(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(wake("a"), joining("b", "m"), afterTurn(wake("c")), joining("d", "m"), joining("e", "n"), command("g"), keyed("k", wake("h")))
	on := map[string]lashstore.WorkBatch{}
	for _, b := range f.listWork(lashstore.ListOpen) {
		on[b.Items[0].Kind] = b
	}
	on["x"] = lashstore.WorkBatch{ID: "unknown"}
	on["k"] = lashstore.WorkBatch{ID: "k"}
	f.cancelWork(lashstore.BySourceKey("k"))
	lease := f.take(opaqueOwner, time.Minute)
	idle, checkpoint := lashstore.BoundaryIdle, lashstore.BoundaryCheckpoint
	ask := func(at lashstore.WorkBoundary, chosen ...string) *lashstore.WorkClaim {
		t.Helper()
		var batches []lashstore.WorkBatch
		for _, label := range chosen {
			batches = append(batches, on[label])
		}
		return f.claimedByID(lease, at, batches...)
	}
	f.workUnchanged("choices that the rule does not take", func() {
		for _, chosen := range [][]string{{}, {"x"}, {"k"}, {"h"}, {"g"}, {"a", "b"}, {"b", "a"}, {"b", "e"}, {"b", "x"}, {"b", "d", "e"}, {"a", "c"}} {
			f.takes(fmt.Sprint("choice ", chosen), ask(idle, chosen...))
		}
		f.takes("after the turn", ask(checkpoint, "c"))
	})
	claim := f.takes("out of order", ask(checkpoint, "d", "b"), "d", "b")
	equal(t, "completion", claim.Completion().IDs, []string{on["d"].ID, on["b"].ID})
	f.takes("what is held", ask(idle, "b"))
	f.worksListed("the others", lashstore.ListPending, "a", "c", "e", "g")
	f.completeWork(lease, claim)
	f.takes("what is settled", ask(idle, "b"))
	f.takes("behind others", ask(idle, "c"), "c")
	f.claimed("the first", lease, 8, "a")
}

func claimLimitsAreKept(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.putWork(joining("a", "m"), joining("b", "m"), joining("c", "m"), joining("d", "m"), joining("e", "m"), joining("f", "m"), wake("g"))
	lease := f.take(opaqueOwner, time.Minute)
	f.claimed("limit 0", lease, 0)
	f.claimed("limit 1", lease, 1, "a")
	f.claimed("limit 2", lease, 2, "b", "c")
	f.claimed("the greatest limit", lease, math.MaxInt, "d", "e", "f")
	f.claimed("a great limit", lease, math.MaxInt-16, "g")
	f.claimed("nothing left", lease, math.MaxInt)
}

// However great the limit, a claim holds at most MaxClaim; the rest comes with the next, and one commit settles both.
func claimHugeLimitsTakeTheMost(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	drafts := make([]lashstore.WorkDraft, lashstore.MaxClaim+5)
	for i := range drafts {
		drafts[i] = joining(fmt.Sprint("w", i), "m")
	}
	f.leaveBehind(drafts...)
	lease := f.take(opaqueOwner, time.Minute)
	first, err := f.ClaimWork(f.ctx, lease.Fence(), lashstore.BoundaryIdle, math.MaxInt)
	f.ok("claim", err)
	if first == nil {
		t.Fatal("nothing was claimed")
	}
	equal(t, "batches of one claim", len(first.Batches), lashstore.MaxClaim)
	rest := f.claimed("the rest", lease, math.MaxInt, "w1024", "w1025", "w1026", "w1027", "w1028")
	f.completeWork(lease, first, rest)
	f.worksListed("settled", lashstore.ListAll)
}

// Claims of one generation that each take one reach every batch, in order, however many are held already.
func claimReachesEveryBatch(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	const many = 34
	var drafts []lashstore.WorkDraft
	for i := range many {
		drafts = append(drafts, wake(fmt.Sprint("w", i)))
	}
	for i := range many {
		drafts = append(drafts, command(fmt.Sprint("c", i)))
	}
	f.leaveBehind(drafts...)
	lease := f.take(opaqueOwner, time.Minute)
	for i := range many {
		f.claimed("turn work", lease, 1, fmt.Sprint("w", i))
	}
	f.claimed("no more turn work", lease, 1)
	for i := range many {
		f.takes("a command", f.claimedCommand(lease), fmt.Sprint("c", i))
	}
	f.takes("no more commands", f.claimedCommand(lease))
}

func claimOtherSessionsAreUnaffected(t testing.TB, h SessionHarness) {
	s := build(t, h)
	a, b := s.create(lashstore.SessionMeta{SessionID: "a"}), s.create(lashstore.SessionMeta{SessionID: "b"})
	batch := a.putWork(keyed("k", wake("a")))
	b.putWork(keyed("k", wake("b")))
	lease, other := a.take(opaqueOwner, time.Minute), b.take(opaqueOwner, time.Minute)
	_, err := b.ClaimWork(s.ctx, lease.Fence(), lashstore.BoundaryIdle, 8)
	is(t, "claim under the other session's lease", err, lashstore.ErrLeaseLost)
	b.takes("a batch of the other session", b.claimedByID(other, lashstore.BoundaryIdle, batch))
	claim := a.claimed("its own", lease, 8, "a")
	b.ok("abandon the other session's claim", b.AbandonWork(s.ctx, claim))
	equal(t, "cancelled there", b.cancelWork(lashstore.ByID(batch.ID))[0].Outcome, lashstore.CancelNotFound)
	b.claimed("the other's own", other, 8, "b")
	a.worksListed("of one", lashstore.ListOpen, "a")
	b.worksListed("of the other", lashstore.ListOpen, "b")
	a.ok("release", a.ReleaseLease(s.ctx, lease.Fence()))
	b.worksListed("while the one is released", lashstore.ListPending)
}
