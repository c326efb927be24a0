package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLs_TableAndJSON(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	path, _ := sample(t, "conversations.jsonl")
	c.fine("import", path)
	table := c.fine("ls")
	assert.Regexp(t, `(?m)^SESSION +TITLE +MODEL +TURNS +MESSAGES +TOKENS +SIZE +UPDATED$`, table)
	assert.Regexp(t, `(?m)^bread-for-two +My bread recipe is for six people: 900 g flour,… +small-chat-1 +3 +7 +0 `, table)

	list := documents(t, c.fine("ls", "--json"))
	require.Len(t, list, 7)
	for _, s := range list {
		if s["session_id"] == "nightly-report" {
			assert.Equal(t, "", s["title"])
			assert.InDelta(t, 5, s["messages"], 0)
			assert.InDelta(t, 1, s["turns"], 0)
			assert.FileExists(t, s["path"].(string))
			assert.NotNil(t, s["updated_at"])
		}
	}
}

// What is very long is shortened in the table, an id in its middle, and whole in JSON.
func TestLs_LongIDs(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	long, model := "begin-"+strings.Repeat("i", 500)+"-end", strings.Repeat("m", 4000)
	c.keeps(strings.Replace(talk(long, "u"), `"model":"m"`, `"model":"`+model+`"`, 1), talk("日本語", "u"))
	for _, table := range []string{c.fine("ls"), c.fine("stats")} {
		for line := range strings.Lines(table) {
			assert.Less(t, width(line), 170)
		}
		assert.Regexp(t, `(?m)^begin-i+…i+-end  `, table)
	}
	assert.Contains(t, c.fine("ls", "--json"), `"`+long+`"`)
	assert.Contains(t, c.fine("ls", "--json"), `"`+model+`"`)
	assert.Contains(t, c.fine("stats", "--json"), `"`+long+`"`)
}

func TestLs_NothingThere(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.fine("import", os.DevNull)
	assert.Equal(t, 1, strings.Count(c.fine("ls"), "\n"), "the head alone")
	assert.Empty(t, c.fine("ls", "--json"))
	assert.Empty(t, c.fine("export", "--all"))
	assert.Contains(t, c.fine("verify"), "0 sessions")
}

func TestLs_UnreadableDatabaseIsNamed(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "u"))
	require.NoError(t, os.WriteFile(filepath.Join(c.data, "sessions", "junk.db"), []byte(strings.Repeat("junk", 1000)), 0o600))
	for _, args := range [][]string{{"ls"}, {"verify"}, {"stats"}, {"export", "--all"}, {"gc"}} {
		got := c.run(args...)
		assert.Equal(t, exitWrong, got.code, "%v", args)
		assert.Contains(t, got.stderr, "junk.db", "%v", args)
		assert.NotEmpty(t, got.stdout, "the other goes on: %v", args)

		got = c.run(append(args, "--json")...)
		assert.Equal(t, exitWrong, got.code)
		assert.Empty(t, got.stderr)
		assert.Contains(t, got.stdout, `"kind":"not_a_database"`)
		assert.GreaterOrEqual(t, len(documents(t, got.stdout)), 2)
	}
}

func TestShow_Conversation(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	path, _ := sample(t, "conversations.jsonl")
	c.fine("import", path)
	text := c.fine("show", "greenhouse/2031-04-02")
	for _, part := range []string{
		"  title    It feels dry in bay 3. Please check and water if needed.\n", "  model    grower-2\n",
		"  turns    2, 12 messages, revision 2\n", `"operators":["ana","bo"]`,
		"\n-- user ---", " m000002\n  It feels dry in bay 3.",
		"\n  -> read_sensor  c1\n  {\"bay\":3,\"kind\":\"soil_moisture\"}\n", "\n-- tool read_sensor ---",
		"\n  <- c1\n  {\"value\":0.18,\"unit\":\"m3/m3\"}\n", "  Done: 31.5 litres in bay 3.\n",
	} {
		assert.Contains(t, text, part)
	}
	assert.Contains(t, c.fine("show", "ledger-audit-7"), `{"entry":18446744073709551617,`)
	assert.Contains(t, c.fine("show", "picture-of-a-bird"), "  [attachment]\n  {\"type\":\"image_url\"")
	assert.Contains(t, c.fine("show", "haiku-übersetzen"), "古池や蛙飛びこむ水の音")
}

