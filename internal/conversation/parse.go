package conversation

import (
	"bytes"
	"cmp"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/lashstore/lashstore"
)

// Parse reads one line. It accepts whatever a store accepts: strict JSON (no repeated names, no lone surrogates), an id,
// a list of messages that each have a role. Members that it does not know are kept. The error is an InvalidError or a
// TooLargeError that names the member.
func Parse(line []byte) (Conversation, error) {
	m, err := readMembers(line)
	if err != nil {
		return Conversation{}, &lashstore.InvalidError{Field: "line", Reason: jsonReason(err)}
	}
	c := Conversation{Model: m.model}
	if m.extra != nil {
		c.Extra = append(m.extra, '}')
	}
	if c.SessionID, err = text("session_id", m.sessionID); err != nil {
		return Conversation{}, err
	}
	if err := lashstore.ValidateID("session_id", c.SessionID); err != nil {
		return Conversation{}, err
	}
	if err := c.meta().Validate(); err != nil {
		return Conversation{}, renamed(err, "meta.extra", "line")
	}
	if c.Messages, err = parseMessages(m.messages); err != nil {
		return Conversation{}, err
	}
	return c, nil
}

// members are the members of a line.
type members struct {
	sessionID, messages jsontext.Value // nil when missing
	model               string
	extra               []byte // an object of all others, without its last brace; nil when there are none
}

func readMembers(line []byte) (m members, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(line))
	switch kind := d.PeekKind(); kind {
	case '{':
		_, err = d.ReadToken()
	default:
		var value jsontext.Value
		if value, err = d.ReadValue(); err == nil {
			err = errors.New("not an object but " + kindName(value))
		}
	}
	for err == nil && d.PeekKind() != '}' {
		err = m.read(d)
	}
	if err != nil {
		return m, err
	}
	if _, err := d.ReadToken(); err != nil {
		return m, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return m, cmp.Or(err, errors.New("more than one JSON value"))
	}
	return m, nil
}

// read reads one member.
func (m *members) read(d *jsontext.Decoder) error {
	name, err := d.ReadToken()
	if err != nil {
		return err
	}
	key := name.String()
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	value = bytes.Clone(value) // it is the decoder's
	switch key {
	case "session_id":
		m.sessionID = value
	case "messages":
		m.messages = value
	case "model":
		if model, err := text("model", value); err == nil && fitsModel(model) {
			m.model = model
			return nil
		}
		fallthrough
	default:
		return m.keep(key, value)
	}
	return nil
}

// fitsModel reports whether a session's description can hold the model as text, and would tell it from none.
func fitsModel(model string) bool {
	return model != "" && lashstore.SessionMeta{SessionID: "s", Model: model}.Validate() == nil
}

func (m *members) keep(key string, value jsontext.Value) (err error) {
	if m.extra == nil {
		m.extra = []byte{'{'}
	} else {
		m.extra = append(m.extra, ',')
	}
	if m.extra, err = jsontext.AppendQuote(m.extra, key); err != nil {
		return err
	}
	m.extra = append(append(m.extra, ':'), value...)
	return nil
}

func parseMessages(raw jsontext.Value) ([]Message, error) {
	if raw == nil {
		return nil, &lashstore.InvalidError{Field: "messages", Reason: "missing"}
	}
	if raw.Kind() != '[' {
		return nil, &lashstore.InvalidError{Field: "messages", Reason: "not a list but " + kindName(raw)}
	}
	var list []jsontext.Value
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, &lashstore.InvalidError{Field: "messages", Reason: jsonReason(err)}
	}
	messages := make([]Message, len(list))
	for i, value := range list {
		var err error
		if messages[i], err = parseMessage(fmt.Sprintf("messages[%d]", i), value); err != nil {
			return nil, err
		}
	}
	for _, turn := range Turns(messages, 0) {
		if n := turn.To - turn.From; n > lashstore.MaxDeltaNodes {
			return nil, &lashstore.TooLargeError{Field: "messages of " + turn.ID, Size: int64(n), Max: lashstore.MaxDeltaNodes}
		}
	}
	return messages, nil
}

func parseMessage(field string, value jsontext.Value) (Message, error) {
	if value.Kind() != '{' {
		return Message{}, &lashstore.InvalidError{Field: field, Reason: "not an object but " + kindName(value)}
	}
	role, err := roleOf(field, value)
	if err != nil {
		return Message{}, err
	}
	node := lashstore.Node{ID: "m", Kind: lashstore.NodeMessage, Role: lashstore.Role(role), Payload: stdjson.RawMessage(value)}
	if err := lashstore.AppendNodes(node).Validate(); err != nil {
		return Message{}, renamed(err, "graph.nodes[0]", field)
	}
	return Message{Role: node.Role, Raw: node.Payload}, nil
}

func roleOf(field string, object jsontext.Value) (string, error) {
	var wire struct {
		Role jsontext.Value `json:"role"`
	}
	if err := json.Unmarshal(object, &wire); err != nil {
		return "", &lashstore.InvalidError{Field: field, Reason: jsonReason(err)}
	}
	return text(field+".role", wire.Role)
}

// text reads a JSON string.
func text(field string, raw jsontext.Value) (string, error) {
	if raw == nil {
		return "", &lashstore.InvalidError{Field: field, Reason: "missing"}
	}
	if raw.Kind() != '"' {
		return "", &lashstore.InvalidError{Field: field, Reason: "not a text but " + kindName(raw)}
	}
	s, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", &lashstore.InvalidError{Field: field, Reason: jsonReason(err)}
	}
	return string(s), nil
}

func kindName(value jsontext.Value) string {
	switch value.Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a truth value"
	case '"':
		return "a text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	default:
		return "a list"
	}
}

// renamed names the field of the request by its place in the line.
func renamed(err error, from, to string) error {
	var invalid *lashstore.InvalidError
	if errors.As(err, &invalid) {
		return &lashstore.InvalidError{Field: strings.Replace(invalid.Field, from, to, 1), Reason: invalid.Reason}
	}
	var large *lashstore.TooLargeError
	if errors.As(err, &large) {
		return &lashstore.TooLargeError{Field: strings.Replace(large.Field, from, to, 1), Size: large.Size, Max: large.Max}
	}
	return err
}

func jsonReason(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "JSON ends too early: " + strings.TrimPrefix(err.Error(), "jsontext: ")
	}
	return strings.TrimPrefix(err.Error(), "jsontext: ")
}
