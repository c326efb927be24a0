package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// 1. A session goes out whole and comes in whole, under its own id elsewhere or another one here.
// 2. What is there already, or is damaged, is named, changes nothing, and the other files go on.
// 3. JSON says what was made.
func TestPortable_OutAndIn(t *testing.T) {
	t.Parallel()
	c, other := newCLI(t), newCLI(t)
	path, _ := sample(t, "conversations.jsonl")
	c.fine("import", path)
	var listed struct {
		SessionID string `json:"session_id"`
	}
	first, _, _ := strings.Cut(c.fine("--json", "ls"), "\n")
	require.NoError(t, json.Unmarshal([]byte(first), &listed))
	id := listed.SessionID
	require.NotEmpty(t, id, first)

	file := filepath.Join(t.TempDir(), "one.jsonl")
	assert.Contains(t, c.fine("--json", "export", "--portable", id, "-o", file), `"counts":{"blobs":`)
	stream := c.fine("export", "--portable", id)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, stream, string(written))

	assert.Contains(t, other.fine("import", "--portable", file), "session "+id+" at revision ")
	assert.Equal(t, stream, other.fine("export", "--portable", id))
	assert.Equal(t, c.fine("export", id), other.fine("export", id))
	assert.Contains(t, c.fine("--json", "import", "--portable", file, "--as", "copy"), `"session_id":"copy"`)
	assert.Contains(t, c.fine("verify", "copy"), "all sound")

	damaged := filepath.Join(t.TempDir(), "damaged.jsonl")
	require.NoError(t, os.WriteFile(damaged, written[:len(written)-10], 0o600))
	before := contents(t, c.data)
	got := c.run("--json", "import", "--portable", damaged, "--as", "new")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, `"kind":"portable"`)
	got = c.run("--json", "import", "--portable", filepath.Join(c.data, "missing"), file)
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, `"kind":"not_found"`)
	assert.Contains(t, got.stdout, `"kind":"session_exists"`)
	assert.Equal(t, before, contents(t, c.data))
	got = other.feed(stream, "import", "--portable", "-", "--as", "piped")
	assert.Equal(t, exitFine, got.code, got.stderr)
}

// Command lines that make no sense.
func TestPortable_Usage(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	for _, args := range [][]string{
		{"export", "--portable"}, {"export", "--portable", "a", "b"}, {"export", "--portable", "--all"},
		{"import", "f", "--as", "x"}, {"import", "--portable", "f", "g", "--as", "x"},
	} {
		assert.Equal(t, exitUsage, c.run(args...).code, "%v", args)
	}
}

// Every real conversation goes out and in, and comes out again as it went in.
func TestPortable_RealConversations(t *testing.T) {
	t.Parallel()
	text := realConversations(t)
	c, other := newCLI(t), newCLI(t)
	c.fine("import", "--durability", "normal", c.file(strings.TrimSuffix(text, "\n")))
	dir := t.TempDir()
	files := []string{"import", "--portable", "--durability", "normal"}
	for i, listed := range documents(t, c.fine("--json", "ls")) {
		files = append(files, filepath.Join(dir, fmt.Sprint(i)))
		c.fine("export", "--portable", listed["session_id"].(string), "-o", files[len(files)-1])
	}
	assert.Greater(t, len(files), 100)
	other.fine(files...)
	requireSameConversations(t, text, other.fine("export", "--all"))
	assert.Contains(t, other.fine("verify"), "all sound")
	for i, listed := range documents(t, c.fine("--json", "ls")) {
		if i%20 != 0 { // each takes a while
			continue
		}
		stream, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i)))
		require.NoError(t, err)
		assert.Equal(t, string(stream), other.fine("export", "--portable", listed["session_id"].(string)))
	}
}
