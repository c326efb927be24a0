package store_test

import (
	"context"
	"encoding/json"
	"errors"
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

// pair is the SQLite store and the reference backend, driven alike.
type pair struct {
	t      *rapid.T
	clock  *testsuite.Clock
	stores [2]lashstore.SessionStore
	fences [2]*lashstore.Fence // the lease taken last, live or not; each store has tokens of its own
	refs   []lashstore.Hash    // blobs that were stored once
}

// both runs an operation on both stores; their answers must be equal, and their errors of the same kind.
func both[T any](p *pair, what string, op func(i int, s lashstore.SessionStore) (T, error)) T {
	p.t.Helper()
	got, gotErr := op(0, p.stores[0])
	want, wantErr := op(1, p.stores[1])
	require.Equal(p.t, kindOf(wantErr), kindOf(gotErr), "%s: model says %v, store says %v", what, wantErr, gotErr)
	if wantErr == nil {
		require.Equal(p.t, want, got, what)
	}
	return got
}

func kindOf(err error) string {
	for _, sentinel := range []error{
		lashstore.ErrInvalid, lashstore.ErrRevisionConflict, lashstore.ErrTurnConflict, lashstore.ErrLeaseBusy,
		lashstore.ErrLeaseLost, lashstore.ErrNodeConflict, lashstore.ErrNodeNotFound, lashstore.ErrUnknownParent,
		lashstore.ErrGraphCycle, lashstore.ErrUnknownLeaf, lashstore.ErrNodeOnLivePath, lashstore.ErrFrameConflict,
		lashstore.ErrFrameNotFound, lashstore.ErrArtifactNotFound, lashstore.ErrMissingBlob, lashstore.ErrEntryConflict,
		lashstore.ErrEntryNotFound, lashstore.ErrClaimSuperseded, lashstore.ErrSessionMismatch,
		lashstore.ErrRevisionGone, lashstore.ErrBranchNotFound,
	} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	if err != nil {
		return "other: " + err.Error()
	}
	return ""
}

// agree compares everything that can be seen.
func (p *pair) agree() {
	ctx := context.Background()
	both(p, "full graph", func(_ int, s lashstore.SessionStore) (*lashstore.Session, error) {
		return s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeFull})
	})
	both(p, "path", func(_ int, s lashstore.SessionStore) (*lashstore.Session, error) { return s.Load(ctx, nil) })
	both(p, "tail", func(_ int, s lashstore.SessionStore) (lashstore.Graph, error) {
		loaded, err := s.Load(ctx, &lashstore.LoadOptions{Last: 2})
		if err != nil {
			return lashstore.Graph{}, err
		}
		return loaded.Graph, nil
	})
	both(p, "walk", func(_ int, s lashstore.SessionStore) (ids []string, err error) {
		for n, walkErr := range s.Path(ctx, "") {
			ids, err = append(ids, n.ID), errors.Join(err, walkErr)
		}
		return ids, err
	})
	both(p, "roots", func(_ int, s lashstore.SessionStore) ([]lashstore.Node, error) { return s.Children(ctx, "") })
	both(p, "usage by turn", func(_ int, s lashstore.SessionStore) ([]lashstore.TurnUsage, error) {
		return s.UsageByTurn(ctx, 0, 0)
	})
	both(p, "artifacts", func(_ int, s lashstore.SessionStore) ([]lashstore.Artifact, error) { return s.Artifacts(ctx, "ns") })
	both(p, "lease", func(_ int, s lashstore.SessionStore) (lashstore.Lease, error) {
		l, _, err := s.CurrentLease(ctx)
		return l, err
	})
	both(p, "counts", func(_ int, s lashstore.SessionStore) ([7]int64, error) {
		st, err := s.Stats(ctx)
		return [7]int64{st.Nodes, st.Tombstones, st.Blobs, st.Receipts, st.UsageDeltas, st.Frames, st.Revisions}, err
	})
	p.agreeOnHistory()
}

func (p *pair) pick(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(p.t, label)
}

func (p *pair) nodeID(label string) string {
	return p.pick(label, "a", "b", "c", "d", "e", "f", "g", "h")
}

func (p *pair) nodes() []lashstore.Node {
	var nodes []lashstore.Node
	for range rapid.IntRange(0, 4).Draw(p.t, "nodes") {
		n := message(p.nodeID("id"), "", lashstore.RoleUser, p.pick("text", "x", "x", "y"))
		if rapid.IntRange(0, 3).Draw(p.t, "root") > 0 {
			n.ParentID = p.nodeID("parent")
		}
		if rapid.Bool().Draw(p.t, "reply") {
			n.Role = lashstore.RoleAssistant
		}
		nodes = append(nodes, n)
	}
	return nodes
}

