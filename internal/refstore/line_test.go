package refstore_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/refstore"
)

// life is what is known of an entry from outside, by its id.
type life struct {
	seq      int64
	attempts int64
	settled  lashstore.EntryState // "" until it is
}

// claimed is a claim that was made once: its right ends when it is settled, abandoned, or its generation does.
type claimed struct {
	completion lashstore.Completion
	generation int64
	work       *lashstore.WorkClaim // nil of inputs
	inputs     *lashstore.InputClaim
	over       bool
}

// line drives a session with random operations and keeps its own books.
type line struct {
	*rapid.T
	ctx    context.Context
	store  lashstore.SessionStore
	now    time.Time
	fence  *lashstore.Fence
	lives  map[string]*life
	ids    []string // in the order of the line
	claims []*claimed
	last   int64 // the latest place that was given out
	round  int
}

func newLine(t *rapid.T) *line {
	l := &line{T: t, ctx: context.Background(), now: time.UnixMilli(1_000_000), lives: map[string]*life{}}
	factory := refstore.NewFactory(refstore.NewPlace(), refstore.Options{Clock: lashstore.ClockFunc(func() time.Time { return l.now })})
	var err error
	l.store, err = factory.CreateSession(l.ctx, lashstore.SessionMeta{SessionID: "line"})
	require.NoError(t, err)
	return l
}

func (l *line) of(n int, what string) int { return rapid.IntRange(0, n-1).Draw(l.T, what) }

// met checks an entry that was just put in: its place is behind all that were ever given out.
func (l *line) met(id string, seq int64, existing bool) {
	if existing {
		require.Equal(l, l.lives[id].seq, seq)
		return
	}
	require.NotContains(l, l.lives, id)
	require.Greater(l, seq, l.last)
	l.last, l.lives[id], l.ids = seq, &life{seq: seq}, append(l.ids, id)
}

func (l *line) enqueue(*rapid.T) {
	if l.of(2, "family") == 0 {
		d := lashstore.WorkDraft{Class: lashstore.ClassTurn, Items: []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(`1`)}}}
		switch l.of(5, "traits") {
		case 0:
			d.Class = lashstore.ClassCommand
		case 1, 2:
			d.Slot, d.MergeKey = lashstore.SlotJoin, "m"
		case 3:
			d.NotBefore = l.now.Add(time.Duration(l.of(40, "hidden")) * time.Second)
		}
		if k := l.of(12, "key"); k < 4 {
			d.SourceKey = fmt.Sprintf("%s-%s-%s-%d", d.Class, d.Slot, d.MergeKey, k)
		}
		done, err := l.store.EnqueueWork(l.ctx, d)
		require.NoError(l, err)
		l.met(done.Batch.ID, done.Batch.Seq, done.Existing)
		return
	}
	d := lashstore.InputDraft{Input: json.RawMessage(`"hello"`)}
	if turn := l.of(3, "turn"); turn > 0 {
		d.Ingress = lashstore.ActiveTurn(fmt.Sprint("turn-", turn), "")
	}
	done, err := l.store.EnqueueInput(l.ctx, d)
	require.NoError(l, err)
	l.met(done.Input.ID, done.Input.Seq, done.Existing)
}

func (l *line) lease(*rapid.T) {
	owner := lashstore.Owner{ID: "owner", Incarnation: fmt.Sprint(l.of(2, "incarnation"))}
	switch l.of(4, "lease") {
	case 0:
		require.NoError(l, l.store.ReleaseLease(l.ctx, l.fence))
	case 1:
		l.now = l.now.Add(time.Duration(l.of(60, "seconds")) * time.Second)
	default:
		held, err := l.store.TakeLease(l.ctx, owner, 30*time.Second)
		if !errors.Is(err, lashstore.ErrLeaseBusy) {
			require.NoError(l, err)
			l.fence = held.Fence()
		}
	}
}

// generation is that of the live lease; 0 when there is none.
func (l *line) generation() int64 {
	held, live, err := l.store.CurrentLease(l.ctx)
	require.NoError(l, err)
	if !live { // what was claimed under it is nobody's
		return 0
	}
	return held.Generation
}

func (l *line) holds() bool { return l.fence != nil && l.fence.Generation == l.generation() }

// took checks what was claimed: under the live lease, in order, each once more than before, none that is settled or held.
func (l *line) took(c lashstore.Claim, ids []string, seqs, attempts []int64) {
	require.True(l, l.holds())
	require.Equal(l, l.generation(), c.Generation)
	require.Equal(l, attempts[0], c.Attempt)
	require.IsIncreasing(l, append([]int64{0}, seqs...))
	for i, id := range ids {
		e := l.lives[id]
		require.Empty(l, e.settled)
		require.Nil(l, l.holder(id), "%s is held already", id)
		require.Equal(l, e.attempts+1, attempts[i])
		e.attempts++
	}
}

