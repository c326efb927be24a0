package store_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "a.db"), lashstore.SessionMeta{SessionID: "a"}, nil)
	require.NoError(t, err)
	lease, err := s.TakeLease(ctx, store.LocalOwner("me", "1"), time.Minute)
	require.NoError(t, err)
	res, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "a", Expect: lashstore.Create(), Lease: lease.Fence(), ReleaseLease: true,
		Turn:   &lashstore.TurnStamp{TurnID: "t1"},
		Config: json.RawMessage(`{"m":1}`),
		Frames: []lashstore.Frame{{ID: "f1", Reason: "initial", ExecutionState: []byte("xx")}}, CurrentFrameID: "f1",
		Graph: lashstore.AppendNodes(
			lashstore.Node{ID: "n1", Kind: lashstore.NodeMessage, Role: "user", Payload: json.RawMessage(`{"role":"user","content":"hello"}`)},
			lashstore.Node{ID: "n2", ParentID: "n1", Kind: lashstore.NodeMessage, Role: "assistant", Payload: json.RawMessage(`{"role":"assistant","content":"hi"}`)},
		),
		Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(`{"i":1}`), Parts: map[string]lashstore.Part{"tool_state": lashstore.PartContent(make([]byte, 9000))}},
		Usage:      []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 5, Output: 6}}},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, res.Revision)
	l, err := s.Load(ctx, nil)
	require.NoError(t, err)
	require.Len(t, l.Graph.Nodes, 2)
	require.Equal(t, "hello", l.Summary.Title)
	rep, err := s.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, rep.Findings)
	gc, err := s.GC(ctx, nil)
	require.NoError(t, err)
	t.Logf("%+v %+v", rep, gc)
	require.NoError(t, s.Close())
}
