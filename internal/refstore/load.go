package refstore

import (
	"context"
	"iter"
	"slices"

	"github.com/lashstore/lashstore"
)

// Load returns the session as of the head.
func (s *Store) Load(ctx context.Context, options *lashstore.LoadOptions) (*lashstore.Session, error) {
	if err := options.Validate(); err != nil && !s.is(LoadOptionsAreNotValidated) {
		return nil, err
	}
	if options == nil {
		options = &lashstore.LoadOptions{}
	}
	loaded, err := read(ctx, s, func(t *tx) (*lashstore.Session, error) { return t.load(*options) })
	if err == nil && s.is(LoadsAreTorn) {
		yieldALot()
		loaded.Usage, err = s.Usage(ctx)
	}
	return loaded, err
}

func (t *tx) load(o lashstore.LoadOptions) (*lashstore.Session, error) {
	if o.At != 0 && o.At != t.revision {
		if err := t.lookBack(o.At); err != nil {
			return nil, err
		}
	}
	loaded := &lashstore.Session{
		SessionID: t.id, Revision: t.revision, Config: cloneJSON(t.config), CurrentFrameID: t.frame,
		Frames: t.loadFrames(o), Usage: slices.Clone(t.totals), Summary: t.summary,
	}
	var err error
	if loaded.Graph, err = t.loadGraph(o); err != nil {
		return nil, err
	}
	loaded.Checkpoint, err = t.loadCheckpoint(o)
	return loaded, err
}

func (t *tx) loadFrames(o lashstore.LoadOptions) []lashstore.Frame {
	frames := slices.Clone(t.frames)
	for i := range frames {
		f := &frames[i]
		f.Status = lashstore.FrameSuperseded
		if f.ID == t.frame || t.is(FramesAreNeverSuperseded) {
			f.Status = lashstore.FrameActive
		}
		if f.ID == t.frame && !o.WithoutParts && !o.WithoutCheckpoint && !f.ExecutionStateRef.IsZero() {
			f.ExecutionState = append([]byte{}, t.blobs[f.ExecutionStateRef].content...)
		}
	}
	return frames
}

func (t *tx) loadGraph(o lashstore.LoadOptions) (lashstore.Graph, error) {
	g := lashstore.Graph{Leaf: t.leaf}
	switch o.Scope {
	case lashstore.ScopeHead:
		return g, nil
	case lashstore.ScopeFull:
		for n := range t.live {
			g.Nodes = append(g.Nodes, n.Node)
		}
		if t.is(FullGraphIsReversed) {
			slices.Reverse(g.Nodes)
		}
		return g, nil
	}
	if o.Leaf != "" {
		if n, known := t.nodes[o.Leaf]; (!known || !n.live()) && !t.is(UnknownLeafIsEmpty) {
			return g, &lashstore.NodeError{NodeID: o.Leaf, Err: lashstore.ErrUnknownLeaf}
		}
		g.Leaf = o.Leaf
	}
	limit := o.Last
	if t.is(LastIsOneMore) && limit > 0 {
		limit++
	}
	for id := g.Leaf; id != "" && t.nodes[id].ID != ""; id = t.nodes[id].ParentID {
		if g.More = limit > 0 && len(g.Nodes) == limit; g.More {
			break
		}
		g.Nodes = append(g.Nodes, t.nodes[id].Node)
	}
	g.More = g.More && !t.is(MoreIsNeverSaid)
	slices.Reverse(g.Nodes)
	return g, nil
}

func (t *tx) loadCheckpoint(o lashstore.LoadOptions) (*lashstore.StoredCheckpoint, error) {
	if t.checkpoint.IsZero() || o.WithoutCheckpoint && !t.is(CheckpointIsLoadedUnasked) {
		return nil, nil
	}
	record, stored := t.blobs[t.checkpoint]
	if !stored {
		return nil, &lashstore.MissingBlobError{Hash: t.checkpoint, NamedBy: "the head's checkpoint"}
	}
	m, err := lashstore.DecodeManifest(record.content)
	if err != nil {
		return nil, err
	}
	c := &lashstore.StoredCheckpoint{Ref: t.checkpoint, TurnState: m.TurnState, Parts: map[string]lashstore.StoredPart{}}
	for _, p := range m.Parts {
		b, stored := t.blobs[p.Hash]
		if !stored {
			return nil, &lashstore.MissingBlobError{Hash: p.Hash, NamedBy: "checkpoint part " + p.Name}
		}
		part := lashstore.StoredPart{Ref: p.Hash, Kind: b.kind, Size: p.Size, Fingerprint: p.Fingerprint}
		if !o.WithoutParts {
			part.Content = append([]byte{}, b.content...)
		}
		c.Parts[p.Name] = part
	}
	return c, nil
}

// Node returns a live node.
func (s *Store) Node(ctx context.Context, id string) (lashstore.Node, error) {
	return read(ctx, s, func(t *tx) (lashstore.Node, error) {
		found, known := t.nodes[id]
		if !known || !found.live() && !t.is(TombstonesAreRead) {
			return lashstore.Node{}, &lashstore.NodeError{NodeID: id, Err: lashstore.ErrNodeNotFound}
		}
		return found.Node, nil
	})
}

// Children returns the live nodes behind a live node, or the roots.
func (s *Store) Children(ctx context.Context, id string) ([]lashstore.Node, error) {
	return read(ctx, s, func(t *tx) (children []lashstore.Node, err error) {
		if parent, known := t.nodes[id]; id != "" && (!known || !parent.live()) {
			return nil, &lashstore.NodeError{NodeID: id, Err: lashstore.ErrNodeNotFound}
		}
		for _, child := range t.order {
			if n := t.nodes[child]; n.ParentID == id && (n.live() || t.is(TombstonesAreChildren)) {
				children = append(children, n.Node)
			}
		}
		return children, nil
	})
}

// Path walks from a live node, or the leaf, up to its root; one node a look.
func (s *Store) Path(ctx context.Context, from string) iter.Seq2[lashstore.Node, error] {
	return func(yield func(lashstore.Node, error) bool) {
		leaf, _ := s.start(ctx, "")
		if s.is(PathStartsAtTheLeaf) {
			from = ""
		}
		next, err := s.start(ctx, from)
		for next != "" && err == nil {
			var n node
			if n, err = s.step(ctx, next); err != nil {
				break
			}
			if !yield(n.Node, nil) && !s.is(PathNeverStops) {
				return
			}
			next = n.ParentID
			if now, _ := s.start(ctx, ""); s.is(PathFollowsTheLeaf) && now != leaf {
				next = now
			}
		}
		if err != nil && !s.is(PathEndsInSilence) {
			yield(lashstore.Node{}, err)
		}
	}
}

func (s *Store) start(ctx context.Context, from string) (string, error) {
	if from != "" {
		_, err := s.Node(ctx, from)
		return from, err
	}
	return read(ctx, s, func(t *tx) (string, error) { return t.leaf, nil })
}

// step finds a node that was live when the walk began.
func (s *Store) step(ctx context.Context, id string) (node, error) {
	return read(ctx, s, func(t *tx) (node, error) {
		n, known := t.nodes[id]
		if !known {
			return n, &lashstore.NodeError{NodeID: id, Err: lashstore.ErrNodeNotFound}
		}
		return n, nil
	})
}
