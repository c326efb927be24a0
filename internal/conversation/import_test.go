package conversation

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// 1. A turn is one commit with a stable id, without lease; messages become nodes with stable ids.
// 2. The model is configuration and description, the rest is in Extra.
func TestImport_CommitsTurnByTurn(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	var turns []string
	m.onCommit = func(_ lashstore.SessionStore, c lashstore.Commit) { turns = append(turns, c.Turn.TurnID) }
	c := talk(t, "suataua")
	assert.Equal(t, Result{Outcome: New, Turns: 2, Messages: 7}, imported(t, m, c))
	assert.Equal(t, []string{"turn-000001", "turn-000002"}, turns)

	session, err := m.sessions["s"].Load(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, lashstore.Revision(2), session.Revision)
	assert.JSONEq(t, `{"model":"m"}`, string(session.Config))
	assert.JSONEq(t, `{"turn_index":2}`, string(session.Checkpoint.TurnState))
	assert.Equal(t, "number 2", session.Summary.Title)
	require.Len(t, session.Graph.Nodes, 7)
	assert.Equal(t, "m000001", session.Graph.Nodes[0].ID)
	assert.Equal(t, lashstore.RoleTool, session.Graph.Nodes[3].Role)
	for i, n := range session.Graph.Nodes {
		assert.Equal(t, string(c.Messages[i].Raw), string(n.Payload))
	}
	requireSound(t, m, "s")
}

func TestImport_AgainChangesNothing(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, talk(t, "suaua"))
	m.onCommit = func(lashstore.SessionStore, lashstore.Commit) { t.Error("committed") }
	assert.Equal(t, Result{Outcome: Unchanged}, imported(t, m, talk(t, "suaua")))
}

// 1. New turns are appended. 2. So are messages that a turn got after it was stored. 3. The export is that of a fresh
// import.
func TestImport_GrownIsAppended(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, talk(t, "su"))
	assert.Equal(t, Result{Outcome: Grown, Turns: 1, Messages: 2}, imported(t, m, talk(t, "suat")))
	assert.Equal(t, Result{Outcome: Grown, Turns: 3, Messages: 4}, imported(t, m, talk(t, "suatauau")))
	assert.Equal(t, Result{Outcome: Unchanged}, imported(t, m, talk(t, "suatauau")))
	fresh := newMemory(t)
	imported(t, fresh, talk(t, "suatauau"))
	assert.Equal(t, exported(t, fresh, "s"), exported(t, m, "s"))
	requireSound(t, m, "s")
}

func TestImport_EmptyConversation(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	assert.Equal(t, Result{Outcome: New}, imported(t, m, talk(t, "")))
	assert.Equal(t, Result{Outcome: Unchanged}, imported(t, m, talk(t, "")))
	assert.Equal(t, `{"session_id":"s","model":"m","messages":[]}`+"\n", exported(t, m, "s"))
	assert.Equal(t, Result{Outcome: New, Turns: 1, Messages: 2}, imported(t, m, talk(t, "ua")))
}

func TestImport_ConflictLeavesWhatIsStored(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, line, reason string }{
		{"message", `{"session_id":"s","model":"m","messages":[{"role":"user","content":"other"}]}`, "message 1 of 1 differs from the stored one in content"},
		{"role", `{"session_id":"s","model":"m","messages":[{"role":"tool","content":"number 1"}]}`, "in role"},
		{"field", `{"session_id":"s","model":"m","messages":[{"role":"user","content":"number 1","n":1}]}`, "in n"},
		{"shorter", `{"session_id":"s","model":"m","messages":[{"role":"user","content":"number 1"}]}`, "2 messages are stored, and the input ends after 1"},
		{"model", `{"session_id":"s","model":"x","messages":[]}`, `model is "x", stored is "m"`},
		{"metadata", `{"session_id":"s","model":"m","metadata":{},"messages":[]}`, "metadata is not stored"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(t)
			imported(t, m, talk(t, "ua"))
			before := exported(t, m, "s")
			result := imported(t, m, parsed(t, tc.line))
			assert.Equal(t, Conflict, result.Outcome)
			assert.Contains(t, result.Reason, tc.reason)
			assert.Equal(t, before, exported(t, m, "s"))
		})
	}
}

func TestImport_SpellingIsNoConflict(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, parsed(t, `{"session_id":"s","x":{"a":1.0,"b":2},"messages":[{"role":"user","content":"é"}]}`))
	result := imported(t, m, parsed(t, `{ "x":{"b":2e0, "a":1}, "messages":[{"content":"\u00e9","role":"user"}], "session_id":"s" }`))
	assert.Equal(t, Result{Outcome: Unchanged}, result)
}

