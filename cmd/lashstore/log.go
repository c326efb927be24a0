package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// revisionFlag is the number of a revision.
type revisionFlag struct{ value lashstore.Revision }

func (f *revisionFlag) String() string { return number(int64(f.value)) }
func (f *revisionFlag) Type() string   { return "revision" }
func (f *revisionFlag) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n == math.MaxInt64 {
		return errors.New("no revision: lashstore log SESSION lists them, from 1 on")
	}
	f.value = lashstore.Revision(n)
	return nil
}

// revisionArgs takes a session and so many revisions.
func revisionArgs(revisions ...*revisionFlag) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(1+len(revisions))(c, args); err != nil {
			return err
		}
		for i, r := range revisions {
			if err := r.Set(args[1+i]); err != nil {
				return fmt.Errorf("%q is %w", args[1+i], err)
			}
		}
		return nil
	}
}

func (a *app) logCommand() *cobra.Command {
	var o lashstore.RevisionListOptions
	c := &cobra.Command{
		Use:   "log SESSION",
		Short: "List how the head moved, newest first",
		Long: "List how the head moved, newest first: by a commit, back to an earlier revision, or to another branch.\n\n" +
			"KEPT is what can still be shown, compared and gone back to: the head, the last ones that are kept, the pinned.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenReadOnly, func(s *store.Store, _ target) error {
				return a.log(c.Context(), s, &o)
			})
		},
	}
	c.Flags().IntVar(&o.Limit, "limit", 0, "only so many; 0 lists all")
	c.Flags().BoolVar(&o.LoadableOnly, "loadable", false, "only what can still be gone back to")
	return c
}

// jsonRevision is a line of the log as a machine reads it.
type jsonRevision struct {
	SessionID   string               `json:"session_id"`
	Revision    lashstore.Revision   `json:"revision"`
	Movement    lashstore.Movement   `json:"movement"`
	Source      lashstore.Revision   `json:"source_revision,omitempty"` // of a rewind
	TurnID      string               `json:"turn_id,omitempty"`
	Leaf        string               `json:"leaf"` // "" when there was none, or it is gone
	Checkpoint  string               `json:"checkpoint,omitempty"`
	Tokens      int64                `json:"tokens"`
	Usage       lashstore.TokenUsage `json:"usage"`
	CommittedAt *time.Time           `json:"committed_at"`
	Pinned      bool                 `json:"pinned"`
	Loadable    bool                 `json:"loadable"`
}

func newJSONRevision(sessionID string, r lashstore.RevisionInfo) jsonRevision {
	j := jsonRevision{
		SessionID: sessionID, Revision: r.Revision, Movement: r.Movement, Source: r.Source, TurnID: r.TurnID, Leaf: r.Leaf,
		Tokens: r.Usage.Total(), Usage: r.Usage, CommittedAt: jsonTime(r.CommittedAt), Pinned: r.Pinned, Loadable: r.Loadable,
	}
	if !r.Checkpoint.IsZero() {
		j.Checkpoint = r.Checkpoint.String()
	}
	return j
}

func (a *app) log(ctx context.Context, s lashstore.SessionStore, o *lashstore.RevisionListOptions) error {
	list, err := s.Revisions(ctx, o)
	if err != nil {
		return err
	}
	rows := newTable(a.stdout, []string{"REVISION", "WHEN", "MOVEMENT", "TURN", "LEAF", "KEPT"}, []string{"TOKENS"})
	for i, r := range list {
		if !a.json {
			// The first is the head: the list is newest first, and begins there.
			rows.row(pad(number(int64(r.Revision)), len(number(int64(list[0].Revision))), true), moment(r.CommittedAt), movement(r),
				shorten(oneLine(r.TurnID), cellWidth), shorten(oneLine(r.Leaf), cellWidth), kept(r, i == 0), some(r.Usage.Total()))
		} else if err := a.emit(newJSONRevision(s.SessionID(), r)); err != nil {
			return err
		}
	}
	if a.json {
		return nil
	}
	if len(list) > 0 {
		rows.dropEmpty()
	}
	rows.concede(a.columns(), concession{"TURN", 12, shortenMiddle}, concession{"LEAF", 12, shortenMiddle})
	return rows.flush()
}

// columns is how wide a list may be.
func (a *app) columns() int {
	if columns, is := terminal(a.stdout); is {
		return columns
	}
	return entryColumns
}

func movement(r lashstore.RevisionInfo) string {
	if r.Movement == lashstore.MovedByRewind {
		return fmt.Sprintf("rewind to %d", r.Source)
	}
	return string(r.Movement)
}

// kept is why a revision can be gone back to; "" when it cannot.
func kept(r lashstore.RevisionInfo, head bool) string {
	var why []string
	if head {
		why = append(why, "head")
	}
	if r.Pinned {
		why = append(why, "pinned")
	}
	if len(why) == 0 && r.Loadable {
		why = append(why, "kept")
	}
	return strings.Join(why, ", ")
}

// gone adds to the error of a revision that cannot be loaded where those are that can.
func gone(sessionID string, err error) error {
	if errors.Is(err, lashstore.ErrRevisionGone) {
		return fmt.Errorf("%w; lashstore log --loadable %s lists those that can", err, shellWord(sessionID))
	}
	return err
}

// shellWord is a text as a shell takes it for one word.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
