package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
	"github.com/lashstore/lashstore/testsuite"
)

var worker = lashstore.Owner{ID: "worker", Incarnation: "1"}

// fence takes the lease.
func (f *fixture) fence() *lashstore.Fence {
	f.t.Helper()
	lease, err := f.TakeLease(context.Background(), worker, time.Hour)
	require.NoError(f.t, err)
	return lease.Fence()
}

func wake(key string) lashstore.WorkDraft {
	return lashstore.WorkDraft{
		SourceKey: key, Class: lashstore.ClassTurn,
		Items: []lashstore.WorkItem{{Kind: "process_wake", Payload: json.RawMessage(`{"process": "p1"}`)}},
	}
}

func (f *fixture) enqueue(d lashstore.WorkDraft) lashstore.WorkBatch {
	f.t.Helper()
	done, err := f.EnqueueWork(context.Background(), d)
	require.NoError(f.t, err)
	return done.Batch
}

func (f *fixture) submit(ingress lashstore.Ingress) lashstore.TurnInput {
	f.t.Helper()
	done, err := f.EnqueueInput(context.Background(), lashstore.InputDraft{Ingress: ingress, Input: json.RawMessage(`"hello"`)})
	require.NoError(f.t, err)
	return done.Input
}

// 8.A.18, 8.F.110: a checkpoint with nothing to take costs one read and no write; one with something to take one more, of
// each. A head that must wait is nothing to take, and is taken when the lane is idle.
func TestIdleCheckpointWritesNothing(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	fence := f.fence()
	at := lashstore.TurnCheckpoint{TurnID: "t1", Boundary: lashstore.AfterWork}
	everything := lashstore.CheckpointRequest{At: at, MaxInputs: 64, MaxWork: 64}
	cost := func(what string, reads, writes int64, do func()) {
		t.Helper()
		r0, w0 := f.Transactions()
		do()
		r1, w1 := f.Transactions()
		assert.Equal(t, [2]int64{reads, writes}, [2]int64{r1 - r0, w1 - w0}, "%s: transactions read, written", what)
	}
	checkpoint := func() (claims lashstore.CheckpointClaims) {
		claims, err := f.ClaimCheckpoint(t.Context(), fence, everything)
		require.NoError(t, err)
		return claims
	}
	cost("empty", 1, 0, func() { assert.Zero(t, checkpoint()) })

	late := wake("late")
	late.Delivery = lashstore.DeliverAfterTurn
	f.enqueue(late)
	f.submit(lashstore.NextTurn())
	hidden := wake("hidden")
	hidden.NotBefore = time.Now().Add(time.Hour)
	f.enqueue(hidden)
	cost("nothing for this boundary", 1, 0, func() { assert.Zero(t, checkpoint()) })
	cost("idle", 1, 1, func() {
		claim, err := f.ClaimWork(t.Context(), fence, lashstore.BoundaryIdle, 1)
		require.NoError(t, err)
		assert.Equal(t, "late", claim.Batches[0].SourceKey)
	})
	cost("all of it held", 1, 0, func() { assert.Zero(t, checkpoint()) })

	f.enqueue(wake("now"))
	f.submit(lashstore.ActiveTurn("t1", lashstore.AfterWork))
	cost("both families", 1, 1, func() {
		claims := checkpoint()
		require.NotNil(t, claims.Inputs)
		require.NotNil(t, claims.Work)
	})
	cost("taken", 1, 0, func() { assert.Zero(t, checkpoint()) })
	f.sound()
}

