package conversation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// What a host wrote in its own way comes out as lines that can be read again, and importing those into the session they
// came from changes nothing.
func TestFromSession_OfAHost(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	meta := lashstore.SessionMeta{SessionID: "h", Model: "m", Extra: []byte(`[1]`)}
	s, err := m.CreateSession(t.Context(), meta)
	require.NoError(t, err)
	typed, err := lashstore.Message{Role: "user", Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: "hi"}}}.Payload()
	require.NoError(t, err)
	node := func(id, parent string, role lashstore.Role, payload string) lashstore.Node {
		return lashstore.Node{ID: id, ParentID: parent, Kind: lashstore.NodeMessage, Role: role, Payload: []byte(payload)}
	}
	_, err = s.Commit(t.Context(), lashstore.Commit{
		SessionID: "h", Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(
			node("a", "", "user", string(typed)),
			lashstore.Node{ID: "b", ParentID: "a", Kind: lashstore.NodePlugin, Payload: []byte(`1`)},
			node("c", "b", "assistant", `"just text"`),
			node("d", "c", "tool", `{"content":3}`),
			node("e", "d", "event", `{}`),
		),
	})
	require.NoError(t, err)

	c, leftOut, err := FromSession(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, 1, leftOut)
	line := lineOf(t, c)
	assert.Equal(t, `{"session_id":"h","model":"m","extra":[1],"messages":[`+
		`{"role":"user","parts":[{"kind":"text","text":"hi"}]},{"role":"assistant","content":"just text"},`+
		`{"role":"tool","content":3},{"role":"event"}]}`+"\n", line)
	assert.Equal(t, Result{Outcome: Unchanged}, imported(t, m, parsed(t, line)))

	grown := line[:len(line)-3] + `,{"role":"user","content":"more"}]}`
	assert.Equal(t, Grown, imported(t, m, parsed(t, grown)).Outcome)
	requireSound(t, m, "h")
}

func TestDescribed_ExtraThatWouldCollide(t *testing.T) {
	t.Parallel()
	for _, extra := range []string{`{"messages":1}`, `{"session_id":1}`, `{"model":1}`, `null`, `"x"`} {
		c := described(lashstore.SessionMeta{SessionID: "s", Model: "m", Extra: []byte(extra)})
		assert.JSONEq(t, `{"extra":`+extra+`}`, string(c.Extra))
	}
	c := described(lashstore.SessionMeta{SessionID: "s", Extra: []byte(`{"model":1}`)})
	assert.JSONEq(t, `{"model":1}`, string(c.Extra))
}
