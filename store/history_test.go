package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
	"github.com/lashstore/lashstore/testsuite"
)

// chronicle is a session beside all that it ever was. It knows what must be loadable without asking.
type chronicle struct {
	t        *rapid.T
	s        *store.Store
	clock    *testsuite.Clock
	were     map[lashstore.Revision]*lashstore.Session // each revision as it loaded when it was the head
	loadable map[lashstore.Revision]bool
	pinned   map[lashstore.Revision]bool
	contents map[lashstore.Hash]lashstore.Hash // by checkpoint, a blob that no other one names
	head     lashstore.Revision
	keep     int
	last     int // node there is
}

// step is taken after whatever may have moved the head or what is kept.
func (c *chronicle) step() {
	now := c.load(0)
	if now.Revision != c.head {
		c.head, c.were[now.Revision], c.loadable[now.Revision] = now.Revision, now, true
	}
	for r := range c.loadable {
		if r != c.head && !c.pinned[r] && c.head-r >= lashstore.Revision(c.keep) {
			delete(c.loadable, r) // for good
		}
	}
}

func (c *chronicle) load(at lashstore.Revision) *lashstore.Session {
	s, err := c.s.Load(context.Background(), &lashstore.LoadOptions{At: at})
	require.NoError(c.t, err, "load at %d", at)
	return s
}

func (c *chronicle) commit(t *rapid.T) {
	c.last++
	id := fmt.Sprint("n", c.last)
	n := message(id, c.load(0).Graph.Leaf, lashstore.RoleUser, id)
	content := lashstore.PartContent([]byte("state of " + id))
	commit := lashstore.Commit{
		SessionID: sessionID, Expect: c.load(0).Expect(), WithoutLease: true, Graph: lashstore.AppendNodes(n),
		Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"state": content}},
		Frames:     []lashstore.Frame{{ID: id, Reason: "step", ExecutionState: []byte(id)}}, CurrentFrameID: id,
	}
	if rapid.IntRange(0, 4).Draw(t, "replaces") == 0 {
		n.ParentID = ""
		commit.Graph = lashstore.ReplaceGraph("", n)
	}
	result, err := c.s.Commit(context.Background(), commit)
	require.NoError(t, err)
	c.contents[result.Checkpoint] = content.Hash()
	c.step()
}

func (c *chronicle) rewind(t *rapid.T) {
	r := c.any(t)
	_, err := c.s.MoveHead(context.Background(), lashstore.HeadMove{
		SessionID: sessionID, Expect: lashstore.At(max(1, c.head)), Revision: r, WithoutLease: true,
	})
	switch {
	case c.head == 0:
		require.ErrorIs(t, err, lashstore.ErrRevisionConflict)
	case !c.loadable[r]:
		require.ErrorIs(t, err, lashstore.ErrRevisionGone)
	default:
		require.NoError(t, err)
		c.same(c.were[r], c.load(0))
	}
	c.step()
}

// any is a revision there was, or the next.
func (c *chronicle) any(t *rapid.T) lashstore.Revision {
	return lashstore.Revision(rapid.IntRange(1, int(c.head)+1).Draw(t, "revision"))
}

func (c *chronicle) keepOthers(t *rapid.T) {
	ctx, r := context.Background(), c.any(t)
	switch rapid.SampledFrom([]string{"pin", "pin", "unpin", "keep"}).Draw(t, "keep") {
	case "pin":
		err := c.s.PinRevision(ctx, r)
		if !c.loadable[r] {
			require.ErrorIs(t, err, lashstore.ErrRevisionGone)
			return
		}
		require.NoError(t, err)
		c.pinned[r] = true
	case "unpin":
		require.NoError(t, c.s.UnpinRevision(ctx, r))
		delete(c.pinned, r)
	case "keep":
		c.keep = rapid.IntRange(0, 5).Draw(t, "n")
		require.NoError(t, c.s.KeepRevisions(ctx, c.keep))
	}
	c.step()
}

