package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/refstore"
	"github.com/lashstore/lashstore/store"
	"github.com/lashstore/lashstore/testsuite"
)

// lanePair is a pair with a line. Ids and secrets are each store's own: entries are compared by their place in the line.
type lanePair struct {
	pair
	ids    [2]map[int64]string // by place in the line
	work   [][2]*lashstore.WorkClaim
	inputs [][2]*lashstore.InputClaim
	turn   int
}

func (p *lanePair) batch(i int, b lashstore.WorkBatch) lashstore.WorkBatch {
	p.ids[i][b.Seq] = b.ID
	b.ID = "of its own"
	if b.Claim != nil {
		b.Claim.ClaimID = "of its own"
	}
	return b
}

func (p *lanePair) input(i int, in lashstore.TurnInput) lashstore.TurnInput {
	p.ids[i][in.Seq] = in.ID
	in.ID = "of its own"
	if in.Claim != nil {
		in.Claim.ClaimID = "of its own"
	}
	return in
}

// workClaim is what of a claim both stores must have alike: generation, attempt, and the batches.
func (p *lanePair) workClaim(i int, c *lashstore.WorkClaim) []any {
	if c == nil {
		return nil
	}
	same := []any{c.Generation, c.Attempt}
	for _, b := range c.Batches {
		same = append(same, p.batch(i, b))
	}
	return same
}

func (p *lanePair) inputClaim(i int, c *lashstore.InputClaim) []any {
	if c == nil {
		return nil
	}
	same := []any{c.Generation, c.Attempt, c.At}
	for _, in := range c.Inputs {
		same = append(same, p.input(i, in))
	}
	return same
}

// agree compares everything that can be seen of the line.
func (p *lanePair) agree() {
	ctx := context.Background()
	for _, scope := range []lashstore.ListScope{lashstore.ListOpen, lashstore.ListPending, lashstore.ListAll} {
		both(&p.pair, "work "+string(scope), func(i int, s lashstore.SessionStore) (list []lashstore.WorkBatch, err error) {
			batches, err := s.ListWork(ctx, &lashstore.ListOptions{Scope: scope})
			for _, b := range batches {
				list = append(list, p.batch(i, b))
			}
			return list, err
		})
		both(&p.pair, "inputs "+string(scope), func(i int, s lashstore.SessionStore) (list []lashstore.TurnInput, err error) {
			inputs, err := s.ListInputs(ctx, &lashstore.ListOptions{Scope: scope})
			for _, in := range inputs {
				list = append(list, p.input(i, in))
			}
			return list, err
		})
	}
	both(&p.pair, "counts", func(_ int, s lashstore.SessionStore) ([4]int64, error) {
		st, err := s.Stats(ctx)
		return [4]int64{st.Work, st.Inputs, st.SettledWork, st.SettledInputs}, err
	})
	both(&p.pair, "lease", func(_ int, s lashstore.SessionStore) (lashstore.Lease, error) {
		l, _, err := s.CurrentLease(ctx)
		return l, err
	})
	p.readiness(nil)
	p.readiness(&lashstore.WaitOptions{At: &lashstore.TurnCheckpoint{TurnID: "t1", Boundary: lashstore.AfterWork}})
}

// readiness compares what is ready. Where nothing is, the model's wait is ended by its context.
func (p *lanePair) readiness(o *lashstore.WaitOptions) {
	got, err := p.stores[0].(*store.Store).Ready(context.Background(), o)
	require.NoError(p.t, err)
	patience := time.Minute
	if !got.Any() {
		patience = time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	want, err := p.stores[1].WaitReady(ctx, o)
	require.Equal(p.t, got.Any(), err == nil, "ready %+v: the model says %+v, %v; the store %+v", o, want, err, got)
	if err == nil {
		require.Equal(p.t, want, got, "ready %+v", o)
	}
}

func (p *lanePair) draft(t *rapid.T) lashstore.WorkDraft {
	d := lashstore.WorkDraft{
		SourceKey: p.pick("key", "", "", "k1", "k2", "k3"), Class: lashstore.ClassTurn,
		Items: []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(p.pick("payload", "1", "1", ` {"a": 2}`))}},
	}
	switch p.pick("traits", "plain", "join", "join", "late", "command") {
	case "join":
		d.Slot, d.MergeKey = lashstore.SlotJoin, p.pick("merge", "", "m", "m")
	case "late":
		d.Slot, d.MergeKey, d.Delivery = lashstore.SlotJoin, "m", lashstore.DeliverAfterTurn
	case "command":
		d.Class = lashstore.ClassCommand
	}
	if rapid.IntRange(0, 4).Draw(t, "hidden") == 0 {
		d.NotBefore = p.clock.Now().Add(time.Duration(rapid.IntRange(-30, 90).Draw(t, "delay")) * time.Second)
	}
	return d
}

