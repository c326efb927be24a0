package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestVisible(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "␛[31mred␛[0m ␇\n␡�", visible("\x1b[31mred\x1b[0m\t\a\n\x7f\u009b"))
	assert.Equal(t, "a b c", oneLine("a\r\nb\nc"))
	assert.Equal(t, "👩🏽‍🚀 é 古池", oneLine("👩🏽‍🚀 é 古池"))
}

func TestWrap(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "  one two three four\n  five\n\n  six\n", wrap("one two three four five\n\nsix\n\n", "  ", 22))
	assert.Equal(t, strings.Repeat("x", 20)+"\n"+strings.Repeat("x", 5)+"\n", wrap(strings.Repeat("x", 25), "", 20))
	assert.Equal(t, "    indented code stays\n", wrap("    indented code stays", "", 80))
}

// No line is wider than asked for, and only spaces are lost.
func TestProperty_WrapKeepsTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := visible(rapid.String().Draw(t, "text"))
		width := rapid.IntRange(20, 40).Draw(t, "width")
		got := wrap(text, "", width)
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("%d wide: %q", n, line)
			}
		}
		squeeze := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if squeeze(got) != squeeze(text) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestShorten(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "short", shorten("short", 5))
	assert.Equal(t, "äöü…", shorten("äöüß!", 4))
	assert.Equal(t, "ab…", shorten("ab  cd", 4))
}

func TestSize(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 3 << 50: "3072.0 TiB"} {
		assert.Equal(t, want, size(bytes))
	}
}

// Nothing of it is written where no terminal is.
func TestProgress_OnTerminalsOnly(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	assert.Nil(t, newProgress(&b, nil))
	p := &progress{w: &b, total: 200}
	p.show(&importSummary{Conversations: 3, CommittedTurns: 1, BytesIn: 100})
	p.show(&importSummary{}) // too soon
	p.clear()
	p.clear()
	assert.Equal(t, "\r[###############...............]  50 % 3 sessions, 1 turn, 100 B\x1b[K\r\x1b[K", b.String())
}