func (p *pair) delta() lashstore.GraphDelta {
	switch p.pick("delta", "append", "append", "append", "replace", "move", "clear", "none") {
	case "append":
		return lashstore.GraphDelta{Change: lashstore.GraphAppend, Nodes: p.nodes()}
	case "replace":
		return lashstore.GraphDelta{Change: lashstore.GraphReplace, Nodes: p.nodes()}
	case "move":
		return lashstore.MoveLeaf(p.nodeID("leaf"))
	case "clear":
		return lashstore.GraphDelta{ClearLeaf: true}
	}
	return lashstore.GraphDelta{}
}

func (p *pair) checkpoint() *lashstore.Checkpoint {
	if !rapid.Bool().Draw(p.t, "checkpoint") {
		return nil
	}
	c := &lashstore.Checkpoint{TurnState: json.RawMessage(p.pick("state", "1", "2", `{"n":3}`)), Parts: map[string]lashstore.Part{}}
	for range rapid.IntRange(0, 2).Draw(p.t, "parts") {
		part := lashstore.PartContent([]byte(p.pick("content", "one", "two", "three", "")))
		if len(p.refs) > 0 && rapid.Bool().Draw(p.t, "carried") {
			part = lashstore.PartRef(rapid.SampledFrom(p.refs).Draw(p.t, "ref"))
		}
		c.Parts[p.pick("part", "tool_state", "other")] = part
	}
	return c
}

func (p *pair) commit(t *rapid.T) {
	ctx := context.Background()
	head := both(p, "head", func(_ int, s lashstore.SessionStore) (*lashstore.Session, error) {
		return s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
	})
	c := lashstore.Commit{SessionID: sessionID, Expect: head.Expect(), Graph: p.delta(), Checkpoint: p.checkpoint()}
	if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
		c.Expect = lashstore.At(head.Revision + 1)
	}
	if rapid.Bool().Draw(t, "stamped") {
		c.Turn = &lashstore.TurnStamp{TurnID: p.pick("turn", "t1", "t2", "t3"), Continues: rapid.Bool().Draw(p.t, "continues")}
	}
	if rapid.Bool().Draw(t, "spends") {
		c.Usage = []lashstore.UsageDelta{{Source: p.pick("source", "turn", "sub"), Model: "m", Usage: lashstore.TokenUsage{Input: 3, ReasoningOutput: 1}}}
	}
	if rapid.IntRange(0, 3).Draw(t, "frame") == 0 {
		f := lashstore.Frame{ID: p.pick("frame id", "f1", "f2"), Reason: p.pick("reason", "initial", "initial", "other"), ExecutionState: []byte(p.pick("frame state", "s1", "s2"))}
		c.Frames, c.CurrentFrameID = []lashstore.Frame{f}, p.pick("current", "", "f1", "f2")
	}
	leased := rapid.IntRange(0, 2).Draw(t, "leased") == 0
	releases := leased && rapid.Bool().Draw(t, "releases")
	result := both(p, fmt.Sprintf("commit %+v", c), func(i int, s lashstore.SessionStore) (lashstore.CommitResult, error) {
		mine := c
		mine.WithoutLease = !leased
		if leased {
			mine.Lease, mine.ReleaseLease = p.fences[i], releases && p.fences[i] != nil
		}
		return s.Commit(ctx, mine)
	})
	for _, ref := range result.Parts {
		p.refs = append(p.refs, ref)
	}
}

func (p *pair) lease(t *rapid.T) {
	ctx := context.Background()
	owner := lashstore.Owner{ID: p.pick("owner", "o", "q"), Incarnation: "1"}
	ttl := time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second
	what := p.pick("lease", "take", "renew", "release")
	both(p, what+" lease", func(i int, s lashstore.SessionStore) (lashstore.Lease, error) {
		var l lashstore.Lease
		var err error
		switch what {
		case "take":
			if l, err = s.TakeLease(ctx, owner, ttl); err == nil {
				p.fences[i] = l.Fence()
			}
		case "renew":
			l, err = s.RenewLease(ctx, p.fences[i], ttl)
		default:
			err = s.ReleaseLease(ctx, p.fences[i])
		}
		return l.WithoutToken(), err
	})
}

