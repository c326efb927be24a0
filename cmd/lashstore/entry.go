package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
)

// What queued work and pending input have in common: both are entries of a session's line.

// group is a command that only holds others.
func group(name, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(commands...)
	return c
}

// scopeFlags choose which entries a list shows.
type scopeFlags struct{ all, pending bool }

func (f *scopeFlags) on(c *cobra.Command) {
	c.Flags().BoolVar(&f.all, "all", false, "what is settled and still remembered too")
	c.Flags().BoolVar(&f.pending, "pending", false, "only what nobody has claimed")
	c.Args = func(c *cobra.Command, args []string) error {
		if f.all && f.pending {
			return errors.New("either --all or --pending")
		}
		return cobra.ExactArgs(1)(c, args)
	}
}

func (f *scopeFlags) options() *lashstore.ListOptions {
	o := &lashstore.ListOptions{}
	switch {
	case f.all:
		o.Scope = lashstore.ListAll
	case f.pending:
		o.Scope = lashstore.ListPending
	}
	return o
}

// jsonEntry is an entry as a machine reads it. It has no secret.
type jsonEntry struct {
	SessionID  string               `json:"session_id"`
	ID         string               `json:"id"`
	Seq        int64                `json:"seq"`
	SourceKey  string               `json:"source_key,omitempty"`
	State      lashstore.EntryState `json:"state"`
	Attempts   int64                `json:"attempts"`
	EnqueuedAt *time.Time           `json:"enqueued_at"`
	SettledAt  *time.Time           `json:"settled_at,omitempty"`
	Claim      *jsonClaim           `json:"claim,omitempty"`
}

type jsonClaim struct {
	ID         string    `json:"claim_id"`
	Generation int64     `json:"generation"`
	Holder     jsonOwner `json:"holder"`
}

func newJSONClaim(c *lashstore.ClaimInfo) *jsonClaim {
	if c == nil {
		return nil
	}
	return &jsonClaim{ID: c.ClaimID, Generation: c.Generation, Holder: newJSONOwner(c.Holder)}
}

// entryColumns is how wide a list of entries is where no terminal says it.
const entryColumns = 100

// cellWidth is the most that a list keeps of a text.
const cellWidth = 200

// flushEntries writes a list of entries, whose ids are never cut to less than those that the store makes.
func (a *app) flushEntries(rows *table) error {
	if a.json {
		return nil
	}
	if len(rows.rows) > 1 {
		rows.dropEmpty()
	}
	rows.concede(a.columns(),
		concession{"PAYLOAD", 24, shorten}, concession{"INPUT", 24, shorten},
		concession{"KEY", 12, shortenMiddle}, concession{"KIND", 10, shorten}, concession{"JOIN", 8, shortenMiddle},
		concession{"TURN", 12, shortenMiddle}, concession{"ID", 36, shortenMiddle},
		concession{"KEY", 8, shortenMiddle}, concession{"JOIN", 5, shortenMiddle},
		concession{"PAYLOAD", 7, shorten}, concession{"INPUT", 7, shorten}, concession{"KIND", 5, shorten},
		concession{"KEY", 6, shortenMiddle}, concession{"TURN", 6, shortenMiddle})
	return rows.flush()
}

// some is a number in a column that is left out where all are 0.
func some(n int64) string {
	if n == 0 {
		return ""
	}
	return number(n)
}

// span is how long something takes, in its largest unit.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		is   time.Duration
		name string
	}{{365 * day, "y"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= unit.is {
			return number(int64(d/unit.is)) + unit.name
		}
	}
	return number(int64(max(d, 0)/time.Second)) + "s"
}

// argument is what stands behind the session on the command line, or standard input when there is nothing, or "-".
func (a *app) argument(field string, args []string) ([]byte, error) {
	if len(args) > 1 && args[1] != "-" {
		return []byte(args[1]), nil
	}
	b, err := io.ReadAll(io.LimitReader(a.stdin, lashstore.MaxValueSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read standard input: %w", err)
	case len(b) > lashstore.MaxValueSize:
		return nil, &lashstore.TooLargeError{Field: field, Size: int64(len(b)), Max: lashstore.MaxValueSize}
	}
	return b, nil
}

// added says what putting an entry in came to.
func (a *app) added(id string, existing bool, standing string) error {
	text := "added " + id
	switch {
	case existing:
		text = "already there " + id + " (" + standing + ")"
	case standing != string(lashstore.EntryWaiting):
		text += " (" + standing + ")"
	}
	return a.print(text)
}

// print writes one line of standard output.
func (a *app) print(text string) error {
	if _, err := fmt.Fprintln(a.stdout, oneLine(text)); err != nil {
		return errOutput{err}
	}
	return nil
}
