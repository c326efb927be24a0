package lashstore

import (
	"encoding/json"
	"fmt"
	"time"
)

// NodeKind is what a node's payload is.
type NodeKind string

const (
	// NodeMessage is a message of the conversation. ParseMessage reads its payload where it has a known form.
	NodeMessage NodeKind = "message"
	// NodeProtocol is an event of the runtime's protocol.
	NodeProtocol NodeKind = "protocol"
	// NodePlugin belongs to a plugin.
	NodePlugin NodeKind = "plugin"
)

// Node is one record of the conversation graph. It never changes once committed; a node that is taken away is
// tombstoned, by the store and not in the record.
type Node struct {
	// ID is unique in its session. Required.
	ID string
	// ParentID is the node this one follows; "" makes a root. The graph is a forest.
	ParentID string
	Kind     NodeKind
	// Role is the speaker. Required for messages, "" for every other kind.
	Role Role
	// FrameID is the agent frame the node belongs to; "" belongs to none.
	FrameID string
	// CausedBy says what caused the node; opaque, nil for nothing.
	CausedBy json.RawMessage
	// CreatedAt is kept in milliseconds. It is no part of the node's identity. Zero means the time of the commit.
	CreatedAt time.Time
	// Payload is opaque JSON, returned byte for byte. Required. At most MaxValueSize, together with CausedBy.
	Payload json.RawMessage
}

// Conflict compares a stored node with one given under the same id. It returns the first field that differs, or ""
// when both are the same node. Time does not count, nor does the spelling of JSON.
func (n Node) Conflict(given Node) string {
	switch {
	case n.ParentID != given.ParentID:
		return "parent"
	case n.Kind != given.Kind:
		return "kind"
	case n.Role != given.Role:
		return "role"
	case n.FrameID != given.FrameID:
		return "frame"
	case !sameOptionalJSON(n.CausedBy, given.CausedBy):
		return "caused_by"
	case !EqualJSON(n.Payload, given.Payload):
		return "payload"
	}
	return ""
}

func sameOptionalJSON(a, b json.RawMessage) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return EqualJSON(a, b)
}

func (n Node) validate(field string) error {
	if err := ValidateID(field+".id", n.ID); err != nil {
		return err
	}
	for _, id := range []struct{ name, value string }{{".parent_id", n.ParentID}, {".frame_id", n.FrameID}} {
		if id.value != "" {
			if err := ValidateID(field+id.name, id.value); err != nil {
				return err
			}
		}
	}
	if err := n.validateKind(field); err != nil {
		return err
	}
	if err := ValidateTime(field+".created_at", n.CreatedAt); err != nil {
		return err
	}
	if err := validateOptionalJSON(field+".caused_by", n.CausedBy); err != nil {
		return err
	}
	if err := ValidateJSON(field+".payload", n.Payload); err != nil {
		return err
	}
	return validateTogether(field, MaxValueSize, n.Payload, n.CausedBy)
}

func (n Node) validateKind(field string) error {
	switch n.Kind {
	case NodeMessage:
		return validateName(field+".role", string(n.Role))
	case NodeProtocol, NodePlugin:
		if n.Role != "" {
			return &InvalidError{Field: field + ".role", Reason: "only messages have one"}
		}
		return nil
	default:
		return &InvalidError{Field: field + ".kind", Reason: fmt.Sprintf("%q is none of message, protocol, plugin", n.Kind)}
	}
}

// validateName accepts 1 to 64 lower-case letters, digits and underscores.
func validateName(field, name string) error {
	if name == "" || len(name) > 64 {
		return &InvalidError{Field: field, Reason: "must have 1 to 64 characters"}
	}
	for _, c := range []byte(name) {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return &InvalidError{Field: field, Reason: fmt.Sprintf("%q has other characters than a-z, 0-9 and _", name)}
		}
	}
	return nil
}

// GraphChange is how a commit changes the graph.
type GraphChange string

const (
	// GraphUnchanged adds and removes no node. The leaf may move.
	GraphUnchanged GraphChange = ""
	// GraphAppend adds nodes.
	GraphAppend GraphChange = "append"
	// GraphReplace makes the nodes given the whole graph.
	GraphReplace GraphChange = "replace"
)

// MaxDeltaNodes is how many nodes one commit may carry.
const MaxDeltaNodes = 1 << 20

