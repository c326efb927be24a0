package lashstore

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever bytes a manifest has become, they are one that encodes to the same state again, or a typed error.
func FuzzDecodeManifest(f *testing.F) {
	f.Add([]byte(`{"schema_version":1,"turn_state":{"a":[1,2]},"parts":[{"name":"tool_state","hash":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","size":3}]}`))
	f.Add([]byte(`{"schema_version":"1"}`))
	f.Add([]byte(`{"schema_version":2}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, record []byte) {
		m, err := DecodeManifest(record)
		if err != nil {
			require.True(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrRecordVersion), "%v", err)
			return
		}
		again, err := m.Encode()
		require.NoError(t, err)
		m2, err := DecodeManifest(again)
		require.NoError(t, err)
		assert.Equal(t, len(m.Parts), len(m2.Parts))
	})
}

// Whatever a payload is, it reads as a message or is refused, and a title is fit to be shown.
func FuzzParseMessage(f *testing.F) {
	for _, s := range []string{
		`{"role":"user","content":"hello\nworld"}`, `{"role":"assistant","content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}`,
		`{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"}]}`, `{"role":"user","parts":[{"kind":"text","text":"\u001b[31m"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseMessage(payload)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		title := m.Title()
		assert.LessOrEqual(t, len(title), MaxTitleLength)
		assert.NoError(t, validateText("title", title))
	})
}
