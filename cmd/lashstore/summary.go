package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lashstore/lashstore/internal/conversation"
)

// importSummary is what an import says at its end.
type importSummary struct {
	Conversations int `json:"conversations"` // lines that are one
	Sessions      int `json:"sessions"`      // that they are of: several lines may be of one
	Turns         int `json:"turns"`         // in them
	Messages      int `json:"messages"`      // in them

	New       int `json:"new"`
	Grown     int `json:"grown"`
	Unchanged int `json:"unchanged"`
	Conflicts int `json:"conflicts"`
	Failed    int `json:"failed"` // could not be stored
	BadLines  int `json:"bad_lines"`
	BadInputs int `json:"bad_inputs"` // could not be read, or not to their end

	CommittedTurns    int     `json:"committed_turns"` // begun or continued
	CommittedMessages int     `json:"committed_messages"`
	Seconds           float64 `json:"seconds"`
	TurnsPerSecond    float64 `json:"turns_per_second"`
	BytesIn           int64   `json:"bytes_in"`
	BytesOnDisk       int64   `json:"bytes_on_disk"`
	Interrupted       bool    `json:"interrupted"`

	Problems []importProblem `json:"problems"`

	seen map[string]bool // ids of sessions
}

// mishap is what went wrong in an import.
type mishap int

const (
	badInput mishap = iota // an input cannot be read
	badLine                // a line is no conversation
	conflict               // a conversation differs from what is stored
	failed                 // a conversation could not be stored
)

// errDiffers is a conversation that differs from what is stored.
var errDiffers = errors.New("differs from what is stored")

// importProblem is a mishap as a machine reads it. With a session it is about a conversation, with a line alone about
// that line, else about the input.
type importProblem struct {
	Kind      string `json:"kind"` // as with all other errors, and "conflict"
	File      string `json:"file"`
	Line      int64  `json:"line,omitempty"`
	SessionID string `json:"session_id,omitempty"`
	Reason    string `json:"reason"`
	what      mishap
	err       error
}

// problem counts and reports, and makes the exit status 1.
func (r *importRun) problem(p importProblem) {
	r.app.wrong = true
	p.describe()
	switch p.what {
	case badInput:
		r.summary.BadInputs++
	case badLine:
		r.summary.BadLines++
	case failed:
		r.summary.Failed++
	}
	if r.app.json {
		r.summary.Problems = append(r.summary.Problems, p)
		return
	}
	r.progress.clear()
	r.app.warn(p.String())
}

// describe fills in kind and reason, which does not say again where it is.
func (p *importProblem) describe() {
	e := describe(p.err)
	p.Kind, p.Reason = e.Kind, e.Message
	var input *conversation.InputError
	switch {
	case errors.As(p.err, &input):
		p.Reason = input.Err.Error()
	case p.what == conflict:
		p.Reason = strings.TrimPrefix(p.Reason, errDiffers.Error()+": ")
	}
}

func (p importProblem) String() string {
	where := p.File
	if p.Line > 0 {
		where += ":" + number(p.Line)
	}
	switch p.what {
	case conflict:
		return fmt.Sprintf("%s: conflict: session %q is left as it is: %s", where, p.SessionID, p.Reason)
	case failed:
		return fmt.Sprintf("%s: session %q: %s", where, p.SessionID, p.Reason)
	default:
		return where + ": " + p.Reason
	}
}

func (s *importSummary) add(c conversation.Conversation, result conversation.Result) {
	s.Conversations++
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[c.SessionID] = true
	s.Sessions = len(s.seen)
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

// printSummary counts what came of lines, and the sessions that they are of.
func (a *app) printSummary(s *importSummary) error {
	if a.json {
		return a.emit(s)
	}
	counts := []string{fmt.Sprintf("%d new", s.New), fmt.Sprintf("%d grown", s.Grown), fmt.Sprintf("%d unchanged", s.Unchanged),
		fmt.Sprintf("%d conflicting", s.Conflicts), fmt.Sprintf("%d bad", s.BadLines)}
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
	_, err := fmt.Fprintf(a.stdout, "%s in %s: %s\n%s with %s read, %s\n%s in, %s on disk in %s\n",
		plural(s.Sessions, "session"), plural(s.Conversations+s.BadLines, "line"), strings.Join(counts, ", "),
		plural(s.Turns, "turn"), plural(s.Messages, "message"), committed,
		size(s.BytesIn), size(s.BytesOnDisk), oneLine(a.sessionsDir()))
	return err
}
