package refstore

import (
	"context"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

// revisionEntry is a line of the log: what a commit left, and the frame that was current.
type revisionEntry struct {
	lashstore.RevisionInfo
	frame string
}

// logRevision leaves a line for the commit that has just advanced the head.
func (t *tx) logRevision(c *lashstore.Commit, by lashstore.Movement, source lashstore.Revision) {
	e := revisionEntry{frame: t.frame, RevisionInfo: lashstore.RevisionInfo{
		Revision: t.revision, Movement: by, Source: source, Leaf: t.leaf, Checkpoint: t.checkpoint, CommittedAt: t.now,
	}}
	if c.Turn != nil {
		e.TurnID = c.Turn.TurnID
	}
	for _, d := range c.Usage {
		e.Usage = e.Usage.Add(d.Usage)
	}
	if t.mutateLine(&e, c) {
		t.log = append(t.log, e)
	}
}

// kept is how many of the last revisions stay loadable: those that were gone when it was last said are not among them.
func (t *tx) kept() int { return min(t.keep, int(t.revision-t.keptFrom)+1) }

// info is a line as the contract has it.
func (t *tx) info(e revisionEntry) lashstore.RevisionInfo {
	e.Loadable = t.keeps(e)
	if _, known := t.nodes[e.Leaf]; !known {
		e.Leaf = ""
	}
	return e.RevisionInfo
}

// loadableAt finds the line of a revision that can be loaded.
func (t *tx) loadableAt(r lashstore.Revision) (int, error) {
	at := slices.IndexFunc(t.log, func(e revisionEntry) bool { return e.Revision == r })
	if at < 0 || !t.info(t.log[at]).Loadable && !t.is(GoneRevisionsLoad) {
		return 0, &lashstore.RevisionError{Revision: r, Head: t.revision, Err: lashstore.ErrRevisionGone}
	}
	return at, nil
}

// lookBack makes a snapshot stand where a revision stood.
func (t *tx) lookBack(r lashstore.Revision) error {
	at, err := t.loadableAt(r)
	if err != nil {
		return err
	}
	head, then, e := t.state, *t.state, t.log[at]
	t.state = &then
	then.revision, then.leaf, then.checkpoint, then.frame = r, e.Leaf, e.Checkpoint, e.frame
	then.summary = lashstore.Summary{UpdatedAt: e.CommittedAt}
	t.mutateLookBack(head)
	return nil
}

// Revisions returns the log, newest first.
func (s *Store) Revisions(ctx context.Context, options *lashstore.RevisionListOptions) ([]lashstore.RevisionInfo, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if options == nil {
		options = &lashstore.RevisionListOptions{}
	}
	return read(ctx, s, func(t *tx) (list []lashstore.RevisionInfo, err error) {
		for _, e := range slices.Backward(t.log) {
			info := t.info(e)
			if options.Before > 0 && (info.Revision > options.Before || info.Revision == options.Before && !t.is(RevisionPagesOverlap)) ||
				options.LoadableOnly && !info.Loadable && !t.is(ListsShowTheGone) {
				continue
			}
			if options.Limit > 0 && len(list) == options.Limit {
				break
			}
			list = append(list, info)
		}
		if t.is(RevisionsComeOldestFirst) {
			slices.Reverse(list)
		}
		return list, nil
	})
}

// PinRevision keeps a loadable revision for ever.
func (s *Store) PinRevision(ctx context.Context, r lashstore.Revision) error {
	return s.update(ctx, func(t *tx) error {
		at, err := t.loadableAt(r)
		if err == nil {
			t.log[at].Pinned = true
		}
		if t.is(GoneRevisionsArePinned) {
			return nil
		}
		return err
	})
}

// UnpinRevision lets go of it.
func (s *Store) UnpinRevision(ctx context.Context, r lashstore.Revision) error {
	return s.update(ctx, func(t *tx) error {
		for i := range t.log {
			if t.log[i].Revision == r && !t.is(UnpinningDoesNothing) {
				t.log[i].Pinned = false
			}
		}
		return nil
	})
}

// KeepRevisions says how many stay loadable.
func (s *Store) KeepRevisions(ctx context.Context, n int) error {
	if err := lashstore.ValidateKeepRevisions(n); err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		t.keptFrom = t.revision - lashstore.Revision(max(t.kept(), 1)) + 1
		t.keep = n
		return nil
	})
}

// DiffRevisions compares two loadable revisions.
func (s *Store) DiffRevisions(ctx context.Context, from, to lashstore.Revision) (lashstore.RevisionDiff, error) {
	return read(ctx, s, func(t *tx) (d lashstore.RevisionDiff, err error) {
		var loaded [2]*lashstore.Session
		for i, r := range []lashstore.Revision{from, to} {
			at, err := t.loadableAt(r)
			if err != nil {
				return d, err
			}
			*[]*lashstore.RevisionInfo{&d.From, &d.To}[i] = t.info(t.log[at])
			then := *t
			if loaded[i], err = then.load(lashstore.LoadOptions{At: r, WithoutParts: true}); err != nil {
				return d, err
			}
		}
		if t.is(DiffsAreBackwards) {
			slices.Reverse(loaded[:])
		}
		d.Compare(loaded[0].Graph.Nodes, loaded[1].Graph.Nodes, loaded[0].Checkpoint, loaded[1].Checkpoint)
		return d, nil
	})
}

