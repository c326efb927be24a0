package lashstore

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCanonicalJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{` { "b" : 1.0 , "a" : [ true , null ] } `, `{"a":[true,null],"b":1}`},
		{`"é\u00e9\/"`, `"éé/"`},
		{`1E2`, `100`},
		{`-0`, `0`},
		{`0.10`, `0.1`},
		{`9007199254740993`, `9007199254740993e0`}, // a double would make it ...992
		{`9007199254740992`, `9007199254740992`},
		{`9007199254740993.0`, `9007199254740993e0`},
		{`0.1000000000000000055511151231257827`, `1000000000000000055511151231257827e-34`},
		{`1e400`, `1e400`},
		{`10e399`, `1e400`},
		{`"12345678901234567890 is text"`, `"12345678901234567890 is text"`},
		{`{"a\"1":1e0}`, `{"a\"1":1}`},
	} {
		got, err := CanonicalJSON(json.RawMessage(c.in))
		require.NoError(t, err, c.in)
		assert.Equal(t, c.want, string(got), c.in)
	}
}

func TestValidateJSONRefusesWhatIsNoIJSON(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", MaxJSONDepth+1) + strings.Repeat("]", MaxJSONDepth+1)
	for name, in := range map[string]string{
		"empty": "", "not JSON": "{", "two values": "1 2", "repeated name": `{"a":1,"a":2}`,
		"lone surrogate": `"\ud800"`, "invalid UTF-8": "\"\xff\"", "too deep": deep, "bare word": "nil", "trailing comma": "[1,]",
	} {
		err := ValidateJSON("payload", json.RawMessage(in))
		require.ErrorIs(t, err, ErrInvalid, name)
		assert.Contains(t, err.Error(), "payload", name)
	}
	require.NoError(t, ValidateJSON("payload", json.RawMessage(deep[1:len(deep)-1])))
	require.ErrorIs(t, ValidateJSON("payload", make(json.RawMessage, MaxValueSize+1)), ErrTooLarge)
}

// 1. Canonical form is stable: canonicalising it again changes nothing.
// 2. Integers that differ never share a canonical form.
func TestCanonicalNumbersAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`-?[1-9][0-9]{0,30}`).Draw(t, "a")
		b := rapid.StringMatching(`-?[1-9][0-9]{0,30}`).Draw(t, "b")
		ca, err := CanonicalJSON(json.RawMessage(a))
		require.NoError(t, err)
		cb, err := CanonicalJSON(json.RawMessage(b))
		require.NoError(t, err)
		assert.Equal(t, a == b, string(ca) == string(cb), "%s %s", ca, cb)
		again, err := CanonicalJSON(ca)
		require.NoError(t, err)
		assert.Equal(t, ca, again)
	})
}

func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[1e5,-0.0,"\u00e9"]`, `123456789012345678901234567890`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := CanonicalJSON(in)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		twice, err := CanonicalJSON(once)
		require.NoError(t, err)
		assert.Equal(t, string(once), string(twice))
	})
}
