package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// 1. What is added is listed in its order, each with what a person asks for. 2. What is cancelled is gone from the list,
// and remembered under its key. 3. Every list has a scope.
func TestQueue_AddListCancel(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	assert.Equal(t, "ID  STATE  RUNS  KIND  JOIN  KEY  PAYLOAD  TRIES  AGE\n", c.fine("queue", "ls", "s"))
	first := id(t, c.fine("queue", "add", "s", "--kind", "wake", "--key", "k,1", ` {"a": 1} `))
	second := id(t, c.fine("queue", "add", "s", "--kind", "compact", "--class", "session_command", "null"))
	third := id(t, c.fine("queue", "add", "s", "--kind", "wake", "--delivery", "after_current_turn_commit", "--join", "g", "[1]"))
	assert.Equal(t, fmt.Sprintf("ID                                    STATE    RUNS     KIND     JOIN  KEY  PAYLOAD  AGE\n"+
		"%s  waiting  turn     wake           k,1  {\"a\":1}\n%s  waiting  command  compact             null\n"+
		"%s  waiting  between  wake     g          [1]\n", first, second, third), withoutAges(c.fine("queue", "ls", "s")))

	assert.Equal(t, "cancelled "+second+"\ncancelled "+third+"\n", c.fine("queue", "cancel", "s", second, third))
	assert.Equal(t, "cancelled key=k,1 ("+first+")\n", c.fine("queue", "cancel", "s", "--key", "k,1"))
	assert.Equal(t, "already cancelled key=k,1 ("+first+")\n", c.fine("queue", "cancel", "s", "--key", "k,1"))
	assert.Equal(t, 1, strings.Count(c.fine("queue", "ls", "s"), "\n"))
	assert.Regexp(t, first+`  cancelled  turn +k,1 +`, c.fine("queue", "ls", "s", "--all"))
	assert.Empty(t, c.fine("queue", "ls", "s", "--json"))
	assert.Contains(t, c.fine("verify"), "all sound")
}

// withoutAges takes the last column away, which is another at every run.
func withoutAges(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "ID") {
			at := strings.LastIndex(strings.TrimRight(line, "\n"), " ")
			line = strings.TrimRight(line[:at], " ") + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestQueue_JSON(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	added := documents(t, c.fine("queue", "add", "s", "--json", "--kind", "wake", "--key", "k", "--join", "g", `{"n":9007199254740993}`))
	require.Len(t, added, 1)
	assert.Equal(t, false, added[0]["existing"])
	list := c.fine("queue", "ls", "s", "--json")
	assert.Contains(t, list, `"items":[{"kind":"wake","payload":{"n":9007199254740993}}]`)
	listed := documents(t, list)
	require.Len(t, listed, 1)
	delete(added[0], "existing")
	assert.Equal(t, added[0], listed[0])
	for name, want := range map[string]any{
		"session_id": "s", "source_key": "k", "state": "waiting", "class": "turn_work", "delivery": "earliest_safe_boundary",
		"slot": "join", "merge_key": "g",
	} {
		assert.Equal(t, want, listed[0][name], name)
	}

	got := c.run("queue", "cancel", "s", "--json", "--key", "k", "--key", "nope")
	assert.Equal(t, exitWrong, got.code)
	assert.Empty(t, got.stderr)
	results := documents(t, got.stdout)
	require.Len(t, results, 2)
	assert.Equal(t, "cancelled", results[0]["outcome"])
	assert.Equal(t, "k", results[0]["source_key"])
	assert.Contains(t, got.stdout, `"payload":{"n":9007199254740993}`, "what was taken out is not lost")
	assert.Equal(t, "not_found", results[1]["outcome"])
	assert.Nil(t, results[1]["entry"])
}

// A known key adds nothing, and says how far the batch has come; other content is a conflict that changes nothing.
func TestQueue_KnownKey(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	add := func(more ...string) []string {
		return append([]string{"queue", "add", "s", "--kind", "wake", "--key", "k"}, more...)
	}
	batch := id(t, c.fine(add(`{"a":1,"b":2}`)...))
	c.fine("input", "add", "s", "hello")
	same := add(`{ "b": 2, "a": 1 }`, "--not-before", "5m")
	assert.Equal(t, "already there "+batch+" (waiting)\n", c.fine(same...))
	h := c.claims(worker)
	assert.Equal(t, "already there "+batch+" (claimed)\n", c.fine(same...))
	c.settles(h)
	assert.Equal(t, "already there "+batch+" (completed)\n", c.fine(same...))
	assert.Equal(t, true, documents(t, c.fine(append(same, "--json")...))[0]["existing"])

	got := c.run(add("2")...)
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, fmt.Sprintf("lashstore: s: source key \"k\" is taken by %q with other content\n", batch), got.stderr)
	assert.Contains(t, c.run(add("2", "--json")...).stdout, `"kind":"entry_conflict"`)
	assert.Len(t, documents(t, c.fine("queue", "ls", "s", "--all", "--json")), 1)
}

