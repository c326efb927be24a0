package main

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/mattn/go-runewidth"
)

// visible makes stored text safe for a terminal: control characters, which could move the cursor or worse, show as
// their pictures, and invisible ones that turn the reading direction as the replacement character. Line ends stay,
// tabs become spaces.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == 0x2028, r == 0x2029:
			return utf8.RuneError
		}
		return r
	}, s)
}

// oneLine is visible text without line ends.
func oneLine(s string) string {
	return strings.ReplaceAll(visible(strings.ReplaceAll(s, "\r\n", "\n")), "\n", " ")
}

// screen measures as most terminals draw. What Unicode calls ambiguous is narrow, whatever the locale: the same data
// gives the same table everywhere.
var screen = runewidth.Condition{StrictEmojiNeutral: true}

// width is how many columns of a terminal a text takes: two for most characters of East Asia and emoji, none for what
// combines with the one before.
func width(s string) int { return screen.StringWidth(s) }

// clusters are the characters as people count them, each with what combines with it.
func clusters(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for g := graphemes.FromString(s); g.Next(); {
			if !yield(g.Value()) {
				return
			}
		}
	}
}

const ellipsis = "…"

// shorten cuts s to at most that many columns, with an ellipsis for what is left out.
func shorten(s string, most int) string {
	if width(s) <= most {
		return s
	}
	return strings.TrimRightFunc(head(s, most-1), unicode.IsSpace) + ellipsis
}

// shortenMiddle is shorten for what its end tells apart, such as ids.
func shortenMiddle(s string, most int) string {
	if width(s) <= most {
		return s
	}
	begin := head(s, most/2)
	return begin + ellipsis + tail(s, most-1-width(begin))
}

// head is the longest beginning of s in that many columns.
func head(s string, most int) string {
	end := 0
	for c := range clusters(s) {
		if most -= width(c); most < 0 {
			break
		}
		end += len(c)
	}
	return s[:end]
}

// tail is the longest end of s in that many columns.
func tail(s string, most int) string {
	over := width(s) - most
	for c := range clusters(s) {
		if over <= 0 {
			break
		}
		over -= width(c)
		s = s[len(c):]
	}
	return s
}

// pad fills s up with spaces to that many columns, on its left when it is a number.
func pad(s string, columns int, number bool) string {
	space := strings.Repeat(" ", max(columns-width(s), 0))
	if number {
		return space + s
	}
	return s + space
}

// wrap breaks text at spaces into lines of at most that many columns, each behind indent. A word that is longer is cut.
// Line ends and the spaces at the beginning of a line stay.
func wrap(text, indent string, columns int) string {
	columns = max(columns-width(indent), 20)
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, " \n"), "\n") {
		for _, piece := range wrapLine(strings.TrimRight(line, " "), columns) {
			if piece != "" {
				b.WriteString(indent + piece)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// wrapLine walks once over the line, however long it is.
func wrapLine(line string, columns int) []string {
	var pieces []string
	begin, at, used := 0, 0, 0 // of the piece so far: where it begins and ends, and its columns
	word, space := false, -1   // whether it has a word, and where the last space behind one is
	breakAt := func(end, next int) {
		pieces = append(pieces, strings.TrimRight(line[begin:end], " "))
		begin, used, space = next, width(line[next:max(at, next)]), -1
		word = used > 0
	}
	for c := range clusters(line) {
		w := width(c)
		switch over := used+w > columns; {
		case over && c == " " && word:
			breakAt(at, at+1)
			at++
			continue
		case over && space >= 0:
			breakAt(space, space+1)
		case over:
			breakAt(at, at)
		}
		if c != " " {
			word = true
		} else if word {
			space = at
		}
		at, used = at+len(c), used+w
	}
	return append(pieces, line[begin:])
}
