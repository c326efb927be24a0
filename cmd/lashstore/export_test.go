package main

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An export that lacks a session must not take the place of a whole one.
func TestExport_IncompleteLeavesTheFileAsItWas(t *testing.T) {
	t.Parallel()
	a := &app{}
	name := filepath.Join(t.TempDir(), "out.jsonl")
	require.NoError(t, os.WriteFile(name, []byte("whole\n"), 0o600))
	err := a.exportTo(name, func(w *bufio.Writer) error {
		a.wrong = true
		_, err := w.WriteString("half\n")
		return err
	})
	require.ErrorContains(t, err, "left as it was")
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "whole\n", string(data))
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

// The name that a file has while it is written is not told.
func TestExport_ErrorNamesTheFile(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.keeps(talk("s", "u"))
	name := filepath.Join(t.TempDir(), "missing", "out.jsonl")
	assert.Equal(t, "lashstore: open "+name+": no such file or directory\n", c.run("export", "--all", "-o", name).stderr)
}
