package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// exported is a session as a portable stream.
func exported(t require.TestingT, s *store.Store) []byte {
	var b bytes.Buffer
	_, err := s.ExportPortable(context.Background(), &b)
	require.NoError(t, err)
	return b.Bytes()
}

// importedFrom is the session that a stream makes.
func importedFrom(t testing.TB, stream []byte, options *lashstore.ImportOptions) (*store.Store, *store.Factory) {
	t.Helper()
	f, err := store.NewFactory(t.TempDir(), nil)
	require.NoError(t, err)
	made, err := f.ImportPortable(context.Background(), bytes.NewReader(stream), options)
	require.NoError(t, err)
	s, err := f.OpenSession(context.Background(), made.SessionID)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s.(*store.Store), f
}

// everything is all that a session's methods tell of it, as JSON, so that two can be compared.
func everything(t require.TestingT, s *store.Store) string {
	ctx := context.Background()
	var parts []any
	add := func(v any, err error) {
		require.NoError(t, err)
		parts = append(parts, v)
	}
	add(s.Meta(ctx))
	revisions, err := s.Revisions(ctx, nil)
	add(revisions, err)
	for _, r := range revisions {
		if r.Loadable {
			add(s.Load(ctx, &lashstore.LoadOptions{At: r.Revision}))
		}
	}
	add(s.Load(ctx, nil))
	add(s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeFull}))
	add(s.Branches(ctx))
	add(s.Usage(ctx))
	add(s.UsageByTurn(ctx, 0, 0))
	for _, ns := range []string{lashstore.NamespaceModule, lashstore.NamespaceProcessEnv} {
		list, err := s.Artifacts(ctx, ns)
		add(list, err)
		for _, a := range list {
			add(s.Artifact(ctx, a.Key))
		}
	}
	work, err := s.ListWork(ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	require.NoError(t, err)
	for i := range work { // a claim does not travel
		if work[i].Claim = nil; work[i].State == lashstore.EntryClaimed {
			work[i].State = lashstore.EntryWaiting
		}
	}
	add(work, nil)
	inputs, err := s.ListInputs(ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	require.NoError(t, err)
	for i := range inputs {
		if inputs[i].Claim = nil; inputs[i].State == lashstore.EntryClaimed {
			inputs[i].State = lashstore.EntryWaiting
		}
	}
	add(inputs, nil)
	stats, err := s.Stats(ctx)
	stats.FileBytes, stats.WALBytes, stats.FreeBytes = 0, 0, 0
	add(stats, err)
	text, err := json.MarshalIndent(parts, "", " ")
	require.NoError(t, err)
	return string(text)
}

// rich is a session with something of everything: kept revisions over tombstones, a rewind, a pin, branches, receipts
// with an outbox, frames with states, artifacts, claimed, settled and hidden entries, payloads with odd white space.
func rich(t testing.TB) *fixture {
	t.Helper()
	ctx := context.Background()
	f := setup(t, nil)
	require.NoError(t, f.KeepRevisions(context.Background(), lashstore.DefaultKeepRevisions))
	require.NoError(t, f.UpdateMeta(ctx, lashstore.SessionMeta{
		SessionID: sessionID, Name: "a <name> & more", Model: "m", Cwd: "/w", Extra: json.RawMessage("{ \"a\" : [1,\n2] }"),
		Relation: lashstore.Relation{Kind: lashstore.RelationChild, ParentSessionID: "mother", CausedBy: json.RawMessage(`"\u00e9"`)},
	}))
	f.turns(3)
	c := f.turn(4)
	c.Config = json.RawMessage(`{"temperature":1.0e1}`)
	c.Frames = []lashstore.Frame{
		{ID: "f1", Reason: "initial", ExecutionState: text(9000, 1), Assignment: json.RawMessage(`{"a": 1}`)},
		{ID: "f2", PreviousID: "f1", Reason: "compaction", CausedBy: json.RawMessage("null"), Options: json.RawMessage("[\t]")},
	}
	c.CurrentFrameID = "f2"
	c.Outbox = []lashstore.WorkDraft{{Class: lashstore.ClassTurn, SourceKey: "k1", Items: []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage("{ \"x\":\"<\\u003c\" }")}}}}
	f.commit(c)
	require.NoError(t, f.NameBranch(ctx, "before", "a2"))
	require.NoError(t, f.PinRevision(ctx, 2))
	c = f.turn(5)
	c.Graph.Nodes[0].ParentID = "a2" // another branch
	f.commit(c)
	c = f.turn(6)
	c.Graph = lashstore.ReplaceGraph("", mustPath(t, f, "a2")...)
	f.commit(c)
	s, err := f.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead})
	require.NoError(t, err)
	_, err = f.MoveHead(ctx, lashstore.HeadMove{SessionID: sessionID, Expect: s.Expect(), Revision: 3, WithoutLease: true})
	require.NoError(t, err)
	f.line()
	for i, content := range [][]byte{text(3<<20, 1), {}, []byte("small")} {
		_, _, err = f.PutArtifact(ctx, lashstore.ArtifactKey{Namespace: lashstore.NamespaceModule, Key: fmt.Sprint("key", i)}, lashstore.ModuleArtifact, content)
		require.NoError(t, err)
	}
	_, err = f.PutBlob(ctx, lashstore.GenericBlob, bytes.Repeat([]byte{0, 0xff, 7}, 1<<20))
	require.NoError(t, err)
	require.NoError(t, f.KeepRevisions(ctx, 3))
	return f
}

