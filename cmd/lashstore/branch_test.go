package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// fork goes back to the first turn of s and says something else there.
func (c *cli) fork(id, text string) {
	c.t.Helper()
	c.fine("switch", "s", "m000002")
	payload, err := lashstore.Message{Role: lashstore.RoleUser, Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: text}}}.Payload()
	require.NoError(c.t, err)
	c.commit(lashstore.Commit{Graph: lashstore.AppendNodes(lashstore.Node{
		ID: id, ParentID: "m000002", Kind: lashstore.NodeMessage, Role: lashstore.RoleUser, Payload: payload,
	})})
}

// 1. Every end is a branch, and every name. 2. One goes between them by name or id. 3. A dropped name takes nothing along.
func TestBranches_NameSwitchDrop(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	assert.Equal(t, "branch main is at m000006\n", c.fine("branch", "name", "s", "main"))
	c.fork("other", "no, wait")
	assert.Equal(t, "NAME  LEAF     HEAD  MESSAGES  REVISION              UPDATED\n"+
		"main  m000006               6         3  TTTT-TT-TT TT:TT:TT\n      other    *            3         5  TTTT-TT-TT TT:TT:TT\n",
		withoutTimes(c.fine("branches", "s")))
	assert.Equal(t, "s: revision 3 to 5, 4 removed, 1 added", strings.Split(c.fine("diff", "s", "3", "5"), "\n")[0])

	assert.Equal(t, "switched to m000006: the head is revision 6 now\nundo with: lashstore --data "+shellWord(c.data)+" rewind s --to 5\n",
		c.fine("switch", "s", "main"))
	got := documents(t, c.fine("switch", "s", "other", "--json"))[0]
	for name, want := range map[string]any{"movement": "switch", "leaf": "other", "revision": 7., "previous_revision": 6., "undo_revision": 6.} {
		assert.Equal(t, want, got[name], name)
	}
	assert.Equal(t, "branch start is at m000001\n", c.fine("branch", "name", "s", "start", "m000001"))
	assert.JSONEq(t, `{"session_id":"s","name":"start","leaf":"m000002"}`, c.fine("branch", "name", "s", "start", "m000002", "--json"))
	assert.Equal(t, "dropped the name main\n", c.fine("branch", "drop", "s", "main"))
	assert.JSONEq(t, `{"session_id":"s","name":"start"}`, c.fine("branch", "drop", "s", "start", "--json"))
	c.fine("switch", "s", "m000006")
	assert.Contains(t, c.fine("verify"), "all sound")
}

func TestBranches_JSON(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.fine("branch", "name", "s", "main")
	list := documents(t, c.fine("branches", "s", "--json"))
	require.Len(t, list, 1)
	assert.NotNil(t, list[0]["updated_at"])
	delete(list[0], "updated_at")
	assert.Equal(t, map[string]any{"session_id": "s", "name": "main", "leaf": "m000006", "active": true, "messages": 6., "revision": 3.}, list[0])
}

// A head that went back stands at no branch's end, and is told nevertheless.
func TestBranches_HeadWithin(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.fine("rewind", "s", "--to", "1")
	assert.Regexp(t, `\nthe head is at m000002, before the end of a branch\n$`, c.fine("branches", "s"))
	c.fine("branch", "name", "s", "here")
	assert.NotContains(t, c.fine("branches", "s"), "before the end")
	assert.Regexp(t, `(?m)^here  m000002  \*  `, c.fine("branches", "s"))
}

// A name goes before a node's id.
func TestSwitch_NameBeforeID(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.fine("branch", "name", "s", "m000001", "m000004")
	assert.Contains(t, c.fine("switch", "s", "m000001"), "switched to m000004:")
	c.fine("branch", "drop", "s", "m000001")
	assert.Contains(t, c.fine("switch", "s", "m000001"), "switched to m000001:")
}

func TestBranch_Unknown(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	for _, one := range []struct {
		args       []string
		says, kind string
	}{
		{[]string{"switch", "s", "nope"}, `leaf is no live node, nor is it the name of a branch; lashstore branches s lists them`, "unknown_leaf"},
		{[]string{"branch", "name", "s", "b", "nope"}, `node "nope": node not found`, "node_not_found"},
		{[]string{"branch", "drop", "s", "nope"}, `branch "nope": branch not found`, "branch_not_found"},
		{[]string{"branch", "name", "s", ""}, "name: empty", "invalid"},
		{[]string{"branch", "drop", "s", ""}, "name: empty", "invalid"},
		{[]string{"switch", "s", ""}, "branch: empty", "invalid"},
		{[]string{"branch", "name", "s", strings.Repeat("n", 600)}, "name is too large", "too_large"},
	} {
		got := c.run(one.args...)
		assert.Equal(t, exitWrong, got.code, "%v", one.args)
		assert.Empty(t, got.stdout)
		assert.Contains(t, got.stderr, one.says)
		assert.Contains(t, c.run(append(one.args, "--json")...).stdout, `"kind":"`+one.kind+`"`, "%v", one.args)
	}
	assert.Equal(t, 4, strings.Count(c.fine("log", "s"), "\n"), "nothing moved")
	assert.NotContains(t, c.fine("branches", "s", "--json"), `"name":"b"`)
}

// Nothing of a history reaches a terminal as a control character, and no line of a list is wider than 100 columns.
func TestHistory_HostileText(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	raw := "\u009b31m\u202e\u2028"
	name, leaf := "name"+raw+strings.Repeat("古", 60), "leaf"+raw+strings.Repeat("池", 60)
	c.fork(leaf, "\x1b[2J\r\n\x00"+raw+strings.Repeat("古池", 300))
	c.commit(lashstore.Commit{Turn: &lashstore.TurnStamp{TurnID: "turn" + name}, Checkpoint: &lashstore.Checkpoint{
		TurnState: []byte("1"), Parts: map[string]lashstore.Part{"part": lashstore.PartContent([]byte("x"))},
	}})
	assertHarmless(t, c.fine("branch", "name", "s", name))
	for _, args := range [][]string{{"log", "s"}, {"branches", "s"}, {"diff", "s", "1", "6"}, {"diff", "s", "6", "1"}, {"show", "s", "--at", "6"}} {
		text := c.fine(args...)
		assertHarmless(t, text)
		if args[0] == "show" {
			continue // it is no list, and names ids whole
		}
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), 100, "%v: %q", args, line)
		}
	}
	for _, args := range [][]string{
		{"switch", "s", "m000006"}, {"switch", "s", name}, {"switch", "s", leaf}, {"branch", "name", "s", "x", leaf}, {"branch", "drop", "s", name},
	} {
		assertHarmless(t, c.fine(args...))
	}
	for _, args := range [][]string{
		{"switch", "s", "\x1b[2J"}, {"switch", "s", raw}, {"branch", "name", "s", "\x1b[2J"}, {"branch", "name", "s", "x", raw},
		{"branch", "drop", "s", raw}, {"branch", "\x1b[2J"}, {"rewind", "s", "--to", raw}, {"pin", "s", "\x1b[2J"}, {"keep", "s", raw}, {"log", raw},
	} {
		got := c.run(args...)
		assert.NotEqual(t, exitFine, got.code, "%v", args)
		assertHarmless(t, got.stdout+got.stderr)
	}
}
