package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func init() { childRoles["fight"] = fightAsChild }

// fightTime is how long a fight lasts; LASHSTORE_FIGHT makes it longer.
func fightTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("LASHSTORE_FIGHT")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}

// fighter is one of many owners of a session. What it settles it writes into the graph in the same commit, under the
// entry's id, so that what is settled twice meets its own node.
type fighter struct {
	lashstore.SessionStore
	random *rand.Rand
	owner  lashstore.Owner
	said   func(what, key string) // what was acknowledged
	turn   int
}

// allowed are the ways to lose a fight.
func allowed(err error) bool {
	for _, sentinel := range []error{
		lashstore.ErrLeaseBusy, lashstore.ErrLeaseLost, lashstore.ErrClaimSuperseded, lashstore.ErrRevisionConflict,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return err == nil
}

func (f *fighter) key() string { return fmt.Sprintf("%s-%d", f.owner.Incarnation, f.random.Int64()) }

func (f *fighter) fight(ctx context.Context) error {
	for ctx.Err() == nil {
		for _, step := range []func(context.Context) error{f.feed, f.cancel, f.rule} {
			if err := step(context.WithoutCancel(ctx)); !allowed(err) {
				return err
			}
		}
	}
	return nil
}

// feed puts something into the line, now and then.
func (f *fighter) feed(ctx context.Context) error {
	if f.random.IntN(6) > 0 {
		return nil
	}
	key := f.key()
	if f.random.IntN(2) == 0 {
		d := wake(key)
		if f.random.IntN(2) == 0 {
			d.Slot, d.MergeKey = lashstore.SlotJoin, "all"
		}
		if f.random.IntN(4) == 0 {
			d.Class, d.Slot, d.MergeKey = lashstore.ClassCommand, "", ""
		}
		if f.random.IntN(8) == 0 {
			d.NotBefore = time.Now().Add(time.Duration(f.random.IntN(50)) * time.Millisecond)
		}
		_, err := f.EnqueueWork(ctx, d)
		if err == nil {
			f.said("work", key)
		}
		return err
	}
	d := lashstore.InputDraft{SourceKey: key, Input: json.RawMessage(strconv.Quote(key))}
	if f.random.IntN(2) == 0 {
		d.Ingress = lashstore.ActiveTurn(fmt.Sprintf("turn-%d", f.random.IntN(3)), "")
	}
	_, err := f.EnqueueInput(ctx, d)
	if err == nil {
		f.said("input", key)
	}
	return err
}

func (f *fighter) cancel(ctx context.Context) error {
	if f.random.IntN(6) > 0 {
		return nil
	}
	list, err := f.ListInputs(ctx, &lashstore.ListOptions{Limit: 5})
	if err != nil || len(list) == 0 {
		return err
	}
	_, err = f.CancelInputs(ctx, lashstore.ByID(list[f.random.IntN(len(list))].ID))
	return err
}

// rule takes the lane for some turns, if it can be had.
func (f *fighter) rule(ctx context.Context) error {
	const ttl = 150 * time.Millisecond
	lease, err := f.TakeLease(ctx, f.owner, ttl)
	var busy *lashstore.LeaseBusyError
	if errors.As(err, &busy) {
		lease, err = f.ReclaimLease(ctx, f.owner, busy.Holder, ttl)
	}
	if err != nil {
		return err
	}
	if _, err := f.DeferInputs(ctx, lease.Fence(), ""); err != nil {
		return err
	}
	for range f.random.IntN(20) {
		if err := f.work(ctx, lease); err != nil {
			return err
		}
	}
	return f.ReleaseLease(ctx, lease.Fence())
}

// work claims what there is and settles some of it, gives some back, forgets some, and sometimes comes too late.
func (f *fighter) work(ctx context.Context, lease lashstore.Lease) error {
	fence := lease.Fence()
	command, err := f.ClaimCommand(ctx, fence)
	if err != nil {
		return err
	}
	claims, err := f.ClaimCheckpoint(ctx, fence, lashstore.CheckpointRequest{
		At:        lashstore.TurnCheckpoint{TurnID: fmt.Sprintf("turn-%d", f.random.IntN(3)), Boundary: lashstore.BeforeCompletion},
		MaxInputs: 2, MaxWork: 3,
	})
	if err != nil {
		return err
	}
	next, err := f.ClaimNextInputs(ctx, fence, 3)
	if err != nil {
		return err
	}
	switch f.random.IntN(8) {
	case 0:
		return errors.Join(f.AbandonWork(ctx, command, claims.Work), f.AbandonInputs(ctx, claims.Inputs, next))
	case 1:
		return nil
	case 2:
		time.Sleep(time.Until(lease.ExpiresAt) + time.Millisecond)
	}
	return f.settle(ctx, fence, []*lashstore.WorkClaim{command, claims.Work}, []*lashstore.InputClaim{claims.Inputs, next})
}

func (f *fighter) settle(ctx context.Context, fence *lashstore.Fence, work []*lashstore.WorkClaim, inputs []*lashstore.InputClaim) error {
	head, err := f.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true})
	if err != nil {
		return err
	}
	f.turn++
	c := lashstore.Commit{
		SessionID: sessionID, Expect: head.Expect(), Lease: fence,
		Turn: &lashstore.TurnStamp{TurnID: fmt.Sprintf("%s-%d", f.owner.Incarnation, f.turn)},
	}
	for _, claim := range work {
		if claim != nil {
			c.CompletedWork = append(c.CompletedWork, claim.Completion())
		}
	}
	for _, claim := range inputs {
		if claim != nil {
			c.CompletedInputs = append(c.CompletedInputs, claim.Completion())
		}
	}
	var nodes []lashstore.Node
	for _, done := range append(append([]lashstore.Completion{}, c.CompletedWork...), c.CompletedInputs...) {
		for _, id := range done.IDs {
			nodes = append(nodes, lashstore.Node{
				ID: "done-" + id, Kind: lashstore.NodePlugin,
				Payload: fmt.Appendf(nil, `{"generation":%d,"by":%q}`, fence.Generation, f.key()),
			})
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	if f.random.IntN(4) == 0 {
		c.Outbox = []lashstore.WorkDraft{wake(f.key())}
	}
	c.Graph = lashstore.AppendNodes(nodes...)
	_, err = f.Commit(ctx, c)
	return err
}

// fightAsChild fights until it is killed or its time is up, and prints what was acknowledged.
func fightAsChild(path string) error {
	ctx := context.Background()
	s, err := store.OpenExisting(ctx, path, &store.Options{Durability: lashstore.DurabilityNormal})
	if err != nil {
		return err
	}
	var until int64
	if _, err := fmt.Scanln(&until); err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, time.UnixMilli(until))
	defer cancel()
	f := &fighter{
		SessionStore: s, random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		owner: store.LocalOwner("fighter", fmt.Sprint(os.Getpid(), "-", time.Now().UnixNano())),
		said:  func(what, key string) { fmt.Println(what, key) },
	}
	return errors.Join(f.fight(ctx), s.Close())
}

