package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Branches returns the branches of the session.
func (s *Store) Branches(ctx context.Context) ([]lashstore.Branch, error) {
	var list []lashstore.Branch
	err := s.view(ctx, func(t *tx) error {
		rows, err := t.q.BranchList(t.Context())
		for _, row := range rows {
			n, err := t.q.BranchCountMessages(t.Context(), row.Seq)
			if err != nil {
				return err
			}
			list = append(list, lashstore.Branch{
				Name: value(row.Name), Leaf: row.NodeID, Active: row.NodeID == t.state.leafID, Messages: n,
				UpdatedAt: lashstore.FromMillis(row.CreatedAtMS), Revision: lashstore.Revision(row.Revision),
			})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, lashstore.CompareBranches)
	return list, nil
}

// NameBranch gives a live node a name.
func (s *Store) NameBranch(ctx context.Context, name, leaf string) error {
	if err := lashstore.ValidateBranch(name, leaf); err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		leaf := cmp.Or(leaf, t.state.leafID)
		seq, err := t.q.NodeSeqLive(t.Context(), leaf)
		if errors.Is(err, sql.ErrNoRows) {
			return &lashstore.NodeError{NodeID: leaf, Err: lashstore.ErrNodeNotFound}
		}
		if err != nil {
			return err
		}
		return t.q.BranchName(t.Context(), db.BranchNameParams{Name: name, LeafSeq: seq, NamedAtMS: t.now()})
	})
}

// DropBranch takes a name away.
func (s *Store) DropBranch(ctx context.Context, name string) (bool, error) {
	if err := lashstore.ValidateBranch(name, ""); err != nil {
		return false, err
	}
	var dropped bool
	err := s.update(ctx, func(t *tx) error {
		n, err := t.q.BranchDrop(t.Context(), name)
		dropped = n > 0
		return err
	})
	return dropped && err == nil, err
}

// branchLeaf is the live node that a move goes to.
func (t *tx) branchLeaf(m *lashstore.HeadMove) (int64, string, error) {
	if m.Branch != "" {
		row, err := t.q.BranchGet(t.Context(), m.Branch)
		if errors.Is(err, sql.ErrNoRows) {
			err = &lashstore.BranchError{Name: m.Branch, Err: lashstore.ErrBranchNotFound}
		}
		return row.LeafSeq, row.NodeID, err
	}
	seq, err := t.q.NodeSeqLive(t.Context(), m.Leaf)
	if errors.Is(err, sql.ErrNoRows) {
		err = &lashstore.NodeError{NodeID: m.Leaf, Err: lashstore.ErrUnknownLeaf}
	}
	return seq, m.Leaf, err
}
