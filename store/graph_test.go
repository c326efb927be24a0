package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// 1. A list of ids as long as memory allows is no more than many short ones.
// 2. A node of the active path, at its end, keeps all of it from happening.
func TestTombstoneTakesAnyNumberOfIDs(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(1)
	c := f.turn(2)
	c.Graph = lashstore.AppendNodes(message("branch", "u1", lashstore.RoleUser, "not taken"))
	c.Graph.Leaf = "a1"
	f.commit(c)
	ids := make([]string, 100_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("%0*d", lashstore.MaxIDLength, i)
	}
	ids[0], ids[len(ids)-1] = "branch", "u1"
	_, err := f.TombstoneNodes(t.Context(), ids, nil)
	require.ErrorIs(t, err, lashstore.ErrNodeOnLivePath)
	_, err = f.Node(t.Context(), "branch")
	require.NoError(t, err)
	report, err := f.TombstoneNodes(t.Context(), ids[:len(ids)-1], nil)
	require.NoError(t, err)
	assert.EqualValues(t, 1, report.Nodes)
	f.sound()
}

// Bad input: ten thousand nodes in a commit.
func TestTenThousandNodesInACommit(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	nodes := make([]lashstore.Node, 10_000)
	parent := ""
	for i := range nodes {
		nodes[i] = message(fmt.Sprintf("n%d", i), parent, lashstore.RoleUser, "text")
		parent = nodes[i].ID
	}
	f.commit(lashstore.Commit{SessionID: sessionID, Expect: lashstore.Create(), WithoutLease: true, Graph: lashstore.AppendNodes(nodes...)})
	s, err := f.Load(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, s.Graph.Nodes, len(nodes))
	assert.Equal(t, nodes[0].ID, s.Graph.Nodes[0].ID)
	walked := 0
	for _, err := range f.Path(t.Context(), "") {
		require.NoError(t, err)
		walked++
	}
	assert.Equal(t, len(nodes), walked)
	f.sound()
	report, err := f.TombstoneNodes(t.Context(), []string{"n0"}, nil)
	require.ErrorIs(t, err, lashstore.ErrNodeOnLivePath)
	assert.Zero(t, report.Nodes)
}

// 10.W51, 10.W52: what a commit writes does not grow with the history, nor with the frames there were.
func TestCommitWritesNoMoreInALongSession(t *testing.T) {
	t.Parallel()
	f := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	written := func(n int) int64 {
		require.NoError(t, f.Store.Close())
		var err error
		f.Store, err = store.OpenExisting(t.Context(), f.path, nil)
		require.NoError(t, err)
		c := f.turn(n)
		f.commit(c)
		stats, err := f.Stats(t.Context())
		require.NoError(t, err)
		return stats.WALBytes
	}
	f.turns(20)
	short := written(21)
	for i := 22; i < 1500; i++ {
		c := f.turn(i)
		c.Frames = []lashstore.Frame{{ID: fmt.Sprintf("f%d", i), Reason: "compaction", ExecutionState: text(200, i)}}
		c.CurrentFrameID = c.Frames[0].ID
		f.commit(c)
	}
	long := written(1500)
	// Deeper trees have more inner pages, and a page may split: a handful of pages, whatever the length.
	assert.LessOrEqual(t, long, short+12*4096, "short %d, long %d", short, long)
	f.sound()
}

// A walk holds no snapshot while its body runs: it may commit, and what it walks to stays what it was.
func TestPathWalkHoldsNothing(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(150)
	var ids []string
	for n, err := range f.Path(t.Context(), "") {
		require.NoError(t, err)
		ids = append(ids, n.ID)
		if len(ids) == 5 {
			f.commit(f.turn(151))
		}
	}
	assert.Len(t, ids, 300)
	assert.Equal(t, "a150", ids[0])
	assert.Equal(t, "u1", ids[299])
}

func TestPayloadsComeBackByteForByte(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	payload := json.RawMessage("{ \"role\" : \"user\",\n \"n\": 12345678901234567890, \"e\": 1.50e+3, \"s\": \"\\u00e9<>&\" , \"z\":null}")
	n := message("n", "", lashstore.RoleUser, "")
	n.Payload, n.CausedBy = payload, json.RawMessage(`{ "type":"turn" }`)
	f.commit(lashstore.Commit{SessionID: sessionID, Expect: lashstore.Create(), WithoutLease: true, Graph: lashstore.AppendNodes(n), Config: json.RawMessage(`{ "a" : 1 }`)})
	s, err := f.Load(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, string(payload), string(s.Graph.Nodes[0].Payload))
	assert.Equal(t, `{ "type":"turn" }`, string(s.Graph.Nodes[0].CausedBy))
	assert.Equal(t, `{ "a" : 1 }`, string(s.Config))
	require.False(t, errors.Is(err, lashstore.ErrCorrupt))
}

// Numbers of rows are given anew after a vacuum. A walk that was under way must not go on in nodes of another branch.
func TestPathWalkDoesNotStrayIntoReusedRows(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	chain := func(prefix string) lashstore.GraphDelta {
		nodes, parent := make([]lashstore.Node, 300), "root"
		for i := range nodes {
			nodes[i] = message(fmt.Sprint(prefix, i), parent, lashstore.RoleUser, "text")
			parent = nodes[i].ID
		}
		return lashstore.AppendNodes(nodes...)
	}
	commit := func(expect lashstore.Expectation, delta lashstore.GraphDelta) {
		f.commit(lashstore.Commit{SessionID: sessionID, Expect: expect, WithoutLease: true, Graph: delta})
	}
	commit(lashstore.Create(), lashstore.AppendNodes(message("root", "", lashstore.RoleUser, "text")))
	commit(lashstore.At(1), chain("old"))
	var ended error
	walked := 0
	for n, err := range f.Path(t.Context(), "") {
		if ended = err; err != nil {
			break
		}
		require.True(t, strings.HasPrefix(n.ID, "old"), "strayed to %s", n.ID)
		if walked++; walked > 1 {
			continue
		}
		commit(lashstore.At(2), lashstore.MoveLeaf("root"))
		_, err := f.TombstoneOrphans(t.Context(), nil)
		require.NoError(t, err)
		_, err = f.Vacuum(t.Context(), nil)
		require.NoError(t, err)
		commit(lashstore.At(3), chain("new"))
	}
	require.ErrorIs(t, ended, lashstore.ErrNodeNotFound)
	f.sound()
}

// 10.W26: limits as large as they come mean no limit.
func TestHugeLimitsReadEverything(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(3)
	s, err := f.Load(t.Context(), &lashstore.LoadOptions{Last: math.MaxInt})
	require.NoError(t, err)
	assert.Len(t, s.Graph.Nodes, 6)
	assert.False(t, s.Graph.More)
	usage, err := f.UsageByTurn(t.Context(), 0, math.MaxInt)
	require.NoError(t, err)
	assert.Len(t, usage, 3)
	report, err := f.GC(t.Context(), &lashstore.GCOptions{Batch: math.MaxInt})
	require.NoError(t, err)
	assert.EqualValues(t, 6, report.Deleted)
	_, err = f.Vacuum(t.Context(), &lashstore.VacuumOptions{Batch: math.MaxInt, ReceiptsBefore: time.Now().AddDate(500, 0, 0)})
	require.NoError(t, err)
	f.sound()
}
