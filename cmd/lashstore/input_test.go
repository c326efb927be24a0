package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// stored is the input of s as it is stored.
func (c *cli) stored() []lashstore.TurnInput {
	var list []lashstore.TurnInput
	c.withStore(func(s *store.Store) {
		var err error
		list, err = s.ListInputs(c.t.Context(), &lashstore.ListOptions{Scope: lashstore.ListAll})
		require.NoError(c.t, err)
	})
	return list
}

// 1. Text becomes an input of one text, without the line end that a shell puts behind it. 2. JSON is taken as it is.
// 3. Input is for the next turn, or for one that runs.
func TestInput_Add(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	id(t, c.fine("input", "add", "s", "say \"hi\" <&>\n to\tme"))
	for _, args := range [][]string{{}, {"-"}} {
		got := c.feed("from a pipe\r\n", append([]string{"input", "add", "s"}, args...)...)
		require.Equal(t, exitFine, got.code, got.stderr)
	}
	assert.Equal(t, "added mine\n", c.fine("input", "add", "s", "--id", "mine", "--turn", "t1", "x"))
	c.fine("input", "add", "s", "--turn", "t1", "--before-completion", "--input-json", ` {"n": 9007199254740993} `)
	list := c.stored()
	require.Len(t, list, 5)
	for i, want := range []string{
		`{"items":[{"type":"text","text":"say \"hi\" <&>\n to\tme"}]}`, `{"items":[{"type":"text","text":"from a pipe"}]}`,
		`{"items":[{"type":"text","text":"from a pipe"}]}`, `{"items":[{"type":"text","text":"x"}]}`, `{"n": 9007199254740993}`,
	} {
		assert.JSONEq(t, want, string(list[i].Input))
	}
	assert.Equal(t, `{"n": 9007199254740993}`, string(list[4].Input), "byte for byte")
	assert.Equal(t, lashstore.NextTurn(), list[0].Ingress)
	assert.Equal(t, lashstore.ActiveTurn("t1", lashstore.AfterWork), list[3].Ingress)
	assert.Equal(t, lashstore.ActiveTurn("t1", lashstore.BeforeCompletion), list[4].Ingress)
}

func TestInput_List(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	assert.Equal(t, "ID  STATE  TURN  KEY  INPUT  TRIES  AGE\n", c.fine("input", "ls", "s"))
	next := id(t, c.fine("input", "add", "s", "what\nnow?"))
	c.fine("input", "add", "s", "--id", "b", "--key", "k", "--turn", "t1", "--before-completion", "x")
	c.fine("input", "add", "s", "--id", "c", "--input-json", `{"items":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`)
	for i, odd := range []string{
		`{"items":[]}`, `{"items":[{"type":"text","text":"a"}],"more":1}`, `{"items":[{"type":"image","text":"a"}]}`, `[ 1 ]`,
	} {
		c.fine("input", "add", "s", "--id", fmt.Sprint("odd", i), "--input-json", odd)
	}
	text := c.fine("input", "ls", "s")
	for _, row := range []string{
		next + `  waiting  next           what now\?`, `b {37}waiting  t1 \(end\)  k    x`, `c {37}waiting  next           a b`,
		`odd0 .*  \{"items":\[\]\}`, `odd1 .*  \{"items":\[\{"type":.*…`, `odd2 .*  \{"items":.*…`, `odd3 .*  \[1\]`,
	} {
		assert.Regexp(t, `(?m)^`+row+` +\S+$`, text)
	}
	listed := documents(t, c.fine("input", "ls", "s", "--json"))
	require.Len(t, listed, 7)
	assert.NotContains(t, listed[0], "turn_id")
	for name, want := range map[string]any{
		"session_id": "s", "id": "b", "source_key": "k", "state": "waiting", "turn_id": "t1", "boundary": "before_completion",
		"input": map[string]any{"items": []any{map[string]any{"type": "text", "text": "x"}}},
	} {
		assert.Equal(t, want, listed[1][name], name)
	}
}