func (p *lanePair) ingress() lashstore.Ingress {
	return lashstore.Ingress{TurnID: p.pick("turn", "", "t1", "t2")}
}

func (p *lanePair) enqueue(t *rapid.T) {
	ctx := context.Background()
	if rapid.Bool().Draw(t, "work") {
		d := p.draft(t)
		both(&p.pair, fmt.Sprintf("enqueue %+v", d), func(i int, s lashstore.SessionStore) (lashstore.EnqueuedWork, error) {
			done, err := s.EnqueueWork(ctx, d)
			done.Batch = p.batch(i, done.Batch)
			return done, err
		})
		return
	}
	d := lashstore.InputDraft{
		ID: p.pick("id", "", "", "i1", "i2"), SourceKey: p.pick("key", "", "", "k1", "k2"), Ingress: p.ingress(),
		Input: json.RawMessage(p.pick("text", `"a"`, `"a"`, ` "b"`)),
	}
	if d.Ingress.TurnID != "" && rapid.Bool().Draw(t, "at the end") {
		d.Ingress.Boundary = lashstore.BeforeCompletion
	}
	both(&p.pair, fmt.Sprintf("submit %+v", d), func(i int, s lashstore.SessionStore) (lashstore.EnqueuedInput, error) {
		done, err := s.EnqueueInput(ctx, d)
		done.Input = p.input(i, done.Input)
		return done, err
	})
}

func (p *lanePair) checkpointAt() lashstore.TurnCheckpoint {
	at := lashstore.TurnCheckpoint{TurnID: p.pick("turn", "t1", "t2"), Boundary: lashstore.AfterWork}
	if p.pick("boundary", "after", "before") == "before" {
		at.Boundary = lashstore.BeforeCompletion
	}
	return at
}

func (p *lanePair) claim(t *rapid.T) {
	ctx := context.Background()
	limit := rapid.IntRange(0, 3).Draw(t, "limit")
	boundary := lashstore.WorkBoundary(p.pick("lane", string(lashstore.BoundaryIdle), string(lashstore.BoundaryCheckpoint)))
	at := p.checkpointAt()
	var seqs []int64
	for range rapid.IntRange(0, 3).Draw(t, "ids") {
		seqs = append(seqs, rapid.Int64Range(1, 12).Draw(t, "seq"))
	}
	what := p.pick("claim", "command", "work", "work", "by id", "checkpoint", "next")
	var work [2]*lashstore.WorkClaim
	var inputs [2]*lashstore.InputClaim
	both(&p.pair, "claim "+what, func(i int, s lashstore.SessionStore) (same [2][]any, err error) {
		switch what {
		case "command":
			work[i], err = s.ClaimCommand(ctx, p.fences[i])
		case "work":
			work[i], err = s.ClaimWork(ctx, p.fences[i], boundary, limit)
		case "by id":
			var ids []string
			for _, seq := range seqs {
				if id := p.ids[i][seq]; id != "" {
					ids = append(ids, id)
				}
			}
			work[i], err = s.ClaimWorkByID(ctx, p.fences[i], boundary, ids)
		case "checkpoint":
			var claims lashstore.CheckpointClaims
			claims, err = s.ClaimCheckpoint(ctx, p.fences[i], lashstore.CheckpointRequest{At: at, MaxInputs: limit, MaxWork: 2})
			work[i], inputs[i] = claims.Work, claims.Inputs
		default:
			inputs[i], err = s.ClaimNextInputs(ctx, p.fences[i], limit)
		}
		return [2][]any{p.workClaim(i, work[i]), p.inputClaim(i, inputs[i])}, err
	})
	if work[0] != nil {
		p.work = append(p.work, work)
	}
	if inputs[0] != nil {
		p.inputs = append(p.inputs, inputs)
	}
}

// someWork and someInput are claims that were made once, live or not; nil when there were none.
func (p *lanePair) someWork() (c [2]*lashstore.WorkClaim) {
	if len(p.work) > 0 {
		c = rapid.SampledFrom(p.work).Draw(p.t, "work claim")
	}
	return c
}

func (p *lanePair) someInput() (c [2]*lashstore.InputClaim) {
	if len(p.inputs) > 0 {
		c = rapid.SampledFrom(p.inputs).Draw(p.t, "input claim")
	}
	return c
}

func (p *lanePair) giveBack(*rapid.T) {
	ctx := context.Background()
	work, inputs := p.someWork(), p.someInput()
	both(&p.pair, "abandon", func(i int, s lashstore.SessionStore) (struct{}, error) {
		if err := s.AbandonWork(ctx, work[i], nil); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.AbandonInputs(ctx, inputs[i])
	})
}

