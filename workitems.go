package lashstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// EncodeWorkItems writes valid items as one JSON list of {"kind": ..., "payload": ...}, which is how a backend may keep
// them. Payloads stay byte for byte, the white space around them too, so that no encoder may touch them.
func EncodeWorkItems(items []WorkItem) string {
	var b strings.Builder
	for i, item := range items {
		b.WriteString([]string{"[", ","}[min(i, 1)])
		b.WriteString(`{"kind":"` + item.Kind + `","payload":`) // a kind needs no escapes
		b.Write(item.Payload)
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.String()
}

// DecodeWorkItems reads what EncodeWorkItems wrote, and nothing else.
func DecodeWorkItems(content string) ([]WorkItem, error) {
	d := jsontext.NewDecoder(strings.NewReader(content))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, errors.Join(errors.New("no list of items"), err)
	}
	var items []WorkItem
	for d.PeekKind() == '{' {
		var texts [4]string // the brace, "kind", its value, "payload"
		for i := range texts {
			token, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			texts[i] = token.String()
		}
		if texts[1] != "kind" || texts[3] != "payload" {
			return nil, fmt.Errorf("an item has %q and %q", texts[1], texts[3])
		}
		from := d.InputOffset() + int64(len(":"))
		if err := d.SkipValue(); err != nil {
			return nil, err
		}
		if token, err := d.ReadToken(); err != nil || token.Kind() != '}' {
			return nil, errors.Join(errors.New("an item has more than kind and payload"), err)
		}
		items = append(items, WorkItem{Kind: texts[2], Payload: []byte(content[from : d.InputOffset()-1])})
	}
	for _, item := range items {
		if err := validateName("kind", item.Kind); err != nil {
			return nil, err
		}
	}
	if len(items) == 0 || EncodeWorkItems(items) != content {
		return nil, errors.New("not as items are written")
	}
	return items, nil
}
