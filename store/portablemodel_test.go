package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
	"github.com/lashstore/lashstore/testsuite"
)

// wanderer does things to one session, whether they succeed or not.
type wanderer struct {
	pair // for what it draws
	*store.Store
	fence *lashstore.Fence
}

func (w *wanderer) commit(t *rapid.T) {
	ctx := context.Background()
	head, err := w.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
	require.NoError(t, err)
	c := lashstore.Commit{SessionID: sessionID, Expect: head.Expect(), Graph: w.delta(), Checkpoint: w.checkpoint(), Lease: w.fence, WithoutLease: w.fence == nil}
	if rapid.Bool().Draw(t, "stamped") {
		c.Turn = &lashstore.TurnStamp{TurnID: w.pick("turn", "t1", "t2", "t3", "t4")}
	}
	if rapid.Bool().Draw(t, "spends") {
		c.Usage = []lashstore.UsageDelta{
			{Source: w.pick("source", "turn", "sub"), Model: "m", Usage: lashstore.TokenUsage{Input: 3, ReasoningOutput: 1}},
			{Source: "turn", Model: w.pick("model", "m", "n"), Usage: lashstore.TokenUsage{CacheRead: 7}},
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "frame") == 0 {
		f := lashstore.Frame{ID: w.pick("frame", "f1", "f2"), Reason: "r", ExecutionState: []byte(w.pick("frame state", "s1", "s2"))}
		c.Frames, c.CurrentFrameID = []lashstore.Frame{f}, f.ID
	}
	if rapid.IntRange(0, 2).Draw(t, "outbox") == 0 {
		c.Outbox = []lashstore.WorkDraft{w.draft(t)}
	}
	_, _ = w.Commit(ctx, c) // it may be refused
}

func (w *wanderer) draft(t *rapid.T) lashstore.WorkDraft {
	d := lashstore.WorkDraft{Class: lashstore.ClassTurn, SourceKey: w.pick("key", "", "k1", "k2"), Items: []lashstore.WorkItem{
		{Kind: "wake", Payload: json.RawMessage(w.pick("payload", "1", ` {"a": 2}`, "\"\\n\""))}}}
	if rapid.Bool().Draw(t, "hidden") {
		d.NotBefore = w.clock.Now().Add(time.Duration(rapid.IntRange(-30, 90).Draw(t, "delay")) * time.Second)
	}
	return d
}

func (w *wanderer) history(t *rapid.T) {
	ctx := context.Background()
	head, err := w.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
	require.NoError(t, err)
	revision := lashstore.Revision(rapid.Int64Range(1, max(1, int64(head.Revision))).Draw(t, "revision"))
	switch w.pick("history", "rewind", "branch", "name", "drop", "pin", "unpin") {
	case "rewind":
		_, _ = w.MoveHead(ctx, lashstore.HeadMove{SessionID: sessionID, Expect: head.Expect(), Revision: revision, WithoutLease: w.fence == nil, Lease: w.fence})
	case "branch":
		_, _ = w.MoveHead(ctx, lashstore.HeadMove{SessionID: sessionID, Expect: head.Expect(), Branch: "b1", WithoutLease: w.fence == nil, Lease: w.fence})
	case "name":
		_ = w.NameBranch(ctx, w.pick("name", "b1", "b2"), w.nodeID("leaf"))
	case "drop":
		_, _ = w.DropBranch(ctx, "b1")
	case "pin":
		_ = w.PinRevision(ctx, revision)
	case "unpin":
		_ = w.UnpinRevision(ctx, revision)
	}
}

func (w *wanderer) line(t *rapid.T) {
	ctx := context.Background()
	switch w.pick("line", "work", "input", "claim work", "claim input", "cancel", "lease", "free") {
	case "work":
		_, _ = w.EnqueueWork(ctx, w.draft(t))
	case "input":
		_, _ = w.EnqueueInput(ctx, lashstore.InputDraft{ID: w.pick("input", "", "i1", "i2"), Input: json.RawMessage(w.pick("text", `"x"`, "[ 1 ]")), Ingress: lashstore.Ingress{TurnID: w.pick("for", "", "t1")}})
	case "claim work":
		_, _ = w.ClaimWork(ctx, w.fence, lashstore.BoundaryIdle, 1)
	case "claim input":
		_, _ = w.ClaimNextInputs(ctx, w.fence, 2)
	case "cancel":
		_, _ = w.CancelInputs(ctx, lashstore.EntryTarget{ID: "i1"})
		_, _ = w.CancelWork(ctx, lashstore.EntryTarget{SourceKey: "k1"})
	case "lease":
		if lease, err := w.TakeLease(ctx, lashstore.Owner{ID: "o", Incarnation: "1"}, time.Minute); err == nil {
			w.fence = lease.Fence()
		}
	case "free":
		_ = w.ReleaseLease(ctx, w.fence)
		w.fence = nil
	}
}

func (w *wanderer) maintain(t *rapid.T) {
	ctx := context.Background()
	switch w.pick("maintenance", "tombstone", "orphans", "vacuum", "gc", "artifact", "blob") {
	case "tombstone":
		_, _ = w.TombstoneNodes(ctx, []string{w.nodeID("tombstone")}, w.fence)
	case "orphans":
		_, _ = w.TombstoneOrphans(ctx, w.fence)
	case "vacuum":
		before := w.clock.Now().Add(-time.Minute)
		_, err := w.Vacuum(ctx, &lashstore.VacuumOptions{ReceiptsBefore: before, UsageBefore: before, WorkBefore: before, InputsBefore: before})
		require.NoError(t, err)
	case "gc":
		_, err := w.GC(ctx, nil)
		require.NoError(t, err)
	case "artifact":
		_, _, err := w.PutArtifact(ctx, lashstore.ArtifactKey{Namespace: lashstore.NamespaceModule, Key: w.pick("key", "a", "b")}, lashstore.ModuleArtifact, text(rapid.SampledFrom([]int{0, 10, 900, 5000}).Draw(t, "size"), 1))
		require.NoError(t, err)
	case "blob":
		_, err := w.PutBlob(ctx, lashstore.GenericBlob, []byte(w.pick("blob", "one", "two")))
		require.NoError(t, err)
	}
}

// Whatever a session has gone through, it is the same on the other side: every loadable revision, branches, usage,
// artifacts, the line, the counts; and its export is the one that it came from.
func TestPortableRoundTripOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		clock := testsuite.NewClock()
		options := &store.Options{Clock: clock, Durability: lashstore.DurabilityNormal}
		source, err := store.Memory(ctx, lashstore.SessionMeta{SessionID: sessionID}, options)
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		require.NoError(t, source.KeepRevisions(ctx, rapid.IntRange(0, 5).Draw(t, "keep")))
		w := &wanderer{pair: pair{t: t, clock: clock}, Store: source}
		t.Repeat(map[string]func(*rapid.T){
			"commit": w.commit, "again": w.commit, "history": w.history, "line": w.line, "maintain": w.maintain,
			"wait": func(t *rapid.T) { clock.Advance(time.Duration(rapid.IntRange(1, 120).Draw(t, "wait")) * time.Second) },
		})
		stream := exported(t, source)
		dir, err := os.MkdirTemp("", "portable")
		require.NoError(t, err)
		defer func() { require.NoError(t, os.RemoveAll(dir)) }()
		f, err := store.NewFactory(dir, options)
		require.NoError(t, err)
		_, err = f.ImportPortable(ctx, bytes.NewReader(stream), nil)
		require.NoError(t, err)
		s, err := f.OpenReadOnly(ctx, sessionID)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		require.Equal(t, everything(t, source), everything(t, s))
		require.Equal(t, string(stream), string(exported(t, s)))
	})
}