func TestShow_JSON(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	path, _ := sample(t, "conversations.jsonl")
	c.fine("import", path)
	out := c.fine("show", "ledger-audit-7", "--json")
	var got struct {
		SessionID string          `json:"session_id"`
		Turns     int             `json:"turns"`
		Extra     json.RawMessage `json:"extra"`
		Nodes     []struct {
			ID, Role string
			Payload  json.RawMessage
		} `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Equal(t, "ledger-audit-7", got.SessionID)
	assert.Equal(t, 2, got.Turns)
	assert.Contains(t, string(got.Extra), `9007199254740993,"tolerance":1.10e-7`)
	require.Len(t, got.Nodes, 6)
	assert.Contains(t, string(got.Nodes[1].Payload), `"entry":18446744073709551617`)
}

// Tool results are cut, and shown whole on demand.
func TestShow_FullResults(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(`{"session_id":"s","messages":[{"role":"tool","tool_call_id":"c","name":"f","content":"` + strings.Repeat("x", 2000) + `END"}]}`)
	text := c.fine("show", "s")
	assert.Contains(t, text, "more characters, --full shows them")
	assert.NotContains(t, text, "END")
	assert.Contains(t, c.fine("show", "s", "--full"), "END")
}

// Nothing stored reaches a terminal as a control character: no escape sequence, in C0 or C1 form, no turned text.
func TestShow_NoEscapeSequences(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	evil := "\\u001b[2J\\u0007\\r\\u009b31m\\u202e\\b\\u007f\\u2028"
	raw := "\u009b1m\u202e"
	c.keeps(`{"session_id":"s` + raw + `","model":"m` + raw + `","metadata":{"k` + raw + `":"` + raw + `"},"messages":[` +
		`{"role":"user","name":"` + evil + `","content":"title ` + evil + `"},` +
		`{"role":"assistant","content":[{"type":"text","text":"` + evil + `"},{"type":"` + evil + `"}],` +
		`"tool_calls":[{"id":"` + evil + `","function":{"name":"` + evil + `","arguments":"` + evil + `"}}]},` +
		`{"role":"tool","tool_call_id":"` + evil + `","content":"` + evil + `"},{"role":"user","content":3}]}`)
	for _, got := range []outcome{
		c.run("ls"), c.run("show", "s"+raw), c.run("show", "s"+raw, "--full"), c.run("stats"), c.run("verify"), c.run("gc"),
		c.run("show", "no"+raw+"\x1b[2J"), c.feed(`{"session_id":"s`+raw+`","messages":[]}`, "import", "-"), c.run("rm", "s"+raw),
	} {
		for _, r := range got.stdout + got.stderr {
			if r != '\n' && (r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2028) {
				t.Errorf("%#x in %q and %q", r, got.stdout, got.stderr)
				break
			}
		}
	}
}

func TestShow_MessagesOfUnknownForm(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(`{"session_id":"s","messages":[{"role":"user","content":{"odd":1}},{"role":"assistant"}]}`)
	assert.Contains(t, c.fine("show", "s"), `{"role":"user","content":{"odd":1}}`)
}

// What a message has beside its typed form is shown too, and a message that has nothing says so.
func TestShow_EveryMember(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(`{"session_id":"s","messages":[` +
		`{"role":"assistant","content":null,"function_call":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}},` +
		`{"role":"assistant","refusal":"I will not","audio":{"id":"a1"},"annotations":[],"logprobs":null,"flag":false},` +
		`{"role":"assistant","content":""},{"role":"assistant","parts":[],"content":"beside parts"}]}`)
	text := c.fine("show", "s")
	_, text, _ = strings.Cut(text, "m000001\n")
	var bodies []string
	for _, m := range strings.Split(text, "\n-- assistant ") {
		_, body, _ := strings.Cut("\n"+m, "\n")
		bodies = append(bodies, body)
	}
	assert.Equal(t, "  -> get_weather\n  {\"city\":\"Paris\"}\n", bodies[0])
	assert.True(t, strings.HasSuffix(bodies[1], "m000002\n  [refusal]\n  I will not\n  [audio]\n  {\"id\":\"a1\"}\n  [flag]\n  false\n"), bodies[1])
	assert.True(t, strings.HasSuffix(bodies[2], "m000003\n  (empty)\n"), bodies[2])
	assert.True(t, strings.HasSuffix(bodies[3], "m000004\n  [content]\n  beside parts\n"), bodies[3])
}

func TestExport_ToFile(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"), talk("b", "u"))
	name := filepath.Join(t.TempDir(), "out.jsonl")
	require.NoError(t, os.WriteFile(name, []byte("old"), 0o600))
	assert.Empty(t, c.fine("export", "--all", "--output", name))
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, talk("a", "ua")+"\n"+talk("b", "u")+"\n", string(b))
	entries, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")
	assert.Empty(t, c.fine("export", "--all", "-o", os.DevNull))
	assert.Equal(t, exitWrong, c.run("export", "--all", "-o", filepath.Join(name, "x")).code)
}

func TestExport_NamedSessionsInTheirOrder(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("a", "ua"), talk("b", "u"), talk("c", "u"))
	assert.Equal(t, talk("c", "u")+"\n"+talk("a", "ua")+"\n", c.fine("export", "c", "a"))
	got := c.run("export", "c", "nope", "a")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, talk("c", "u")+"\n"+talk("a", "ua")+"\n", got.stdout)
}

// What one place exports another imports, and exports alike.
func TestExport_IsImport(t *testing.T) {
	t.Parallel()
	a, b := newCLI(t), newCLI(t)
	path, _ := sample(t, "conversations.jsonl")
	a.fine("import", path)
	b.keeps(a.fine("export", "--all"))
	assert.Equal(t, a.fine("export", "--all"), b.fine("export", "--all"))
	assert.Contains(t, a.fine("import", b.file(b.fine("export", "--all"))), "nothing changed")
}

// A damaged checkpoint keeps nobody from the conversation. 1. It is exported. 2. It is shown, and the damage told.
// 3. The same file again changes nothing, and what has grown is refused, as nobody can tell whose checkpoint it is.
func TestShow_DamagedCheckpoint(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "ua"))
	sound := c.fine("show", "s")
	c.damageCheckpoint()
	assert.Equal(t, talk("s", "ua")+"\n", c.fine("export", "s"))

	got := c.run("show", "s")
	assert.Equal(t, exitWrong, got.code)
	assert.Equal(t, sound, got.stdout)
	assert.Regexp(t, `^lashstore: s: the checkpoint cannot be read: .*corrupt.*\n$`, got.stderr)

	got = c.run("show", "s", "--json")
	assert.Equal(t, exitWrong, got.code)
	assert.Empty(t, got.stderr)
	documents := documents(t, got.stdout)
	require.Len(t, documents, 2, "the conversation, and what is wrong with it")
	assert.Len(t, documents[0]["nodes"], 2)
	assert.NotContains(t, documents[0], "turn_state", "it is not known")
	assert.Equal(t, "corrupt", documents[1]["error"].(map[string]any)["kind"])

	assert.Contains(t, c.fine("import", c.file(talk("s", "ua"))), "nothing changed")
	got = c.run("import", c.file(talk("s", "uau")))
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, `session "s": `)
	assert.Contains(t, got.stderr, "corrupt")
	assert.Equal(t, talk("s", "ua")+"\n", c.fine("export", "s"))
}
