package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	assert.Equal(t, "one two three fourxx\nfive\n", wrap("one two three fourxx five", "", 20), "a full line")
	assert.Equal(t, strings.Repeat("古", 10)+"\n古\n", wrap(strings.Repeat("古", 11), "", 20))
	assert.Equal(t, strings.Repeat("x", 20)+"\n"+strings.Repeat("x", 5)+"\n", wrap(strings.Repeat("x", 25), "", 20))
	assert.Equal(t, "    indented code stays\n", wrap("    indented code stays", "", 80))
}

// anyText draws texts of words, with what takes two columns of a terminal, or none.
func anyText() *rapid.Generator[string] {
	word := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z ]{0,30}`),
		rapid.SampledFrom([]string{"古池や蛙", "e\u0301", "👩🏽‍🚀", "👩‍👩‍👧‍👦", "🇩🇪🇫", " ", "\n", "\u200b", "한국어"}))
	return rapid.Map(rapid.SliceOfN(word, 0, 20), func(words []string) string { return strings.Join(words, "") })
}

// No line is wider than asked for, and only spaces are lost.
func TestProperty_WrapKeepsTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := visible(anyText().Draw(t, "text"))
		columns := rapid.IntRange(20, 40).Draw(t, "columns")
		got := wrap(text, "", columns)
		for line := range strings.Lines(got) {
			if n := width(strings.TrimSuffix(line, "\n")); n > columns {
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
	assert.Equal(t, "古…", shorten("古池や", 4), "each takes two")
	assert.Equal(t, "古池…", shorten("古池や", 5))
	assert.Equal(t, "e\u0301e\u0301…", shorten("e\u0301e\u0301e\u0301e\u0301", 3), "an accent stays with its letter")
	assert.Equal(t, "a…", shorten("a👩‍👩‍👧‍👦bc", 3), "a family is not torn apart")
}

func TestShortenMiddle(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "short", shortenMiddle("short", 5))
	assert.Equal(t, "abc…yz", shortenMiddle("abcdefxyz", 6))
	assert.Equal(t, "古池…音", shortenMiddle("古池や蛙飛びこむ水の音", 8))
}

func TestProperty_ShortenedFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := oneLine(anyText().Draw(t, "text"))
		most := rapid.IntRange(3, 30).Draw(t, "most")
		begin, end, cut := strings.Cut(shortenMiddle(text, most), ellipsis)
		for _, short := range []string{shorten(text, most), shortenMiddle(text, most)} {
			if width(short) > most || (width(text) <= most) != (short == text) {
				t.Fatalf("%q became %q", text, short)
			}
		}
		if width(text) > most && (!cut || !strings.HasPrefix(text, begin) || !strings.HasSuffix(text, end)) {
			t.Fatalf("%q became %q", text, begin+ellipsis+end)
		}
	})
}

// Columns line up on a terminal whatever is in them, numbers to the right, and a row fits where there is room.
func TestTable_LinesUp(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	rows := newTable(&b, []string{"ID", "TITLE"}, []string{"N"})
	rows.row("古池", "wide", "1")
	rows.row("e\u0301", "combining", "1000")
	rows.row("👩🏽‍🚀", "joined", "20")
	rows.row("a\nb", "line end", "")
	require.NoError(t, rows.flush())
	assert.Equal(t, "ID    TITLE         N\n"+
		"古池  wide          1\n"+
		"e\u0301     combining  1000\n"+
		"👩🏽‍🚀    joined       20\n"+
		"a b   line end\n", b.String())

	b.Reset()
	rows.fit(1, 4, 18, shorten)
	require.NoError(t, rows.flush())
	assert.Contains(t, b.String(), "combi…  1000\n")
	b.Reset()
	rows.fit(1, 4, 5, shorten)
	require.NoError(t, rows.flush())
	assert.Contains(t, b.String(), "com…  1000\n", "never less than that")
}

// The list fits a terminal of 100 columns whatever is in it, and is left alone where there is room.
func TestTable_ListFits(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{100, 120, 200} {
		var b strings.Builder
		rows := newTable(&b, []string{"SESSION", "TITLE", "MODEL"}, []string{"TURNS", "MESSAGES", "TOKENS", "SIZE", "UPDATED"})
		rows.row(strings.Repeat("i", 40), strings.Repeat("古", 24), strings.Repeat("m", 24), "10000", "10000", "100000", "100.0 KiB", "2026-11-24 18:53:33")
		rows.fitList(columns)
		require.NoError(t, rows.flush())
		for line := range strings.Lines(b.String()) {
			assert.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), columns)
		}
		assert.Equal(t, columns < 180, strings.Contains(b.String(), ellipsis), b.String())
	}
}

// A line is walked once: the time does not grow with its square.
func TestWrap_LongLine(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("word 古池 ", 1<<17)
	assert.Equal(t, strings.ReplaceAll(line, " ", ""), strings.NewReplacer(" ", "", "\n", "").Replace(wrap(line, "", 80)))
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
	assert.Equal(t, "\r[###############...............]  50 % 3 lines, 1 turn, 100 B\x1b[K\r\x1b[K", b.String())
}
