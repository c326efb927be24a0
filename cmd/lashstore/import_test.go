package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/conversation"
	"github.com/lashstore/lashstore/store"
)

// 1. The sample is imported, listed, given back equal and found sound. 2. The same file again changes nothing and says
// so, and leaves every database as it is.
func TestImport_Sample(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	path, text := sample(t, "conversations.jsonl")
	first := c.fine("import", path)
	assert.Contains(t, first, "7 sessions in 7 lines: 7 new, 0 grown, 0 unchanged, 0 conflicting, 0 bad\n")
	assert.Contains(t, first, "15 turns with 51 messages read, committed 15 turns with 51 messages in ")
	assert.Equal(t, 8, strings.Count(c.fine("ls"), "\n"))
	assert.Contains(t, c.fine("verify"), "7 sessions with 51 nodes")
	requireSameConversations(t, text, c.fine("export", "--all"))

	before := contents(t, c.data)
	again := c.fine("import", path)
	assert.Contains(t, again, "7 sessions in 7 lines: 0 new, 0 grown, 7 unchanged, 0 conflicting, 0 bad\n")
	assert.Contains(t, again, "nothing changed")
	assert.Equal(t, before, contents(t, c.data))
}

// contents maps the databases of a directory to what is in them.
func contents(t *testing.T, data string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(data, "sessions", "*.db"))
	require.NoError(t, err)
	all := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		all[name] = string(b)
	}
	return all
}

// realConversations are those beside the checkout; a test without them is skipped.
func realConversations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "airline.jsonl"))
	if err != nil {
		t.Skipf("no real conversations here: %v", err)
	}
	return string(text)
}

func TestImport_RealConversations(t *testing.T) {
	t.Parallel()
	text := realConversations(t)
	c := newCLI(t)
	path := c.file(strings.TrimSuffix(text, "\n"))
	t.Log(c.fine("import", path))
	requireSameConversations(t, text, c.fine("export", "--all"))
	assert.Contains(t, c.fine("import", path), "nothing changed")
	assert.Contains(t, c.fine("verify"), "all sound")
	c.fine("gc")
	assert.Contains(t, c.fine("verify"), "all sound")
	requireSameConversations(t, text, c.fine("export", "--all"))
}

func TestImport_JSONSummary(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	path := c.file(talk("a", "suaua"), talk("b", "u"), talk("empty", ""))
	got := documents(t, c.fine("import", "--json", path))
	require.Len(t, got, 1)
	want := map[string]any{
		"conversations": 3., "turns": 3., "messages": 6., "new": 3., "grown": 0., "unchanged": 0., "conflicts": 0., "failed": 0.,
		"bad_lines": 0., "bad_inputs": 0., "committed_turns": 3., "committed_messages": 6., "interrupted": false,
	}
	for key, value := range want {
		assert.Equal(t, value, got[0][key], key)
	}
	stat, err := os.Stat(path)
	require.NoError(t, err)
	assert.InDelta(t, stat.Size(), got[0]["bytes_in"], 0)
	assert.Greater(t, got[0]["bytes_on_disk"], 0.)
	assert.Greater(t, got[0]["turns_per_second"], 0.)
	assert.Empty(t, got[0]["problems"])
}

func TestImport_GrownAppends(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "su"))
	for _, letters := range []string{"sua", "suaua", "suauaaa"} {
		assert.Contains(t, c.fine("import", c.file(talk("s", letters))), "1 grown")
	}
	fresh := newCLI(t)
	fresh.keeps(talk("s", "suauaaa"))
	assert.Equal(t, fresh.fine("export", "s"), c.fine("export", "s"))
	c.fine("verify")
}

// The second line of a session is as the file imported again: equal, grown, or a conflict.
func TestImport_SameSessionTwiceInOneInput(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	got := c.feed(strings.Join([]string{talk("s", "u"), talk("s", "u"), talk("s", "ua"), talk("s", "a")}, "\n"), "import", "-")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, "1 session in 4 lines: 1 new, 1 grown, 1 unchanged, 1 conflicting")
	assert.Equal(t, "lashstore: standard input:4: conflict: session \"s\" is left as it is: "+
		"message 1 of 1 differs from the stored one in role\n", got.stderr)
	requireSameConversations(t, talk("s", "ua"), c.fine("export", "s"))
}