func mustPath(t testing.TB, f *fixture, leaf string) []lashstore.Node {
	t.Helper()
	s, err := f.Load(context.Background(), &lashstore.LoadOptions{Leaf: leaf})
	require.NoError(t, err)
	return s.Graph.Nodes
}

// line fills the line with entries in every state.
func (f *fixture) line() {
	f.t.Helper()
	ctx := context.Background()
	for i := range 4 {
		d := lashstore.WorkDraft{Class: lashstore.ClassTurn, SourceKey: fmt.Sprint("w", i), Items: []lashstore.WorkItem{{Kind: "task", Payload: json.RawMessage(fmt.Sprint(i))}}}
		if i == 3 {
			d.NotBefore = time.Now().Add(time.Hour)
		}
		_, err := f.EnqueueWork(ctx, d)
		require.NoError(f.t, err)
		_, err = f.EnqueueInput(ctx, lashstore.InputDraft{ID: fmt.Sprint("in", i), Input: json.RawMessage(fmt.Sprintf("{\"text\":\n%d}", i)), Ingress: lashstore.ActiveTurn("turn", "")})
		require.NoError(f.t, err)
	}
	_, err := f.CancelWork(ctx, lashstore.EntryTarget{SourceKey: "w1"})
	require.NoError(f.t, err)
	_, err = f.CancelInputs(ctx, lashstore.EntryTarget{ID: "in1"})
	require.NoError(f.t, err)
	lease, err := f.TakeLease(ctx, lashstore.Owner{ID: "o", Incarnation: "1"}, time.Hour)
	require.NoError(f.t, err)
	claim, err := f.ClaimWork(ctx, lease.Fence(), lashstore.BoundaryIdle, 1)
	require.NoError(f.t, err)
	require.NotNil(f.t, claim)
	inputs, err := f.ClaimTurnInputs(ctx, lease.Fence(), lashstore.TurnCheckpoint{TurnID: "turn", Boundary: lashstore.AfterWork}, 1)
	require.NoError(f.t, err)
	require.NotNil(f.t, inputs)
	_, err = f.DeferInputs(ctx, lease.Fence(), "")
	require.NoError(f.t, err)
}

