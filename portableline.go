package lashstore

import (
	"bytes"
	stdjson "encoding/json"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// portableLine is a line behind the first: a record, or the end.
type portableLine struct {
	N int64 `json:"n"` // the number of the line
	PortableRecord
	End *portableEnd `json:"end,omitzero"`
	Sum string       `json:"sum,omitzero"`
}

// portableEnd is the last line.
type portableEnd struct {
	Counts PortableCounts `json:"counts"`
	Digest Hash           `json:"digest"` // of all lines before
}

func (l portableLine) encode() ([]byte, error) {
	return json.Marshal(l, json.WithMarshalers(portableMarshalers), jsontext.PreserveRawStrings(true))
}

func (l *portableLine) decode(line []byte) error { return unmarshalPortable(line, l) }

// unmarshalPortable refuses unknown and repeated members: a form with more in it has another version.
func unmarshalPortable(line []byte, into any) error {
	return json.Unmarshal(line, into, json.RejectUnknownMembers(true), json.WithUnmarshalers(portableUnmarshalers))
}

// Opaque JSON must come back byte for byte, and a line must be one. So it stands as it is where it has no white space
// between its tokens, as {"json":...}, and else as the text that it is, {"text":"..."}.
type portableJSON struct {
	JSON jsontext.Value `json:"json,omitzero"`
	Text string         `json:"text,omitzero"`
}

var (
	portableMarshalers   = json.MarshalToFunc(marshalOpaque)
	portableUnmarshalers = json.UnmarshalFromFunc(unmarshalOpaque)
)

func marshalOpaque(e *jsontext.Encoder, value stdjson.RawMessage) error {
	compact := jsontext.Value(bytes.Clone(value))
	if err := compact.Compact(); err != nil {
		return err
	}
	if bytes.Equal(compact, value) {
		return json.MarshalEncode(e, portableJSON{JSON: compact})
	}
	return json.MarshalEncode(e, portableJSON{Text: string(value)})
}

func unmarshalOpaque(d *jsontext.Decoder, value *stdjson.RawMessage) error {
	var wire portableJSON
	if err := json.UnmarshalDecode(d, &wire); err != nil {
		return err
	}
	if (wire.JSON == nil) == (wire.Text == "") {
		return errors.New("opaque JSON is either json or text")
	}
	*value = stdjson.RawMessage(wire.JSON)
	if wire.JSON == nil {
		*value = stdjson.RawMessage(wire.Text)
	}
	return nil
}
