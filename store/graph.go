package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// graph applies the delta to the stored graph and finds the leaf afterwards.
func (w *commitWork) graph(t *tx) error {
	g := graphWriter{
		tx: t, next: &w.next, seqs: make(map[string]int64, len(w.Graph.Nodes)),
		replace: w.Graph.Change == lashstore.GraphReplace,
	}
	for _, n := range w.Graph.Nodes {
		if err := g.add(n); err != nil {
			return err
		}
	}
	if g.replace {
		if err := g.removeOthers(); err != nil {
			return err
		}
	}
	return g.moveLeaf(w.Graph)
}

// graphWriter brings nodes into the stored graph.
type graphWriter struct {
	*tx
	next    *state           // whose leaf and counters it keeps
	seqs    map[string]int64 // nodes of the delta that are live by now
	replace bool             // nodes outside of the delta will not live
}

// add stores a node, or finds that it is stored already.
func (g *graphWriter) add(n lashstore.Node) error {
	parent, err := g.parentSeq(n)
	if err != nil {
		return err
	}
	seq, err := g.q.NodeCreate(g.Context(), db.NodeCreateParams{
		ParentSeq: parent, NodeID: n.ID, Kind: string(n.Kind), Role: optional(string(n.Role)), FrameID: optional(n.FrameID),
		Revision: int64(g.next.revision), CreatedAtMS: createdAt(n.CreatedAt, g.now()),
		CausedBy: optionalJSON(n.CausedBy), Payload: string(n.Payload),
	})
	if err != nil {
		return err
	}
	if seq == 0 {
		return g.addKnown(n)
	}
	g.seqs[n.ID] = seq
	g.count(n)
	return nil
}

// addKnown settles a node whose id is stored: the same one stays and comes back to life, another one is a conflict.
func (g *graphWriter) addKnown(n lashstore.Node) error {
	row, err := g.q.NodeGet(g.Context(), n.ID)
	if err != nil {
		return err
	}
	stored, err := nodeFromRow(row.Node, value(row.ParentID))
	if err != nil {
		return err
	}
	if field := stored.Conflict(n); field != "" {
		return &lashstore.NodeConflictError{NodeID: n.ID, Field: field}
	}
	g.seqs[n.ID] = row.Node.Seq
	if row.Node.TombstonedAtMS == nil {
		return nil
	}
	revived, err := g.q.NodeRevive(g.Context(), row.Node.Seq)
	if err := g.changedOne(revived, err, "node"); err != nil {
		return err
	}
	g.count(n)
	return nil
}

// parentSeq finds a node's parent among the live ones; nil for a root.
func (g *graphWriter) parentSeq(n lashstore.Node) (*int64, error) {
	if n.ParentID == "" {
		return nil, nil
	}
	seq, err := g.liveSeq(n.ParentID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &lashstore.NodeError{NodeID: n.ID, ParentID: n.ParentID, Err: lashstore.ErrUnknownParent}
	}
	return &seq, err
}

// liveSeq finds a node that will be live: in the delta, at the leaf, or anywhere else. sql.ErrNoRows.
func (g *graphWriter) liveSeq(id string) (int64, error) {
	if seq, ok := g.seqs[id]; ok {
		return seq, nil
	}
	if g.replace {
		return 0, sql.ErrNoRows
	}
	if id == g.state.leafID {
		return *g.state.leafSeq, nil
	}
	return g.q.NodeSeqLive(g.Context(), id)
}

// count takes a node that has come to life into the summary.
func (g *graphWriter) count(n lashstore.Node) {
	if n.Kind != lashstore.NodeMessage {
		return
	}
	g.next.summary.Messages++
	if n.Role != lashstore.RoleUser {
		return
	}
	g.next.summary.UserMessages++
	if g.next.summary.Title == "" {
		// A payload without a form that is known has no title, and that is all there is to it.
		if m, err := lashstore.ParseMessage(n.Payload); err == nil {
			g.next.summary.Title = m.Title()
		}
	}
}

// removeOthers tombstones what a replacement left out, and counts anew.
func (g *graphWriter) removeOthers() error {
	kept := make([]int64, 0, len(g.seqs))
	for _, seq := range g.seqs {
		kept = append(kept, seq)
	}
	list, err := jsonList(kept)
	if err != nil {
		return fmt.Errorf("encode node numbers: %w", err)
	}
	at, err := g.tombstoneTime()
	if err != nil {
		return err
	}
	revision := int64(g.next.revision)
	if _, err := g.q.NodeTombstoneOthers(g.Context(), db.NodeTombstoneOthersParams{KeptSeqs: list, NowMS: &at, Revision: &revision}); err != nil {
		return err
	}
	counts, err := g.q.NodeCountMessages(g.Context())
	g.next.summary.Messages, g.next.summary.UserMessages = counts.Messages, counts.UserMessages
	return err
}

func (g *graphWriter) moveLeaf(d lashstore.GraphDelta) error {
	target := d.TargetLeaf(g.state.leafID)
	if target == "" {
		g.next.leafSeq, g.next.leafID = nil, ""
		return nil
	}
	seq, err := g.liveSeq(target)
	if errors.Is(err, sql.ErrNoRows) {
		return &lashstore.NodeError{NodeID: target, Err: lashstore.ErrUnknownLeaf}
	}
	if err != nil {
		return err
	}
	g.next.leafSeq, g.next.leafID = &seq, target
	return nil
}

// nodeFromRow is a stored node as the contract has it. What cannot be read is a CorruptError naming the node.
func nodeFromRow(row db.Node, parentID string) (lashstore.Node, error) {
	caused, err := rawJSON(row.CausedBy, "node", row.NodeID)
	if err != nil {
		return lashstore.Node{}, err
	}
	payload, err := rawJSON(&row.Payload, "node", row.NodeID)
	if err != nil {
		return lashstore.Node{}, err
	}
	return lashstore.Node{
		ID: row.NodeID, ParentID: parentID, Kind: lashstore.NodeKind(row.Kind), Role: lashstore.Role(value(row.Role)),
		FrameID: value(row.FrameID), CausedBy: caused, CreatedAt: lashstore.FromMillis(row.CreatedAtMS), Payload: payload,
	}, nil
}
