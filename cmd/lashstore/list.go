package main

import (
	"context"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) lsCommand() *cobra.Command {
	query, limit := &store.ListQuery{}, uint(0)
	c := &cobra.Command{
		Use:   "ls",
		Short: "List the sessions, most recently updated first",
		Long: "List the sessions, most recently updated first.\n\n" +
			"Where the data directory can be written, what the list shows is kept in a catalog there, and only files that have\n" +
			"changed are looked into. The catalog can be deleted at any time.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.list(c.Context(), query, int(min(limit, math.MaxInt32)))
		},
	}
	flags := c.Flags()
	flags.UintVar(&limit, "limit", 0, "list at most so many, 0 for all")
	flags.StringVar(&query.Text, "title", "", "only those whose title or name contains `text`, in whatever case")
	flags.StringVar(&query.Model, "model", "", "only those of this `model`")
	flags.StringVar(&query.ParentID, "parent", "", "only the children of this `session`")
	flags.Var((*since)(&query.Since), "since", "only those updated since then: a date, a time as in RFC 3339, or how long ago, as 36h")
	return c
}

// jsonSession is a line of the list as a machine reads it.
type jsonSession struct {
	SessionID    string             `json:"session_id"`
	Name         string             `json:"name"`
	Title        string             `json:"title"`
	Model        string             `json:"model"`
	Revision     lashstore.Revision `json:"revision"`
	Turns        int64              `json:"turns"`
	Messages     int64              `json:"messages"`
	UserMessages int64              `json:"user_messages"`
	Tokens       int64              `json:"tokens"`
	CreatedAt    *time.Time         `json:"created_at"`
	UpdatedAt    *time.Time         `json:"updated_at"` // null before the first commit
	Path         string             `json:"path,omitempty"`
	Bytes        int64              `json:"bytes,omitempty"`
}

func newJSONSession(meta lashstore.SessionMeta, revision lashstore.Revision, s lashstore.Summary) jsonSession {
	return jsonSession{
		SessionID: meta.SessionID, Name: meta.Name, Title: s.Title, Model: meta.Model, Revision: revision,
		Turns: s.Turns, Messages: s.Messages, UserMessages: s.UserMessages, Tokens: s.Tokens,
		CreatedAt: jsonTime(meta.CreatedAt), UpdatedAt: jsonTime(s.UpdatedAt),
	}
}

// The widest cells of the list; --json has all.
const (
	idWidth    = 40
	titleWidth = 48
	modelWidth = 24
)

func (a *app) list(ctx context.Context, query *store.ListQuery, limit int) error {
	if err := a.requireData(); err != nil {
		return err
	}
	var rows *table
	if !a.json {
		rows = newTable(a.stdout, []string{"SESSION", "TITLE", "MODEL"}, []string{"TURNS", "MESSAGES", "TOKENS", "SIZE", "UPDATED"})
	}
	for info, err := range a.listed(ctx, query, limit) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			a.problem(target{id: info.Meta.SessionID, path: info.Location}, err)
		case a.json:
			line := newJSONSession(info.Meta, info.Revision, info.Summary)
			line.Path, line.Bytes = info.Location, info.Bytes
			if err := a.emit(line); err != nil {
				return err
			}
		default:
			s := info.Summary
			rows.row(shortenMiddle(oneLine(info.Meta.SessionID), idWidth), shorten(oneLine(s.Title), titleWidth),
				shorten(oneLine(info.Meta.Model), modelWidth), number(s.Turns), number(s.Messages), number(s.Tokens),
				size(info.Bytes), moment(s.UpdatedAt))
		}
	}
	if a.json {
		return nil
	}
	if columns, is := terminal(a.stdout); is {
		rows.fitList(columns)
	}
	return rows.flush()
}

// fitList makes the list fit a terminal of 100 columns or more: what is missed least gives way first.
func (t *table) fitList(columns int) {
	t.fit(2, 8, columns, shorten) // models
	t.fit(1, 24, columns, shorten)
	t.fit(0, 20, columns, shortenMiddle)
	t.fit(1, 10, columns, shorten)
}
