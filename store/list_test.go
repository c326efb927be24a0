package store_test

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// 1. Pages follow each other without a gap or an overlap, sessions of one moment too.
// 2. What is updated between two pages is not missed among those that were not.
func TestListGoesPageByPage(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	var want []string
	for i := range 7 {
		id := fmt.Sprintf("s%d", i)
		l.add(lashstore.SessionMeta{SessionID: id}, "x")
		if i%3 != 0 {
			l.now = l.now.Add(-time.Minute) // as the one before
		}
		want = append(want, id)
	}
	all := l.ids(nil)
	assert.ElementsMatch(t, want, all)
	for limit := 1; limit <= 8; limit++ {
		var got []string
		query := &store.ListQuery{Limit: limit}
		for {
			page, err := l.List(t.Context(), query)
			require.NoError(t, err)
			assert.LessOrEqual(t, len(page.Sessions), limit)
			for _, info := range page.Sessions {
				got = append(got, info.Meta.SessionID)
			}
			if page.Next == "" {
				break
			}
			query.After, query.NoRefresh = page.Next, true
		}
		assert.Equal(t, all, got, "limit %d", limit)
	}
	page, err := l.List(t.Context(), &store.ListQuery{Limit: 3})
	require.NoError(t, err)
	moved := all[5]
	s, err := l.OpenSession(t.Context(), moved)
	require.NoError(t, err)
	l.now = l.now.Add(time.Hour)
	require.NoError(t, say(t.Context(), s, "n"))
	require.NoError(t, s.Close())
	assert.Equal(t, []string{all[3], all[4], all[6]}, l.ids(&store.ListQuery{After: page.Next}))
	assert.Equal(t, moved, l.ids(nil)[0])
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	child := lashstore.Relation{Kind: lashstore.RelationChild, ParentSessionID: "a"}
	l.add(lashstore.SessionMeta{SessionID: "a", Model: "m1"}, "100% of \\Ärger_x") // at +1 min
	l.add(lashstore.SessionMeta{SessionID: "b", Model: "m2", Relation: child}, "1000 things")
	l.add(lashstore.SessionMeta{SessionID: "c", Model: "m1", Relation: child, Name: "The Name"}, "nothing")
	from := time.UnixMilli(1_700_000_000_000)
	for name, c := range map[string]struct {
		query store.ListQuery
		want  []string
	}{
		"text":           {store.ListQuery{Text: "THING"}, []string{"c", "b"}},
		"name":           {store.ListQuery{Text: "the name"}, []string{"c"}},
		"not across":     {store.ListQuery{Text: "nothingthe"}, []string{}},
		"percent":        {store.ListQuery{Text: "100%"}, []string{"a"}},
		"underscore":     {store.ListQuery{Text: "_"}, []string{"a"}},
		"backslash":      {store.ListQuery{Text: "\\"}, []string{"a"}},
		"any script":     {store.ListQuery{Text: "äRGER"}, []string{"a"}},
		"model":          {store.ListQuery{Model: "m1"}, []string{"c", "a"}},
		"parent":         {store.ListQuery{ParentID: "a"}, []string{"c", "b"}},
		"parent, model":  {store.ListQuery{ParentID: "a", Model: "m2"}, []string{"b"}},
		"model, text":    {store.ListQuery{Model: "m1", Text: "ÄRGER"}, []string{"a"}},
		"since":          {store.ListQuery{Since: from.Add(2 * time.Minute)}, []string{"c", "b"}},
		"before":         {store.ListQuery{Before: from.Add(2 * time.Minute)}, []string{"a"}},
		"since, before":  {store.ListQuery{Since: from.Add(2 * time.Minute), Before: from.Add(3 * time.Minute)}, []string{"b"}},
		"nothing at all": {store.ListQuery{Model: "none"}, []string{}},
	} {
		assert.Equal(t, c.want, l.ids(&c.query), name)
		scanned := []string{}
		for info, err := range l.Sessions(t.Context()) {
			require.NoError(t, err)
			if c.query.Selects(info) {
				scanned = append(scanned, info.Meta.SessionID)
			}
		}
		assert.Equal(t, c.want, scanned, "%s, without a catalog", name)
		c.query.Limit, c.query.NoRefresh = 1, true
		page, err := l.List(t.Context(), &c.query)
		require.NoError(t, err, name)
		if len(c.want) > 1 {
			c.query.Limit, c.query.After = 0, page.Next
			assert.Equal(t, c.want[1:], l.ids(&c.query), "%s, the rest", name)
		}
	}
}

func TestListQueriesAreJudged(t *testing.T) {
	t.Parallel()
	l := newListed(t)
	token := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, q := range []store.ListQuery{
		{Limit: -1}, {Limit: store.MaxPageSize + 1}, {Text: "a\nb"}, {Text: "\xff"}, {Since: time.UnixMilli(-1)},
		{Before: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{After: "garbage!"}, {After: token("1 2")}, {After: token("2 1 a")}, {After: token("1 x a")},
		{After: token("1 -1 a")}, {After: token("1 01 a")}, {After: token("1 1 ")}, {After: token("1 1 \x00")}, {After: token("1 1 a") + "="},
	} {
		_, err := l.List(t.Context(), &q)
		require.ErrorIs(t, err, lashstore.ErrInvalid, "%+v", q)
	}
	assert.Empty(t, l.ids(&store.ListQuery{After: token("1 1 a")}))
}

func TestListWithoutDirectoryMakesNone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	f, err := store.NewFleet(dir, nil)
	require.NoError(t, err)
	page, err := f.List(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, page.Sessions)
	require.NoError(t, f.Close())
	assert.NoDirExists(t, dir)
	_, err = f.List(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrClosed)
}