// holder is the claim that has an entry, if any.
func (l *line) holder(id string) *claimed {
	for _, c := range l.claims {
		if c.over || c.generation != l.generation() {
			continue
		}
		for _, held := range c.completion.IDs {
			if held == id && l.lives[id].settled == "" {
				return c
			}
		}
	}
	return nil
}

func (l *line) claim(*rapid.T) {
	var work *lashstore.WorkClaim
	var inputs *lashstore.InputClaim
	var err error
	switch l.of(4, "claim") {
	case 0:
		work, err = l.store.ClaimCommand(l.ctx, l.fence)
	case 1:
		work, err = l.store.ClaimWork(l.ctx, l.fence, lashstore.BoundaryIdle, 1+l.of(3, "limit"))
	case 2:
		inputs, err = l.store.ClaimNextInputs(l.ctx, l.fence, 1+l.of(3, "limit"))
	default:
		var both lashstore.CheckpointClaims
		at := lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}
		both, err = l.store.ClaimCheckpoint(l.ctx, l.fence, lashstore.CheckpointRequest{At: at, MaxInputs: 2, MaxWork: 2})
		work, inputs = both.Work, both.Inputs
	}
	if !l.holds() {
		require.ErrorIs(l, err, lashstore.ErrLeaseLost)
		return
	}
	require.NoError(l, err)
	if work != nil {
		var seqs, attempts []int64
		for _, b := range work.Batches {
			seqs, attempts = append(seqs, b.Seq), append(attempts, b.Attempts)
		}
		l.took(work.Claim, work.Completion().IDs, seqs, attempts)
		l.claims = append(l.claims, &claimed{completion: work.Completion(), generation: work.Generation, work: work})
	}
	if inputs != nil {
		var seqs, attempts []int64
		for _, in := range inputs.Inputs {
			seqs, attempts = append(seqs, in.Seq), append(attempts, in.Attempts)
		}
		l.took(inputs.Claim, inputs.Completion().IDs, seqs, attempts)
		l.claims = append(l.claims, &claimed{completion: inputs.Completion(), generation: inputs.Generation, inputs: inputs})
	}
}

func (l *line) pick() *claimed {
	if len(l.claims) == 0 {
		l.Skip("nothing was claimed")
	}
	return l.claims[l.of(len(l.claims), "which claim")]
}

func (l *line) abandon(*rapid.T) {
	c := l.pick()
	require.NoError(l, l.store.AbandonWork(l.ctx, c.work))
	require.NoError(l, l.store.AbandonInputs(l.ctx, c.inputs))
	c.over = true
}

// commit settles a claim, whole or in part, with an outbox. It must succeed exactly when the claim holds all it names.
func (l *line) commit(*rapid.T) {
	c := l.pick()
	done := c.completion
	done.IDs = done.IDs[:1+l.of(len(done.IDs), "part")]
	loaded, err := l.store.Load(l.ctx, nil)
	require.NoError(l, err)
	l.round++
	commit := lashstore.Commit{
		SessionID: "line", Expect: loaded.Expect(), Lease: l.fence, DeferInputsOf: fmt.Sprint("turn-", 1+l.of(2, "deferred")),
		Turn:   &lashstore.TurnStamp{TurnID: fmt.Sprint("commit-", l.round)},
		Outbox: []lashstore.WorkDraft{{Class: lashstore.ClassTurn, Items: []lashstore.WorkItem{{Kind: "task", Payload: json.RawMessage(`2`)}}}},
	}
	if c.work != nil {
		commit.CompletedWork = []lashstore.Completion{done}
	} else {
		commit.CompletedInputs = []lashstore.Completion{done}
	}
	holds := l.holds()
	for _, id := range done.IDs {
		holds = holds && l.holder(id) == c
	}
	before := l.all()
	result, err := l.store.Commit(l.ctx, commit)
	if !holds {
		require.True(l, errors.Is(err, lashstore.ErrClaimSuperseded) || errors.Is(err, lashstore.ErrLeaseLost), "%v", err)
		require.Equal(l, before, l.all(), "a commit that failed has changed the line")
		return
	}
	require.NoError(l, err)
	for _, id := range done.IDs {
		l.settle(id, lashstore.EntryCompleted)
	}
	require.Len(l, result.Outbox, 1)
	again, err := l.store.Commit(l.ctx, commit)
	require.NoError(l, err)
	require.Equal(l, result.Outbox, again.Outbox)
	batches, err := l.store.ListWork(l.ctx, nil)
	require.NoError(l, err)
	l.met(result.Outbox[0], batches[len(batches)-1].Seq, false)
}

func (l *line) settle(id string, as lashstore.EntryState) {
	e := l.lives[id]
	require.Empty(l, e.settled, "%s is settled twice", id)
	e.settled = as
}