// prune does one of the things that take away.
func (c *chronicle) prune(t *rapid.T) {
	ctx := context.Background()
	c.clock.Advance(time.Hour)
	var err error
	switch rapid.SampledFrom([]string{"orphans", "vacuum", "lines", "collect"}).Draw(t, "prune") {
	case "orphans":
		_, err = c.s.TombstoneOrphans(ctx, nil)
	case "vacuum":
		_, err = c.s.Vacuum(ctx, &lashstore.VacuumOptions{Batch: 2})
	case "lines":
		_, err = c.s.Vacuum(ctx, &lashstore.VacuumOptions{RevisionsBefore: c.clock.Now(), TombstonesBefore: testsuite.Epoch})
	case "collect":
		_, err = c.s.GC(ctx, &lashstore.GCOptions{Batch: 2})
		c.onlyTheKeptAreLeft()
	}
	require.NoError(t, err)
}

// onlyTheKeptAreLeft looks for what only revisions had that are gone.
func (c *chronicle) onlyTheKeptAreLeft() {
	kept := map[lashstore.Hash]bool{}
	for r := range c.loadable {
		kept[c.were[r].Checkpoint.Ref] = true
	}
	for checkpoint, content := range c.contents {
		_, err := c.s.Blob(context.Background(), content)
		if kept[checkpoint] {
			require.NoError(c.t, err)
		} else {
			require.ErrorIs(c.t, err, lashstore.ErrMissingBlob)
		}
	}
}

// same compares what a revision gives back.
func (c *chronicle) same(want, got *lashstore.Session) {
	require.Equal(c.t, want.Graph, got.Graph)
	require.Equal(c.t, want.Checkpoint, got.Checkpoint)
	require.Equal(c.t, want.CurrentFrameID, got.CurrentFrameID)
}

// check loads every revision there ever was, and verifies the session.
func (c *chronicle) check() {
	ctx := context.Background()
	for r := range c.head + 2 {
		if r == 0 || c.loadable[r] {
			continue
		}
		_, err := c.s.Load(ctx, &lashstore.LoadOptions{At: r})
		require.ErrorIs(c.t, err, lashstore.ErrRevisionGone, "revision %d", r)
	}
	for r := range c.loadable {
		got := c.load(r)
		require.Equal(c.t, r, got.Revision)
		c.same(c.were[r], got)
	}
	list, err := c.s.Revisions(ctx, &lashstore.RevisionListOptions{LoadableOnly: true})
	require.NoError(c.t, err)
	require.Len(c.t, list, len(c.loadable))
	report, err := c.s.Verify(ctx)
	require.NoError(c.t, err)
	require.Empty(c.t, report.Findings)
}

// Whatever is committed, gone back to, pruned and collected, in whatever order:
//
//  1. What should be loadable loads as it did when it was the head; all else is gone, for good.
//  2. After a collection nothing is left of what only revisions had that are gone.
//  3. The session is sound after every step.
func TestHistoryKeepsWhatItShouldAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := testsuite.NewClock()
		s, err := store.Memory(context.Background(), lashstore.SessionMeta{SessionID: sessionID}, &store.Options{Clock: clock})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		c := &chronicle{
			t: t, s: s, clock: clock, keep: 3, were: map[lashstore.Revision]*lashstore.Session{}, loadable: map[lashstore.Revision]bool{},
			pinned: map[lashstore.Revision]bool{}, contents: map[lashstore.Hash]lashstore.Hash{},
		}
		require.NoError(t, s.KeepRevisions(context.Background(), c.keep))
		t.Repeat(map[string]func(*rapid.T){
			"commit": c.commit, "again": c.commit, "rewind": c.rewind, "keep": c.keepOthers, "prune": c.prune, "more": c.prune,
			"": func(*rapid.T) { c.check() },
		})
	})
}
