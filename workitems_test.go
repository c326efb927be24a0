package lashstore

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever white space, escapes and numbers a payload is spelled with, it comes back byte for byte, and what is stored is
// one JSON value.
func TestWorkItemsComeBackByteForByte(t *testing.T) {
	t.Parallel()
	payloads := []string{
		`null`, ` null `, "\n\t1.50\r\n", `-0.0`, `1E400`, `"\u00e9\/é🙂"`, `{}`, ` [ ] `, "{ \"kind\" : \"k\",\n\"payload\":{} } ",
		`"],"`, `"}"`, `{"a":[1,{"b":"},{"}]}`, `123456789012345678901234567890`,
	}
	var all []WorkItem
	for _, p := range payloads {
		item := WorkItem{Kind: "k_1", Payload: json.RawMessage(p)}
		all = append(all, item)
		for _, items := range [][]WorkItem{{item}, {item, item}, {{Kind: "a", Payload: json.RawMessage("1")}, item, {Kind: "z", Payload: json.RawMessage(" 2 ")}}} {
			back, err := DecodeWorkItems(EncodeWorkItems(items))
			require.NoError(t, err, p)
			assert.Equal(t, items, back, p)
		}
	}
	content := EncodeWorkItems(all)
	require.NoError(t, ValidateJSON("content", json.RawMessage(content)))
	back, err := DecodeWorkItems(content)
	require.NoError(t, err)
	assert.Equal(t, all, back)
}

func TestWorkItemsAreAList(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		``, `null`, `{}`, `[`, `[1]`, `["a"]`, `[null]`, `[{}]`, `[{"kind":"k"}]`, `[{"payload":1,"kind":"k"}]`, `[{"kind":"k","payload":1,"more":2}]`,
		`[{"kind":"k","payload":1}`, `[{"kind":"k","payload":}]`, `[{"kind":"k","payload":1},1]`, `[{"kind":"k","payload":1},]`, `[{"Kind":"k","payload":1}]`,
		`[{"kind":{},"payload":1}]`, `[{"kind":1,"payload":1}]`, `[{"kind":"k","payload":1}] []`, `[{"kind":"k","payload":1}]x`, `[{"kind" :"k","payload":1}]`,
		` [{"kind":"k","payload":1}]`, `[]`, `[{"kind":"","payload":1}]`, `[{"kind":"K","payload":1}]`, `[{"kind":"k","payload" :1}]`,
	} {
		items, err := DecodeWorkItems(content)
		assert.Error(t, err, "%s is %v", content, items)
	}
}

// Whatever content is, it is what EncodeWorkItems wrote of valid items, or an error.
func FuzzDecodeWorkItems(f *testing.F) {
	for _, s := range []string{
		`[]`, `[{"kind":"k","payload":1}]`, `[{"kind":"k","payload": {"a":"}"} },{"kind":"b","payload":[]}]`, `[{"kind":"k","payload" :1}]`,
		`[{"kind":"\u006b","payload":1}]`, `[{"kind":{},"payload":1}]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		items, err := DecodeWorkItems(content)
		if err != nil {
			return
		}
		assert.Equal(t, content, EncodeWorkItems(items))
		require.NotEmpty(t, items)
		again, err := DecodeWorkItems(EncodeWorkItems(items))
		require.NoError(t, err)
		assert.True(t, slices.EqualFunc(items, again, func(a, b WorkItem) bool { return a.Kind == b.Kind && string(a.Payload) == string(b.Payload) }))
		for _, item := range items {
			assert.NoError(t, ValidateJSON("payload", item.Payload))
			assert.NoError(t, validateName("kind", item.Kind))
		}
	})
}
