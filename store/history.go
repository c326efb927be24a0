package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Revisions returns the log of head movements, newest first.
func (s *Store) Revisions(ctx context.Context, options *lashstore.RevisionListOptions) ([]lashstore.RevisionInfo, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if options == nil {
		options = &lashstore.RevisionListOptions{}
	}
	p := db.RevisionListParams{BeforeRevision: math.MaxInt64, MaxRows: math.MaxInt64}
	if options.Before > 0 {
		p.BeforeRevision = int64(options.Before)
	}
	if options.Limit > 0 {
		p.MaxRows = int64(options.Limit)
	}
	var list []lashstore.RevisionInfo
	err := s.view(ctx, func(t *tx) error {
		if options.LoadableOnly {
			p.OldestKept = t.oldestKept()
		}
		rows, err := t.q.RevisionList(t.Context(), p)
		for _, row := range rows {
			info, err := t.revisionInfo(row.Revision, value(row.LeafID))
			if err != nil {
				return err
			}
			list = append(list, info)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (t *tx) revisionInfo(row db.Revision, leafID string) (lashstore.RevisionInfo, error) {
	r := lashstore.Revision(row.Revision)
	checkpoint, err := optionalHash(row.CheckpointHash, "revision", r.String())
	return lashstore.RevisionInfo{
		Revision: r, Movement: lashstore.Movement(row.Movement), Source: lashstore.Revision(value(row.SourceRevision)),
		Leaf: leafID, Checkpoint: checkpoint, TurnID: value(row.TurnID), CommittedAt: lashstore.FromMillis(row.CommittedAtMS),
		Usage: lashstore.TokenUsage{
			Input: row.Input, Output: row.Output, CacheRead: row.CacheRead, CacheWrite: row.CacheWrite, ReasoningOutput: row.ReasoningOutput,
		},
		Pinned:   row.PinnedAtMS != nil,
		Loadable: lashstore.KeepsRevision(r, t.state.revision, int(t.state.keep), row.PinnedAtMS != nil),
	}, err
}

// loadable finds a revision that can be loaded, with its row.
func (t *tx) loadable(r lashstore.Revision) (lashstore.RevisionInfo, db.Revision, error) {
	gone := &lashstore.RevisionError{Revision: r, Head: t.state.revision, Err: lashstore.ErrRevisionGone}
	row, err := t.q.RevisionGet(t.Context(), int64(r))
	if errors.Is(err, sql.ErrNoRows) {
		return lashstore.RevisionInfo{}, db.Revision{}, gone
	}
	if err != nil {
		return lashstore.RevisionInfo{}, db.Revision{}, err
	}
	info, err := t.revisionInfo(row.Revision, value(row.LeafID))
	if err == nil && !info.Loadable {
		err = gone
	}
	if err == nil && row.Revision.LeafSeq != nil && row.LeafID == nil {
		err = &lashstore.CorruptError{What: "revision", Key: r.String(), Reason: "it is kept, and its leaf is gone"}
	}
	return info, row.Revision, err
}

// PinRevision keeps a loadable revision for ever.
func (s *Store) PinRevision(ctx context.Context, r lashstore.Revision) error {
	return s.update(ctx, func(t *tx) error {
		at := t.now()
		n, err := t.q.RevisionPin(t.Context(), db.RevisionPinParams{PinnedAtMS: &at, Revision: int64(r), OldestKept: t.oldestKept()})
		if err == nil && n == 0 {
			err = &lashstore.RevisionError{Revision: r, Head: t.state.revision, Err: lashstore.ErrRevisionGone}
		}
		return err
	})
}

// UnpinRevision lets go of it.
func (s *Store) UnpinRevision(ctx context.Context, r lashstore.Revision) error {
	return s.update(ctx, func(t *tx) error {
		_, err := t.q.RevisionUnpin(t.Context(), int64(r))
		return err
	})
}

// KeepRevisions says how many of the last revisions stay loadable.
func (s *Store) KeepRevisions(ctx context.Context, n int) error {
	if err := lashstore.ValidateKeepRevisions(n); err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		changed, err := t.q.SessionSetKeepRevisions(t.Context(), db.SessionSetKeepRevisionsParams{KeepRevisions: int64(n), OldestKept: t.oldestKept()})
		return t.changedOne(changed, err, "session")
	})
}

// DiffRevisions compares two loadable revisions.
func (s *Store) DiffRevisions(ctx context.Context, from, to lashstore.Revision) (lashstore.RevisionDiff, error) {
	var d lashstore.RevisionDiff
	err := s.view(ctx, func(t *tx) error {
		var paths [2][]lashstore.Node
		var checkpoints [2]*lashstore.StoredCheckpoint
		for i, r := range []lashstore.Revision{from, to} {
			info, row, err := t.loadable(r)
			if err != nil {
				return err
			}
			*[]*lashstore.RevisionInfo{&d.From, &d.To}[i] = info
			if paths[i], err = t.pathAt(row.LeafSeq, r); err != nil {
				return err
			}
			if checkpoints[i], err = t.storedCheckpoint(info.Checkpoint, false); err != nil {
				return err
			}
		}
		d.Compare(paths[0], paths[1], checkpoints[0], checkpoints[1])
		return nil
	})
	if err != nil {
		return lashstore.RevisionDiff{}, err
	}
	return d, nil
}

// pathAt is the path to a leaf as a revision had it, root first. What was tombstoned since is there.
func (t *tx) pathAt(leafSeq *int64, at lashstore.Revision) ([]lashstore.Node, error) {
	if leafSeq == nil {
		return nil, nil
	}
	then := *t
	then.at = int64(at)
	nodes, _, err := then.walk(*leafSeq, maxWalk)
	slices.Reverse(nodes)
	return nodes, err
}

// moved is how the head was moved without new nodes.
type moved struct {
	by     lashstore.Movement
	source lashstore.Revision // of a rewind
}

// MoveHead goes back, or to another branch, as one commit.
func (s *Store) MoveHead(ctx context.Context, move lashstore.HeadMove) (lashstore.CommitResult, error) {
	if err := move.Validate(); err != nil {
		return lashstore.CommitResult{}, err
	}
	c := move.Commit()
	if c.Turn != nil && c.Turn.Hash.IsZero() {
		hash, err := move.Hash()
		if err != nil {
			return lashstore.CommitResult{}, err
		}
		stamp := *c.Turn
		stamp.Hash = hash
		c.Turn = &stamp
	}
	w, err := s.prepareCommit(c)
	if err != nil {
		return lashstore.CommitResult{}, err
	}
	w.to = &move
	return s.commit(ctx, w)
}

// move puts the head where a move says. An ordinary commit has moved it already.
func (w *commitWork) move(t *tx) error {
	switch {
	case w.to == nil:
		return nil
	case w.to.Revision != 0:
		return w.rewind(t)
	default:
		return w.switchTo(t)
	}
}

func (w *commitWork) rewind(t *tx) error {
	info, row, err := t.loadable(w.to.Revision)
	if err != nil {
		return err
	}
	w.moved = &moved{by: lashstore.MovedByRewind, source: w.to.Revision}
	w.next.leafSeq, w.next.leafID, w.next.checkpoint = row.LeafSeq, info.Leaf, info.Checkpoint
	w.next.currentFrameID = value(row.CurrentFrameID)
	return w.revive(t, row.LeafSeq)
}

// revive brings back what of a path was tombstoned since.
func (w *commitWork) revive(t *tx, leafSeq *int64) error {
	if leafSeq == nil {
		return nil
	}
	n, err := t.q.NodeRevivePath(t.Context(), *leafSeq)
	if err != nil || n == 0 {
		return err
	}
	counts, err := t.q.NodeCountMessages(t.Context())
	w.next.summary.Messages, w.next.summary.UserMessages = counts.Messages, counts.UserMessages
	return err
}

func (w *commitWork) switchTo(t *tx) error {
	seq, id, err := t.branchLeaf(w.to)
	if err != nil {
		return err
	}
	w.moved = &moved{by: lashstore.MovedBySwitch}
	w.next.leafSeq, w.next.leafID = &seq, id
	at, err := t.q.RevisionAtLeaf(t.Context(), db.RevisionAtLeafParams{LeafSeq: &seq, OldestKept: t.oldestKept()})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	w.next.currentFrameID = value(at.CurrentFrameID)
	w.next.checkpoint, err = optionalHash(at.CheckpointHash, "revision", lashstore.Revision(at.Revision).String())
	return err
}
