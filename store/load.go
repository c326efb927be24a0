package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Load reads the session in one snapshot.
func (s *Store) Load(ctx context.Context, options *lashstore.LoadOptions) (*lashstore.Session, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	if options == nil {
		options = &lashstore.LoadOptions{}
	}
	var loaded *lashstore.Session
	err := s.view(ctx, func(t *tx) error {
		var err error
		loaded, err = t.load(*options)
		return err
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

func (t *tx) load(o lashstore.LoadOptions) (*lashstore.Session, error) {
	if o.At != 0 && o.At != t.state.revision {
		if err := t.lookBack(o.At); err != nil {
			return nil, err
		}
	}
	s := &lashstore.Session{
		SessionID: t.store.sessionID, Revision: t.state.revision, CurrentFrameID: t.state.currentFrameID,
		Summary: t.state.summary,
	}
	config, err := t.q.SessionGetConfig(t.Context())
	if err != nil {
		return nil, err
	}
	if s.Config, err = rawJSON(&config, "config", t.store.sessionID); err != nil {
		return nil, err
	}
	if s.Frames, err = t.listFrames(!o.WithoutParts && !o.WithoutCheckpoint); err != nil {
		return nil, err
	}
	if s.Graph, err = t.loadGraph(o); err != nil {
		return nil, err
	}
	if !o.WithoutCheckpoint {
		if s.Checkpoint, err = t.storedCheckpoint(t.state.checkpoint, !o.WithoutParts); err != nil {
			return nil, err
		}
	}
	s.Usage, err = t.usageTotals()
	return s, err
}

// lookBack makes a snapshot stand where a revision stood.
func (t *tx) lookBack(r lashstore.Revision) error {
	info, row, err := t.loadable(r)
	if err != nil {
		return err
	}
	t.at = int64(r)
	t.state.revision, t.state.leafSeq, t.state.leafID = r, row.LeafSeq, info.Leaf
	t.state.checkpoint, t.state.currentFrameID = info.Checkpoint, value(row.CurrentFrameID)
	t.state.summary = lashstore.Summary{UpdatedAt: info.CommittedAt}
	return nil
}

func (t *tx) loadGraph(o lashstore.LoadOptions) (lashstore.Graph, error) {
	switch o.Scope {
	case lashstore.ScopeHead:
		return lashstore.Graph{Leaf: t.state.leafID}, nil
	case lashstore.ScopeFull:
		return t.fullGraph()
	default:
		return t.pathGraph(o)
	}
}

// fullGraph reads every live node in order of insertion. A parent comes before its children.
func (t *tx) fullGraph() (lashstore.Graph, error) {
	rows, err := t.q.NodeListLive(t.Context())
	if err != nil || len(rows) == 0 {
		return lashstore.Graph{}, err
	}
	g := lashstore.Graph{Leaf: t.state.leafID, Nodes: make([]lashstore.Node, len(rows))}
	ids := make(map[int64]string, len(rows))
	for i, row := range rows {
		parent, known := "", true
		if row.ParentSeq != nil {
			parent, known = ids[*row.ParentSeq], ids[*row.ParentSeq] != ""
		}
		if !known {
			return lashstore.Graph{}, &lashstore.NodeError{NodeID: row.NodeID, Err: lashstore.ErrCorrupt, Detail: "its parent is not live"}
		}
		if g.Nodes[i], err = nodeFromRow(row, parent); err != nil {
			return lashstore.Graph{}, err
		}
		ids[row.Seq] = row.NodeID
	}
	return g, nil
}

func (t *tx) pathGraph(o lashstore.LoadOptions) (lashstore.Graph, error) {
	leafSeq, leafID := t.state.leafSeq, t.state.leafID
	if o.Leaf != "" && o.Leaf != leafID {
		seq, err := t.q.NodeSeqLive(t.Context(), o.Leaf)
		if errors.Is(err, sql.ErrNoRows) {
			return lashstore.Graph{}, &lashstore.NodeError{NodeID: o.Leaf, Err: lashstore.ErrUnknownLeaf}
		}
		if err != nil {
			return lashstore.Graph{}, err
		}
		leafSeq, leafID = &seq, o.Leaf
	}
	g := lashstore.Graph{Leaf: leafID}
	if leafSeq == nil {
		return g, nil
	}
	limit := int64(maxWalk)
	if o.Last > 0 {
		limit = int64(o.Last)
	}
	nodes, above, err := t.walk(*leafSeq, limit)
	if err != nil {
		return lashstore.Graph{}, err
	}
	g.More = above != nil
	g.Nodes = make([]lashstore.Node, len(nodes))
	for i, n := range nodes {
		g.Nodes[len(nodes)-1-i] = n
	}
	return g, nil
}

// maxWalk is no limit: parents are always older, so that every walk ends.
const maxWalk = math.MaxInt64

// walk reads up to limit nodes from seq towards the root, nearest first, and the number of the one above the last, nil
// at the root. A walk that ends before either is damage.
func (t *tx) walk(seq, limit int64) ([]lashstore.Node, *int64, error) {
	rows, err := t.q.NodePath(t.Context(), db.NodePathParams{LeafSeq: seq, MaxRows: limit})
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	last := rows[len(rows)-1]
	if last.ParentSeq != nil && int64(len(rows)) < limit {
		return nil, nil, &lashstore.NodeError{NodeID: last.NodeID, Err: lashstore.ErrCorrupt, Detail: "its parent is missing or not older"}
	}
	nodes := make([]lashstore.Node, len(rows))
	for i, row := range rows {
		if i > 0 && (rows[i-1].ParentSeq == nil || *rows[i-1].ParentSeq != row.Seq) {
			return nil, nil, &lashstore.NodeError{NodeID: row.NodeID, Err: lashstore.ErrInternal, Detail: "the walk came upon it out of order"}
		}
		if row.TombstonedAtMS != nil && value(row.TombstonedRevision) <= t.at {
			return nil, nil, &lashstore.NodeError{NodeID: row.NodeID, Err: lashstore.ErrCorrupt, Detail: "tombstoned below a live node"}
		}
		parent, err := t.parentID(rows, i)
		if err != nil {
			return nil, nil, err
		}
		if nodes[i], err = nodeFromRow(row, parent); err != nil {
			return nil, nil, err
		}
	}
	return nodes, last.ParentSeq, nil
}

// parentID is the id of the node above rows[i]: the next row, or one that the walk did not reach.
func (t *tx) parentID(rows []db.Node, i int) (string, error) {
	switch {
	case rows[i].ParentSeq == nil:
		return "", nil
	case i+1 < len(rows):
		return rows[i+1].NodeID, nil
	default:
		return t.q.NodeIDBySeq(t.Context(), *rows[i].ParentSeq)
	}
}

// Node returns a live node.
func (s *Store) Node(ctx context.Context, id string) (lashstore.Node, error) {
	var n lashstore.Node
	err := s.view(ctx, func(t *tx) error {
		row, err := t.liveNode(id)
		if err != nil {
			return err
		}
		n, err = nodeFromRow(row.Node, value(row.ParentID))
		return err
	})
	return n, err
}

func (t *tx) liveNode(id string) (db.NodeGetLiveRow, error) {
	row, err := t.q.NodeGetLive(t.Context(), id)
	if errors.Is(err, sql.ErrNoRows) {
		err = &lashstore.NodeError{NodeID: id, Err: lashstore.ErrNodeNotFound}
	}
	return row, err
}

// Children returns the live nodes behind a live node, or the roots.
func (s *Store) Children(ctx context.Context, id string) ([]lashstore.Node, error) {
	var nodes []lashstore.Node
	err := s.view(ctx, func(t *tx) error {
		rows, err := t.childRows(id)
		if err != nil || len(rows) == 0 {
			return err
		}
		nodes = make([]lashstore.Node, len(rows))
		for i, row := range rows {
			if nodes[i], err = nodeFromRow(row, id); err != nil {
				return err
			}
		}
		return nil
	})
	return nodes, err
}

func (t *tx) childRows(id string) ([]db.Node, error) {
	if id == "" {
		return t.q.NodeRoots(t.Context())
	}
	row, err := t.liveNode(id)
	if err != nil {
		return nil, err
	}
	return t.q.NodeChildren(t.Context(), &row.Node.Seq)
}

// jsonList encodes a list for json_each.
func jsonList[T any](list []T) (string, error) {
	if list == nil {
		list = []T{}
	}
	b, err := json.Marshal(list)
	return string(b), err
}
