package conversation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

func TestParse_KeepsMessagesByteForByte(t *testing.T) {
	t.Parallel()
	message := `{ "role" : "user", "content":null, "n":[18446744073709551617, 1.10, -0.0, 1E+2, 1e999], "s":"\u00e9\ud83d\ude00\/" }`
	c := parsed(t, `{"messages":[`+message+`],"session_id":"\u0061b"}`)
	assert.Equal(t, "ab", c.SessionID)
	require.Len(t, c.Messages, 1)
	assert.Equal(t, message, string(c.Messages[0].Raw))
	assert.Equal(t, lashstore.RoleUser, c.Messages[0].Role)
}

func TestParse_KeepsOtherMembers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, members, model, extra string }{
		{"none", ``, "", ``},
		{"model", `"model":"gpt",`, "gpt", ``},
		{"metadata", `"metadata":{"a":1.50,"b":null},`, "", `{"metadata":{"a":1.50,"b":null}}`},
		{"several", `"x":1,"model":"gpt","":[],"Messages":{},`, "gpt", `{"x":1,"":[],"Messages":{}}`},
		{"model is null", `"model":null,`, "", `{"model":null}`},
		{"model is empty", `"model":"",`, "", `{"model":""}`},
		{"model is an object", `"x":1,"model":{"name":"gpt"},`, "", `{"x":1,"model":{"name":"gpt"}}`},
		{"model has a control character", `"model":"a\u001bb",`, "", `{"model":"a\u001bb"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			line := `{"session_id":"s",` + tc.members + `"messages":[]}`
			c := parsed(t, line)
			assert.Equal(t, tc.model, c.Model)
			assert.Equal(t, tc.extra, string(c.Extra))
			assert.True(t, lashstore.EqualJSON([]byte(line), []byte(lineOf(t, c))), "written: %s", lineOf(t, c))
		})
	}
}

func TestParse_RefusesWithTheReason(t *testing.T) {
	t.Parallel()
	messages := func(list string) string { return `{"session_id":"s","messages":` + list + `}` }
	for _, tc := range []struct{ name, line, field, reason string }{
		{"not JSON", `hello`, "line", "invalid character 'h'"},
		{"cut off", `{"session_id":"s","messages":[`, "line", "ends too early"},
		{"null", `null`, "line", "not an object but null"},
		{"a list", `[]`, "line", "not an object but a list"},
		{"two values", messages(`[]`) + `{}`, "line", "more than one JSON value"},
		{"rubbish behind", messages(`[]`) + `x`, "line", "invalid character 'x'"},
		{"member twice", `{"session_id":"s","messages":[],"messages":[]}`, "line", `duplicate object member name "messages"`},
		{"unknown member twice", `{"session_id":"s","x":1,"\u0078":2,"messages":[]}`, "line", `duplicate object member name`},
		{"name twice, deep", messages(`[{"role":"user","x":{"a":1,"a":2}}]`), "line", `duplicate object member name "a"`},
		{"lone surrogate", messages(`[{"role":"user","content":"\ud83d"}]`), "line", "surrogate"},
		{"not UTF-8", messages("[{\"role\":\"user\",\"content\":\"\xff\"}]"), "line", "invalid UTF-8"},
		{"no id", `{"messages":[]}`, "session_id", "missing"},
		{"id is empty", `{"session_id":"","messages":[]}`, "session_id", "empty"},
		{"id is null", `{"session_id":null,"messages":[]}`, "session_id", "not a text but null"},
		{"id has a control character", `{"session_id":"a\nb","messages":[]}`, "session_id", "control character"},
		{"no messages", `{"session_id":"s"}`, "messages", "missing"},
		{"messages are null", messages(`null`), "messages", "not a list but null"},
		{"messages are an object", messages(`{}`), "messages", "not a list but an object"},
		{"a message is a text", messages(`[{"role":"user"},"x"]`), "messages[1]", "not an object but a text"},
		{"no role", messages(`[{"content":"x"}]`), "messages[0].role", "missing"},
		{"role is another case", messages(`[{"Role":"user"}]`), "messages[0].role", "missing"},
		{"role is true", messages(`[{"role":true}]`), "messages[0].role", "not a text but a truth value"},
		{"role is empty", messages(`[{"role":""}]`), "messages[0].role", "1 to 64 characters"},
		{"role is misspelt", messages(`[{"role":"User"}]`), "messages[0].role", "other characters"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tc.line))
			var invalid *lashstore.InvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, tc.field, invalid.Field)
			assert.Contains(t, invalid.Reason, tc.reason)
		})
	}
}

func TestParse_RefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, line, field string }{
		{"id", `{"session_id":"` + strings.Repeat("i", 513) + `","messages":[]}`, "session_id"},
		{"message", `{"session_id":"s","messages":[{"role":"user","content":"` + strings.Repeat("x", 32<<20) + `"}]}`, "messages[0].payload"},
		{"metadata", `{"session_id":"s","x":"` + strings.Repeat("x", 32<<20) + `","messages":[]}`, "line"},
		{"nesting", `{"session_id":"s","messages":[{"role":"user","content":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}]}`,
			"messages[0].payload nesting"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tc.line))
			var large *lashstore.TooLargeError
			require.ErrorAs(t, err, &large)
			assert.Equal(t, tc.field, large.Field)
		})
	}
}

func TestAppendLine_IsOneLine(t *testing.T) {
	t.Parallel()
	c := Conversation{
		SessionID: "a\u2028<b>", Model: `"m"`, Extra: []byte("{\n \"x\": [1,\r\n2.50]\n}"),
		Messages: []Message{{Role: "user", Raw: []byte("{\n\"role\":\"user\", \"content\":\"a  b\"}")}},
	}
	line := lineOf(t, c)
	assert.Equal(t, 1, strings.Count(line, "\n"))
	assert.NotContains(t, line, "\r")
	assert.Contains(t, line, `"model":"\"m\"","x":[1,2.50],"messages":[{"role":"user","content":"a  b"}]}`)
	back := parsed(t, line)
	assert.Equal(t, c.SessionID, back.SessionID)
	assert.Equal(t, c.Model, back.Model)
}
