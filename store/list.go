package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// The limits of a page.
const (
	DefaultPageSize = 100
	MaxPageSize     = 1000
)

// ListQuery says which sessions a page shows. Nil, and the zero value, is the first page of all. What is set counts
// together.
type ListQuery struct {
	// Text is in the title or the name, whatever the case of either.
	Text string
	// Model and ParentID are those of the session's description, as they are.
	Model    string
	ParentID string
	// Since and Before bound the last commit, in whole milliseconds: not before Since, and before Before. Zero does not.
	Since  time.Time
	Before time.Time
	// Limit is how many sessions a page has at most: DefaultPageSize for 0, never more than MaxPageSize.
	Limit int
	// After is the Next of the page before, of the same query; "" for the first page.
	After string
	// NoRefresh lists what the catalog has, without a look at the directory. For further pages it is the quicker choice.
	NoRefresh bool
}

// SessionPage is a page of a list, most recently updated first.
type SessionPage struct {
	// Sessions are as Factory.Sessions yields them, but without Meta.Extra and Meta.Relation.CausedBy.
	Sessions []lashstore.SessionInfo
	// Next is ListQuery.After of the next page; "" when there is none.
	Next string
	// Problems are the files that cannot be read, whatever the query; nil with ListQuery.NoRefresh.
	Problems []SessionProblem
}

// List returns a page of the sessions, from the catalog, which it refreshes first. A page costs what is on it, and the
// refresh what has changed. Sessions that are updated while somebody turns pages move to the front: none that stays where
// it is is missed or shown twice.
//
// Errors: InvalidError for a query that makes no sense, a foreign After for instance; those of Refresh.
func (f *Fleet) List(ctx context.Context, query *ListQuery) (SessionPage, error) {
	if query == nil {
		query = &ListQuery{}
	}
	params, err := query.params()
	if err != nil {
		return SessionPage{}, err
	}
	if err := f.begin(nil); err != nil {
		return SessionPage{}, err
	}
	defer f.running.Done()
	var page SessionPage
	if f.nowhere() {
		return page, nil
	}
	if !query.NoRefresh {
		report, err := f.refresh(ctx)
		if err != nil {
			return SessionPage{}, err
		}
		page.Problems = report.Problems
	}
	err = f.catalog.use(ctx, func(d *sqlitedb.DB) error {
		return d.View(ctx, func(t *sqlitedb.Tx) error {
			rows, err := query.page(t, params)
			page.Sessions, page.Next = f.pageOf(rows, int(params.RowLimit)-1)
			return err
		})
	})
	if err != nil {
		return SessionPage{}, err
	}
	return page, nil
}

// params judges the query and returns what all of its forms have. It asks for one row more than the page has.
func (q *ListQuery) params() (db.SessionFilePageParams, error) {
	p := db.SessionFilePageParams{BeforeMS: math.MaxInt64, Search: strings.ToLower(q.Text), RowLimit: int64(q.Limit) + 1}
	switch {
	case q.Limit < 0 || q.Limit > MaxPageSize:
		return p, &lashstore.InvalidError{Field: "limit", Reason: fmt.Sprintf("%d is not from 0 to %d", q.Limit, MaxPageSize)}
	case q.Limit == 0:
		p.RowLimit = DefaultPageSize + 1
	}
	if !utf8.ValidString(q.Text) || strings.ContainsAny(q.Text, "\n\x00") {
		return p, &lashstore.InvalidError{Field: "text", Reason: "not UTF-8, or with a line feed or a zero byte"}
	}
	for field, at := range map[string]time.Time{"since": q.Since, "before": q.Before} {
		if err := lashstore.ValidateTime(field, at); err != nil {
			return p, err
		}
	}
	if !q.Since.IsZero() {
		p.SinceMS = lashstore.Millis(q.Since)
	}
	if !q.Before.IsZero() {
		p.BeforeMS = lashstore.Millis(q.Before) - 1
	}
	if q.After == "" {
		return p, nil
	}
	at, id, err := parsePlace(q.After)
	if err != nil {
		return p, err
	}
	if at <= p.BeforeMS {
		p.BeforeMS, p.AfterID = at, id
	}
	return p, nil
}

