package testsuite

import (
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func tombstoneCases() []Case {
	return []Case{
		{"Tombstone/HidesTheNode", "8.A.37", tombstoneHidesTheNode},
		{"Tombstone/TakesTheSubtree", "TombstoneNodes", tombstoneTakesTheSubtree},
		{"Tombstone/UnknownIDsAreLeftAlone", "2.8", tombstoneUnknownIDsAreLeftAlone},
		{"Tombstone/LivePathRefused", "10.W21", tombstoneLivePathRefused},
		{"Tombstone/NeedsTheFenceWhileLeased", "10.W21", tombstoneNeedsTheFenceWhileLeased},
		{"Tombstone/OrphansAreJudgedNow", "10.W21", tombstoneOrphansAreJudgedNow},
	}
}

// tombstone takes out nodes and wants count of them to have been live.
func (f *fixture) tombstone(count int64, ids ...string) {
	f.t.Helper()
	report, err := f.TombstoneNodes(f.ctx, ids, nil)
	f.ok("tombstone", err)
	equal(f.t, "nodes tombstoned", report.Nodes, count)
}

func tombstoneHidesTheNode(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	revision := f.load(nil).Revision
	f.tombstone(1, "y")
	f.nodes("afterwards", "u", "x", "a", "b")
	_, err := f.Node(f.ctx, "y")
	is(t, "node", err, lashstore.ErrNodeNotFound)
	f.tombstone(0, "y")
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "nodes, tombstones", [2]int64{stats.Nodes, stats.Tombstones}, [2]int64{4, 1})
	equal(t, "revision", f.load(nil).Revision, revision)
}

func tombstoneTakesTheSubtree(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	f.add(reply("z", "y"), reply("z2", "y"), user("w", "z"), user("other", "a"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("b")})
	f.tombstone(1, "z2")
	f.tombstone(4, "x", "w") // x, y, z, w
	f.nodes("afterwards", "u", "a", "b", "other")
	for _, id := range []string{"y", "z", "w"} {
		_, err := f.Node(f.ctx, id)
		is(t, "node "+id, err, lashstore.ErrNodeNotFound)
	}
}

func tombstoneUnknownIDsAreLeftAlone(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	f.tombstone(0)
	f.tombstone(0, "nobody")
	f.tombstone(1, "nobody", "y", "nobody else", "y")
	f.nodes("afterwards", "u", "x", "a", "b")
}

// A node of the active path is refused with all the others of the call.
func tombstoneLivePathRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	before := f.snapshot()
	for _, id := range []string{"u", "a", "b"} {
		_, err := f.TombstoneNodes(f.ctx, []string{"y", id, "x"}, nil)
		is(t, "node of the path", err, lashstore.ErrNodeOnLivePath)
		equal(t, "node named", as[*lashstore.NodeError](t, "node of the path", err).NodeID, id)
	}
	f.unchanged("after refusals", before)
	f.commit(lashstore.Commit{Graph: lashstore.GraphDelta{ClearLeaf: true}})
	f.tombstone(5, "u")
	f.nodes("without an active path")
}

// 1. While somebody holds the lease only its fence may take nodes out.
// 2. A fence that is worth nothing is refused, though nobody holds the lease by now.
func tombstoneNeedsTheFenceWhileLeased(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	lease := f.take(opaqueOwner, time.Minute)
	before := f.snapshot()
	calls := map[string]func(fence *lashstore.Fence) (lashstore.TombstoneReport, error){
		"nodes": func(fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
			return f.TombstoneNodes(f.ctx, []string{"y"}, fence)
		},
		"orphans": func(fence *lashstore.Fence) (lashstore.TombstoneReport, error) {
			return f.TombstoneOrphans(f.ctx, fence)
		},
	}
	for what, call := range calls {
		_, err := call(nil)
		leaseEqual(t, "holder", as[*lashstore.LeaseBusyError](t, what+" without fence", err).Holder, lease.WithoutToken())
		for tampering, fence := range tamperedFences(lease) {
			_, err := call(fence)
			is(t, what+": "+tampering, err, lashstore.ErrLeaseLost)
		}
	}
	f.unchanged("after refusals", before)
	_, err := calls["nodes"](lease.Fence())
	f.ok("nodes with the fence", err)
	f.clock.Advance(time.Minute)
	_, err = calls["orphans"](lease.Fence())
	is(t, "expired fence", err, lashstore.ErrLeaseLost)
	report, err := calls["orphans"](nil)
	f.ok("orphans after the lease expired", err)
	equal(t, "orphans", report.Nodes, 1)
	f.nodes("afterwards", "u", "a", "b")
}

// Orphans are what the active path does not pass through at this moment, not when somebody looked.
func tombstoneOrphansAreJudgedNow(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	report, err := f.TombstoneOrphans(f.ctx, nil)
	f.ok("orphans of an empty session", err)
	equal(t, "nodes", report.Nodes, 0)
	f.fork()
	f.add(user("second root", ""))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("y")})
	report, err = f.TombstoneOrphans(f.ctx, nil)
	f.ok("orphans", err)
	equal(t, "nodes", report.Nodes, 3) // a, b, second root
	f.nodes("afterwards", "u", "x", "y")
	f.path("afterwards", "u", "x", "y")
	report, err = f.TombstoneOrphans(f.ctx, nil)
	f.ok("orphans again", err)
	equal(t, "nodes", report.Nodes, 0)
}
