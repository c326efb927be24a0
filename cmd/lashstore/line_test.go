package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// newLine is a data directory with one session, s.
func newLine(t *testing.T) *cli {
	c := newCLI(t)
	c.keeps(talk("s", "ua"))
	return c
}

// withStore opens session s for do.
func (c *cli) withStore(do func(*store.Store)) {
	c.t.Helper()
	s, err := store.OpenExisting(c.t.Context(), c.session("s"), nil)
	require.NoError(c.t, err)
	do(s)
	require.NoError(c.t, s.Close())
}

// held is a lease with what was claimed under it.
type held struct {
	lease lashstore.Lease
	lashstore.CheckpointClaims
}

// claims takes the lease of s and claims everything that waits at the head of both lines.
func (c *cli) claims(owner lashstore.Owner) held {
	c.t.Helper()
	var h held
	c.withStore(func(s *store.Store) {
		var err error
		h.lease, err = s.TakeLease(c.t.Context(), owner, time.Hour)
		require.NoError(c.t, err)
		h.Work, err = s.ClaimWork(c.t.Context(), h.lease.Fence(), lashstore.BoundaryIdle, 9)
		require.NoError(c.t, err)
		h.Inputs, err = s.ClaimNextInputs(c.t.Context(), h.lease.Fence(), 9)
		require.NoError(c.t, err)
	})
	return h
}

// settles commits what was claimed.
func (c *cli) settles(h held) {
	c.t.Helper()
	c.withStore(func(s *store.Store) {
		head, err := s.Load(c.t.Context(), &lashstore.LoadOptions{Scope: lashstore.ScopeHead})
		require.NoError(c.t, err)
		_, err = s.Commit(c.t.Context(), lashstore.Commit{
			SessionID: "s", Expect: head.Expect(), Lease: h.lease.Fence(), Turn: &lashstore.TurnStamp{TurnID: "t"},
			CompletedWork:   []lashstore.Completion{h.Work.Completion()},
			CompletedInputs: []lashstore.Completion{h.Inputs.Completion()},
		})
		require.NoError(c.t, err)
	})
}

var worker = lashstore.Owner{ID: "worker", Incarnation: "7"}

// id is the id that an add wrote.
func id(t *testing.T, added string) string {
	t.Helper()
	id, ok := strings.CutPrefix(strings.TrimSpace(added), "added ")
	require.True(t, ok, added)
	return id
}

// damage replaces bytes by as many others, in the file of the only session.
func (c *cli) damage(sound, damaged string) {
	c.t.Helper()
	name := c.database()
	b, err := os.ReadFile(name)
	require.NoError(c.t, err)
	require.Equal(c.t, 1, bytes.Count(b, []byte(sound)))
	require.Len(c.t, damaged, len(sound))
	require.NoError(c.t, os.WriteFile(name, bytes.Replace(b, []byte(sound), []byte(damaged), 1), 0o600))
}