// MoveHead goes back, or to another branch.
func (s *Store) MoveHead(ctx context.Context, move lashstore.HeadMove) (lashstore.CommitResult, error) {
	if err := move.Validate(); err != nil {
		return lashstore.CommitResult{}, err
	}
	c := move.Commit()
	if c.Turn != nil && c.Turn.Hash.IsZero() {
		hash, err := s.hashOfMove(&move)
		if err != nil {
			return lashstore.CommitResult{}, err
		}
		stamp := *c.Turn
		stamp.Hash = hash
		c.Turn = &stamp
	}
	return s.apply(ctx, *c, &move)
}

// moveHead puts the head where a move says.
func (t *tx) moveHead(m *lashstore.HeadMove) (by lashstore.Movement, source lashstore.Revision, err error) {
	if m.Revision != 0 {
		at, err := t.loadableAt(m.Revision)
		if err != nil {
			return "", 0, err
		}
		e := t.log[at]
		t.leaf, t.checkpoint, t.frame = e.Leaf, e.Checkpoint, e.frame
		for id := e.Leaf; id != "" && !t.nodes[id].live() && !t.is(RewindRevivesNothing); id = t.nodes[id].ParentID {
			t.reviveNode(id)
		}
		return lashstore.MovedByRewind, m.Revision, nil
	}
	leaf := m.Leaf
	if m.Branch != "" {
		named, known := t.branches[m.Branch]
		if !known && t.is(UnknownBranchIsHere) {
			named, known = t.leaf, true
		}
		if !known {
			return "", 0, &lashstore.BranchError{Name: m.Branch, Err: lashstore.ErrBranchNotFound}
		}
		leaf = named
	}
	if n, known := t.nodes[leaf]; !known || !n.live() && !t.is(SwitchRaisesTheDead) {
		return "", 0, &lashstore.NodeError{NodeID: leaf, Err: lashstore.ErrUnknownLeaf}
	}
	t.leaf = leaf
	for _, e := range slices.Backward(t.log) {
		if t.atLeaf(e, leaf) {
			t.checkpoint, t.frame = e.Checkpoint, e.frame
			break
		}
	}
	return lashstore.MovedBySwitch, 0, nil
}

// Branches returns the branches.
func (s *Store) Branches(ctx context.Context) ([]lashstore.Branch, error) {
	return read(ctx, s, func(t *tx) (list []lashstore.Branch, err error) {
		followed := map[string]bool{}
		for n := range t.live {
			followed[n.ParentID] = true
		}
		names := map[string][]string{}
		for name, leaf := range t.branches {
			names[leaf] = append(names[leaf], name)
		}
		for n := range t.live {
			if followed[n.ID] && (names[n.ID] == nil || t.is(FollowedNodesAreNotNamed)) {
				continue
			}
			b := lashstore.Branch{Leaf: n.ID, Active: n.ID == t.leaf, UpdatedAt: n.CreatedAt, Revision: n.revision}
			for id := n.ID; id != ""; id = t.nodes[id].ParentID {
				if t.nodes[id].Kind == lashstore.NodeMessage {
					b.Messages++
				}
			}
			for _, b.Name = range append(names[n.ID], "")[:max(1, len(names[n.ID]))] {
				list = append(list, b)
				if t.is(OneNameANode) {
					break
				}
			}
		}
		slices.SortFunc(list, lashstore.CompareBranches)
		return list, nil
	})
}

// NameBranch gives a live node a name.
func (s *Store) NameBranch(ctx context.Context, name, leaf string) error {
	if err := lashstore.ValidateBranch(name, leaf); err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		id := leaf
		if id == "" {
			id = t.leaf
		}
		if n, known := t.nodes[id]; !known || !n.live() && !t.is(DeadNodesAreNamed) {
			return &lashstore.NodeError{NodeID: id, Err: lashstore.ErrNodeNotFound}
		}
		if _, named := t.branches[name]; named && t.is(NamesNeverMove) {
			return nil
		}
		t.branches[name] = id
		return nil
	})
}

// DropBranch takes a name away.
func (s *Store) DropBranch(ctx context.Context, name string) (bool, error) {
	if err := lashstore.ValidateBranch(name, ""); err != nil {
		return false, err
	}
	return write(ctx, s, func(t *tx) (bool, error) {
		_, was := t.branches[name]
		delete(t.branches, name)
		return was || t.is(DroppingAlwaysDrops), nil
	})
}

// vacuumLog deletes lines that are neither loadable nor the receipt of a turn that is remembered.
func (t *tx) vacuumLog(before time.Time) int64 {
	kept := slices.DeleteFunc(slices.Clone(t.log), func(e revisionEntry) bool {
		return e.CommittedAt.Before(before) && t.vacuums(e)
	})
	gone := len(t.log) - len(kept)
	t.log = kept
	return int64(gone)
}
