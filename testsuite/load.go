package testsuite

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/lashstore/lashstore"
)

func loadCases() []Case {
	return []Case{
		{"Load/HydratesCheckpointAndUsage", "8.A.5", loadHydratesCheckpointAndUsage},
		{"Load/PathAndFullScope", "8.A.6", loadPathAndFullScope},
		{"Load/ExplicitLeaf", "8.A.6", loadExplicitLeaf},
		{"Load/UnknownLeafRefused", "SessionReader.Load, 10.W3", loadUnknownLeafRefused},
		{"Load/LastNodesOfThePath", "LoadOptions.Last", loadLastNodesOfThePath},
		{"Load/HeadScopeReadsNoNodes", "ScopeHead", loadHeadScopeReadsNoNodes},
		{"Load/WithoutPartsKeepsReferences", "LoadOptions.WithoutParts", loadWithoutPartsKeepsReferences},
		{"Load/WithoutCheckpointLeavesItOut", "LoadOptions.WithoutCheckpoint", loadWithoutCheckpointLeavesItOut},
		{"Load/ContradictoryOptionsRefused", "LoadOptions", loadContradictoryOptionsRefused},
		{"Load/NeverMixesRevisions", "10.W1", loadNeverMixesRevisions},
		{"Node/OnlyLiveOnes", "2.2", nodeOnlyLiveOnes},
		{"Children/LiveOnesInOrder", "SessionReader.Children", childrenLiveOnesInOrder},
	}
}

func loadHydratesCheckpointAndUsage(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	c := turn(1, "")
	plugin := lashstore.PartContent([]byte("plugins"))
	plugin.Fingerprint = 42
	c.Checkpoint.Parts[lashstore.PartNamePluginSnapshot] = plugin
	result := f.commit(c)
	s := f.load(nil)
	if s.Checkpoint == nil {
		t.Fatal("no checkpoint was loaded")
	}
	equal(t, "checkpoint's reference", s.Checkpoint.Ref, result.Checkpoint)
	equal(t, "turn state", string(s.Checkpoint.TurnState), `{"turn_index":1}`)
	equal(t, "parts", len(s.Checkpoint.Parts), 3)
	equal(t, "plugin snapshot", string(s.Checkpoint.Parts[lashstore.PartNamePluginSnapshot].Content), "plugins")
	equal(t, "plugin revision", s.Checkpoint.Parts[lashstore.PartNamePluginSnapshot].Fingerprint, 42)
	equal(t, "usage", s.Usage, []lashstore.UsageTotal{{Source: "turn", Model: "m1", Usage: lashstore.TokenUsage{Input: 10, Output: 5}}})
}

// fork is a graph of two branches behind u: a-b, which is active, and x-y.
func (f *fixture) fork() {
	f.t.Helper()
	f.add(user("u", ""), reply("x", "u"))
	f.add(reply("a", "u"), user("y", "x"), user("b", "a"))
}

func loadPathAndFullScope(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	f.path("active path", "u", "a", "b")
	f.nodes("full graph", "u", "x", "a", "y", "b")
	equal(t, "leaf of the full graph", f.full().Graph.Leaf, "b")
	equal(t, "more", f.load(nil).Graph.More, false)
}

func loadExplicitLeaf(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	for leaf, want := range map[string][]string{"y": {"u", "x", "y"}, "a": {"u", "a"}, "u": {"u"}, "b": {"u", "a", "b"}} {
		g := f.load(&lashstore.LoadOptions{Leaf: leaf}).Graph
		equal(t, "path to "+leaf, ids(g.Nodes), want)
		equal(t, "leaf", g.Leaf, leaf)
	}
	g := f.load(&lashstore.LoadOptions{Leaf: "y", Last: 1}).Graph
	equal(t, "end of another path", ids(g.Nodes), []string{"y"})
	equal(t, "more", g.More, true)
	f.path("the head's leaf stays", "u", "a", "b")
}

func loadUnknownLeafRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	_, err := f.TombstoneNodes(f.ctx, []string{"x"}, nil)
	f.ok("tombstone", err)
	for _, leaf := range []string{"nobody", "x", "y"} {
		_, err := f.Load(f.ctx, &lashstore.LoadOptions{Leaf: leaf})
		is(t, "leaf "+leaf, err, lashstore.ErrUnknownLeaf)
		equal(t, "node named", as[*lashstore.NodeError](t, "leaf", err).NodeID, leaf)
	}
}

