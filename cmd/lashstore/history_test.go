package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// newTalk is a data directory with session s: three turns, of two messages each.
func newTalk(t *testing.T) *cli {
	c := newCLI(t)
	c.keeps(talk("s", "uauaua"))
	return c
}

var aMoment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// withoutTimes replaces the moments, which are others at every run, by as wide a word.
func withoutTimes(table string) string { return aMoment.ReplaceAllString(table, "TTTT-TT-TT TT:TT:TT") }

func TestLog_Table(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.fine("pin", "s", "1")
	c.fine("keep", "s", "2")
	c.fine("rewind", "s", "--to", "2")
	assert.Equal(t, "REVISION  WHEN                 MOVEMENT     TURN         LEAF     KEPT\n"+
		"4         TTTT-TT-TT TT:TT:TT  rewind to 2               m000004  head\n"+
		"3         TTTT-TT-TT TT:TT:TT  commit       turn-000003  m000006  kept\n"+
		"2         TTTT-TT-TT TT:TT:TT  commit       turn-000002  m000004\n"+
		"1         TTTT-TT-TT TT:TT:TT  commit       turn-000001  m000002  pinned\n", withoutTimes(c.fine("log", "s")))
	assert.Equal(t, 4, strings.Count(c.fine("log", "s", "--loadable"), "\n"))
	assert.NotContains(t, c.fine("log", "s", "--loadable"), "turn-000002")
	assert.Equal(t, 3, strings.Count(c.fine("log", "s", "--limit", "2"), "\n"))
	got := c.run("log", "s", "--limit", "-1")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "lashstore: s: invalid limit: negative\n", got.stderr)
}

func TestLog_JSON(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.commit(lashstore.Commit{Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 5, Output: 7}}}})
	c.fine("rewind", "s", "--to", "1")
	assert.Regexp(t, `(?m)^4 +.*  12$`, c.fine("log", "s"), "tokens have a column where there are any")
	list := documents(t, c.fine("log", "s", "--json"))
	require.Len(t, list, 5)
	for name, want := range map[string]any{
		"session_id": "s", "revision": 5., "movement": "rewind", "source_revision": 1., "leaf": "m000002", "pinned": false, "loadable": true,
		"turn_id": nil,
	} {
		assert.Equal(t, want, list[0][name], name)
	}
	assert.InDelta(t, 12, list[1]["tokens"], 0)
	assert.InDelta(t, 5, list[1]["usage"].(map[string]any)["input_tokens"], 0)
	assert.Equal(t, "turn-000003", list[2]["turn_id"])
	assert.Equal(t, list[0]["checkpoint"], list[4]["checkpoint"], "a rewind has the checkpoint of what it went back to")
	assert.Len(t, list[0]["checkpoint"], 64)
}

// commit commits to s as it stands.
func (c *cli) commit(commit lashstore.Commit) {
	c.t.Helper()
	c.withStore(func(s *store.Store) {
		head, err := s.Load(c.t.Context(), &lashstore.LoadOptions{Scope: lashstore.ScopeHead})
		require.NoError(c.t, err)
		commit.SessionID, commit.Expect, commit.WithoutLease = "s", head.Expect(), true
		_, err = s.Commit(c.t.Context(), commit)
		require.NoError(c.t, err)
	})
}

// A revision is shown with its own path and state; what it no longer tells is not made up.
func TestShow_At(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	text := c.fine("show", "s", "--at", "2")
	assert.Contains(t, text, "  as of    revision 2, 4 messages\n")
	assert.Contains(t, text, " m000004\n")
	assert.NotContains(t, text, "m000005")
	for _, absent := range []string{"  title", "  turns", "  tokens"} {
		assert.NotContains(t, text, absent)
	}
	got := documents(t, c.fine("show", "s", "--at", "2", "--json"))[0]
	for name, want := range map[string]any{"revision": 2., "messages": 4., "user_messages": 2., "title": nil, "turns": nil, "tokens": nil} {
		value, there := got[name]
		assert.True(t, there, name)
		assert.Equal(t, want, value, name)
	}
	assert.Len(t, got["nodes"], 4)
	now := documents(t, c.fine("show", "s", "--json"))[0]
	assert.NotEqual(t, now["turn_state"], got["turn_state"])
	assert.InDelta(t, 3, now["turns"], 0)
	assert.Equal(t, got["turn_state"], func() any {
		c.fine("rewind", "s", "--to", "2")
		return documents(t, c.fine("show", "s", "--json"))[0]["turn_state"]
	}(), "a rewind brings that state back")
}

