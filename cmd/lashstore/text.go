package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
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

// shorten cuts s to at most that many characters, with an ellipsis for what is left out.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return strings.TrimRightFunc(string(runes[:most-1]), unicode.IsSpace) + "…"
}

// wrap breaks text at spaces into lines of at most width characters, each behind indent. A word that is longer is cut.
// Line ends and the spaces at the beginning of a line stay.
func wrap(text, indent string, width int) string {
	width = max(width-utf8.RuneCountInString(indent), 20)
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, " \n"), "\n") {
		for _, piece := range wrapLine(strings.TrimRight(line, " "), width) {
			if piece != "" {
				b.WriteString(indent + piece)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func wrapLine(line string, width int) []string {
	var pieces []string
	rest := []rune(line)
	for len(rest) > width {
		cut, next := width, width
		for i := width; i > 0; i-- {
			if rest[i] == ' ' && strings.TrimSpace(string(rest[:i])) != "" {
				cut, next = i, i+1
				break
			}
		}
		pieces = append(pieces, strings.TrimRight(string(rest[:cut]), " "))
		rest = rest[next:]
	}
	return append(pieces, string(rest))
}