// A known key or id adds nothing, and says how far the input has come; other content is a conflict.
func TestInput_KnownKeyAndID(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	keyed := id(t, c.fine("input", "add", "s", "--key", "k", "hello"))
	c.fine("input", "add", "s", "--id", "mine", "hello")
	c.fine("queue", "add", "s", "--kind", "wake", "1")
	assert.Equal(t, "already there "+keyed+" (waiting)\n", c.fine("input", "add", "s", "--key", "k", "hello"))
	h := c.claims(worker)
	assert.Equal(t, "already there mine (claimed)\n", c.fine("input", "add", "s", "--id", "mine", "hello"))
	c.settles(h)
	assert.Equal(t, "already there "+keyed+" (completed)\n", c.fine("input", "add", "s", "--key", "k", "hello"))
	again := documents(t, c.fine("input", "add", "s", "--key", "k", "hello", "--json"))
	assert.Equal(t, true, again[0]["existing"])
	assert.Equal(t, keyed, again[0]["id"])
	for _, args := range [][]string{{"--key", "k", "other"}, {"--id", "mine", "other"}, {"--key", "k", "--turn", "t", "hello"}} {
		got := c.run(append([]string{"input", "add", "s"}, args...)...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stderr, "is taken by", "%v", args)
		assert.Contains(t, c.run(append([]string{"input", "add", "s", "--json"}, args...)...).stdout, `"kind":"entry_conflict"`)
	}
	assert.Len(t, c.stored(), 2)
}

// 1. Ids and keys are taken out, each with its line. 2. --from takes that one and all behind it, settled ones told too.
// 3. An unknown one to begin from changes nothing.
func TestInput_Cancel(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		c.fine("input", "add", "s", "--id", id, "--key", "key-"+id, "text "+id)
	}
	got := c.run("input", "cancel", "s", "--from", "nope")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "lashstore: s: no batch or input nope\n", got.stderr)
	assert.Contains(t, c.run("input", "cancel", "s", "--from", "nope", "--json").stdout, `"kind":"entry_not_found"`)
	got = c.run("input", "cancel", "s", "c", "nope")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "cancelled c\nnot found nope\n", got.stdout)
	assert.Equal(t, "cancelled b\nalready cancelled c\ncancelled d\n", c.fine("input", "cancel", "s", "--from", "b"))
	result := documents(t, c.fine("input", "cancel", "s", "--key", "key-a", "--json"))
	require.Len(t, result, 1)
	assert.Equal(t, "cancelled", result[0]["outcome"])
	assert.Equal(t, "key-a", result[0]["source_key"])
	assert.Equal(t, "a", result[0]["entry"].(map[string]any)["id"])
	assert.Contains(t, fmt.Sprint(result[0]["entry"]), "text a", "what was taken out is not lost")
	assert.Equal(t, 1, strings.Count(c.fine("input", "ls", "s"), "\n"))
	assert.Equal(t, 4, strings.Count(c.fine("input", "ls", "s", "--all"), "  cancelled  "))
}

// Bad input is named and nothing is written.
func TestInput_BadInput(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	for _, bad := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"add"}, exitUsage, "arg"},
		{[]string{"add", "s", "two", "words"}, exitUsage, "arg"},
		{[]string{"add", "s", "x", "--before-completion"}, exitUsage, "goes with --turn"},
		{[]string{"ls", "s", "--all", "--pending"}, exitUsage, "either --all or --pending"},
		{[]string{"cancel", "s"}, exitUsage, "nothing to cancel"},
		{[]string{"cancel", "s", "a", "--from", "b"}, exitUsage, "do not go together"},
		{[]string{"cancel", "s", "--key", "a", "--from", "b"}, exitUsage, "do not go together"},
		{[]string{"add", "s", ""}, exitWrong, "invalid text: empty"},
		{[]string{"add", "s"}, exitWrong, "invalid text: empty"}, // nothing on standard input
		{[]string{"add", "s", "\xff"}, exitWrong, "not valid UTF-8"},
		{[]string{"add", "s", "{", "--input-json"}, exitWrong, "invalid input"},
		{[]string{"add", "s", `{"a":1,"a":2}`, "--input-json"}, exitWrong, "invalid input"},
		{[]string{"add", "s", "x", "--id", "a\nb"}, exitWrong, "invalid id"},
		{[]string{"add", "s", "x", "--key", strings.Repeat("k", 5000)}, exitWrong, "source_key is too large"},
		{[]string{"cancel", "s", "--key", ""}, exitWrong, "targets[0]"},
	} {
		got := c.run(append([]string{"input"}, bad.args...)...)
		assert.Equal(t, bad.code, got.code, "%v", bad.args)
		assert.Contains(t, got.stderr, bad.says, "%v", bad.args)
		assert.Empty(t, got.stdout)
	}
	assert.Empty(t, c.stored())
}