func TestImport_ConflictIsReportedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "uau"))
	path := c.file(talk("before", "u"), strings.Replace(talk("s", "uaua"), "number 2", "other", 1), talk("after", "u"))
	got := c.run("import", path)
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, "2 new, 0 grown, 0 unchanged, 1 conflicting")
	assert.Contains(t, got.stderr, path+`:2: conflict: session "s" is left as it is: message 2 of 4 differs`)
	requireSameConversations(t, talk("s", "uau"), c.fine("export", "s"))

	got = c.run("import", "--json", path)
	assert.Equal(t, exitWrong, got.code)
	assert.Empty(t, got.stderr)
	problems := documents(t, got.stdout)[0]["problems"].([]any)
	require.Len(t, problems, 1)
	assert.Equal(t, map[string]any{
		"kind": "conflict", "file": path, "line": 2., "session_id": "s",
		"reason": "message 2 of 4 differs from the stored one in content",
	}, problems[0])
}

func TestImport_BadLinesAreNamedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	path, _ := sample(t, "bad-lines.jsonl")
	got := c.run("import", path)
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, "3 sessions in 20 lines: 3 new, 0 grown, 0 unchanged, 0 conflicting, 17 bad")
	var lines []int
	for line := range strings.Lines(got.stderr) {
		var n int
		_, err := fmt.Sscanf(strings.TrimPrefix(line, "lashstore: "+path+":"), "%d: ", &n)
		require.NoError(t, err, line)
		lines = append(lines, n)
	}
	assert.Equal(t, []int{2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20}, lines)
	assert.Equal(t, 3, strings.Count(c.fine("export", "--all"), "\n"))
	c.fine("verify")

	problems := documents(t, c.run("import", "--json", path).stdout)[0]["problems"].([]any)
	assert.Len(t, problems, 17)
	for _, p := range problems {
		assert.Equal(t, "invalid", p.(map[string]any)["kind"], "%v", p)
	}
}

// Ids never become paths.
func TestImport_AwkwardIDs(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	ids := []string{"../../escape", "/etc/passwd", "..", ".", "a/b", "A", "a", "-x", "--all", " ", "ü", "con", strings.Repeat("i", 512), "?*"}
	var lines []string
	for _, id := range ids {
		lines = append(lines, talk(id, "ua"))
	}
	c.keeps(lines...)
	requireSameConversations(t, strings.Join(lines, "\n"), c.fine("export", "--all"))
	entries, err := os.ReadDir(filepath.Dir(c.data))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	assert.Contains(t, c.fine("show", "--", "--all"), "number 2")
	c.fine(append([]string{"verify", "--"}, ids...)...)
	c.fine(append([]string{"rm", "--"}, ids...)...)
	assert.Empty(t, contents(t, c.data))

	got := c.feed(talk(strings.Repeat("i", 513), "u"), "import", "-")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, "session_id is too large: 513, at most 512")
}

// 1. A line over the bound is a bad line, and what comes behind is read. 2. A large message, and a turn of many, survive.
func TestImport_LargeLines(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	large := `{"session_id":"large","messages":[{"role":"user","content":"` + strings.Repeat("große Worte ", 1<<19) + `"}]}`
	many := talk("many", "u"+strings.Repeat("a", 10_000))
	got := c.feed(strings.Repeat("x", 64<<20+1)+"\n"+large+"\n"+many, "import", "-")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "lashstore: standard input:1: line is too large: 67108866, at most 67108864\n", got.stderr)
	assert.Contains(t, got.stdout, "2 new, 0 grown, 0 unchanged, 0 conflicting, 1 bad\n")
	requireSameConversations(t, large+"\n"+many, c.fine("export", "--all"))
	c.fine("verify")
}

func TestImport_UnreadableInputs(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	good := c.file(talk("s", "u"))
	got := c.run("import", filepath.Join(c.data, "missing.jsonl"), t.TempDir(), good)
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, "missing.jsonl: no such file")
	assert.Equal(t, 2, strings.Count(got.stderr, "\n"))
	assert.Equal(t, 1, strings.Count(got.stderr, "missing.jsonl"), "a name once: %s", got.stderr)
	assert.Contains(t, got.stdout, "1 new, 0 grown, 0 unchanged, 0 conflicting, 0 bad, 2 unreadable inputs")
}

func TestImport_DataDirectoryIsAFile(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	require.NoError(t, os.WriteFile(c.data, nil, 0o600))
	assert.Equal(t, exitWrong, c.run("import", c.file(talk("s", "u"))).code)
	got := c.run("ls")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, "is no directory")
}

