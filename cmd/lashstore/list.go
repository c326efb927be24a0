package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
)

func (a *app) lsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the sessions, most recently updated first",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.list(c.Context()) },
	}
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

func (a *app) list(ctx context.Context) error {
	f, err := a.sessions()
	if err != nil {
		return err
	}
	var rows *table
	if !a.json {
		rows = newTable(a.stdout, []string{"SESSION", "TITLE", "MODEL"}, []string{"TURNS", "MESSAGES", "TOKENS", "SIZE", "UPDATED"})
	}
	for info, err := range f.Sessions(ctx) {
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
