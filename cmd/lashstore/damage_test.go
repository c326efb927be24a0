package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore/store"
)

// session returns the file of a session.
func (c *cli) session(id string) string {
	return filepath.Join(c.data, "sessions", store.FileName(id))
}

// A session's file that was cut to nothing: every command that comes by names it and ends with 1, the others go on, an
// import reports it and leaves it.
func TestDamage_FileCutToNothing(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"), talk("b", "ua"))
	require.NoError(t, os.Truncate(c.session("a"), 0))
	for _, args := range [][]string{{"ls"}, {"verify"}, {"stats"}, {"export", "--all"}, {"gc"}} {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stderr, store.FileName("a"), "%v", args)
		assert.Contains(t, got.stderr, "it is empty", "%v", args)
		assert.NotContains(t, got.stdout, "all sound", "%v", args)
		assert.NotEmpty(t, got.stdout, "the other goes on: %v", args)
	}
	for _, args := range [][]string{{"show", "a"}, {"verify", "a"}, {"export", "a"}, {"rm", "a"}} {
		got := c.run(append(args, "--json")...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stdout, `"kind":"corrupt"`, "%v", args)
	}
	got := c.feed(talk("a", "ua")+"\n"+talk("b", "uaua"), "import", "-")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, `session "a"`)
	assert.Contains(t, got.stdout, "1 grown")
	assert.Contains(t, got.stdout, "1 failed")
	stat, err := os.Stat(c.session("a"))
	require.NoError(t, err)
	assert.Zero(t, stat.Size())
}

// A database that was copied under another name is no second session: it is named, and processed by nothing.
func TestDamage_CopyUnderAnotherName(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"))
	sound := c.fine("export", "--all")
	b, err := os.ReadFile(c.session("a"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(c.data, "sessions", "backup.db"), b, 0o600))
	for _, args := range [][]string{{"ls"}, {"verify"}, {"export", "--all"}, {"stats"}, {"gc"}} {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stderr, "backup.db holds session \"a\", which belongs in "+c.session("a"), "%v", args)
		got = c.run(append(args, "--json")...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stdout, `"kind":"misplaced"`, "%v", args)
	}
	assert.Equal(t, sound, c.run("export", "--all").stdout, "once")
	assert.Len(t, documents(t, c.run("ls", "--json").stdout), 2, "a session and a problem")
	assert.Contains(t, c.run("verify").stdout, "1 session with 2 nodes")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	assert.Equal(t, exitWrong, c.run("export", "--all", "-o", out).code)
	assert.NoFileExists(t, out)
}

// 1. rm refuses a damaged session and says how to remove it. 2. rm --damaged removes it, and no other.
func TestDamage_IsRemovedWhenAskedFor(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"), talk("b", "ua"), talk("c", "ua"))
	require.NoError(t, os.Truncate(c.session("a"), 0))
	require.NoError(t, os.WriteFile(c.session("c"), []byte("no database"), 0o600))
	for _, id := range []string{"a", "c"} {
		got := c.run("rm", id)
		assert.Equal(t, exitWrong, got.code)
		assert.Contains(t, got.stderr, "rm --damaged removes what is left of it")
		assert.FileExists(t, c.session(id))
	}
	got := c.run("rm", "--damaged", "a", "b", "nope")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "discarded a\n", got.stdout)
	assert.Equal(t, "lashstore: b: not damaged: rm without --damaged deletes it\nlashstore: nope: session not found\n", got.stderr)
	assert.Contains(t, c.run("rm", "--damaged", "--json", "b").stdout, `"kind":"not_damaged"`)
	assert.Equal(t, `{"session_id":"c","deleted":true}`+"\n", c.fine("rm", "--damaged", "--json", "c"))
	assert.Equal(t, "1 session with 2 nodes and 1 blob read: all sound\n", c.fine("verify"))
	c.keeps(talk("a", "ua"))
	assert.Contains(t, c.fine("verify"), "2 sessions")
}