func TestDiff_Text(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	assert.Equal(t, "s: revision 1 to 2, 0 removed, 2 added\n  m000002  the last in common\n+ m000003  user  number 3\n"+
		"+ m000004  assistant  number 4\n~ turn state\n", c.fine("diff", "s", "1", "2"))
	assert.Equal(t, "s: revision 2 to 1, 2 removed, 0 added\n  m000002  the last in common\n- m000003  user  number 3\n"+
		"- m000004  assistant  number 4\n~ turn state\n", c.fine("diff", "s", "2", "1"))
	assert.Equal(t, "s: revision 2 to 2, 0 removed, 0 added\n", c.fine("diff", "s", "2", "2"))
	c.commit(lashstore.Commit{Checkpoint: &lashstore.Checkpoint{TurnState: []byte("1"), Parts: map[string]lashstore.Part{
		"b": lashstore.PartContent([]byte("x")), "a": lashstore.PartContent([]byte("y")),
	}}})
	assert.Equal(t, "s: revision 3 to 4, 0 removed, 0 added\n~ turn state\n~ part a\n~ part b\n", c.fine("diff", "s", "3", "4"))
}

func TestDiff_JSON(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	got := documents(t, c.fine("diff", "s", "3", "1", "--json"))
	require.Len(t, got, 1)
	d := got[0]
	assert.Equal(t, "m000002", d["base"])
	assert.Len(t, d["removed"], 4)
	assert.Equal(t, []any{}, d["added"])
	assert.Equal(t, []any{}, d["parts"])
	assert.Equal(t, true, d["turn_state"])
	assert.InDelta(t, 3, d["from"].(map[string]any)["revision"], 0)
	assert.Equal(t, "m000003", d["removed"].([]any)[0].(map[string]any)["id"])
}

// 1. A rewind is a revision of its own. 2. What it prints undoes it. 3. Where that is not kept, it says so.
func TestRewind_AndUndo(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	before := c.fine("export", "s")
	text := c.fine("rewind", "s", "--to", "1")
	assert.Equal(t, "went back to revision 1: the head is revision 4 now\nundo with: lashstore --data "+shellWord(c.data)+" rewind s --to 3\n", text)
	assert.NotEqual(t, before, c.fine("export", "s"))
	undo, ok := strings.CutPrefix(strings.Split(text, "\n")[1], "undo with: lashstore ")
	require.True(t, ok)
	c.fine(strings.Fields(undo)...)
	assert.Equal(t, before, c.fine("export", "s"))

	got := documents(t, c.fine("rewind", "s", "--to", "2", "--json"))[0]
	for name, want := range map[string]any{
		"session_id": "s", "revision": 6., "movement": "rewind", "source_revision": 2., "leaf": "m000004", "previous_revision": 5., "undo_revision": 5.,
	} {
		assert.Equal(t, want, got[name], name)
	}
	c.fine("pin", "s", "1")
	c.fine("keep", "s", "0")
	assert.Equal(t, "went back to revision 1: the head is revision 7 now\nno undo: revision 6 is not kept\n", c.fine("rewind", "s", "--to", "1"))
	got = documents(t, c.fine("rewind", "s", "--to", "1", "--json"))[0]
	value, there := got["undo_revision"]
	assert.True(t, there)
	assert.Nil(t, value)
	assert.Contains(t, c.fine("verify"), "all sound")
}

// While somebody executes the session its head is moved by nobody else.
func TestMove_LeaseIsHeld(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.withStore(func(s *store.Store) {
		_, err := s.TakeLease(t.Context(), worker, time.Hour)
		require.NoError(t, err)
	})
	for _, args := range [][]string{{"rewind", "s", "--to", "1"}, {"switch", "s", "m000002"}} {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Regexp(t, `^lashstore: s: .*worker.*; wait until it is released or expires: lashstore lease show s\n$`, got.stderr)
		got = c.run(append(args, "--json")...)
		assert.Equal(t, exitWrong, got.code)
		assert.Contains(t, got.stdout, `"kind":"lease_busy"`)
	}
	assert.Contains(t, c.fine("log", "s", "--limit", "1"), "turn-000003", "nothing moved")
	c.fine("pin", "s", "1") // needs none
	c.fine("branch", "name", "s", "b")
}