// A batch that is hidden says until when, and is in the list of what waits.
func TestQueue_NotBefore(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	add := []string{"queue", "add", "s", "--kind", "wake", "1", "--not-before"}
	assert.Regexp(t, `^added \S+ \(hidden until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)\n$`, c.fine(append(add, "90m")...))
	at := "2131-04-02T08:00:00+02:00"
	c.fine(append(add, at)...)
	c.fine(append(add, "1999-01-01T00:00:00Z")...)
	c.fine(append(add, "0s")...)
	listed := documents(t, c.fine("queue", "ls", "s", "--pending", "--json"))
	require.Len(t, listed, 4)
	assert.Equal(t, "2131-04-02T06:00:00Z", listed[1]["not_before"])
	table := c.fine("queue", "ls", "s")
	assert.Contains(t, table, "  in 1h  ")
	assert.Regexp(t, `  in \d+y  `, table)
	assert.Equal(t, 2, strings.Count(table, "  waiting  "))
	for _, bad := range []string{"", "soon", "-5m", "2031-04-02", "0001-01-01T00:00:00Z"} {
		got := c.run(append(add, bad)...)
		assert.Equal(t, exitUsage, got.code, bad)
		assert.Contains(t, got.stderr, "--not-before", bad)
	}
	assert.Len(t, documents(t, c.fine("queue", "ls", "s", "--json")), 4)
}

// 1. What is claimed is not cancelled: the line says who has it, the exit status is 1, the other targets are taken out.
// 2. It is listed as claimed, and not among what is pending. 3. Settled is no failure.
func TestQueue_Claimed(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	batch := id(t, c.fine("queue", "add", "s", "--kind", "wake", "--key", "k", "1"))
	input := id(t, c.fine("input", "add", "s", "hello"))
	other := id(t, c.fine("queue", "add", "s", "--kind", "wake", "2"))
	h := c.claims(worker)
	got := c.run("queue", "cancel", "s", batch, other)
	assert.Equal(t, exitWrong, got.code)
	assert.Empty(t, got.stderr)
	assert.Equal(t, "already claimed "+batch+" (by worker/7)\ncancelled "+other+"\n", got.stdout)
	assert.Regexp(t, batch+`  claimed .* 1 +\d+s\n`, c.fine("queue", "ls", "s"))
	assert.Equal(t, 1, strings.Count(c.fine("queue", "ls", "s", "--pending"), "\n"))
	claim := documents(t, c.fine("queue", "ls", "s", "--json"))[0]["claim"].(map[string]any)
	assert.Equal(t, map[string]any{"id": "worker", "incarnation": "7", "process": nil}, claim["holder"])
	got = c.run("input", "cancel", "s", input)
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "already claimed "+input+" (by worker/7)\n", got.stdout)
	c.settles(h)
	assert.Equal(t, "already completed "+batch+"\n", c.fine("queue", "cancel", "s", batch))
	assert.Equal(t, "already completed "+input+"\n", c.fine("input", "cancel", "s", input))
}

// No token of the lease or of a claim is in anything that is written.
func TestQueue_NoSecrets(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	c.fine("queue", "add", "s", "--kind", "wake", "--key", "k", "1")
	c.fine("input", "add", "s", "--key", "k", "hello")
	h := c.claims(store.LocalOwner("worker", "7"))
	secrets := []string{h.lease.Token, h.Work.Token, h.Inputs.Token}
	for _, args := range [][]string{
		{"lease", "show", "s"}, {"queue", "ls", "s"}, {"queue", "ls", "s", "--all"}, {"queue", "cancel", "s", "--key", "k"},
		{"queue", "add", "s", "--kind", "wake", "--key", "k", "1"}, {"input", "ls", "s"}, {"input", "cancel", "s", "--key", "k"},
		{"input", "cancel", "s", "--from", h.Inputs.Inputs[0].ID}, {"input", "add", "s", "--key", "k", "hello"}, {"stats"},
	} {
		for _, more := range [][]string{nil, {"--json"}, {"--verbose"}} {
			got := c.run(append(args, more...)...)
			require.NotEmpty(t, got.stdout)
			for _, secret := range secrets {
				require.Len(t, secret, 32)
				assert.NotContains(t, got.stdout+got.stderr, secret, "%v", args)
			}
		}
	}
}

