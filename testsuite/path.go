package testsuite

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lashstore/lashstore"
)

func pathCases() []Case {
	return []Case{
		{"Path/WalksFromTheLeafToTheRoot", "SessionReader.Path", pathWalksFromTheLeafToTheRoot},
		{"Path/WalksFromAnyLiveNode", "SessionReader.Path", pathWalksFromAnyLiveNode},
		{"Path/UnknownNodeIsAnError", "SessionReader.Path, 10.W3", pathUnknownNodeIsAnError},
		{"Path/StopsWhereTheLoopStops", "SessionReader.Path", pathStopsWhereTheLoopStops},
		{"Path/LoopBodyMayCommit", "SessionReader.Path", pathLoopBodyMayCommit},
		{"Path/NeverEndsInSilence", "SessionReader.Path", pathNeverEndsInSilence},
	}
}

// walk collects a path; err is what ended it.
func (f *fixture) walk(from string) (nodes []lashstore.Node, err error) {
	for n, err := range f.Path(f.ctx, from) {
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func pathWalksFromTheLeafToTheRoot(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	nodes, err := f.walk("")
	f.ok("walk an empty session", err)
	equal(t, "nodes of an empty session", len(nodes), 0)
	want := chain("n", "", 300)
	f.add(want...)
	f.add(user("off the path", "n5"))
	f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("n299")})
	nodes, err = f.walk("")
	f.ok("walk", err)
	slices.Reverse(nodes)
	nodesEqual(t, "path", nodes, want, Epoch)
}

func pathWalksFromAnyLiveNode(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	for from, want := range map[string][]string{"y": {"y", "x", "u"}, "a": {"a", "u"}, "u": {"u"}} {
		nodes, err := f.walk(from)
		f.ok("walk from "+from, err)
		equal(t, "path from "+from, ids(nodes), want)
	}
}

func pathUnknownNodeIsAnError(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.fork()
	_, err := f.TombstoneNodes(f.ctx, []string{"x"}, nil)
	f.ok("tombstone", err)
	for _, from := range []string{"nobody", "x", "y"} {
		nodes, err := f.walk(from)
		is(t, "walk from "+from, err, lashstore.ErrNodeNotFound)
		equal(t, "nodes before the error", len(nodes), 0)
	}
}

func pathStopsWhereTheLoopStops(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(chain("n", "", 300)...)
	for _, stop := range []int{1, 127, 128, 129, 299} {
		count := 0
		for n, err := range f.Path(f.ctx, "") {
			f.ok("walk", err)
			equal(t, "node", n.ID, fmt.Sprint("n", 299-count))
			if count++; count == stop {
				break
			}
		}
		equal(t, "nodes walked", count, stop)
	}
}

// A walk holds nothing between two nodes: its body commits, which moves the leaf, and the walk goes on where it was.
func pathLoopBodyMayCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(chain("n", "", 200)...)
	walked, leaf := 0, "n199"
	for n, err := range f.Path(f.ctx, "") {
		f.ok("walk", err)
		equal(t, "node", n.ID, fmt.Sprint("n", 199-walked))
		if walked%20 == 0 {
			f.add(user(fmt.Sprint("m", walked), leaf))
			leaf = fmt.Sprint("m", walked)
		}
		walked++
	}
	equal(t, "nodes walked", walked, 200)
	equal(t, "messages", f.load(nil).Summary.Messages, 210)
}

// A branch that is taken away under a walk either was read before, or ends the walk with ErrNodeNotFound. It never ends
// as if the root had been reached, nor is it taken for damage.
func pathNeverEndsInSilence(t testing.TB, h SessionHarness) {
	for _, vacuum := range []bool{true, false} {
		f := setup(t, h)
		f.add(user("root", ""))
		f.add(chain("n", "root", 300)...)
		f.commit(lashstore.Commit{Graph: lashstore.MoveLeaf("root")})
		walked := 0
		var ended error
		for _, err := range f.Path(f.ctx, "n299") {
			if ended = err; err != nil {
				break
			}
			if walked++; walked == 1 {
				_, err := f.TombstoneOrphans(f.ctx, nil)
				f.ok("tombstone", err)
			}
			if walked == 1 && vacuum {
				_, err := f.Vacuum(f.ctx, nil)
				f.ok("vacuum", err)
			}
		}
		if !errors.Is(ended, lashstore.ErrNodeNotFound) && (ended != nil || walked != 301) {
			t.Errorf("the walk (vacuumed: %v) ended after %d of 301 nodes with error %v", vacuum, walked, ended)
		}
	}
}
