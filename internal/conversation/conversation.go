// Package conversation reads and writes conversations as JSON Lines, and keeps each as a session.
//
// A line is one JSON object: session_id, messages in the chat-completions form, and whatever else the writer had to say
// about the conversation (model, metadata). Everything comes back: messages byte for byte, the rest as the same values.
//
// Of the module it imports the root alone, so it works on any backend.
package conversation

import (
	"encoding/json"
	"fmt"

	"github.com/lashstore/lashstore"
)

// Conversation is one line.
type Conversation struct {
	SessionID string
	// Model is the line's model; "" when it has none, or one that a session's description cannot hold as text: then it
	// is among Extra.
	Model string
	// Extra is a JSON object of all other members but messages; nil when there are none.
	Extra json.RawMessage
	// Messages are never nil in a conversation that was read; there may be none.
	Messages []Message
	// Line is where it was read, from 1; 0 when it was not read from lines.
	Line int64
}

// Message is one message, as it was written.
type Message struct {
	Role lashstore.Role
	Raw  json.RawMessage // a JSON object, byte for byte
}

// meta describes the session that keeps c.
func (c Conversation) meta() lashstore.SessionMeta {
	return lashstore.SessionMeta{SessionID: c.SessionID, Model: c.Model, Extra: c.Extra}
}

// node is the message at a position, from 0, in a session's graph. Its id depends on nothing but the position.
func (c Conversation) node(position int, parent string) lashstore.Node {
	m := c.Messages[position]
	return lashstore.Node{
		ID: nodeID(position), ParentID: parent, Kind: lashstore.NodeMessage, Role: m.Role, Payload: m.Raw,
	}
}

func nodeID(position int) string { return fmt.Sprintf("m%06d", position+1) }