func TestQueue_PayloadFromStandardInput(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	for _, args := range [][]string{{}, {"-"}} {
		got := c.feed("{\"a\":\n 1}\n", append([]string{"queue", "add", "s", "--kind", "wake"}, args...)...)
		require.Equal(t, exitFine, got.code, got.stderr)
	}
	c.withStore(func(s *store.Store) {
		list, err := s.ListWork(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, list, 2)
		for _, b := range list {
			assert.Equal(t, "{\"a\":\n 1}", string(b.Items[0].Payload))
		}
	})
	var stderr bytes.Buffer
	endless := strings.NewReader(strings.Repeat(" ", lashstore.MaxValueSize+10))
	assert.Equal(t, exitWrong, run(t.Context(), []string{"--data", c.data, "queue", "add", "s", "--kind", "wake"}, endless, &bytes.Buffer{}, &stderr))
	assert.Contains(t, stderr.String(), "payload is too large")
	assert.Equal(t, 9, endless.Len(), "read no further than the first byte too many")
}

// Bad input is named and nothing is written: what makes no sense on the command line ends with 2, what the session
// refuses with 1.
func TestQueue_BadInput(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	for _, bad := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"queue"}, exitFine, ""},
		{[]string{"queue", "nonsense"}, exitUsage, `unknown command "nonsense"`},
		{[]string{"input", "nonsense"}, exitUsage, `unknown command "nonsense"`},
		{[]string{"lease", "nonsense"}, exitUsage, `unknown command "nonsense"`},
		{[]string{"queue", "ls"}, exitUsage, "accepts 1 arg"},
		{[]string{"queue", "ls", "s", "--all", "--pending"}, exitUsage, "either --all or --pending"},
		{[]string{"queue", "add", "s", "1"}, exitUsage, "--kind is missing"},
		{[]string{"queue", "add", "--kind", "x"}, exitUsage, "arg"},
		{[]string{"queue", "add", "s", "1", "2", "--kind", "x"}, exitUsage, "arg"},
		{[]string{"queue", "add", "s", "1", "--kind", "x", "--class", "other"}, exitUsage, "neither turn_work nor session_command"},
		{[]string{"queue", "add", "s", "1", "--kind", "x", "--delivery", "now"}, exitUsage, "neither earliest_safe_boundary nor"},
		{[]string{"queue", "add", "s", "1", "--kind", "x", "--join", ""}, exitUsage, "--join is empty"},
		{[]string{"queue", "cancel", "s"}, exitUsage, "nothing to cancel"},
		{[]string{"queue", "cancel"}, exitUsage, "session is missing"},
		{[]string{"queue", "cancel", "s", "--key", "a", "b"}, exitUsage, "do not go together"},
		{[]string{"queue", "add", "s", "1", "--kind", "X"}, exitWrong, "kind"},
		{[]string{"queue", "add", "s", "{", "--kind", "x"}, exitWrong, "invalid payload"},
		{[]string{"queue", "add", "s", "", "--kind", "x"}, exitWrong, "no JSON value"},
		{[]string{"queue", "add", "s", "1", "--kind", "x", "--key", "a\nb"}, exitWrong, "source_key"},
		{[]string{"queue", "add", "s", "1", "--kind", "x", "--class", "session_command", "--join", "g"}, exitWrong, "commands run alone"},
		{[]string{"queue", "cancel", "s", ""}, exitWrong, "targets[0]"},
	} {
		got := c.run(bad.args...)
		assert.Equal(t, bad.code, got.code, "%v", bad.args)
		assert.Contains(t, got.stderr, bad.says, "%v", bad.args)
		assert.LessOrEqual(t, strings.Count(got.stderr, "\n"), 1)
	}
	assert.Empty(t, c.fine("queue", "ls", "s", "--all", "--json"))
}