func loadLastNodesOfThePath(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	nodes := chain("n", "", 300)
	f.add(nodes...)
	f.add(user("off the path", "n5"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("n299")})
	for _, c := range []struct {
		last, from int
		more       bool
	}{{1, 299, true}, {2, 298, true}, {200, 100, true}, {299, 1, true}, {300, 0, false}, {301, 0, false}, {0, 0, false}} {
		g := f.load(&lashstore.LoadOptions{Last: c.last}).Graph
		nodesEqual(t, fmt.Sprint("last ", c.last), g.Nodes, nodes[c.from:], Epoch)
		equal(t, fmt.Sprint("more above the last ", c.last), g.More, c.more)
		equal(t, "leaf", g.Leaf, "n299")
	}
}

func loadHeadScopeReadsNoNodes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	head, path := f.load(&lashstore.LoadOptions{Scope: lashstore.ScopeHead}), f.load(nil)
	equal(t, "nodes", len(head.Graph.Nodes), 0)
	equal(t, "leaf", head.Graph.Leaf, "a2")
	head.Graph, path.Graph = lashstore.Graph{}, lashstore.Graph{}
	equal(t, "all the rest", head, path)
}

func loadWithoutPartsKeepsReferences(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	whole, bare := f.load(nil), f.load(&lashstore.LoadOptions{WithoutParts: true})
	if bare.Checkpoint == nil || len(bare.Checkpoint.Parts) != 2 || len(bare.Frames) != 1 {
		t.Fatalf("checkpoint %+v, frames %+v", bare.Checkpoint, bare.Frames)
	}
	equal(t, "frame's content", bare.Frames[0].ExecutionState, nil)
	equal(t, "frame's reference", bare.Frames[0].ExecutionStateRef, lashstore.HashOf([]byte("frame state")))
	for name, p := range bare.Checkpoint.Parts {
		equal(t, "content of "+name, p.Content, nil)
		p.Content = whole.Checkpoint.Parts[name].Content
		equal(t, "content's reference", lashstore.HashOf(p.Content), p.Ref)
		equal(t, "all the rest of "+name, p, whole.Checkpoint.Parts[name])
	}
	equal(t, "turn state", string(bare.Checkpoint.TurnState), string(whole.Checkpoint.TurnState))
}

// Checkpoint and state of the frame are left out, the frame's reference and all the rest are there, in every scope.
func loadWithoutCheckpointLeavesItOut(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.everything()
	for _, scope := range []lashstore.LoadScope{lashstore.ScopePath, lashstore.ScopeFull, lashstore.ScopeHead} {
		whole := f.load(&lashstore.LoadOptions{Scope: scope})
		bare := f.load(&lashstore.LoadOptions{Scope: scope, WithoutCheckpoint: true})
		if whole.Checkpoint == nil || len(whole.Frames) != 1 {
			t.Fatalf("checkpoint %+v, frames %+v", whole.Checkpoint, whole.Frames)
		}
		whole.Checkpoint, whole.Frames[0].ExecutionState = nil, nil
		equal(t, "a load without checkpoint", bare, whole)
	}
}

func loadContradictoryOptionsRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, o := range map[string]lashstore.LoadOptions{
		"unknown scope": {Scope: "everything"}, "negative last": {Last: -1},
		"leaf of a full graph": {Scope: lashstore.ScopeFull, Leaf: "u1"}, "last of a full graph": {Scope: lashstore.ScopeFull, Last: 1},
		"leaf of a head": {Scope: lashstore.ScopeHead, Leaf: "u1"}, "malformed leaf": {Leaf: "a\nb"},
		"references of no checkpoint": {WithoutParts: true, WithoutCheckpoint: true},
	} {
		_, err := f.Load(f.ctx, &o)
		is(t, what, err, lashstore.ErrInvalid)
	}
}