// 1. A session with something of everything is the same after an export and an import.
// 2. It is sound, and the second export is the first one, byte for byte.
// 3. Its lease is free, of the same generation, and no place in the line is given out twice.
func TestPortableRoundTrip(t *testing.T) {
	t.Parallel()
	f := rich(t)
	stream := exported(t, f.Store)
	s, _ := importedFrom(t, stream, nil)
	assert.Equal(t, everything(t, f.Store), everything(t, s))
	report, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	assert.Equal(t, string(stream), string(exported(t, s)))

	lease, err := s.TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "2"}, time.Hour)
	require.NoError(t, err)
	assert.EqualValues(t, 2, lease.Generation)
	before, err := f.EnqueueWork(t.Context(), lashstore.WorkDraft{Class: lashstore.ClassTurn, Items: []lashstore.WorkItem{{Kind: "x", Payload: json.RawMessage("1")}}})
	require.NoError(t, err)
	after, err := s.EnqueueWork(t.Context(), lashstore.WorkDraft{Class: lashstore.ClassTurn, Items: []lashstore.WorkItem{{Kind: "x", Payload: json.RawMessage("1")}}})
	require.NoError(t, err)
	assert.Equal(t, before.Batch.Seq, after.Batch.Seq)
	for range 9 { // what is hidden for an hour cannot be claimed here either
		if _, err := s.ClaimWork(t.Context(), lease.Fence(), lashstore.BoundaryIdle, 1); err != nil {
			require.NoError(t, err)
		}
	}
	work, err := s.ListWork(t.Context(), nil)
	require.NoError(t, err)
	hidden := 0
	for _, b := range work {
		if !b.NotBefore.IsZero() {
			hidden++
			assert.Equal(t, lashstore.EntryWaiting, b.State)
		}
	}
	assert.Equal(t, 1, hidden)
	meta, err := s.Meta(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "{ \"a\" : [1,\n2] }", string(meta.Extra))
	for _, secret := range []string{"claim", "token\"", lease.Token} {
		assert.NotContains(t, string(stream), secret)
	}
}

// What takes many pages goes in and out in order: nothing is left out, or written twice, where a page ends.
func TestPortablePagesMeet(t *testing.T) {
	t.Parallel()
	const many = 700
	records := []lashstore.PortableRecord{
		{Session: &lashstore.PortableSession{Name: "s", Relation: lashstore.RelationRoot, Config: json.RawMessage(`{}`)}},
		{Blob: &lashstore.PortableBlob{Hash: lashstore.HashOf(nil), Kind: lashstore.BlobGeneric}},
	}
	each := func(n int, record func(i int) lashstore.PortableRecord) {
		for i := range n {
			records = append(records, record(i))
		}
	}
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Node: &lashstore.PortableNode{ID: fmt.Sprint("n", i), Kind: lashstore.NodePlugin, Revision: 1, Payload: json.RawMessage(`1`)}}
	})
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Frame: &lashstore.PortableFrame{ID: fmt.Sprint("f", i), Reason: "r"}}
	})
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Artifact: &lashstore.PortableArtifact{Namespace: []string{"a", "b"}[i/(many/2)], Key: fmt.Sprintf("%04d", i), Ref: lashstore.HashOf(nil)}}
	})
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Revision: &lashstore.PortableRevision{Revision: lashstore.Revision(i + 1), Movement: lashstore.MovedByCommit}}
	})
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Branch: &lashstore.PortableBranch{Name: fmt.Sprintf("%04d", i), Leaf: fmt.Sprint("n", i)}}
	})
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Usage: &lashstore.PortableUsage{Revision: lashstore.Revision(1 + i/300), Ordinal: int64(i % 300), Source: "s", Model: "m", Usage: lashstore.TokenUsage{Input: 1}}}
	})
	records = append(records, lashstore.PortableRecord{Total: &lashstore.PortableTotal{Source: "s", Model: "m", Usage: lashstore.TokenUsage{Input: many}}})
	each(many, func(i int) lashstore.PortableRecord {
		return lashstore.PortableRecord{Entry: &lashstore.PortableEntry{Seq: int64(i + 1), ID: fmt.Sprint("i", i), State: lashstore.EntryWaiting, Input: &lashstore.PortableSubmit{Input: json.RawMessage(`1`)}}}
	})
	records = append(records, lashstore.PortableRecord{Head: &lashstore.PortableHead{Revision: many, LastSeq: many}})
	stream := streamOf(t, records)
	s, _ := importedFrom(t, stream, nil)
	assert.Equal(t, string(stream), string(exported(t, s)))
}