func (p *pair) maintain(t *rapid.T) {
	ctx := context.Background()
	switch p.pick("maintenance", "tombstone", "orphans", "vacuum", "gc", "dry run") {
	case "tombstone":
		ids := []string{p.nodeID("tombstone"), p.nodeID("and")}
		both(p, "tombstone", func(_ int, s lashstore.SessionStore) (lashstore.TombstoneReport, error) {
			return s.TombstoneNodes(ctx, ids, nil)
		})
	case "orphans":
		both(p, "orphans", func(_ int, s lashstore.SessionStore) (lashstore.TombstoneReport, error) {
			return s.TombstoneOrphans(ctx, nil)
		})
	case "vacuum":
		o := &lashstore.VacuumOptions{Batch: rapid.IntRange(0, 3).Draw(t, "batch")}
		if rapid.Bool().Draw(t, "receipts") {
			o.ReceiptsBefore, o.UsageBefore = p.clock.Now().Add(-time.Minute), p.clock.Now().Add(-time.Minute)
		}
		if rapid.Bool().Draw(t, "lines") {
			o.RevisionsBefore = p.clock.Now().Add(-time.Minute)
		}
		both(p, "vacuum", func(_ int, s lashstore.SessionStore) (lashstore.VacuumReport, error) {
			report, err := s.Vacuum(ctx, o)
			report.Pages = 0
			return report, err
		})
	default:
		o := &lashstore.GCOptions{Batch: rapid.IntRange(0, 3).Draw(t, "batch"), DryRun: rapid.Bool().Draw(t, "dry")}
		both(p, "gc", func(_ int, s lashstore.SessionStore) (lashstore.GCReport, error) {
			report, err := s.GC(ctx, o)
			report.Bytes = 0 // compressed or not
			return report, err
		})
	}
}

func (p *pair) content(*rapid.T) {
	ctx := context.Background()
	content := []byte(p.pick("blob", "one", "two", "blob", "artifact"))
	key := lashstore.ArtifactKey{Namespace: "ns", Key: p.pick("key", "k1", "k2")}
	switch p.pick("content", "blob", "put", "get", "delete") {
	case "blob":
		p.refs = append(p.refs, both(p, "put blob", func(_ int, s lashstore.SessionStore) (lashstore.Hash, error) {
			return s.PutBlob(ctx, lashstore.GenericBlob, content)
		}))
	case "put":
		both(p, "put artifact", func(_ int, s lashstore.SessionStore) ([]any, error) {
			ref, previous, err := s.PutArtifact(ctx, key, lashstore.GenericBlob, content)
			return []any{ref, previous}, err
		})
	case "get":
		both(p, "artifact", func(_ int, s lashstore.SessionStore) (lashstore.Artifact, error) { return s.Artifact(ctx, key) })
	case "delete":
		both(p, "delete artifact", func(_ int, s lashstore.SessionStore) (bool, error) { return s.DeleteArtifact(ctx, key) })
	}
}

// Whatever is done, in whatever order, the store answers as the reference backend does, holds what it holds, and is
// sound in the end.
func TestStoreBehavesLikeTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := testsuite.NewClock()
		sqlite, err := store.Memory(context.Background(), lashstore.SessionMeta{SessionID: sessionID}, &store.Options{Clock: clock})
		require.NoError(t, err)
		defer func() { require.NoError(t, sqlite.Close()) }()
		model, err := refstore.NewFactory(refstore.NewPlace(), refstore.Options{Clock: clock}).
			CreateSession(context.Background(), lashstore.SessionMeta{SessionID: sessionID})
		require.NoError(t, err)
		for _, s := range []lashstore.SessionStore{sqlite, model} {
			require.NoError(t, s.KeepRevisions(context.Background(), 3))
		}
		p := &pair{t: t, clock: clock, stores: [2]lashstore.SessionStore{sqlite, model}}
		t.Repeat(map[string]func(*rapid.T){
			"commit":   p.commit,
			"again":    p.commit,
			"lease":    p.lease,
			"maintain": p.maintain,
			"content":  p.content,
			"move":     p.move,
			"branch":   p.branch,
			"keep":     p.keep,
			"wait":     func(t *rapid.T) { clock.Advance(time.Duration(rapid.IntRange(1, 120).Draw(t, "wait")) * time.Second) },
			"":         func(*rapid.T) { p.agree() },
		})
		report, err := sqlite.Verify(context.Background())
		require.NoError(t, err)
		require.Empty(t, report.Findings)
	})
}
