package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerify_SoundAndJSON(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "uaua"), talk("b", ""))
	assert.Equal(t, "2 sessions with 4 nodes and 2 blobs read: all sound\n", c.fine("verify"))
	assert.Equal(t, "1 session with 0 nodes and 0 blobs read: all sound\n", c.fine("verify", "b"))
	got := documents(t, c.fine("verify", "--json"))
	require.Len(t, got, 2)
	assert.Equal(t, true, got[0]["ok"])
	assert.Empty(t, got[0]["findings"])
	assert.InDelta(t, 4, got[0]["nodes"], 0)
}

// damageCheckpoint flips a byte of the first turn's checkpoint, in the file of the only session.
func (c *cli) damageCheckpoint() {
	c.t.Helper()
	c.damage(`{"turn_index":1}`, `{"turn_index":2}`)
}

// A byte of a blob is flipped in the file: the finding is named, the exit status 1, nothing is collected on top of it.
func TestVerify_NamesFindings(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"))
	c.damageCheckpoint()

	got := c.run("verify")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, "a: blob_corrupt ")
	assert.NotContains(t, got.stdout, "all sound")

	got = c.run("verify", "--json")
	assert.Equal(t, exitWrong, got.code)
	list := documents(t, got.stdout)
	require.Len(t, list, 1)
	assert.Equal(t, false, list[0]["ok"])
	assert.Equal(t, "blob_corrupt", list[0]["findings"].([]any)[0].(map[string]any)["kind"])

	got = c.run("gc")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, "corrupt")
}

func TestVerify_OfAFileUnderAnotherName(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"))
	b, err := os.ReadFile(c.database())
	require.NoError(t, err)
	require.NoError(t, os.Remove(c.database()))
	c.keeps(talk("b", "ua"))
	require.NoError(t, os.WriteFile(c.database(), b, 0o600))
	got := c.run("verify", "b")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, `store holds session "a", request is for "b"`)
}

// 1. As long as their revisions are kept, superseded checkpoints are. 2. A dry run counts and deletes nothing. 3. Then they
// go, the current one and all messages stay.
func TestGC_DeletesWhatNothingNames(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "uaua"+"ua"), talk("b", "u"))
	before := c.fine("export", "--all")
	assert.Contains(t, c.fine("gc"), "0 blobs deleted")
	c.fine("keep", "a", "1")
	dry := c.fine("gc", "--dry-run")
	assert.Contains(t, dry, "2 sessions: 2 blobs would be deleted")
	assert.Equal(t, dry, c.fine("gc", "--dry-run"))
	got := documents(t, c.fine("gc", "--json"))
	require.Len(t, got, 2)
	assert.InDelta(t, 2, got[0]["deleted"], 0)
	assert.InDelta(t, 1, got[0]["retained"], 0)
	assert.Contains(t, c.fine("gc"), "0 blobs deleted")
	assert.Contains(t, c.fine("verify"), "and 2 blobs read: all sound")
	assert.Equal(t, before, c.fine("export", "--all"))
}

func TestStats_RowsAndTotal(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "uaua"), talk("b", "u"))
	table := c.fine("stats")
	assert.Regexp(t, `(?m)^a +4 +0 `, table)
	assert.Regexp(t, `(?m)^TOTAL +5 +0 `, table)
	got := documents(t, c.fine("stats", "--json", "b"))
	require.Len(t, got, 1)
	assert.Equal(t, "b", got[0]["session_id"])
	assert.InDelta(t, 1, got[0]["nodes"], 0)
	assert.Greater(t, got[0]["file_bytes"], 0.)
}

// The line is counted: what waits or is claimed, and what is remembered.
func TestStats_CountsTheLine(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	for _, key := range []string{"a", "b", "c"} {
		c.fine("queue", "add", "s", "--kind", "wake", "--key", key, "1")
	}
	c.fine("queue", "cancel", "s", "--key", "a")
	c.fine("input", "add", "s", "hello")
	c.fine("input", "add", "s", "--id", "i", "hello")
	c.fine("input", "add", "s", "--id", "j", "hello")
	c.fine("input", "cancel", "s", "i", "j")
	got := documents(t, c.fine("stats", "--json"))[0]
	for name, want := range map[string]float64{"work": 2, "settled_work": 1, "inputs": 1, "settled_inputs": 2} {
		assert.InDelta(t, want, got[name], 0, name)
	}
	assert.Greater(t, got["entry_bytes"], 3*float64(len("hello")))
	table := c.fine("stats")
	assert.Regexp(t, `WORK  SETTLED WORK  INPUTS  SETTLED INPUTS +LINE  `, table)
	for _, row := range []string{"s", "TOTAL"} {
		assert.Regexp(t, `(?m)^`+row+` .* 2 +1 +1 +2 +\d+ B `, table)
	}
	c.fine("input", "cancel", "s", c.stored()[0].ID)
	assert.Regexp(t, `WORK  SETTLED WORK  SETTLED INPUTS +LINE  `, c.fine("stats"), "no input waits")
	assert.InDelta(t, 6, documents(t, c.fine("verify", "--json"))[0]["entries"], 0)
}

func TestRm_DeletesTheSession(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"), talk("b", "u"), talk("c", "u"))
	assert.Equal(t, "deleted a\n", c.fine("rm", "a"))
	assert.Equal(t, `{"session_id":"b","deleted":true}`+"\n", c.fine("rm", "--json", "b"))
	got := c.run("rm", "a", "c")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "lashstore: a: session not found\n", got.stderr)
	assert.Equal(t, "deleted c\n", got.stdout)
	assert.Empty(t, contents(t, c.data))
	c.keeps(talk("a", "u"))
	requireSameConversations(t, talk("a", "u"), c.fine("export", "--all"))
}

func TestSchema_PrintsWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	assert.Contains(t, c.fine("schema"), "CREATE TABLE nodes (")
	assert.Contains(t, c.fine("schema", "session"), "CREATE TABLE nodes (")
	assert.Contains(t, documents(t, c.fine("schema", "--json"))[0]["schema"], "CREATE TABLE nodes (")
}

// 1. Every query of every file is there. 2. Each can be had by its name, whole and alone, with the comment above it.
func TestQueries_AllAndByName(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	text := c.fine("queries")
	list := documents(t, c.fine("queries", "--json"))
	assert.Len(t, list, strings.Count(text, "\n-- name: "))
	assert.NotEmpty(t, list)
	for _, q := range list {
		one := c.fine("queries", q["name"].(string))
		assert.Equal(t, q["sql"], one)
		assert.Contains(t, text, one)
		assert.Equal(t, 1, strings.Count("\n"+one, "\n-- name: "), one)
		assert.True(t, strings.HasSuffix(one, ";\n"), one)
	}
	assert.True(t, strings.HasPrefix(c.fine("queries", "NodeCreate"), "-- No row inserted means"))
	got := c.run("queries", "Nope")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, `no query is named "Nope"`)
}
