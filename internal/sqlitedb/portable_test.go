package sqlitedb_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// The pages of an export are each found by a key, where the one before ended, and never sorted: a session of any size is
// read once.
func TestPortablePagesSeek(t *testing.T) {
	t.Parallel()
	c := openSchema(t, lashstore.SessionDatabase)
	pages := 0
	for _, q := range generatedQueries(t) {
		if !strings.HasPrefix(q.name, "Portable") || !strings.Contains(q.sql, "LIMIT") {
			continue
		}
		pages++
		stmt, _, err := c.Prepare("EXPLAIN QUERY PLAN " + q.sql)
		require.NoError(t, err, q.name)
		for stmt.Step() {
			step := stmt.ColumnText(3)
			assert.NotContains(t, step, "SCAN", q.name)
			assert.NotContains(t, step, "TEMP B-TREE", q.name)
			if strings.HasSuffix(q.name, "Artifacts") || strings.HasSuffix(q.name, "Usage") {
				assert.Contains(t, step, ")>(?,?)", q.name)
			}
		}
		require.NoError(t, stmt.Close())
	}
	assert.Equal(t, 7, pages)
}
