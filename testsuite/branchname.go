package testsuite

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

// branchList wants the branches, each as name:leaf/messages, an asterisk behind the active ones.
func (f *fixture) branchList(what string, want ...string) []lashstore.Branch {
	f.t.Helper()
	list, err := f.Branches(f.ctx)
	f.ok("branches", err)
	got := []string{}
	for _, b := range list {
		line := fmt.Sprintf("%s:%s/%d", b.Name, b.Leaf, b.Messages)
		if b.Active {
			line += "*"
		}
		got = append(got, line)
	}
	equal(f.t, what+": branches", got, append([]string{}, want...))
	return list
}

// 1. Live nodes that nothing live follows are listed, and those with a name; once for each name.
// 2. Names come first, by name, then the latest.
// 3. Messages are counted on the path; a branch knows when its leaf came.
func branchLists(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.branchList("of nothing")
	f.commit(turn(1, ""))
	f.clock.Advance(time.Hour)
	f.commit(turn(2, "a1"))
	f.clock.Advance(time.Hour)
	f.commit(turn(3, "a1"))
	list := f.branchList("unnamed", ":a3/4*", ":a2/4")
	sameTime(t, "updated at", list[1].UpdatedAt, Epoch.Add(time.Hour))
	equal(t, "revisions", [2]lashstore.Revision{list[0].Revision, list[1].Revision}, [2]lashstore.Revision{3, 2})
	f.ok("name a node that is followed", f.NameBranch(f.ctx, "start", "a1"))
	f.ok("name a leaf", f.NameBranch(f.ctx, "idea", "a2"))
	f.ok("name it twice", f.NameBranch(f.ctx, "also", "a2"))
	f.branchList("named", "also:a2/4", "idea:a2/4", "start:a1/2", ":a3/4*")
	f.move(lashstore.HeadMove{Branch: "start"})
	f.branchList("active", "also:a2/4", "idea:a2/4", "start:a1/2*", ":a3/4")
	f.tombstone(2, "u3")
	f.branchList("without the dead", "also:a2/4", "idea:a2/4", "start:a1/2*")
	f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{ClearLeaf: true}})
	f.branchList("none is active", "also:a2/4", "idea:a2/4", "start:a1/2")
	f.add(lashstore.Node{ID: "e", ParentID: "a2", Kind: lashstore.NodeProtocol, Payload: json.RawMessage(`{}`)})
	f.branchList("what is no message", "also:a2/4", "idea:a2/4", "start:a1/2", ":e/4*")
}

// 1. A name goes where it is given last. "" is the head's leaf. Safe to repeat; no lease, no revision.
func branchNamesMove(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.forked()
	f.take(opaqueOwner, time.Minute)
	for range 2 {
		f.ok("name", f.NameBranch(f.ctx, "here", ""))
	}
	f.branchList("the head's leaf", "here:a3/4*", ":a2/4")
	f.ok("name anew", f.NameBranch(f.ctx, "here", "a2"))
	f.branchList("given anew", "here:a2/4", ":a3/4*")
	equal(t, "revision", f.load(nil).Revision, 3)
}

func branchUnknownNode(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	err := f.NameBranch(f.ctx, "here", "")
	is(t, "the leaf there is not", err, lashstore.ErrNodeNotFound)
	f.forked()
	f.ok("name", f.NameBranch(f.ctx, "here", "a3"))
	f.tombstone(2, "u2")
	before := f.snapshot()
	for _, id := range []string{"nobody", "a2"} {
		err := f.NameBranch(f.ctx, "here", id)
		is(t, "name "+id, err, lashstore.ErrNodeNotFound)
		equal(t, "node", as[*lashstore.NodeError](t, "name "+id, err).NodeID, id)
	}
	f.unchanged("refusals", before)
}

func branchDrop(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.forked()
	f.ok("name", f.NameBranch(f.ctx, "idea", "a2"))
	f.ok("name", f.NameBranch(f.ctx, "also", "a2"))
	for _, want := range []bool{true, false} {
		dropped, err := f.DropBranch(f.ctx, "idea")
		f.ok("drop", err)
		equal(t, "dropped", dropped, want)
		f.branchList("afterwards", "also:a2/4", ":a3/4*")
	}
	f.nodes("afterwards", "u1", "a1", "u2", "a2", "u3", "a3")
	_, err := f.TombstoneNodes(f.ctx, []string{"a2"}, nil)
	is(t, "what another name protects", err, lashstore.ErrNodeOnLivePath)
	_, err = f.DropBranch(f.ctx, "also")
	f.ok("drop", err)
	f.tombstone(2, "u2")
}

// Neither one by one nor as orphans are the nodes on the path to a name tombstoned.
func branchNameProtects(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.forked()
	f.add(reply("b", "a1"))
	f.ok("name", f.NameBranch(f.ctx, "idea", "a2"))
	before := f.snapshot()
	for _, id := range []string{"a2", "u2", "u1"} {
		_, err := f.TombstoneNodes(f.ctx, []string{"u3", id}, nil)
		is(t, "tombstone "+id, err, lashstore.ErrNodeOnLivePath)
	}
	f.unchanged("refusals", before)
	report, err := f.TombstoneOrphans(f.ctx, nil)
	f.ok("orphans", err)
	equal(t, "orphans", report.Nodes, 2)
	f.nodes("afterwards", "u1", "a1", "u2", "a2", "b")
	f.branchList("afterwards", "idea:a2/4", ":b/3*")
	f.clean()
	f.move(lashstore.HeadMove{Branch: "idea"})
	f.path("a branch that was kept", "u1", "a1", "u2", "a2")
}

func branchOutlivesReplacement(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.forked()
	f.ok("name", f.NameBranch(f.ctx, "idea", "a2"))
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", user("new", ""))})
	f.nodes("replaced", "u1", "a1", "u2", "a2", "new")
	f.path("replaced", "new")
	f.clean()
	f.branchList("replaced", "idea:a2/4", ":new/1*")
	_, err := f.DropBranch(f.ctx, "idea")
	f.ok("drop", err)
	f.commit(lashstore.Commit{Graph: lashstore.ReplaceGraph("", user("new", ""))})
	f.nodes("without the name", "new")
}

func branchNamesAreStored(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.forked()
	f.ok("name", f.NameBranch(f.ctx, "idea", "a2"))
	f.ok("pin", f.PinRevision(f.ctx, 1))
	second := f.other()
	second.branchList("by another handle", "idea:a2/4", ":a3/4*")
	log := f.log(nil)
	f.restart()
	f.branchList("after a restart", "idea:a2/4", ":a3/4*")
	equal(t, "log after a restart", f.log(nil), log)
}

func branchMalformed(t testing.TB, h SessionHarness) {
	f := keeping(t, h, 10)
	f.forked()
	f.ok("name", f.NameBranch(f.ctx, "idea/with spaces, ä", "a2"))
	before := f.snapshot()
	for _, name := range []string{"", "a\x00", "a\xff"} {
		is(t, fmt.Sprintf("name %q", name), f.NameBranch(f.ctx, name, "a2"), lashstore.ErrInvalid)
		_, err := f.DropBranch(f.ctx, name)
		is(t, fmt.Sprintf("drop %q", name), err, lashstore.ErrInvalid)
	}
	is(t, "a leaf that is no id", f.NameBranch(f.ctx, "b", "a\x00"), lashstore.ErrInvalid)
	f.unchanged("refusals", before)
}