// GraphDelta is what a commit does to the graph. The zero value does nothing at all. Make others with AppendNodes,
// ReplaceGraph and MoveLeaf.
//
// Rules: a parent is a live node, or a node earlier in Nodes; of a replacement, the latter alone. A known id with the same content is left as it is (and
// comes back to life if it was tombstoned); with other content it is a NodeConflictError. Replace is applied as a
// difference: what is missing is added, what is stored keeps its place, what is absent from Nodes is tombstoned.
type GraphDelta struct {
	Change GraphChange
	Nodes  []Node
	// Leaf is where the active path ends afterwards: any live node. "" leaves it where it is, or puts it on the last
	// of Nodes if there are any.
	Leaf string
	// ClearLeaf leaves the session without an active path.
	ClearLeaf bool
}

// AppendNodes adds nodes in order and makes the last one the leaf.
func AppendNodes(nodes ...Node) GraphDelta { return GraphDelta{Change: GraphAppend, Nodes: nodes} }

// ReplaceGraph makes nodes, in order, the whole graph. The last one becomes the leaf unless leaf names another.
func ReplaceGraph(leaf string, nodes ...Node) GraphDelta {
	return GraphDelta{Change: GraphReplace, Nodes: nodes, Leaf: leaf}
}

// MoveLeaf puts the end of the active path on a stored node: this is how one branches and goes back.
func MoveLeaf(leaf string) GraphDelta { return GraphDelta{Leaf: leaf} }

// TargetLeaf returns the leaf after the delta, given the one before it; "" is none.
func (d GraphDelta) TargetLeaf(before string) string {
	switch {
	case d.ClearLeaf:
		return ""
	case d.Leaf != "":
		return d.Leaf
	case len(d.Nodes) > 0:
		return d.Nodes[len(d.Nodes)-1].ID
	case d.Change == GraphReplace:
		return ""
	default:
		return before
	}
}

// Validate checks everything that can be judged without the stored graph: fields, sizes, repeated ids, the order of
// parents and cycles. Errors: InvalidError, TooLargeError, NodeError.
func (d GraphDelta) Validate() error {
	switch {
	case d.Change != GraphUnchanged && d.Change != GraphAppend && d.Change != GraphReplace:
		return &InvalidError{Field: "graph.change", Reason: fmt.Sprintf("%q is unknown", d.Change)}
	case d.Change == GraphUnchanged && len(d.Nodes) > 0:
		return &InvalidError{Field: "graph.nodes", Reason: "an unchanged graph takes none"}
	case d.ClearLeaf && d.Leaf != "":
		return &InvalidError{Field: "graph.leaf", Reason: "given and to be cleared at once"}
	case len(d.Nodes) > MaxDeltaNodes:
		return &TooLargeError{Field: "graph.nodes", Size: int64(len(d.Nodes)), Max: MaxDeltaNodes}
	}
	if d.Leaf != "" {
		if err := ValidateID("graph.leaf", d.Leaf); err != nil {
			return err
		}
	}
	index := make(map[string]int, len(d.Nodes))
	for i, n := range d.Nodes {
		field := fmt.Sprintf("graph.nodes[%d]", i)
		if err := n.validate(field); err != nil {
			return err
		}
		if first, repeated := index[n.ID]; repeated {
			return &InvalidError{Field: field + ".id", Reason: fmt.Sprintf("%q repeats graph.nodes[%d]", n.ID, first)}
		}
		index[n.ID] = i
	}
	return d.validateOrder(index)
}

// validateOrder finds the first node whose parent comes later, and says whether that is a cycle. Parents first makes
// cycles impossible in what is stored.
func (d GraphDelta) validateOrder(index map[string]int) error {
	for i, n := range d.Nodes {
		parent, inDelta := index[n.ParentID]
		if !inDelta || parent < i {
			continue
		}
		for steps, at := 0, parent; steps <= len(d.Nodes); steps++ {
			if at == i {
				return &NodeError{NodeID: n.ID, ParentID: n.ParentID, Err: ErrGraphCycle}
			}
			next, ok := index[d.Nodes[at].ParentID]
			if !ok {
				break
			}
			at = next
		}
		return &NodeError{NodeID: n.ID, ParentID: n.ParentID, Err: ErrUnknownParent, Detail: "the parent comes later in the delta"}
	}
	return nil
}

// Graph is what a load returns of the graph.
type Graph struct {
	// Nodes in insertion order for a full graph, root first for a path. Never a tombstoned one.
	Nodes []Node
	// Leaf is the end of the path that was read; "" when there is none.
	Leaf string
	// More says that the path goes on above Nodes[0]: only its tail was asked for.
	More bool
}
