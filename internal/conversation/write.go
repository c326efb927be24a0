package conversation

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lashstore/lashstore"
)

// AppendLine appends c to b as one line, in the form that Parse reads, with its end.
func (c Conversation) AppendLine(b []byte) ([]byte, error) {
	b = append(b, `{"session_id":`...)
	b, err := jsontext.AppendQuote(b, c.SessionID)
	if err != nil {
		return nil, &lashstore.InvalidError{Field: "session_id", Reason: jsonReason(err)}
	}
	if c.Model != "" {
		b = append(b, `,"model":`...)
		if b, err = jsontext.AppendQuote(b, c.Model); err != nil {
			return nil, &lashstore.InvalidError{Field: "model", Reason: jsonReason(err)}
		}
	}
	if members := innerMembers(c.Extra); len(members) > 0 {
		b = append(b, ',')
		if b, err = appendOneLine(b, members, c.Extra); err != nil {
			return nil, err
		}
	}
	b = append(b, `,"messages":[`...)
	for i, m := range c.Messages {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendOneLine(b, m.Raw, m.Raw); err != nil {
			return nil, err
		}
	}
	return append(b, "]}\n"...), nil
}

// innerMembers returns an object's text without its braces.
func innerMembers(object json.RawMessage) []byte {
	inner := bytes.TrimSpace(object)
	inner = bytes.TrimPrefix(inner, []byte("{"))
	return bytes.TrimSpace(bytes.TrimSuffix(inner, []byte("}")))
}

// appendOneLine appends text, which is value or the inside of value, byte for byte: but without white space when it has
// line ends, which in JSON stand between tokens only.
func appendOneLine(b, text []byte, value json.RawMessage) ([]byte, error) {
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return append(b, text...), nil
	}
	compact := jsontext.Value(bytes.Clone(value))
	if err := compact.Compact(); err != nil {
		return nil, &lashstore.InvalidError{Field: "json", Reason: jsonReason(err)}
	}
	if len(text) != len(value) {
		compact = innerMembers(json.RawMessage(compact))
	}
	return append(b, compact...), nil
}
