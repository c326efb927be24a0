package testsuite

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func graphCases() []Case {
	return []Case{
		{"Graph/RoundTripsEveryField", "8.A.2, Node", graphRoundTripsEveryField},
		{"Graph/UnknownParentRefused", "10.W22", graphUnknownParentRefused},
		{"Graph/TombstonedParentRefused", "10.W22", graphTombstonedParentRefused},
		{"Graph/ParentLaterInTheDeltaRefused", "10.W22", graphParentLaterInTheDeltaRefused},
		{"Graph/CycleRefused", "10.W23", graphCycleRefused},
		{"Graph/UnknownLeafRefused", "10.W22", graphUnknownLeafRefused},
		{"Graph/SameNodeAgainIsHarmless", "10.W22", graphSameNodeAgainIsHarmless},
		{"Graph/OtherNodeUnderKnownIDConflicts", "10.W22", graphOtherNodeUnderKnownIDConflicts},
		{"Graph/TombstonedNodeRevives", "2.3, GraphDelta", graphTombstonedNodeRevives},
		{"Graph/LeafMoves", "1.2, GraphDelta.Leaf", graphLeafMoves},
		{"Graph/LeafClears", "1.2, GraphDelta.ClearLeaf", graphLeafClears},
		{"Graph/BranchesFromAnyNode", "1.2, GraphDelta", graphBranchesFromAnyNode},
	}
}

// nodesEqual wants got to be want, JSON byte for byte and times to the millisecond; where want has no time, at is meant.
func nodesEqual(t testing.TB, what string, got, want []lashstore.Node, at time.Time) {
	t.Helper()
	equal(t, what, ids(got), ids(want))
	for i, w := range want {
		g := got[i]
		if w.CreatedAt.IsZero() {
			w.CreatedAt = at
		}
		sameTime(t, what+": created at of "+w.ID, g.CreatedAt, w.CreatedAt.Truncate(time.Millisecond))
		g.CreatedAt, w.CreatedAt = time.Time{}, time.Time{}
		equal(t, what+": payload of "+w.ID, string(g.Payload), string(w.Payload))
		equal(t, what+": cause of "+w.ID, string(g.CausedBy), string(w.CausedBy))
		equal(t, what+": cause of "+w.ID+" is none", g.CausedBy == nil, w.CausedBy == nil)
		g.Payload, w.Payload, g.CausedBy, w.CausedBy = nil, nil, nil, nil
		equal(t, what+": node "+w.ID, g, w)
	}
}

// 1. Every field comes back: ids, kinds, roles, frames, causes; JSON byte for byte; times in milliseconds.
// 2. A node without a time has the commit's.
func graphRoundTripsEveryField(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.clock.Advance(time.Hour)
	nodes := []lashstore.Node{
		{ID: "m", Kind: lashstore.NodeMessage, Role: lashstore.RoleUser, Payload: json.RawMessage(` {"role" : "user", "content": "h\u00e9" , "n": 1.50} `)},
		{ID: "p", ParentID: "m", Kind: lashstore.NodeProtocol, FrameID: "frame", CausedBy: json.RawMessage(`{"type": "turn"}`),
			CreatedAt: time.Date(2020, 2, 29, 1, 2, 3, 456_789_000, time.FixedZone("", 3600)), Payload: json.RawMessage(`[9007199254740993, 1e400]`)},
		{ID: "g", ParentID: "p", Kind: lashstore.NodePlugin, CausedBy: json.RawMessage(`null`), CreatedAt: time.UnixMilli(0), Payload: json.RawMessage(`null`)},
		{ID: "e", ParentID: "p", Kind: lashstore.NodeMessage, Role: lashstore.RoleEvent, Payload: json.RawMessage(`"🙂"`)},
	}
	f.add(nodes...)
	at := Epoch.Add(time.Hour)
	nodesEqual(t, "full graph", f.full().Graph.Nodes, nodes, at)
	nodesEqual(t, "path", f.load(nil).Graph.Nodes, []lashstore.Node{nodes[0], nodes[1], nodes[3]}, at)
	for _, want := range nodes {
		got, err := f.Node(f.ctx, want.ID)
		f.ok("node", err)
		nodesEqual(t, "single node", []lashstore.Node{got}, []lashstore.Node{want}, at)
	}
}

// wrongNode wants that c is refused for its node id with target.
func (f *fixture) wrongNode(what string, delta lashstore.GraphDelta, id string, target error) {
	f.t.Helper()
	c := turn(2, "a1")
	c.Graph = delta
	err := f.refused(what, c, target)
	equal(f.t, what+": node named", as[*lashstore.NodeError](f.t, what, err).NodeID, id)
}

func graphUnknownParentRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.wrongNode("unknown parent", lashstore.AppendNodes(user("n", "nobody")), "n", lashstore.ErrUnknownParent)
	f.wrongNode("unknown parent, late", lashstore.AppendNodes(user("n", "a1"), user("m", "n"), user("o", "nobody")), "o", lashstore.ErrUnknownParent)
	f.add(user("n", "a1"))
}

func graphTombstonedParentRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.add(user("branch", "u1"), reply("tip", "branch"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("a1")})
	_, err := f.TombstoneNodes(f.ctx, []string{"branch"}, nil)
	f.ok("tombstone", err)
	for _, parent := range []string{"branch", "tip"} {
		f.wrongNode("tombstoned parent", lashstore.AppendNodes(user("n", parent)), "n", lashstore.ErrUnknownParent)
	}
	f.wrongNode("tombstoned node behind a tombstoned one", lashstore.AppendNodes(reply("tip", "branch")), "tip", lashstore.ErrUnknownParent)
}

func graphParentLaterInTheDeltaRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.wrongNode("parent later", lashstore.AppendNodes(user("n", "m"), user("m", "a1")), "n", lashstore.ErrUnknownParent)
	f.wrongNode("parent later in a replacement", lashstore.ReplaceGraph("", user("n", "m"), user("m", "")), "n", lashstore.ErrUnknownParent)
}

func graphCycleRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.wrongNode("own parent", lashstore.AppendNodes(user("n", "n")), "n", lashstore.ErrGraphCycle)
	f.wrongNode("cycle of two", lashstore.AppendNodes(user("n", "m"), user("m", "n")), "n", lashstore.ErrGraphCycle)
	f.wrongNode("cycle of three", lashstore.ReplaceGraph("", user("n", "o"), user("m", "n"), user("o", "m")), "n", lashstore.ErrGraphCycle)
	err := f.refused("cycle through a stored node", lashstore.Commit{
		Graph: lashstore.AppendNodes(user("n", "a1"), user("u1", "n")),
	}, lashstore.ErrNodeConflict)
	equal(t, "conflict", *as[*lashstore.NodeConflictError](t, "cycle", err), lashstore.NodeConflictError{NodeID: "u1", Field: "parent"})
	f.path("after refusals", "u1", "a1")
}

func graphUnknownLeafRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.add(user("branch", "u1"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("a1")})
	_, err := f.TombstoneNodes(f.ctx, []string{"branch"}, nil)
	f.ok("tombstone", err)
	f.wrongNode("unknown leaf", lashstore.MoveLeaf("nobody"), "nobody", lashstore.ErrUnknownLeaf)
	f.wrongNode("tombstoned leaf", lashstore.MoveLeaf("branch"), "branch", lashstore.ErrUnknownLeaf)
	appended := lashstore.AppendNodes(user("n", "a1"))
	appended.Leaf = "nobody"
	f.wrongNode("unknown leaf with nodes", appended, "nobody", lashstore.ErrUnknownLeaf)
	f.wrongNode("leaf that the replacement drops", lashstore.ReplaceGraph("a1", user("u1", "")), "a1", lashstore.ErrUnknownLeaf)
}

// 1. Nodes that are stored already, all of a delta or some of it, stay as and where they were, times included.
// 2. JSON that is spelled otherwise is the same content, and the first spelling stays.
func graphSameNodeAgainIsHarmless(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	first := []lashstore.Node{user("u", ""), reply("a", "u"), user("v", "a")}
	first[0].Payload = json.RawMessage(`{"n":1.0,"role":"user"}`)
	f.add(first...)
	f.clock.Advance(time.Hour)

	again := []lashstore.Node{user("u", ""), reply("a", "u"), user("v", "a")}
	again[0].Payload = json.RawMessage(`{ "role": "user", "n": 1 }`)
	f.add(again...)
	nodesEqual(t, "all again", f.full().Graph.Nodes, first, Epoch)
	f.add(again[1], again[2], reply("b", "v"))
	nodesEqual(t, "overlapping", f.full().Graph.Nodes[:3], first, Epoch)
	f.path("overlapping", "u", "a", "v", "b")
	equal(t, "messages", f.load(nil).Summary.Messages, 4)
	f.add(again[1])
	f.path("a stored node makes itself the leaf", "u", "a")
}