// A database that is damaged fails its conversation alone, and stays as it is.
func TestImport_DamagedDatabase(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "u"))
	name := c.database()
	require.NoError(t, os.WriteFile(name, []byte("this is no database at all, and never was"), 0o600))
	got := c.run("import", c.file(talk("s", "u"), talk("other", "u")))
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stdout, "1 new, 0 grown, 0 unchanged, 0 conflicting, 0 bad, 1 failed")
	assert.Contains(t, got.stderr, `:1: session "s": `)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "this is no database at all, and never was", string(b))
}

func TestImport_CancelledSaysSo(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	code := run(ctx, []string{"--data", c.data, "--json", "import", c.file(talk("s", "u"))}, nil, &stdout, &stderr)
	assert.Equal(t, exitWrong, code)
	var summary importSummary
	require.NoError(t, json.Unmarshal([]byte(stdout.String()), &summary))
	assert.True(t, summary.Interrupted)
	assert.Zero(t, summary.CommittedTurns)
	assert.Contains(t, c.fine("import", c.file(talk("s", "u"))), "committed 1 turn with 1 message")
}

// What went wrong is told apart by a machine, by the names that all errors bear.
func TestImport_JSONProblemKinds(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "u"))
	name := c.database()
	require.NoError(t, os.WriteFile(name, []byte(strings.Repeat("junk", 1000)), 0o600))
	missing, directory := filepath.Join(t.TempDir(), "missing"), t.TempDir()
	c.keeps(talk("other", "u"))
	lines := c.file("nonsense", talk(strings.Repeat("i", 513), "u"), talk("other", "a"), talk("s", "u"))
	got := c.run("import", "--json", missing, directory, lines)
	assert.Equal(t, exitWrong, got.code)
	summary := documents(t, got.stdout)[0]
	problems := summary["problems"].([]any)
	var kinds []string
	for _, p := range problems {
		p := p.(map[string]any)
		kinds = append(kinds, p["kind"].(string))
		assert.NotEmpty(t, p["reason"])
		assert.NotContains(t, p["reason"], p["file"], "it is said already")
	}
	assert.Equal(t, []string{"not_found", "io", "invalid", "too_large", "conflict", "not_a_database"}, kinds)
	assert.Equal(t, map[string]any{"kind": "io", "file": directory, "reason": "is a directory"}, problems[1])
	for key, want := range map[string]float64{"bad_inputs": 2, "bad_lines": 2, "conflicts": 1, "failed": 1, "new": 0} {
		assert.InDelta(t, want, summary[key], 0, key)
	}
}

// dying is a factory whose disk dies behind the first commit.
type dying struct{ *store.Factory }

func (d dying) CreateSession(ctx context.Context, meta lashstore.SessionMeta) (lashstore.SessionStore, error) {
	s, err := d.Factory.CreateSession(ctx, meta)
	return &dyingSession{SessionStore: s}, err
}

type dyingSession struct {
	lashstore.SessionStore
	commits int
}

func (d *dyingSession) Commit(ctx context.Context, c lashstore.Commit) (lashstore.CommitResult, error) {
	if d.commits++; d.commits > 1 {
		return lashstore.CommitResult{}, lashstore.ErrIO
	}
	return d.SessionStore.Commit(ctx, c)
}

// A conversation that fails on its way counts as failed, and as nothing else; what was committed counts.
func TestImport_FailedOnItsWay(t *testing.T) {
	t.Parallel()
	factory, err := store.NewFactory(t.TempDir(), nil)
	require.NoError(t, err)
	r := importRun{app: &app{json: true}, factory: dying{factory}}
	c, err := conversation.Parse([]byte(talk("s", "uaua")))
	require.NoError(t, err)
	r.conversation(t.Context(), "in", c)
	assert.Equal(t, 1, r.summary.Failed)
	assert.Equal(t, 1, r.summary.CommittedTurns)
	assert.Zero(t, r.summary.New+r.summary.Grown+r.summary.Unchanged+r.summary.Conflicts)
}

func TestImport_EmptyFileName(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	got := c.run("import", "")
	assert.Equal(t, exitUsage, got.code)
	assert.Equal(t, "lashstore: a file name is empty\n", got.stderr)
	assert.NoDirExists(t, c.data)
}

// Windows' line ends, no end of the last line, a byte order mark and blank lines are no matter.
func TestImport_LineEnds(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	got := c.feed("\xef\xbb\xbf"+talk("a", "ua")+"\r\n\r\n"+talk("b", "u")+"\n \n"+talk("c", "u"), "import", "-")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Contains(t, got.stdout, "3 sessions in 3 lines: 3 new")
	requireSameConversations(t, talk("a", "ua")+"\n"+talk("b", "u")+"\n"+talk("c", "u"), c.fine("export", "--all"))
}
