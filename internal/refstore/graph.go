package refstore

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

// timeOf is a time as it is stored: the one given, or now.
func (t *tx) timeOf(given time.Time) time.Time {
	if given.IsZero() {
		return t.now
	}
	return lashstore.FromMillis(lashstore.Millis(given))
}

// changeGraph applies the delta and moves the leaf.
func (t *tx) changeGraph(c *lashstore.Commit) error {
	d := c.Graph
	inDelta := make(map[string]bool, len(d.Nodes))
	for _, n := range d.Nodes {
		inDelta[n.ID] = t.is(ParentsMayComeLater)
	}
	for _, n := range d.Nodes {
		if err := t.checkParent(d, n, inDelta); err != nil {
			return err
		}
		if err := t.addNode(n); err != nil {
			return err
		}
		inDelta[n.ID] = true
	}
	if d.Change == lashstore.GraphReplace && !t.is(ReplaceKeepsOthers) {
		named := t.namedPaths()
		for n := range t.live {
			if !inDelta[n.ID] && (!named[n.ID] || t.is(ReplacementsIgnoreNames)) {
				t.tombstone(n.ID)
			}
		}
	}
	leaf := d.TargetLeaf(t.leaf)
	if n, known := t.nodes[leaf]; leaf != "" && (!known || !n.live()) && !t.is(AnyLeafWillDo) {
		return &lashstore.NodeError{NodeID: leaf, Err: lashstore.ErrUnknownLeaf}
	}
	if t.is(ReplaceLeavesTheLeaf) && d.Change == lashstore.GraphReplace && inDelta[t.leaf] {
		return nil
	}
	if t.is(LeafNeverMoves) && t.leaf != "" && len(d.Nodes) == 0 {
		return nil
	}
	t.leaf = leaf
	return nil
}

// checkParent wants a live parent; in a replacement one that is kept.
func (t *tx) checkParent(d lashstore.GraphDelta, n lashstore.Node, inDelta map[string]bool) error {
	parent, known := t.nodes[n.ParentID]
	switch {
	case n.ParentID == "" || inDelta[n.ParentID]:
		return nil
	case d.Change == lashstore.GraphAppend && known && parent.live():
		return nil
	case t.is(AnyParentWillDo), t.is(DeadParentWillDo) && known, t.is(ReplaceTakesDroppedParents) && known && parent.live():
		return nil
	}
	return &lashstore.NodeError{NodeID: n.ID, ParentID: n.ParentID, Err: lashstore.ErrUnknownParent}
}

func (t *tx) addNode(n lashstore.Node) error {
	n.CreatedAt = t.timeOf(n.CreatedAt)
	n.Payload, n.CausedBy = cloneJSON(n.Payload), cloneJSON(n.CausedBy)
	if t.is(JSONIsRespelled) {
		n.Payload = compact(n.Payload)
	}
	stored, known := t.nodes[n.ID]
	if !known {
		t.order = append(t.order, n.ID)
		t.nodes[n.ID] = node{Node: n, revision: t.revision + 1}
		t.entitle(n)
		return nil
	}
	switch field := stored.Conflict(n); {
	case t.is(KnownNodesAreOverwritten):
		stored.Node = n
	case t.is(KnownPayloadsAreNotCompared) && field == "payload":
	case field != "":
		return &lashstore.NodeConflictError{NodeID: n.ID, Field: field}
	}
	if t.is(KnownNodesComeTwice) {
		t.order = append(t.order, n.ID)
	}
	if !t.is(NothingRevives) {
		stored.tombstoned = time.Time{}
	}
	t.nodes[n.ID] = stored
	return nil
}

func compact(v json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return v
	}
	return b.Bytes()
}

// entitle gives the session the title of its first user message.
func (t *tx) entitle(n lashstore.Node) {
	if n.Role != lashstore.RoleUser || t.summary.Title != "" && !t.is(TitleIsOverwritten) {
		return
	}
	if m, err := lashstore.ParseMessage(n.Payload); err == nil {
		t.summary.Title = m.Title()
		if t.is(TitleIsAllOfIt) {
			t.summary.Title = m.Text()
		}
	}
}

func (t *tx) tombstone(id string) {
	n := t.nodes[id]
	n.tombstoned, n.removed = t.now, t.revision
	if t.committing {
		n.removed++
	}
	t.nodes[id] = n
}

func (t *tx) reviveNode(id string) {
	n := t.nodes[id]
	n.tombstoned = time.Time{}
	t.nodes[id] = n
}

// namedPaths are the nodes on the paths to leaves with a name.
func (t *tx) namedPaths() map[string]bool {
	named := map[string]bool{}
	for _, leaf := range t.branches {
		maps.Copy(named, t.onPath(leaf))
	}
	return named
}

// tombstoneTrees takes out the live nodes among ids, each with all that follows it, and counts them.
func (t *tx) tombstoneTrees(ids []string) int64 {
	dead := map[string]bool{}
	var count int64
	for n := range t.live { // parents come before their children
		if slices.Contains(ids, n.ID) || dead[n.ParentID] && !t.is(TombstoneLeavesSubtree) {
			dead[n.ID] = true
			t.tombstone(n.ID)
			count++
		}
	}
	return count
}
