package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/conversation"
)

// emit writes a JSON document as one line of standard output.
func (a *app) emit(document any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(document); err != nil {
		return errOutput{err}
	}
	return nil
}

// errOutput is output that cannot be written: no use in going on.
type errOutput struct{ error }

func (e errOutput) Error() string { return "write output: " + e.error.Error() }
func (e errOutput) Unwrap() error { return e.error }

// jsonError is an error as a machine reads it.
type jsonError struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

type jsonProblem struct {
	SessionID string    `json:"session_id,omitempty"`
	Path      string    `json:"path,omitempty"`
	Error     jsonError `json:"error"`
}

// problem reports what went wrong with one session, and makes the exit status 1.
func (a *app) problem(t target, err error) {
	a.wrong = true
	if a.json {
		a.say(a.emit(jsonProblem{SessionID: t.id, Path: t.path, Error: describe(err)}))
		return
	}
	a.report(t.id, err)
}

// message is what an error says, with the path of a database once: each layer that the error came through names it.
func message(err error) string {
	text := err.Error()
	for {
		said, rest, more := strings.Cut(text, ": ")
		path := strings.TrimPrefix(said, "open ")
		if !more || filepath.Ext(path) != ".db" || !strings.Contains(rest, path) {
			return text
		}
		text = rest
	}
}

// report writes an error as one line.
func (a *app) report(about string, err error) {
	if a.json && about == "" {
		a.say(a.emit(jsonProblem{Error: describe(err)}))
		return
	}
	if about != "" {
		about += ": "
	}
	text := message(err)
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	a.warn(about + text)
}

// warn writes one line to standard error.
func (a *app) warn(text string) {
	fmt.Fprintln(a.stderr, "lashstore: "+oneLine(strings.TrimSpace(text)))
}

// say reports what a report came to.
func (a *app) say(err error) {
	if err != nil {
		a.wrong = true
		a.warn(err.Error())
	}
}

// describe classifies an error by the sentinel it matches.
func describe(err error) jsonError {
	kind := "error"
	var usage errUsage
	var input *conversation.InputError
	switch {
	case errors.As(err, &usage):
		kind = "usage"
	case errors.As(err, &input):
		kind = "io"
	}
	for _, k := range errorKinds {
		if errors.Is(err, k.sentinel) {
			kind = k.name
			break
		}
	}
	return jsonError{Kind: kind, Message: message(err)}
}

var errorKinds = []struct {
	sentinel error
	name     string
}{
	{lashstore.ErrSessionNotFound, "session_not_found"},
	{lashstore.ErrSessionDeleted, "session_deleted"},
	{lashstore.ErrSessionExists, "session_exists"},
	{lashstore.ErrPortable, "portable"},
	{lashstore.ErrSessionMismatch, "session_mismatch"},
	{lashstore.ErrMisplaced, "misplaced"},
	{lashstore.ErrSchema, "schema"},
	{lashstore.ErrNotADatabase, "not_a_database"},
	{lashstore.ErrUnsupportedEnvironment, "unsupported_environment"},
	{lashstore.ErrNotDamaged, "not_damaged"},
	{lashstore.ErrLeaseBusy, "lease_busy"},
	{lashstore.ErrRevisionConflict, "revision_conflict"},
	{lashstore.ErrRevisionGone, "revision_gone"},
	{lashstore.ErrBranchNotFound, "branch_not_found"},
	{lashstore.ErrUnknownLeaf, "unknown_leaf"},
	{lashstore.ErrNodeNotFound, "node_not_found"},
	{lashstore.ErrEntryConflict, "entry_conflict"},
	{lashstore.ErrEntryNotFound, "entry_not_found"},
	{lashstore.ErrMissingBlob, "missing_blob"},
	{lashstore.ErrRecordVersion, "record_version"},
	{lashstore.ErrCorrupt, "corrupt"},
	{lashstore.ErrBusy, "busy"},
	{lashstore.ErrFull, "full"},
	{lashstore.ErrReadOnly, "read_only"},
	{lashstore.ErrIO, "io"},
	{lashstore.ErrTooLarge, "too_large"},
	{lashstore.ErrInvalid, "invalid"},
	{context.Canceled, "interrupted"},
	{errNoData, "no_data"},
	{errDiffers, "conflict"},
	{fs.ErrNotExist, "not_found"},
	{fs.ErrPermission, "permission"},
}

// buffered gives do a buffered standard output and reports what writing it came to.
func buffered(w io.Writer, do func(*bufio.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(do(b), b.Flush())
}

func number[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// plural is "1 turn" or "2 turns".
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// size is a number of bytes as people read it.
func size(bytes int64) string {
	if bytes < 1<<10 {
		return number(bytes) + " B"
	}
	value, unit := float64(bytes), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

var units = []string{"B", "KiB", "MiB", "GiB", "TiB"}

// moment is a time as people read it; the zero time is a dash.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// jsonTime is a time as a machine reads it; nil for the zero time.
func jsonTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
