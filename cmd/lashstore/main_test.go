package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// childEnv makes the test binary the command itself, so that it can be killed.
const childEnv = "LASHSTORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// cli is a data directory and what runs on it.
type cli struct {
	t    *testing.T
	data string
}

func newCLI(t *testing.T) *cli {
	return &cli{t: t, data: filepath.Join(t.TempDir(), "data")}
}

type outcome struct {
	code           int
	stdout, stderr string
}

// run runs a command line on the data directory, in this process.
func (c *cli) run(args ...string) outcome { return c.feed("", args...) }

func (c *cli) feed(stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	args = append([]string{"--data", c.data}, args...)
	code := run(c.t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// fine runs what must succeed without a word on standard error, and returns what it wrote.
func (c *cli) fine(args ...string) string {
	c.t.Helper()
	got := c.run(args...)
	require.Equal(c.t, exitFine, got.code, "%v: %s%s", args, got.stderr, got.stdout)
	require.Empty(c.t, got.stderr, "%v", args)
	return got.stdout
}

// keeps imports lines that must be new or grown.
func (c *cli) keeps(lines ...string) {
	c.t.Helper()
	got := c.feed(strings.Join(lines, "\n"), "import", "--durability", "normal", "-")
	require.Equal(c.t, exitFine, got.code, got.stderr)
}

// child prepares a command line on the data directory as a process of its own.
func (c *cli) child(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(c.t, err)
	cmd := exec.CommandContext(ctx, self, append([]string{"--data", c.data}, args...)...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	return cmd
}

// file writes lines to a file of its own.
func (c *cli) file(lines ...string) string {
	name := filepath.Join(c.t.TempDir(), "in.jsonl")
	require.NoError(c.t, os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return name
}

// database returns the only file of a session.
func (c *cli) database() string {
	names, err := filepath.Glob(filepath.Join(c.data, "sessions", "*.db"))
	require.NoError(c.t, err)
	require.Len(c.t, names, 1)
	return names[0]
}

// documents reads JSON Lines.
func documents(t *testing.T, lines string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(lines) {
		var d map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &d), line)
		list = append(list, d)
	}
	return list
}

// byID returns lines in canonical JSON by their session's id.
func byID(t *testing.T, lines string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(lines) {
		var id struct {
			SessionID string `json:"session_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &id))
		canonical, err := lashstore.CanonicalJSON([]byte(strings.TrimSpace(line)))
		require.NoError(t, err)
		require.NotContains(t, all, id.SessionID)
		all[id.SessionID] = string(canonical)
	}
	return all
}

// requireSameConversations holds an export against the input it came from: the same conversations, each equal.
func requireSameConversations(t *testing.T, input, export string) {
	t.Helper()
	want, got := byID(t, input), byID(t, export)
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	for id := range want {
		require.Equal(t, want[id], got[id], id)
	}
}

// talk is a line with one message a letter: u is a user's, a an assistant's.
func talk(id, letters string) string {
	var messages []string
	for i, letter := range letters {
		role := map[rune]string{'u': "user", 'a': "assistant", 's': "system"}[letter]
		messages = append(messages, fmt.Sprintf(`{"role":%q,"content":"number %d"}`, role, i+1))
	}
	return fmt.Sprintf(`{"session_id":%q,"model":"m","metadata":{"n":1},"messages":[%s]}`, id, strings.Join(messages, ","))
}

func sample(t *testing.T, name string) (path, text string) {
	t.Helper()
	path = filepath.Join("..", "..", "testdata", name)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return path, string(b)
}

// everyCommand is one line of each command that needs data.
var everyCommand = [][]string{
	{"ls"}, {"show", "s"}, {"export", "s"}, {"export", "--all"}, {"verify"}, {"verify", "s"}, {"gc"}, {"gc", "--dry-run"},
	{"stats"}, {"stats", "s"}, {"queue", "ls", "s"}, {"queue", "add", "s", "--kind", "wake", "1"}, {"queue", "cancel", "s", "x"},
	{"input", "ls", "s"}, {"input", "add", "s", "hello"}, {"input", "cancel", "s", "x"}, {"lease", "show", "s"}, {"rm", "s"},
	{"log", "s"}, {"show", "s", "--at", "1"}, {"diff", "s", "1", "1"}, {"rewind", "s", "--to", "1"}, {"branches", "s"},
	{"branch", "name", "s", "b"}, {"branch", "drop", "s", "b"}, {"switch", "s", "b"}, {"pin", "s", "1"}, {"unpin", "s", "1"}, {"keep", "s", "5"},
}

func TestCommandLine_MissingDataDirectory(t *testing.T) {
	t.Parallel()
	for _, args := range everyCommand {
		c := newCLI(t)
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Equal(t, "lashstore: no data directory "+c.data+": import something first, or name another with --data\n", got.stderr)
		assert.NoDirExists(t, c.data, "%v made it", args)

		got = c.run(append(args, "--json")...)
		assert.Equal(t, exitWrong, got.code)
		assert.Empty(t, got.stderr)
		require.Len(t, documents(t, got.stdout), 1)
		assert.Contains(t, got.stdout, `{"error":{"kind":"no_data","message":"no data directory`)
	}
}

func TestCommandLine_UsageErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"nonsense"}, {"import"}, {"import", "--durability", "some", "f"}, {"ls", "x"}, {"show"}, {"show", "a", "b"}, {"export"},
		{"export", "--all", "a"}, {"rm"}, {"schema", "other"}, {"queries", "a", "b"}, {"ls", "--nonsense"}, {"--data"},
		{"log"}, {"log", "a", "b"}, {"log", "a", "--limit", "x"}, {"show", "a", "--at", "0"}, {"show", "a", "--at", "x"}, {"diff", "a", "1"},
		{"diff", "a", "1", "x"}, {"diff", "a", "0", "1"}, {"rewind", "a"}, {"rewind", "a", "1"}, {"rewind", "a", "--to", "-1"},
		{"rewind", "a", "--to", "9223372036854775807"}, {"branches"}, {"branch", "name", "a"}, {"branch", "name", "a", "b", ""},
		{"branch", "drop", "a"}, {"branch", "other"}, {"switch", "a"}, {"pin", "a"}, {"pin", "a", "1.5"}, {"unpin", "a", ""}, {"keep", "a"},
		{"keep", "a", "few"},
	} {
		c := newCLI(t)
		got := c.run(args...)
		assert.Equal(t, exitUsage, got.code, "%v", args)
		assert.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line: %q", got.stderr)
		assert.Empty(t, got.stdout)

		got = c.run(append([]string{"--json"}, args...)...)
		assert.Equal(t, exitUsage, got.code, "%v", args)
		assert.Contains(t, got.stdout, `{"error":{"kind":"usage"`)
	}
}

// An empty name would be the working directory's.
func TestCommandLine_EmptyDataDirectory(t *testing.T) {
	t.Parallel()
	for _, args := range append(everyCommand, []string{"import", os.DevNull}, []string{"schema"}, []string{"queries"}) {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"--data", ""}, args...), nil, &stdout, &stderr)
		assert.Equal(t, exitUsage, code, "%v", args)
		assert.Equal(t, "lashstore: --data is empty: it must name the directory that holds everything\n", stderr.String())
		assert.Empty(t, stdout.String())
	}
	assert.NoDirExists(t, "sessions")
}