// A session whose every commit adds one node, one token, one turn and a checkpoint that counts has all of them at the
// same number in whatever a loader sees, while another handle commits.
func loadNeverMixesRevisions(t testing.TB, h SessionHarness) {
	const commits = 40
	f := setup(t, h)
	loader := f.other()
	fence := f.take(opaqueOwner, lashstore.MaxLeaseTTL).Fence()
	var failed error
	alternate(t, func() bool {
		for _, scope := range []lashstore.LoadScope{lashstore.ScopePath, lashstore.ScopeFull} {
			s, err := loader.Load(f.ctx, &lashstore.LoadOptions{Scope: scope})
			if err == nil {
				err = countsAgree(s)
			}
			if err != nil {
				t.Errorf("load beside commits: %v", err)
				return false
			}
		}
		return true
	}, commits, func(i int) bool {
		_, failed = f.Commit(f.ctx, countingCommit(i+1, fence))
		return failed == nil
	})
	f.ok("commit beside loads", failed)
	equal(t, "revision", loader.load(nil).Revision, commits)
}

func countingCommit(n int, fence *lashstore.Fence) lashstore.Commit {
	c := lashstore.Commit{
		SessionID: sessionID, Expect: lashstore.At(lashstore.Revision(n - 1)), Lease: fence,
		Turn:  &lashstore.TurnStamp{TurnID: fmt.Sprint("turn ", n)},
		Graph: lashstore.AppendNodes(user(fmt.Sprint("n", n), fmt.Sprint("n", n-1))),
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 1}}},
		Checkpoint: &lashstore.Checkpoint{
			TurnState: json.RawMessage(fmt.Sprint(n)),
			Parts:     map[string]lashstore.Part{"part": lashstore.PartContent(fmt.Append(nil, n))},
		},
	}
	if n == 1 {
		c.Expect, c.Graph.Nodes[0].ParentID = lashstore.Create(), ""
	}
	return c
}

func countsAgree(s *lashstore.Session) error {
	if s == nil {
		return errors.New("neither a session nor an error")
	}
	n := int(s.Revision)
	got := [5]string{fmt.Sprint(len(s.Graph.Nodes)), fmt.Sprint(s.Summary.Turns), fmt.Sprint(s.Summary.Tokens), "0", "0"}
	if len(s.Usage) == 1 {
		got[3] = fmt.Sprint(s.Usage[0].Usage.Input)
	}
	want := [5]string{fmt.Sprint(n), fmt.Sprint(n), fmt.Sprint(n), fmt.Sprint(n), fmt.Sprint(n)}
	if s.Checkpoint != nil {
		got[4] = string(s.Checkpoint.TurnState)
		if part := string(s.Checkpoint.Parts["part"].Content); part != got[4] {
			return fmt.Errorf("at revision %d: the checkpoint is of turn %s, its part of %s", n, got[4], part)
		}
	}
	if got != want {
		return fmt.Errorf("at revision %d: nodes, turns, tokens, usage, checkpoint are %v", n, got)
	}
	return nil
}

func nodeOnlyLiveOnes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	n, err := f.Node(f.ctx, "y")
	f.ok("off the path", err)
	nodesEqual(t, "node", []lashstore.Node{n}, []lashstore.Node{user("y", "x")}, Epoch)
	_, err = f.TombstoneNodes(f.ctx, []string{"y"}, nil)
	f.ok("tombstone", err)
	for _, id := range []string{"nobody", "y", ""} {
		_, err = f.Node(f.ctx, id)
		is(t, fmt.Sprintf("node %q", id), err, lashstore.ErrNodeNotFound)
	}
}

func childrenLiveOnesInOrder(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	f.add(user("second root", ""), reply("z", "u"))
	children := func(parent string, want ...string) {
		t.Helper()
		nodes, err := f.Children(f.ctx, parent)
		f.ok("children", err)
		equal(t, fmt.Sprintf("children of %q", parent), ids(nodes), append([]string{}, want...))
		for _, n := range nodes {
			equal(t, "parent", n.ParentID, parent)
		}
	}
	children("", "u", "second root")
	children("u", "x", "a", "z")
	children("y")
	_, err := f.TombstoneNodes(f.ctx, []string{"x", "second root"}, nil)
	f.ok("tombstone", err)
	children("", "u")
	children("u", "a", "z")
	for _, id := range []string{"nobody", "x"} {
		_, err = f.Children(f.ctx, id)
		is(t, "children of "+id, err, lashstore.ErrNodeNotFound)
	}
}