// The other writer commits the same turn, a longer one, or goes on beyond it, between our look and our commit.
func TestImport_OvertakenGoesOn(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"su", "sua", "suat", "suatu"} {
		t.Run(other, func(t *testing.T) {
			t.Parallel()
			m := newMemory(t)
			done := false
			m.onCommit = func(lashstore.SessionStore, lashstore.Commit) {
				if !done {
					done = true
					imported(t, m, talk(t, other))
				}
			}
			result := imported(t, m, talk(t, "suatua"))
			assert.NotEqual(t, Conflict, result.Outcome)
			fresh := newMemory(t)
			imported(t, fresh, talk(t, "suatua"))
			assert.Equal(t, exported(t, fresh, "s"), exported(t, m, "s"))
			requireSound(t, m, "s")
		})
	}
}

func TestImport_OvertakenByAnotherStoryIsAConflict(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	done := false
	m.onCommit = func(lashstore.SessionStore, lashstore.Commit) {
		if !done {
			done = true
			imported(t, m, talk(t, "uu"))
		}
	}
	result := imported(t, m, talk(t, "ua"))
	assert.Equal(t, Conflict, result.Outcome)
	assert.Contains(t, result.Reason, "message 2 of 2")
}

func TestImport_TurnOffTheActivePathIsAConflict(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, talk(t, "uaua"))
	_, err := m.sessions["s"].Commit(t.Context(), lashstore.Commit{
		SessionID: "s", Expect: lashstore.At(2), WithoutLease: true, Graph: lashstore.MoveLeaf("m000002"),
	})
	require.NoError(t, err)
	result := imported(t, m, talk(t, "uaua"))
	assert.Equal(t, Conflict, result.Outcome)
	assert.Contains(t, result.Reason, "no longer on the active path")
}

func TestImport_RespectsALease(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, talk(t, "ua"))
	_, err := m.sessions["s"].TakeLease(t.Context(), lashstore.Owner{ID: "o", Incarnation: "1"}, time.Hour)
	require.NoError(t, err)
	assert.Equal(t, Result{Outcome: Unchanged}, imported(t, m, talk(t, "ua")))
	result, err := Import(t.Context(), m, talk(t, "uau"))
	require.ErrorIs(t, err, lashstore.ErrLeaseBusy)
	assert.Zero(t, result.Turns)
}

// A runtime's checkpoint, parts included, is not the import's to replace.
func TestImport_KeepsARuntimesCheckpoint(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, talk(t, "ua"))
	_, err := m.sessions["s"].Commit(t.Context(), lashstore.Commit{
		SessionID: "s", Expect: lashstore.At(1), WithoutLease: true,
		Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"tool_state": lashstore.PartContent([]byte("x"))}},
	})
	require.NoError(t, err)
	assert.Equal(t, Grown, imported(t, m, talk(t, "uaua")).Outcome)
	session, err := m.sessions["s"].Load(t.Context(), nil)
	require.NoError(t, err)
	assert.Contains(t, session.Checkpoint.Parts, "tool_state")
}

func TestImport_CancelledKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	m.onCommit = func(_ lashstore.SessionStore, c lashstore.Commit) {
		if c.Turn.TurnID == "turn-000002" {
			cancel()
		}
	}
	result, err := Import(ctx, m, talk(t, "uauaua"))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, result.Turns)
	m.onCommit = nil
	assert.Equal(t, Result{Outcome: Grown, Turns: 2, Messages: 4}, imported(t, m, talk(t, "uauaua")))
}

// unreadable is a session whose checkpoint cannot be read.
type unreadable struct{ lashstore.SessionStore }

func (u unreadable) Load(ctx context.Context, o *lashstore.LoadOptions) (*lashstore.Session, error) {
	if o == nil || !o.WithoutCheckpoint {
		return nil, lashstore.ErrCorrupt
	}
	return u.SessionStore.Load(ctx, o)
}

// unreadableCheckpoints is a factory of such sessions.
type unreadableCheckpoints struct{ *memory }

func (u unreadableCheckpoints) OpenSession(ctx context.Context, id string) (lashstore.SessionStore, error) {
	s, err := u.memory.OpenSession(ctx, id)
	return unreadable{s}, err
}

// 1. Comparing and exporting need no checkpoint. 2. Going on does: nobody can tell whose it is, so nothing is written.
func TestImport_CheckpointThatCannotBeRead(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	imported(t, m, talk(t, "ua"))
	broken := unreadableCheckpoints{m}
	assert.Equal(t, Result{Outcome: Unchanged}, imported(t, broken, talk(t, "ua")))
	assert.Equal(t, Conflict, imported(t, broken, talk(t, "uu")).Outcome)
	assert.Equal(t, lineOf(t, talk(t, "ua")), exported(t, broken, "s"))

	result, err := Import(t.Context(), broken, talk(t, "uau"))
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	assert.Zero(t, result.Turns)
	assert.Equal(t, lineOf(t, talk(t, "ua")), exported(t, m, "s"))
}
