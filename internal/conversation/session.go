package conversation

import (
	"context"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lashstore/lashstore"
)

// Source is what a conversation is read from: any store.
type Source interface {
	lashstore.SessionReader
	lashstore.MetaStore
}

// FromSession reads a session's active path as a conversation; it needs no checkpoint. Nodes that are no messages have
// no place in one: their number is returned.
func FromSession(ctx context.Context, s Source) (c Conversation, leftOut int, err error) {
	meta, err := s.Meta(ctx)
	if err != nil {
		return Conversation{}, 0, err
	}
	session, err := s.Load(ctx, &lashstore.LoadOptions{WithoutCheckpoint: true})
	if err != nil {
		return Conversation{}, 0, err
	}
	c = described(meta)
	c.Messages = messagesOf(session.Graph.Nodes)
	return c, len(session.Graph.Nodes) - len(c.Messages), nil
}

// described is the conversation, without messages, that a session's description tells of. An Extra that a host wrote
// for itself and that cannot stand among a line's members goes there as one, "extra".
func described(meta lashstore.SessionMeta) Conversation {
	c := Conversation{SessionID: meta.SessionID, Model: meta.Model, Extra: meta.Extra}
	if meta.Extra == nil {
		return c
	}
	var members map[string]json.RawMessage
	fits := jsontext.Value(meta.Extra).Kind() == '{' && json.Unmarshal(meta.Extra, &members) == nil
	for _, taken := range []string{"session_id", "messages", "model"} {
		if _, is := members[taken]; is && (taken != "model" || meta.Model != "") {
			fits = false
		}
	}
	if !fits {
		c.Extra = append(append([]byte(`{"extra":`), meta.Extra...), '}')
	}
	return c
}

func messagesOf(nodes []lashstore.Node) []Message {
	messages := make([]Message, 0, len(nodes))
	for _, n := range nodes {
		if n.Kind == lashstore.NodeMessage {
			messages = append(messages, Message{Role: n.Role, Raw: messagePayload(n)})
		}
	}
	return messages
}

// messagePayload is the payload of a message node as it stands in a line: as it is when it has its role, which is how
// an import writes it. Hosts may write others; those get the role, so that they can be read again.
func messagePayload(n lashstore.Node) json.RawMessage {
	payload := jsontext.Value(n.Payload)
	if payload.Kind() != '{' {
		return json.RawMessage(`{"role":"` + string(n.Role) + `","content":` + string(n.Payload) + `}`)
	}
	if _, err := roleOf("role", payload); err == nil {
		return n.Payload
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(n.Payload, &members) != nil || members["role"] != nil {
		return n.Payload
	}
	inner := innerMembers(n.Payload)
	if len(inner) > 0 {
		inner = append([]byte{','}, inner...)
	}
	return json.RawMessage(`{"role":"` + string(n.Role) + `"` + string(inner) + `}`)
}