func (p *lanePair) settle(t *rapid.T) {
	ctx := context.Background()
	head := both(&p.pair, "head", func(_ int, s lashstore.SessionStore) (*lashstore.Session, error) {
		return s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead})
	})
	work, inputs := p.someWork(), p.someInput()
	partly := rapid.Bool().Draw(t, "partly")
	p.turn++
	c := lashstore.Commit{SessionID: sessionID, Expect: head.Expect(), DeferInputsOf: p.pick("defer", "", "t1", "t2")}
	if rapid.Bool().Draw(t, "stamped") {
		c.Turn = &lashstore.TurnStamp{TurnID: fmt.Sprintf("turn-%d", p.turn)}
	}
	if rapid.IntRange(0, 2).Draw(t, "outbox") == 0 {
		c.Outbox = []lashstore.WorkDraft{p.draft(t)}
	}
	releases := rapid.IntRange(0, 3).Draw(t, "releases") == 0
	both(&p.pair, "settle", func(i int, s lashstore.SessionStore) (any, error) {
		mine := c
		mine.Lease, mine.ReleaseLease = p.fences[i], releases && p.fences[i] != nil
		if work[i] != nil {
			mine.CompletedWork = []lashstore.Completion{work[i].Completion()}
			if partly {
				mine.CompletedWork[0].IDs = mine.CompletedWork[0].IDs[:1]
			}
		}
		if inputs[i] != nil {
			mine.CompletedInputs = []lashstore.Completion{inputs[i].Completion()}
		}
		done, err := s.Commit(ctx, mine)
		return []any{done.Revision, len(done.Outbox)}, err
	})
}

func (p *lanePair) cancel(t *rapid.T) {
	ctx := context.Background()
	seq := rapid.Int64Range(1, 12).Draw(t, "seq")
	key := p.pick("key", "k1", "k2", "k3")
	what := p.pick("cancel", "work", "inputs", "from", "defer")
	both(&p.pair, "cancel "+what, func(i int, s lashstore.SessionStore) (same []any, err error) {
		targets := []lashstore.EntryTarget{lashstore.BySourceKey(key)}
		if id := p.ids[i][seq]; id != "" {
			targets = append(targets, lashstore.ByID(id))
		}
		var inputs []lashstore.InputCancellation
		switch what {
		case "work":
			results, err := s.CancelWork(ctx, targets...)
			for _, r := range results {
				same = append(same, r.Outcome)
				if r.Batch != nil {
					same = append(same, p.batch(i, *r.Batch))
				}
			}
			return same, err
		case "inputs":
			inputs, err = s.CancelInputs(ctx, targets...)
		case "from":
			inputs, err = s.CancelInputsFrom(ctx, targets[0])
		default:
			n, err := s.DeferInputs(ctx, p.fences[i], key)
			return []any{n}, err
		}
		for _, r := range inputs {
			same = append(same, r.Outcome)
			if r.Input != nil {
				same = append(same, p.input(i, *r.Input))
			}
		}
		return same, err
	})
}

func (p *lanePair) vacuum(t *rapid.T) {
	ctx := context.Background()
	before := p.clock.Now().Add(-time.Minute)
	o := &lashstore.VacuumOptions{WorkBefore: before, InputsBefore: before, Batch: rapid.IntRange(0, 3).Draw(t, "batch")}
	both(&p.pair, "vacuum", func(_ int, s lashstore.SessionStore) (lashstore.VacuumReport, error) {
		report, err := s.Vacuum(ctx, o)
		report.Pages = 0
		return report, err
	})
}

// Whatever is put into the line, claimed, settled, given back, cancelled, deferred or forgotten, in whatever order, the
// store answers as the reference backend does and holds what it holds.
func TestLaneBehavesLikeTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := testsuite.NewClock()
		sqlite, err := store.Memory(context.Background(), lashstore.SessionMeta{SessionID: sessionID}, &store.Options{Clock: clock})
		require.NoError(t, err)
		defer func() { require.NoError(t, sqlite.Close()) }()
		model, err := refstore.NewFactory(refstore.NewPlace(), refstore.Options{Clock: clock}).
			CreateSession(context.Background(), lashstore.SessionMeta{SessionID: sessionID})
		require.NoError(t, err)
		p := &lanePair{
			pair: pair{t: t, clock: clock, stores: [2]lashstore.SessionStore{sqlite, model}},
			ids:  [2]map[int64]string{{}, {}},
		}
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": p.enqueue, "more": p.enqueue, "claim": p.claim, "claim again": p.claim, "settle": p.settle,
			"abandon": p.giveBack, "cancel": p.cancel, "lease": p.lease, "vacuum": p.vacuum,
			"wait": func(t *rapid.T) { clock.Advance(time.Duration(rapid.IntRange(1, 60).Draw(t, "wait")) * time.Second) },
			"":     func(*rapid.T) { p.agree() },
		})
		report, err := sqlite.Verify(context.Background())
		require.NoError(t, err)
		require.Empty(t, report.Findings)
	})
}
