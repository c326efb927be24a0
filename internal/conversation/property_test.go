package conversation

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lashstore/lashstore"
)

// anyValue draws the text of a JSON value.
func anyValue(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kinds := 4
		if depth > 0 {
			kinds = 6
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]string{"null", "true", "false", " 1.50 ", "1E+2", "1e-400", "-0.0"}).Draw(t, "literal")
		case 1:
			return rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		case 2, 3:
			return quoted(rapid.String().Draw(t, "text"))
		case 4:
			list := rapid.SliceOfN(anyValue(depth-1), 0, 3).Draw(t, "list")
			return "[" + join(list) + "]"
		default:
			return anyObject(t, depth, nil)
		}
	})
}

func anyObject(t *rapid.T, depth int, members []string) string {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{0,3}[A-Z]`), 0, 3, rapid.ID[string]).Draw(t, "names")
	for _, name := range names {
		members = append(members, quoted(name)+":"+anyValue(depth-1).Draw(t, name))
	}
	return "{" + join(rapid.Permutation(members).Draw(t, "order")) + "}"
}

func quoted(s string) string {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func join(list []string) string {
	var b bytes.Buffer
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s)
	}
	return b.String()
}

func anyMessages(t *rapid.T) []string {
	role := rapid.SampledFrom([]string{"user", "user", "assistant", "assistant", "tool", "system", "x_1"})
	messages := make([]string, rapid.IntRange(0, 12).Draw(t, "messages"))
	for i := range messages {
		messages[i] = anyObject(t, 3, []string{`"role":` + quoted(role.Draw(t, "role")), `"content": ` + anyValue(2).Draw(t, "content")})
	}
	return messages
}

// A conversation of any messages, imported as it grows in any steps, is given back byte for byte, and as a fresh import
// of its last state gives it back.
func TestProperty_GrowthGivesBackWhatCameIn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		messages := anyMessages(t)
		extra := `"metadata":` + anyValue(2).Draw(t, "metadata")
		state := func(n int) Conversation {
			return parsed(t, `{"session_id":"s","messages":[`+join(messages[:n])+`],`+extra+`}`)
		}
		steps := rapid.SliceOfN(rapid.IntRange(0, len(messages)), 0, 5).Draw(t, "steps")
		slices.Sort(steps)
		grown, fresh := newMemory(t), newMemory(t)
		for _, n := range append(steps, len(messages)) {
			require.NotEqual(t, Conflict, imported(t, grown, state(n)).Outcome)
		}
		imported(t, fresh, state(len(messages)))
		require.Equal(t, lineOf(t, state(len(messages))), exported(t, grown, "s"))
		require.Equal(t, exported(t, fresh, "s"), exported(t, grown, "s"))
		require.Equal(t, Result{Outcome: Unchanged}, imported(t, grown, state(len(messages))))
	})
}

// However a conversation grew, at every step the session counts the turns that its messages have, no more and no fewer:
// those that a fresh import of them would commit.
func TestProperty_TurnsAreThoseOfTheMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringMatching(`[uast]{0,12}`).Draw(t, "letters")
		m := newMemory(t)
		for n := range len(letters) + 1 {
			if n < len(letters) && rapid.Bool().Draw(t, "skip") {
				continue
			}
			c := talk(t, letters[:n])
			imported(t, m, c)
			session, err := m.sessions["s"].Load(context.Background(), nil)
			require.NoError(t, err)
			require.EqualValues(t, len(Turns(c.Messages, 0)), session.Summary.Turns, "%q of %q", letters[:n], letters)
		}
	})
}

// Whatever the bytes: reading ends, each line is told of at most once and in order; what is read can be committed, and
// is read again from what is written of it.
func FuzzReadConversation(f *testing.F) {
	for _, name := range []string{"conversations.jsonl", "bad-lines.jsonl"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "testdata", name))
		require.NoError(f, err)
		for line := range bytes.Lines(text) {
			f.Add(line)
		}
	}
	f.Add([]byte("\xef\xbb\xbf\n\r\nx\n" + line("a") + "\n" + line("b")))
	f.Fuzz(func(t *testing.T, input []byte) {
		last := int64(0)
		for c, err := range read("fuzz", bytes.NewReader(input), 64<<10) {
			require.Greater(t, c.Line, last)
			last = c.Line
			if err != nil {
				var bad *LineError
				require.ErrorAs(t, err, &bad)
				require.ErrorIs(t, err, lashstore.ErrInvalid)
				continue
			}
			requireStorable(t, c)
			again := parsed(t, lineOf(t, c))
			again.Line = c.Line
			require.Equal(t, lineOf(t, c), lineOf(t, again))
			require.Empty(t, differsInMeta(again, c))
			require.Empty(t, differsInMessages(again.Messages, c.Messages))
		}
	})
}

// requireStorable holds that the turns cover the messages, in order, and that a store takes each.
func requireStorable(t *testing.T, c Conversation) {
	require.NoError(t, c.meta().Validate())
	w := writer{sessionID: c.SessionID, expect: lashstore.Create(), checkpoints: true}
	next := 0
	for _, turn := range Turns(c.Messages, 0) {
		require.Equal(t, next, turn.From)
		require.Greater(t, turn.To, turn.From)
		commit, err := w.commitOf(c, turn)
		require.NoError(t, err)
		require.NoError(t, commit.Validate())
		next = turn.To
	}
	require.Equal(t, len(c.Messages), next)
}