func graphOtherNodeUnderKnownIDConflicts(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	stored := message("n", "a1", lashstore.RoleUser, "text")
	stored.FrameID, stored.CausedBy = "frame", json.RawMessage(`{"type":"turn"}`)
	f.commit(turn(1, ""))
	f.add(stored)
	for field, changes := range map[string][]func(n *lashstore.Node){
		"parent":    {func(n *lashstore.Node) { n.ParentID = "u1" }, func(n *lashstore.Node) { n.ParentID = "" }},
		"kind":      {func(n *lashstore.Node) { n.Kind, n.Role = lashstore.NodePlugin, "" }},
		"role":      {func(n *lashstore.Node) { n.Role = lashstore.RoleAssistant }},
		"frame":     {func(n *lashstore.Node) { n.FrameID = "other" }, func(n *lashstore.Node) { n.FrameID = "" }},
		"caused_by": {func(n *lashstore.Node) { n.CausedBy = json.RawMessage(`{}`) }, func(n *lashstore.Node) { n.CausedBy = nil }},
		"payload":   {func(n *lashstore.Node) { n.Payload = json.RawMessage(`{"role":"user"}`) }},
	} {
		for _, change := range changes {
			n := stored
			change(&n)
			for _, delta := range []lashstore.GraphDelta{
				lashstore.AppendNodes(user("new", "a1"), n),
				lashstore.ReplaceGraph("", user("u1", ""), reply("a1", "u1"), n),
			} {
				err := f.refused("other "+field, lashstore.Commit{Graph: delta}, lashstore.ErrNodeConflict)
				conflict := as[*lashstore.NodeConflictError](t, field, err)
				equal(t, "conflict", *conflict, lashstore.NodeConflictError{NodeID: "n", Field: field})
			}
		}
	}
}

// 1. A tombstoned node that is appended again with the same content lives again, where it was.
// 2. With other content it is a conflict all the same: its id is taken until it is vacuumed.
func graphTombstonedNodeRevives(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.add(user("branch", "u1"), reply("tip", "branch"))
	f.commit(turn(2, "a1"))
	_, err := f.TombstoneNodes(f.ctx, []string{"branch"}, nil)
	f.ok("tombstone", err)
	f.refused("other content", lashstore.Commit{
		Graph: lashstore.AppendNodes(message("branch", "u1", lashstore.RoleUser, "another question")),
	}, lashstore.ErrNodeConflict)
	f.add(user("branch", "u1"))
	f.nodes("revived", "u1", "a1", "branch", "u2", "a2")
	f.path("revived", "u1", "branch")
	f.add(reply("tip", "branch"))
	f.nodes("revived with its child", "u1", "a1", "branch", "tip", "u2", "a2")
}

func graphLeafMoves(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(user("u", ""), reply("a", "u"), user("v", "a"), reply("b", "v"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("a")})
	f.path("back", "u", "a")
	f.commit(lashstore.Commit{})
	f.path("after a commit that does not speak of the graph", "u", "a")
	f.add(user("w", "a"))
	f.path("another branch", "u", "a", "w")
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("b")})
	f.path("back on the first branch", "u", "a", "v", "b")
	f.nodes("all branches", "u", "a", "v", "b", "w")
	appended := lashstore.AppendNodes(user("x", "b"), user("y", "b"))
	appended.Leaf = "x"
	f.commit(lashstore.Commit{Graph: appended})
	f.path("leaf named beside nodes", "u", "a", "v", "b", "x")
}

func graphLeafClears(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{ClearLeaf: true}})
	f.path("cleared")
	f.nodes("cleared", "u1", "a1")
	f.commit(lashstore.Commit{})
	f.path("still cleared")
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("a1")})
	f.path("put back", "u1", "a1")
	f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{Change: lashstore.GraphAppend, Nodes: []lashstore.Node{user("n", "a1")}, ClearLeaf: true}})
	f.path("cleared while nodes came")
	f.nodes("cleared while nodes came", "u1", "a1", "n")
}

// The graph is a forest, and a delta may grow it anywhere.
func graphBranchesFromAnyNode(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(user("r1", ""), user("r2", ""), reply("r1a", "r1"), reply("r2a", "r2"), reply("r1b", "r1"))
	f.path("the last one is the leaf", "r1", "r1b")
	f.nodes("as they came", "r1", "r2", "r1a", "r2a", "r1b")
	f.add(user("r2b", "r2a"))
	f.path("on another root", "r2", "r2a", "r2b")
}
