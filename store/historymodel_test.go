package store_test

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
)

// agreeOnHistory compares the log, the branches, and what every line of the log loads.
func (p *pair) agreeOnHistory() {
	ctx := context.Background()
	both(p, "branches", func(_ int, s lashstore.SessionStore) ([]lashstore.Branch, error) { return s.Branches(ctx) })
	log := both(p, "revisions", func(_ int, s lashstore.SessionStore) ([]lashstore.RevisionInfo, error) {
		return s.Revisions(ctx, nil)
	})
	for _, info := range log {
		loaded := both(p, fmt.Sprintf("revision %d", info.Revision), func(_ int, s lashstore.SessionStore) (*lashstore.Session, error) {
			return s.Load(ctx, &lashstore.LoadOptions{At: info.Revision})
		})
		require.Equal(p.t, info.Loadable, loaded != nil, "revision %d", info.Revision)
	}
	if len(log) > 1 {
		both(p, "difference", func(_ int, s lashstore.SessionStore) (lashstore.RevisionDiff, error) {
			return s.DiffRevisions(ctx, log[1].Revision, log[0].Revision)
		})
	}
}

// revision is one there was, or nearly.
func (p *pair) revision(head lashstore.Revision) lashstore.Revision {
	return max(0, head-lashstore.Revision(rapid.IntRange(-1, 6).Draw(p.t, "revisions ago")))
}

func (p *pair) head() *lashstore.Session {
	return both(p, "head", func(_ int, s lashstore.SessionStore) (*lashstore.Session, error) {
		return s.Load(context.Background(), &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
	})
}

func (p *pair) move(t *rapid.T) {
	head := p.head()
	m := lashstore.HeadMove{SessionID: sessionID, Expect: head.Expect()}
	switch p.pick("move", "rewind", "rewind", "leaf", "branch") {
	case "rewind":
		m.Revision = p.revision(head.Revision)
	case "leaf":
		m.Leaf = p.nodeID("leaf")
	case "branch":
		m.Branch = p.pick("branch", "b1", "b2")
	}
	if rapid.IntRange(0, 3).Draw(t, "stamped") == 0 {
		m.Turn = &lashstore.TurnStamp{TurnID: p.pick("turn", "t1", "t2", "t3"), Continues: rapid.Bool().Draw(t, "continues")}
	}
	leased := rapid.IntRange(0, 3).Draw(t, "leased") == 0
	both(p, fmt.Sprintf("move %+v", m), func(i int, s lashstore.SessionStore) (lashstore.CommitResult, error) {
		mine := m
		mine.WithoutLease = !leased
		if leased {
			mine.Lease = p.fences[i]
		}
		return s.MoveHead(context.Background(), mine)
	})
}

func (p *pair) branch(*rapid.T) {
	ctx := context.Background()
	name := p.pick("branch", "b1", "b2")
	switch p.pick("branches", "name", "name", "here", "drop") {
	case "name":
		leaf := p.nodeID("leaf")
		both(p, "name "+leaf, func(_ int, s lashstore.SessionStore) (any, error) { return nil, s.NameBranch(ctx, name, leaf) })
	case "here":
		both(p, "name the leaf", func(_ int, s lashstore.SessionStore) (any, error) { return nil, s.NameBranch(ctx, name, "") })
	case "drop":
		both(p, "drop", func(_ int, s lashstore.SessionStore) (bool, error) { return s.DropBranch(ctx, name) })
	}
}

func (p *pair) keep(t *rapid.T) {
	ctx := context.Background()
	r := p.revision(p.head().Revision)
	switch p.pick("keep", "pin", "pin", "unpin", "keep") {
	case "pin":
		both(p, "pin", func(_ int, s lashstore.SessionStore) (any, error) { return nil, s.PinRevision(ctx, r) })
	case "unpin":
		both(p, "unpin", func(_ int, s lashstore.SessionStore) (any, error) { return nil, s.UnpinRevision(ctx, r) })
	case "keep":
		n := rapid.IntRange(0, 5).Draw(t, "keep")
		both(p, "keep", func(_ int, s lashstore.SessionStore) (any, error) { return nil, s.KeepRevisions(ctx, n) })
	}
}
