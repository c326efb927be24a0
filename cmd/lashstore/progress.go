package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one line on a terminal that writes over itself. Nil shows nothing.
type progress struct {
	w     io.Writer
	total int64 // bytes to read; 0 when not known
	last  time.Time
	shown bool
}

// newProgress returns nil unless w is a terminal.
func newProgress(w io.Writer, files []string) *progress {
	if _, is := terminal(w); !is {
		return nil
	}
	p := &progress{w: w}
	for _, name := range files {
		stat, err := os.Stat(name)
		if err != nil || !stat.Mode().IsRegular() {
			p.total = 0
			break
		}
		p.total += stat.Size()
	}
	return p
}

// show writes the line, ten times a second at most.
func (p *progress) show(s *importSummary) {
	if p == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	line := fmt.Sprintf("%s, %s, %s", plural(s.Conversations+s.BadLines, "line"), plural(s.CommittedTurns, "turn"), size(s.BytesIn))
	if p.total > 0 {
		done := min(float64(s.BytesIn)/float64(p.total), 1)
		line = bar(done, 30) + " " + line
	}
	fmt.Fprint(p.w, "\r"+line+clearToEnd)
}

// bar draws a share of 1 with that many characters.
func bar(done float64, width int) string {
	full := int(done * float64(width))
	cells := make([]byte, width)
	for i := range cells {
		cells[i] = '.'
		if i < full {
			cells[i] = '#'
		}
	}
	return fmt.Sprintf("[%s] %3.0f %%", cells, 100*done)
}

const clearToEnd = "\x1b[K"

// clear takes the line away, so that something else can be written.
func (p *progress) clear() {
	if p != nil && p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r"+clearToEnd)
	}
}

// terminal returns how wide the terminal is that w writes to, if it is one.
func terminal(w io.Writer) (width int, is bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 80
	}
	return width, true
}