// Selects reports whether a session is one that the query asks for, wherever in the list: what List finds by an index, for
// those who list without a catalog. Limit and After do not matter to it. It does not judge the query.
func (q *ListQuery) Selects(info lashstore.SessionInfo) bool {
	updated := updatedMillis(info.Summary)
	return strings.Contains(searchable(info.Summary.Title, info.Meta.Name), strings.ToLower(q.Text)) &&
		(q.Model == "" || q.Model == info.Meta.Model) &&
		(q.ParentID == "" || q.ParentID == info.Meta.Relation.ParentSessionID) &&
		(q.Since.IsZero() || updated >= lashstore.Millis(q.Since)) &&
		(q.Before.IsZero() || updated < lashstore.Millis(q.Before))
}

// page runs the form of the query that has an index for it.
func (q *ListQuery) page(t *sqlitedb.Tx, p db.SessionFilePageParams) ([]db.SessionFilePageRow, error) {
	var list []db.SessionFilePageRow
	queries := db.New(t)
	switch {
	case q.ParentID != "":
		rows, err := queries.SessionFilePageByParent(t.Context(), db.SessionFilePageByParentParams{
			ParentSessionID: q.ParentID, Model: q.Model,
			BeforeMS: p.BeforeMS, AfterID: p.AfterID, SinceMS: p.SinceMS, Search: p.Search, RowLimit: p.RowLimit,
		})
		for _, row := range rows {
			list = append(list, db.SessionFilePageRow(row))
		}
		return list, err
	case q.Model != "":
		rows, err := queries.SessionFilePageByModel(t.Context(), db.SessionFilePageByModelParams{
			Model: q.Model, BeforeMS: p.BeforeMS, AfterID: p.AfterID, SinceMS: p.SinceMS, Search: p.Search, RowLimit: p.RowLimit,
		})
		for _, row := range rows {
			list = append(list, db.SessionFilePageRow(row))
		}
		return list, err
	}
	return queries.SessionFilePage(t.Context(), p)
}

// pageOf makes at most limit rows a page, and of the last of them the place of the next.
func (f *Fleet) pageOf(rows []db.SessionFilePageRow, limit int) (sessions []lashstore.SessionInfo, next string) {
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = formatPlace(last.UpdatedAtMS, last.SessionID)
	}
	for _, row := range rows {
		sessions = append(sessions, lashstore.SessionInfo{
			Meta: lashstore.SessionMeta{
				SessionID: row.SessionID, Name: row.Name, Model: row.Model, Cwd: row.Cwd,
				Relation:  lashstore.Relation{Kind: lashstore.RelationKind(row.RelationKind), ParentSessionID: row.ParentSessionID},
				CreatedAt: lashstore.FromMillis(row.CreatedAtMS),
			},
			Summary:  summaryFrom(row.Title, row.Turns, row.Messages, row.UserMessages, row.Tokens, row.UpdatedAtMS),
			Revision: lashstore.Revision(row.Revision),
			Location: filepath.Join(f.factory.dir, row.FileName),
			Bytes:    row.Bytes,
		})
	}
	return sessions, next
}

// A place in a list is a session's: when it was updated, and its id. It is opaque to callers, so that it may change.

func formatPlace(updatedAtMS int64, sessionID string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("1 " + strconv.FormatInt(updatedAtMS, 10) + " " + sessionID))
}

func parsePlace(token string) (updatedAtMS int64, sessionID string, err error) {
	foreign := &lashstore.InvalidError{Field: "after", Reason: "it is the Next of no page"}
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return 0, "", foreign
	}
	parts := strings.SplitN(string(text), " ", 3)
	if len(parts) != 3 || parts[0] != "1" || lashstore.ValidateID("after", parts[2]) != nil {
		return 0, "", foreign
	}
	at, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || at < 0 || formatPlace(at, parts[2]) != token {
		return 0, "", foreign
	}
	return at, parts[2], nil
}
