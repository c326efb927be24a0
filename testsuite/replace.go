package testsuite

import (
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func replaceCases() []Case {
	return []Case{
		{"Replace/IsADifference", "10.W11, GraphDelta", replaceIsADifference},
		{"Replace/TombstonesWhatIsAbsent", "10.W11, GraphDelta", replaceTombstonesWhatIsAbsent},
		{"Replace/Revives", "1.2, GraphDelta", replaceRevives},
		{"Replace/PutsTheLeaf", "ReplaceGraph", replacePutsTheLeaf},
		{"Replace/ParentMustBeKept", "10.W22, GraphDelta", replaceParentMustBeKept},
		{"Replace/SameGraphChangesNothing", "10.W11", replaceSameGraphChangesNothing},
	}
}

// 1. Stored nodes keep their place and time, missing ones are added, absent ones go.
// 2. It happens on top of a history that inactive branches are part of.
func replaceIsADifference(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	kept := []lashstore.Node{user("u", ""), reply("a", "u"), user("v", "a")}
	f.add(kept...)
	f.add(user("branch", "u"))
	f.clock.Advance(time.Hour)
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", user("u", ""), reply("b", "u"), reply("a", "u"), user("c", "b"))})
	f.nodes("replaced", "u", "a", "b", "c")
	full := f.full().Graph.Nodes
	nodesEqual(t, "kept", full[:2], kept[:2], Epoch)
	nodesEqual(t, "added", full[2:], []lashstore.Node{reply("b", "u"), user("c", "b")}, Epoch.Add(time.Hour))
	f.path("replaced", "u", "b", "c")
}

func replaceTombstonesWhatIsAbsent(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(chain("n", "", 5)...)
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", chain("n", "", 2)...)})
	f.nodes("shortened", "n0", "n1")
	_, err := f.Node(f.ctx, "n3")
	is(t, "a dropped node", err, lashstore.ErrNodeNotFound)
	report, err := f.Vacuum(f.ctx, nil)
	f.ok("vacuum", err)
	equal(t, "vacuumed", report.Nodes, 3)
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("")})
	f.nodes("replaced by nothing")
	f.path("replaced by nothing")
	f.add(user("new", ""))
	f.path("and on", "new")
}

func replaceRevives(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(chain("n", "", 4)...)
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", chain("n", "", 2)...)})
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", append(chain("n", "", 3), user("m", "n2"))...)})
	f.nodes("revived", "n0", "n1", "n2", "m")
	f.path("revived", "n0", "n1", "n2", "m")
	equal(t, "messages", f.load(nil).Summary.Messages, 4)
}

func replacePutsTheLeaf(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	graph := []lashstore.Node{user("u1", ""), reply("a1", "u1"), user("v", "u1")}
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", graph...)})
	f.path("on the last", "u1", "v")
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("a1", graph...)})
	f.path("where it is told", "u1", "a1")
	cleared := lashstore.ReplaceGraph("", graph...)
	cleared.ClearLeaf = true
	f.commit(lashstore.Commit{Graph: cleared})
	f.path("cleared")
}

// The nodes given are the whole graph: a parent outside of them is none, though it is live until the commit.
func replaceParentMustBeKept(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	f.wrongNode("parent that is dropped", lashstore.ReplaceGraph("", reply("a1", "u1")), "a1", lashstore.ErrUnknownParent)
	f.wrongNode("new node behind it", lashstore.ReplaceGraph("", user("u1", ""), user("n", "a1")), "n", lashstore.ErrUnknownParent)
}

func replaceSameGraphChangesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(chain("n", "", 200)...)
	f.clock.Advance(time.Hour)
	before := f.full().Graph
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", chain("n", "", 200)...)})
	equal(t, "graph", f.full().Graph, before)
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "nodes, tombstones", [2]int64{stats.Nodes, stats.Tombstones}, [2]int64{200, 0})
}
