package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
)

// 8.F.109: the schema holds receipts, and neither checkpoints of turns in flight nor effects.
func TestSchemaHoldsWhatBelongsToASession(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	names := testdb.Number(t, f.path, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('revisions', 'blobs', 'nodes', 'heads', 'leases')")
	assert.EqualValues(t, 5, names)
	assert.Zero(t, testdb.Number(t, f.path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%effect%' OR name LIKE '%in_flight%'"))
	assert.EqualValues(t, 6, testdb.Number(t, f.path, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"))
}

func TestAuditViewsReadLikeTheSession(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(3)
	native, err := lashstore.Message{Role: lashstore.RoleUser, Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: "in parts"}}}.Payload()
	require.NoError(t, err)
	c := f.turn(4)
	c.Graph.Nodes[0].Payload = native
	f.commit(c)
	assert.EqualValues(t, 8, testdb.Number(t, f.path, "SELECT count(*) FROM conversation"))
	assert.EqualValues(t, 1, testdb.Number(t, f.path, "SELECT count(*) FROM conversation WHERE position = 3 AND text = 'question 2' AND role = 'user'"))
	assert.EqualValues(t, 1, testdb.Number(t, f.path, "SELECT count(*) FROM conversation WHERE text = 'in parts'"))
	assert.EqualValues(t, 8, testdb.Number(t, f.path, "SELECT count(*) FROM active_path"))
	assert.EqualValues(t, 4, testdb.Number(t, f.path, "SELECT count(*) FROM history WHERE tokens = 15 AND nodes = 2"))
	assert.EqualValues(t, 60, testdb.Number(t, f.path, "SELECT total FROM token_usage"))
}