// 10.W18: one batch that cannot be read stops nobody for ever. It is named by whoever meets it, and can be taken out.
func TestUnreadableBatchIsNamedAndCanBeTakenOut(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	bad, good := f.enqueue(wake("bad")), f.enqueue(wake("good"))
	f.damage(func(path string) {
		testdb.Exec(t, path, `UPDATE entries SET content = '{"not": "items"}' WHERE source_key = 'bad'`)
	})
	fence := f.fence()
	_, err := f.ClaimWork(t.Context(), fence, lashstore.BoundaryIdle, 1)
	var corrupt *lashstore.CorruptError
	require.ErrorAs(t, err, &corrupt)
	assert.Equal(t, bad.ID, corrupt.Key)
	_, err = f.ListWork(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	assert.Equal(t, map[lashstore.FindingKind]int{lashstore.FindingEntry: 1}, f.findings())

	results, err := f.CancelWork(t.Context(), lashstore.ByID(bad.ID))
	require.NoError(t, err)
	assert.Equal(t, lashstore.Cancelled, results[0].Outcome)
	claim, err := f.ClaimWork(t.Context(), fence, lashstore.BoundaryIdle, 1)
	require.NoError(t, err)
	assert.Equal(t, good.ID, claim.Batches[0].ID)
	f.sound()
}

// Whatever of the line was changed behind the store's back is found.
func TestDamageInTheLineIsFound(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"other items":             `UPDATE entries SET content = '[{"kind":"process_wake","payload":{"process":"p2"}}]' WHERE family = 'work'`,
		"another policy":          `UPDATE entries SET delivery = 'after_current_turn_commit' WHERE family = 'work'`,
		"input that is no JSON":   `UPDATE entries SET content = '{' WHERE family = 'input'`,
		"input without content":   `UPDATE entries SET content = NULL WHERE family = 'input'`,
		"a place never given out": `UPDATE entries SET seq = 99 WHERE family = 'work'`,
		"a claim of the future":   `UPDATE entries SET state = 'claimed', claim_id = 'c', claim_token = 't', claim_generation = 9 WHERE family = 'work'`,
	} {
		f := setup(t, nil)
		f.enqueue(wake("w"))
		f.submit(lashstore.NextTurn())
		f.damage(func(path string) { testdb.Exec(t, path, statement) })
		found := f.findings()
		assert.Equal(t, 1, found[lashstore.FindingEntry], "%s: %v", name, found)
	}
}

// What is hidden by the thousand becomes claimable in the order of the line, in transactions that are all short.
func TestManyHiddenBatchesComeOutInOrder(t *testing.T) {
	t.Parallel()
	const n = 1203
	clock := testsuite.NewClock()
	f := setup(t, &store.Options{Clock: clock, Durability: lashstore.DurabilityNormal})
	for i := range n {
		d := wake(fmt.Sprint(i))
		d.NotBefore = clock.Now().Add(time.Duration(n-i) * time.Second) // the last is due first
		f.enqueue(d)
	}
	fence := f.fence()
	_, before := f.Transactions()
	none, err := f.ClaimWork(t.Context(), fence, lashstore.BoundaryIdle, 1)
	require.NoError(t, err)
	assert.Nil(t, none)
	_, after := f.Transactions()
	assert.Equal(t, before, after)

	clock.Advance(n * time.Second)
	fence, err = renewed(f, fence)
	require.NoError(t, err)
	_, before = f.Transactions()
	for i := range 3 {
		claim, err := f.ClaimWork(t.Context(), fence, lashstore.BoundaryIdle, 1)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(i), claim.Batches[0].SourceKey)
	}
	_, after = f.Transactions()
	assert.EqualValues(t, 5, after-before, "two that make 500 ready each, and one for each claim")
	f.sound()
}

func renewed(f *fixture, fence *lashstore.Fence) (*lashstore.Fence, error) {
	lease, err := f.RenewLease(context.Background(), fence, 24*time.Hour)
	return lease.Fence(), err
}

// Payloads come back byte for byte, with the white space around them.
func TestPayloadsOfWorkAreNotRespelled(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	d := lashstore.WorkDraft{Class: lashstore.ClassTurn}
	for i, payload := range []string{" 1 ", "{ \"a\" : [ 1 , 2.50 ] }\n", `"<&>\u00e9}],{"`, "\t[]", "null", `{"kind":"x","payload":{}}`} {
		d.Items = append(d.Items, lashstore.WorkItem{Kind: fmt.Sprint("k", i), Payload: json.RawMessage(payload)})
	}
	f.enqueue(d)
	claim, err := f.ClaimWork(t.Context(), f.fence(), lashstore.BoundaryIdle, 1)
	require.NoError(t, err)
	assert.Equal(t, d.Items, claim.Batches[0].Items)
	f.sound()
}