func (l *line) cancel(*rapid.T) {
	var targets []lashstore.EntryTarget
	for _, id := range l.ids {
		if l.of(8, "cancelled") == 0 {
			targets = append(targets, lashstore.ByID(id))
		}
	}
	inputs, err := l.store.CancelInputs(l.ctx, targets...)
	require.NoError(l, err)
	work, err := l.store.CancelWork(l.ctx, targets...)
	require.NoError(l, err)
	for i, target := range targets {
		held := l.holder(target.ID)
		for _, outcome := range []lashstore.CancelOutcome{inputs[i].Outcome, work[i].Outcome} {
			require.Equal(l, outcome == lashstore.AlreadyClaimed, outcome != lashstore.CancelNotFound && held != nil)
			if outcome == lashstore.Cancelled {
				l.settle(target.ID, lashstore.EntryCancelled)
			}
		}
	}
}

// all is everything that is remembered, in one list by family.
func (l *line) all() []any {
	everything := &lashstore.ListOptions{Scope: lashstore.ListAll}
	work, err := l.store.ListWork(l.ctx, everything)
	require.NoError(l, err)
	inputs, err := l.store.ListInputs(l.ctx, everything)
	require.NoError(l, err)
	return []any{work, inputs}
}

// shown is an entry of either family, as a list shows it.
type shown struct {
	id       string
	seq      int64
	attempts int64
	state    lashstore.EntryState
	claim    *lashstore.ClaimInfo
}

func (l *line) list(scope lashstore.ListScope) (list []shown) {
	work, err := l.store.ListWork(l.ctx, &lashstore.ListOptions{Scope: scope})
	require.NoError(l, err)
	for _, b := range work {
		list = append(list, shown{b.ID, b.Seq, b.Attempts, b.State, b.Claim})
	}
	inputs, err := l.store.ListInputs(l.ctx, &lashstore.ListOptions{Scope: scope})
	require.NoError(l, err)
	for _, in := range inputs {
		list = append(list, shown{in.ID, in.Seq, in.Attempts, in.State, in.Claim})
	}
	slices.SortFunc(list, func(a, b shown) int { return cmp.Compare(a.seq, b.seq) })
	return list
}

// sound holds the lists against the books.
func (l *line) sound(*rapid.T) {
	var open, waiting []string
	for _, id := range l.ids {
		if l.lives[id].settled == "" {
			open = append(open, id)
			if l.holder(id) == nil {
				waiting = append(waiting, id)
			}
		}
	}
	var listed, pending []string
	for _, e := range l.list(lashstore.ListOpen) {
		listed = append(listed, e.id)
		held := l.holder(e.id)
		require.Equal(l, l.lives[e.id].seq, e.seq)
		require.Equal(l, l.lives[e.id].attempts, e.attempts)
		require.Equal(l, held != nil, e.state == lashstore.EntryClaimed)
		require.Equal(l, held != nil, e.claim != nil)
		if held != nil {
			require.Equal(l, held.completion.ClaimID, e.claim.ClaimID)
			require.Equal(l, l.generation(), e.claim.Generation)
		}
	}
	require.Equal(l, open, listed)
	for _, e := range l.list(lashstore.ListPending) {
		pending = append(pending, e.id)
	}
	require.Equal(l, waiting, pending)
	for _, e := range l.list(lashstore.ListAll) {
		if settled := l.lives[e.id].settled; settled != "" {
			require.Equal(l, settled, e.state)
		}
	}
	report, err := l.store.Verify(l.ctx)
	require.NoError(l, err)
	require.Empty(l, report.Findings)
}

// Whatever happens to the line, in whatever order:
//
//  1. Every entry has a place of its own, behind all that were ever given out, and keeps it.
//  2. Every entry is settled once, by the commit that names it under the claim that holds it or by a cancellation; until
//     then it is listed, and claimed by at most one.
//  3. A claim that was abandoned or settled, or whose generation has ended, settles nothing, and its entries wait.
//  4. A commit that fails changes nothing in the line; one that is repeated puts nothing in.
func TestEveryEntryIsSettledOnce(t *testing.T) {
	t.Parallel()
	settled := map[lashstore.EntryState]int{}
	rapid.Check(t, func(t *rapid.T) {
		l := newLine(t)
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": l.enqueue, "lease": l.lease, "claim": l.claim, "claim more": l.claim, "abandon": l.abandon,
			"commit": l.commit, "commit more": l.commit, "cancel": l.cancel, "": l.sound,
		})
		for _, e := range l.lives {
			settled[e.settled]++
		}
	})
	require.Positive(t, settled[lashstore.EntryCompleted], "the operations never settle anything")
	require.Positive(t, settled[lashstore.EntryCancelled])
}