// outcome holds the end of a fight against what was acknowledged.
//
// 1. What was put in is there, and settled exactly once, by the commit that wrote its node, or cancelled, or open.
// 2. Generations never went down.
func outcome(t *testing.T, f *fixture, acknowledged map[string]string) {
	t.Helper()
	ctx := context.Background()
	f.sound()
	session, err := f.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeFull})
	require.NoError(t, err)
	done := map[string]bool{}
	last := int64(0)
	for _, n := range session.Graph.Nodes {
		var payload struct{ Generation int64 }
		require.NoError(t, json.Unmarshal(n.Payload, &payload))
		require.GreaterOrEqual(t, payload.Generation, last)
		last = payload.Generation
		done[strings.TrimPrefix(n.ID, "done-")] = true
	}
	counts, keys := map[string]int{}, map[string]bool{}
	settle := func(family, id, key string, state lashstore.EntryState) {
		counts[family+" "+string(state)]++
		keys[family+" "+key] = true
		assert.Equal(t, state == lashstore.EntryCompleted, done[id], "%s %s is %s", family, key, state)
	}
	work, err := f.ListWork(ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	require.NoError(t, err)
	for _, b := range work {
		settle("work", b.ID, b.SourceKey, b.State)
	}
	inputs, err := f.ListInputs(ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	require.NoError(t, err)
	for _, in := range inputs {
		settle("input", in.ID, in.SourceKey, in.State)
	}
	for key, family := range acknowledged {
		assert.True(t, keys[family+" "+key], "%s %s was acknowledged and is gone", family, key)
	}
	t.Logf("%d acknowledged, %d generations, %v", len(acknowledged), last, counts)
	assert.Positive(t, counts["work completed"]+counts["input completed"])
}

// Eight goroutines fight for one session: claims, commits, abandons, cancellations, leases that are lost.
func TestFightOfGoroutines(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	ctx, cancel := context.WithTimeout(t.Context(), fightTime(t))
	defer cancel()
	var mu sync.Mutex
	acknowledged := map[string]string{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := f.Store
			if i%2 == 0 {
				var err error
				if s, err = store.OpenExisting(t.Context(), f.path, &store.Options{Durability: lashstore.DurabilityNormal}); !assert.NoError(t, err) {
					return
				}
				defer func() { assert.NoError(t, s.Close()) }()
			}
			fighter := &fighter{
				SessionStore: s, random: rand.New(rand.NewPCG(seed, uint64(i))),
				owner: lashstore.Owner{ID: "fighter", Incarnation: fmt.Sprint(i)},
				said: func(what, key string) {
					mu.Lock()
					defer mu.Unlock()
					acknowledged[key] = what
				},
			}
			assert.NoError(t, fighter.fight(ctx))
		})
	}
	wg.Wait()
	outcome(t, f, acknowledged)
}

// Eight processes fight for one session, and are killed and replaced at random.
func TestFightOfProcesses(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	until := time.Now().Add(fightTime(t))
	var mu sync.Mutex
	acknowledged := map[string]string{}
	kills := 0
	var wg sync.WaitGroup
	for i := range 8 {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for time.Now().Before(until) {
				p := start(t, "fight", f.path)
				_, err := fmt.Fprintln(p.in, until.UnixMilli())
				assert.NoError(t, err)
				life := time.Duration(100+random.IntN(1500)) * time.Millisecond
				kill := func() {
					if err := p.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
						assert.NoError(t, err)
					}
				}
				for begun := false; p.out.Scan(); begun = true {
					if !begun {
						time.AfterFunc(life, kill) // from its first deed on: starting may take long
					}
					what, key, ok := strings.Cut(p.out.Text(), " ")
					if !ok || what == "child:" {
						assert.Fail(t, "a child failed", p.out.Text())
						continue
					}
					mu.Lock()
					acknowledged[key] = what
					mu.Unlock()
				}
				if err := p.Wait(); err != nil && assert.ErrorContains(t, err, "signal: killed") {
					mu.Lock()
					kills++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d kills", kills)
	assert.Positive(t, kills)
	outcome(t, f, acknowledged)
}
