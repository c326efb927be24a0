package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lashstore/lashstore/internal/conversation"
)

// importSummary is what an import says at its end.
type importSummary struct {
	Conversations int `json:"conversations"` // read
	Turns         int `json:"turns"`         // in them
	Messages      int `json:"messages"`      // in them

	New       int `json:"new"`
	Grown     int `json:"grown"`
	Unchanged int `json:"unchanged"`
	Conflicts int `json:"conflicts"`
	Failed    int `json:"failed"` // could not be stored
	BadLines  int `json:"bad_lines"`
	BadInputs int `json:"bad_inputs"` // could not be read, or not to their end

	CommittedTurns    int     `json:"committed_turns"`
	CommittedMessages int     `json:"committed_messages"`
	Seconds           float64 `json:"seconds"`
	TurnsPerSecond    float64 `json:"turns_per_second"`
	BytesIn           int64   `json:"bytes_in"`
	BytesOnDisk       int64   `json:"bytes_on_disk"`
	Interrupted       bool    `json:"interrupted"`

	Problems []importProblem `json:"problems"`
}

// What can go wrong with an input, a line or a conversation.
const (
	problemInput    = "input"
	problemBadLine  = "bad_line"
	problemConflict = "conflict"
	problemFailed   = "failed"
)

type importProblem struct {
	Kind      string `json:"kind"`
	File      string `json:"file"`
	Line      int64  `json:"line,omitempty"`
	SessionID string `json:"session_id,omitempty"`
	Reason    string `json:"reason"`
	err       error
}

// problem counts and reports, and makes the exit status 1.
func (r *importRun) problem(p importProblem) {
	r.app.wrong = true
	p.Reason = p.err.Error()
	switch p.Kind {
	case problemInput:
		r.summary.BadInputs++
	case problemBadLine:
		r.summary.BadLines++
	case problemFailed:
		r.summary.Failed++
	}
	if r.app.json {
		r.summary.Problems = append(r.summary.Problems, p)
		return
	}
	r.progress.clear()
	r.app.warn(p.String())
}

func (p importProblem) String() string {
	switch p.Kind {
	case problemBadLine:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
	case problemConflict:
		return fmt.Sprintf("%s:%d: conflict: session %q is left as it is: %s", p.File, p.Line, p.SessionID, p.Reason)
	case problemFailed:
		return fmt.Sprintf("%s:%d: session %q: %s", p.File, p.Line, p.SessionID, p.Reason)
	default:
		return p.Reason // it has the name
	}
}

func (s *importSummary) add(c conversation.Conversation, result conversation.Result) {
	s.Conversations++
	s.Turns += len(conversation.Turns(c.Messages, 0))
	s.Messages += len(c.Messages)
	s.CommittedTurns += result.Turns
	s.CommittedMessages += result.Messages
	switch result.Outcome {
	case conversation.New:
		s.New++
	case conversation.Grown:
		s.Grown++
	case conversation.Unchanged:
		s.Unchanged++
	case conversation.Conflict:
		s.Conflicts++
	}
}

func (s *importSummary) finish(took time.Duration, dir string) {
	s.Seconds = took.Seconds()
	if s.Seconds > 0 {
		s.TurnsPerSecond = float64(s.CommittedTurns) / s.Seconds
	}
	s.BytesOnDisk = directoryBytes(dir)
	if s.Problems == nil {
		s.Problems = []importProblem{}
	}
}

// directoryBytes is what the files of a directory take. A file that goes meanwhile takes nothing.
func directoryBytes(dir string) int64 {
	var total int64
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total
}

func (a *app) printSummary(s *importSummary) error {
	if a.json {
		return a.emit(s)
	}
	counts := []string{fmt.Sprintf("%d new", s.New), fmt.Sprintf("%d grown", s.Grown), fmt.Sprintf("%d unchanged", s.Unchanged),
		fmt.Sprintf("%d conflicting", s.Conflicts), plural(s.BadLines, "bad line")}
	if s.Failed > 0 {
		counts = append(counts, fmt.Sprintf("%d failed", s.Failed))
	}
	if s.BadInputs > 0 {
		counts = append(counts, plural(s.BadInputs, "unreadable input"))
	}
	committed := fmt.Sprintf("committed %s with %s in %.2f s (%.0f turns/s)", plural(s.CommittedTurns, "turn"),
		plural(s.CommittedMessages, "message"), s.Seconds, s.TurnsPerSecond)
	if s.CommittedTurns == 0 && s.New == 0 {
		committed = "nothing changed"
	}
	if s.Interrupted {
		committed += "; interrupted: import again to complete"
	}
	_, err := fmt.Fprintf(a.stdout, "%s: %s\n%s with %s read, %s\n%s in, %s on disk in %s\n",
		plural(s.Conversations, "session"), strings.Join(counts, ", "),
		plural(s.Turns, "turn"), plural(s.Messages, "message"), committed,
		size(s.BytesIn), size(s.BytesOnDisk), oneLine(a.sessionsDir()))
	return err
}