// No command on the line makes a session.
func TestQueue_UnknownSession(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	before, err := os.ReadDir(c.data + "/sessions")
	require.NoError(t, err)
	for _, args := range lineCommands("nope") {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Equal(t, "lashstore: nope: session not found\n", got.stderr, "%v", args)
		assert.Contains(t, c.run(append(args, "--json")...).stdout, `"kind":"session_not_found"`, "%v", args)
	}
	after, err := os.ReadDir(c.data + "/sessions")
	require.NoError(t, err)
	assert.Len(t, after, len(before))
}

// lineCommands is one line of each command on a session's line.
func lineCommands(session string) [][]string {
	return [][]string{
		{"queue", "ls", session}, {"queue", "add", session, "--kind", "wake", "1"}, {"queue", "cancel", session, "x"},
		{"input", "ls", session}, {"input", "add", session, "hello"}, {"input", "cancel", session, "x"},
		{"input", "cancel", session, "--from", "x"}, {"lease", "show", session},
	}
}

// Nothing of the line reaches a terminal as a control character, and no line is wider than 100 columns.
func TestQueue_HostileText(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	raw := "\u009b31m\u202e\u2028"
	evil := raw + `\u001b[2J\u0007\r\u009b31m\u202e\b\u007f` + strings.Repeat("古池", 300)
	key := "key" + raw + strings.Repeat("古", 60)
	for range 2 { // added, and already there
		for _, args := range [][]string{
			{"queue", "add", "s", "--kind", strings.Repeat("k", 64), "--key", key, "--join", key, `{"` + evil + `":"` + evil + `"}`},
			{"input", "add", "s", "--key", key, "--id", "id" + key, "--turn", "turn" + key, "--before-completion", "\x1b[2J\r\n\x00" + evil},
			{"input", "add", "s", "--key", key + "2", "--input-json", `{"` + evil + `":"` + evil + `"}`},
			{"input", "add", "s", "--key", key + "3", "hello"},
		} {
			assertHarmless(t, c.fine(args...))
		}
	}
	c.claims(lashstore.Owner{ID: "owner" + raw, Incarnation: raw})
	for _, args := range [][]string{{"queue", "ls", "s"}, {"input", "ls", "s"}, {"lease", "show", "s"}} {
		text := c.fine(args...)
		assertHarmless(t, text)
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), 100, "%q", line)
		}
	}
	for _, args := range [][]string{
		{"queue", "add", "s", "--kind", "other", "--key", key, "1"}, {"input", "cancel", "s", "--from", "no" + key},
		{"queue", "cancel", "s", "--key", key}, {"queue", "cancel", "s", "no" + key}, {"input", "cancel", "s", "--key", key + "3"},
		{"input", "cancel", "s", "\x1b[2J"}, {"queue", "add", "s", "--kind", "x", "\x1b[2J"}, {"queue", "\x1b[2J"},
		{"queue", "add", "s", "--kind", "x", "--not-before", evil, "1"}, {"queue", "add", "s", "--kind", "\x1b[2J", "1"},
	} {
		got := c.run(args...)
		assert.NotEqual(t, exitFine, got.code, "%v", args)
		assertHarmless(t, got.stdout+got.stderr)
	}
}

func assertHarmless(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2028) {
			t.Errorf("%#x in %q", r, text)
			return
		}
	}
}

// A batch that cannot be read is named by the list and by the lease's count, and can be taken out; then all is well.
func TestQueue_UnreadableBatch(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	batch := id(t, c.fine("queue", "add", "s", "--kind", "broken_kind", "1"))
	c.damage(`{"kind":"broken_kind"`, `{"kond":"broken_kind"`)
	got := c.run("queue", "ls", "s")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, batch)
	assert.Contains(t, c.run("queue", "ls", "s", "--json").stdout, `"kind":"corrupt"`)
	got = c.run("lease", "show", "s")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, "s\n  state      free, never held\n  generation 0\n", got.stdout)
	assert.Contains(t, got.stderr, batch)
	got = c.run("lease", "show", "s", "--json")
	assert.NotContains(t, documents(t, got.stdout)[0], "claimed_work", "it is not known")
	assert.Equal(t, exitWrong, c.run("verify").code)

	assert.Equal(t, "cancelled "+batch+"\n", c.fine("queue", "cancel", "s", batch))
	assert.Equal(t, 1, strings.Count(c.fine("queue", "ls", "s"), "\n"))
	assert.Contains(t, c.fine("verify"), "all sound")
}