// What is pinned stays when nothing else does; what is let go of and kept by nothing else is told to be gone.
func TestPin_AndUnpin(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	assert.Equal(t, "pinned revision 1\n", c.fine("pin", "s", "1"))
	assert.Equal(t, "pinned revision 1\n", c.fine("pin", "s", "1"))
	assert.Equal(t, "keeps the head alone, and what is pinned\n", c.fine("keep", "s", "1"))
	c.fine("gc")
	assert.Contains(t, c.fine("show", "s", "--at", "1"), "revision 1")
	assert.Equal(t, "unpinned revision 1; it is no longer kept\n", c.fine("unpin", "s", "1"))
	assert.Equal(t, "revision 1 was not pinned; it is no longer kept\n", c.fine("unpin", "s", "1"))
	assert.Equal(t, exitWrong, c.run("pin", "s", "1").code)

	got := documents(t, c.fine("pin", "s", "3", "--json"))[0]
	assert.Equal(t, true, got["pinned"])
	assert.Regexp(t, `(?m)^3 .*  head, pinned$`, c.fine("log", "s"))
	assert.Equal(t, "unpinned revision 3\n", c.fine("unpin", "s", "3"))
	assert.Equal(t, "keeps the last 7 revisions, and what is pinned\n", c.fine("keep", "s", "7"))
	assert.JSONEq(t, `{"session_id":"s","keep_revisions":9}`, c.fine("keep", "s", "9", "--json"))
	assert.Contains(t, c.run("keep", "s", "1000001").stderr, "keep_revisions")
	assert.Contains(t, c.run("keep", "s", "--", "-1").stderr, "keep_revisions: negative")
}

// A revision that was never there, or is no longer kept, is an error that says where to look.
func TestHistory_UnknownRevision(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	c.fine("keep", "s", "2")
	for _, args := range [][]string{
		{"show", "s", "--at", "9"}, {"show", "s", "--at", "1"}, {"diff", "s", "3", "9"}, {"diff", "s", "1", "3"}, {"rewind", "s", "--to", "9"},
		{"rewind", "s", "--to", "1"}, {"pin", "s", "9"}, {"pin", "s", "1"}, {"unpin", "s", "9"}, {"pin", "s", "9223372036854775806"},
	} {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Empty(t, got.stdout)
		assert.Regexp(t, `^lashstore: s: revision \d+: revision cannot be loaded \(the head is at 3\); lashstore log --loadable s lists those that can\n$`,
			got.stderr, "%v", args)
		assert.Contains(t, c.run(append(args, "--json")...).stdout, `"kind":"revision_gone"`, "%v", args)
	}
	assert.Equal(t, 4, strings.Count(c.fine("log", "s"), "\n"), "nothing moved")
}

// historyCommands is one line of each command on a session's history.
func historyCommands(session string) [][]string {
	return [][]string{
		{"log", session}, {"show", session, "--at", "1"}, {"diff", session, "1", "2"}, {"rewind", session, "--to", "1"},
		{"branches", session}, {"branch", "name", session, "b"}, {"branch", "drop", session, "b"}, {"switch", session, "b"},
		{"pin", session, "1"}, {"unpin", session, "1"}, {"keep", session, "3"},
	}
}

func TestHistory_UnknownSession(t *testing.T) {
	t.Parallel()
	c := newTalk(t)
	before, err := os.ReadDir(c.data + "/sessions")
	require.NoError(t, err)
	for _, args := range historyCommands("nope") {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Equal(t, "lashstore: nope: session not found\n", got.stderr, "%v", args)
		assert.Contains(t, c.run(append(args, "--json")...).stdout, `"kind":"session_not_found"`, "%v", args)
	}
	after, err := os.ReadDir(c.data + "/sessions")
	require.NoError(t, err)
	assert.Len(t, after, len(before))
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"a-b_c./1:2": "a-b_c./1:2", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'", "~x": "'~x'", "ü": "'ü'",
	} {
		assert.Equal(t, want, shellWord(word))
	}
}