// An error that went through several layers names the file once.
func TestCommandLine_PathOfADatabaseIsSaidOnce(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "u"))
	name := c.database()
	require.NoError(t, os.WriteFile(name, []byte(strings.Repeat("junk", 1000)), 0o600))
	for _, args := range [][]string{{"ls"}, {"verify"}, {"stats"}, {"gc"}, {"show", "s"}, {"export", "s"}} {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Equal(t, 1, strings.Count(got.stderr, filepath.Base(name)), "%v: %s", args, got.stderr)
	}
	schema := &lashstore.SchemaError{Path: "/x/s.db"}
	err := fmt.Errorf("s.db: %w", fmt.Errorf("open /x/s.db: %w", schema))
	assert.Equal(t, schema.Error(), message(err))
	assert.Equal(t, "s.db: corrupt", message(errors.New("s.db: corrupt")), "the only place that names it stays")
}

func TestCommandLine_UnknownSession(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("known", "ua"))
	for _, args := range [][]string{{"show"}, {"export"}, {"verify"}, {"gc"}, {"stats"}, {"rm"}} {
		got := c.run(append(args, "s")...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Equal(t, "lashstore: s: session not found\n", got.stderr, "%v", args)

		got = c.run(append(args, "s", "--json")...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stdout, `"error":{"kind":"session_not_found","message":"session not found"}`)

		got = c.run(append(args, "")...)
		assert.Equal(t, exitWrong, got.code)
		assert.Contains(t, got.stderr, "session_id: empty")
	}
	entries, err := os.ReadDir(filepath.Join(c.data, "sessions"))
	require.NoError(t, err)
	for _, e := range entries {
		assert.Contains(t, e.Name(), "known", "nothing was created")
	}
}

func TestCommandLine_HelpIsFine(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	assert.Contains(t, c.fine(), "Available Commands")
	for _, name := range []string{"import", "ls", "show", "export", "verify", "gc", "stats", "rm", "schema", "queries", "queue", "input", "lease",
		"log", "diff", "rewind", "branches", "branch", "switch", "pin", "unpin", "keep"} {
		assert.Contains(t, c.fine(name, "--help"), "--json", name)
	}
}

// What cannot be written is an error, not a success.
func TestCommandLine_FullOutput(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	t.Cleanup(func() { _ = full.Close() })
	c := newCLI(t)
	c.keeps(talk("s", "ua"), talk("s2", "ua"))
	for _, args := range [][]string{
		{"ls"}, {"show", "s"}, {"export", "--all"}, {"verify"}, {"gc"}, {"stats"}, {"schema"}, {"queries"}, {"import", os.DevNull}, {"rm", "s2"},
		{"queue", "add", "s", "--kind", "wake", "1"}, {"queue", "ls", "s"}, {"queue", "cancel", "s", "x"},
		{"input", "add", "s", "hello"}, {"input", "ls", "s"}, {"input", "cancel", "s", "x"}, {"lease", "show", "s"},
		{"log", "s"}, {"show", "s", "--at", "1"}, {"diff", "s", "1", "1"}, {"rewind", "s", "--to", "1"}, {"branches", "s"},
		{"branch", "name", "s", "b"}, {"switch", "s", "b"}, {"branch", "drop", "s", "b"}, {"pin", "s", "1"}, {"unpin", "s", "1"}, {"keep", "s", "5"},
	} {
		for _, flag := range []string{"--json=false", "--json"} {
			var stderr bytes.Buffer
			code := run(t.Context(), append([]string{"--data", c.data, flag}, args...), nil, full, &stderr)
			assert.Equal(t, exitWrong, code, "%v", args)
			assert.Contains(t, stderr.String(), "no space left", "%v", args)
			if args[0] == "branch" { // was dropped, though nobody could be told
				require.Equal(t, exitFine, c.run("branch", "name", "s", "b").code)
			}
		}
	}
}
