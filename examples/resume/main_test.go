package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore/store"
)

func TestRunsGoOnWhereTheLastOneStopped(t *testing.T) {
	dir := t.TempDir()
	for _, question := range []string{"one", "two", "three"} {
		require.NoError(t, run(t.Context(), dir, question))
	}
	factory, err := store.NewFactory(dir, nil)
	require.NoError(t, err)
	for info, err := range factory.Sessions(t.Context()) {
		require.NoError(t, err)
		assert.EqualValues(t, 3, info.Revision)
		assert.EqualValues(t, 6, info.Summary.Messages)
		assert.Equal(t, "one", info.Summary.Title)
	}
}
