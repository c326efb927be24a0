package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// family makes three sessions: a parent and two children of another model.
func family(t *testing.T) *cli {
	t.Helper()
	c := newCLI(t)
	c.keeps(talk("parent", "ua"))
	f, err := store.NewFactory(filepath.Join(c.data, "sessions"), nil)
	require.NoError(t, err)
	for i, name := range []string{"Elder", "younger"} {
		s, err := f.CreateSession(t.Context(), lashstore.SessionMeta{
			SessionID: fmt.Sprint("child-", i), Name: name, Model: "other",
			Relation: lashstore.Relation{Kind: lashstore.RelationChild, ParentSessionID: "parent"},
		})
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	return c
}

func (c *cli) listed(args ...string) string {
	c.t.Helper()
	var ids []string
	for _, s := range documents(c.t, c.fine(append([]string{"ls", "--json"}, args...)...)) {
		ids = append(ids, s["session_id"].(string))
	}
	return strings.Join(ids, " ")
}

// 1. Each flag picks what it says, alone and together.
// 2. The same without a catalog: something else has its name.
func TestLs_Picks(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"catalog", "no catalog"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			c := family(t)
			catalog := filepath.Join(c.data, "sessions", store.CatalogName)
			if place == "no catalog" {
				require.NoError(t, os.Mkdir(catalog, 0o700))
			}
			assert.Equal(t, "parent child-0 child-1", c.listed())
			assert.Equal(t, "parent child-0", c.listed("--limit", "2"))
			assert.Equal(t, "child-0 child-1", c.listed("--parent", "parent"))
			assert.Equal(t, "child-0 child-1", c.listed("--model", "other"))
			assert.Equal(t, "child-0", c.listed("--title", "ELDER"))
			assert.Equal(t, "child-1", c.listed("--title", "er", "--model", "other", "--parent", "parent", "--title", "young"))
			assert.Equal(t, "parent", c.listed("--since", "24h"))
			assert.Equal(t, "parent", c.listed("--since", time.Now().Add(-time.Hour).Format(time.RFC3339)))
			assert.Empty(t, c.listed("--since", "2999-01-01"))
			stat, err := os.Stat(catalog)
			require.NoError(t, err)
			assert.Equal(t, place == "no catalog", stat.IsDir())
		})
	}
}

func TestLs_BadFlags(t *testing.T) {
	t.Parallel()
	c := family(t)
	for _, args := range [][]string{
		{"ls", "--limit", "-1"}, {"ls", "--limit", "x"}, {"ls", "--since", "yesterday"}, {"ls", "--since", "-1h"},
		{"ls", "--since", "1960-01-01"}, {"stats", "--sessions", "parent"},
	} {
		assert.Equal(t, exitUsage, c.run(args...).code, "%v", args)
	}
	got := c.run("ls", "--title", "\n")
	assert.Equal(t, exitWrong, got.code)
	assert.Contains(t, got.stderr, "text")
}

// 1. The list is the same with a catalog that is new, with one that was there, and without one.
// 2. What cannot be read is reported each time, and makes the status 1.
func TestLs_CatalogChangesNothing(t *testing.T) {
	t.Parallel()
	c := family(t)
	junk := filepath.Join(c.data, "sessions", "junk.db")
	require.NoError(t, os.WriteFile(junk, []byte(strings.Repeat("junk", 1000)), 0o600))
	catalog := filepath.Join(c.data, "sessions", store.CatalogName)
	for _, flags := range [][]string{{"ls"}, {"ls", "--json"}, {"ls", "--limit", "1"}} {
		first, second := c.run(flags...), c.run(flags...)
		assert.Equal(t, exitWrong, first.code)
		assert.Contains(t, first.stderr+first.stdout, "junk.db")
		assert.Equal(t, first, second)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(catalog + suffix); !errors.Is(err, os.ErrNotExist) {
				require.NoError(t, err)
			}
		}
		require.NoError(t, os.Mkdir(catalog, 0o700))
		assert.Equal(t, first, c.run(flags...))
		require.NoError(t, os.Remove(catalog))
	}
}

func TestStats_Sessions(t *testing.T) {
	t.Parallel()
	c := family(t)
	c.keeps(talk("large", strings.Repeat("ua", 300)))
	list := documents(t, c.fine("stats", "--sessions", "--json"))
	require.Len(t, list, 4)
	assert.Equal(t, "large", list[0]["session_id"])
	for i, line := range list {
		if i > 0 {
			assert.LessOrEqual(t, line["bytes"].(float64), list[i-1]["bytes"].(float64))
		}
		stat, err := os.Stat(line["path"].(string))
		require.NoError(t, err)
		assert.InDelta(t, stat.Size(), line["bytes"], 0)
	}
	table := c.fine("stats", "--sessions")
	assert.Regexp(t, `(?m)^SESSION +TITLE +SIZE$`, table)
	assert.Less(t, regexp.MustCompile(`(?m)^large `).FindStringIndex(table)[0], regexp.MustCompile(`(?m)^parent `).FindStringIndex(table)[0])
	assert.Regexp(t, `(?m)^TOTAL +\d`, table)
}
