package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// since is a moment as a flag has it: a date here, a time with its zone, or how long ago.
type since time.Time

func (s *since) Set(text string) error {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		*s = since(time.Now().Add(-ago))
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.ParseInLocation(time.DateOnly, text, time.Local)
	}
	if err != nil {
		return fmt.Errorf("neither a date (2006-01-02), nor a time (%s), nor a duration (36h)", time.RFC3339)
	}
	*s = since(at)
	return lashstore.ValidateTime("since", at)
}

func (s *since) String() string {
	if at := time.Time(*s); !at.IsZero() {
		return at.Format(time.RFC3339)
	}
	return ""
}

func (s *since) Type() string { return "time" }

// listed walks over the sessions that a query asks for, limit of them at most, 0 for all; files that cannot be read come
// first. It goes by the catalog; where none can be kept, it looks into each file.
func (a *app) listed(ctx context.Context, query *store.ListQuery, limit int) iter.Seq2[lashstore.SessionInfo, error] {
	return func(yield func(lashstore.SessionInfo, error) bool) {
		f, err := store.NewFleet(a.sessionsDir(), &store.FleetOptions{Options: a.options()})
		if err != nil {
			yield(lashstore.SessionInfo{}, err)
			return
		}
		defer func() { a.say(f.Close()) }()
		shown := 0
		more := func(info lashstore.SessionInfo, err error) bool {
			if err == nil {
				shown++
			}
			return yield(info, err) && (limit == 0 || shown < limit)
		}
		q := *query
		if q.Limit = store.MaxPageSize; limit > 0 {
			q.Limit = min(limit, store.MaxPageSize)
		}
		page, err := f.List(ctx, &q)
		switch {
		case err == nil:
			pages(ctx, f, q, page, more)
		case ctx.Err() != nil || errors.Is(err, lashstore.ErrInvalid):
			yield(lashstore.SessionInfo{}, err)
		default:
			a.logger().DebugContext(ctx, "no catalog: every file is looked into", "error", err)
			for info, err := range f.Sessions(ctx) {
				if (err != nil || q.Selects(info)) && !more(info, err) {
					return
				}
			}
		}
	}
}

// pages walks over the pages of a list from the first on.
func pages(ctx context.Context, f *store.Fleet, q store.ListQuery, page store.SessionPage, yield func(lashstore.SessionInfo, error) bool) {
	for _, p := range page.Problems {
		if !yield(p.Info, p.Err) {
			return
		}
	}
	for {
		for _, info := range page.Sessions {
			if !yield(info, nil) {
				return
			}
		}
		if page.Next == "" {
			return
		}
		q.After, q.NoRefresh = page.Next, true
		var err error
		if page, err = f.List(ctx, &q); err != nil {
			yield(lashstore.SessionInfo{}, err)
			return
		}
	}
}
