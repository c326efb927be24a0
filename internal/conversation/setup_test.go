package conversation

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// memory is a factory whose sessions live in memory, and outlive their handles.
type memory struct {
	sessions map[string]*store.Store
	// onCommit, when set, runs before each commit.
	onCommit func(lashstore.SessionStore, lashstore.Commit)
}

func newMemory(t interface{ Cleanup(func()) }) *memory {
	m := &memory{sessions: map[string]*store.Store{}}
	t.Cleanup(func() {
		for _, s := range m.sessions {
			_ = s.Close()
		}
	})
	return m
}

// memoryHandle leaves the session open when it is closed.
type memoryHandle struct {
	*store.Store
	m *memory
}

func (h memoryHandle) Close() error { return nil }

func (h memoryHandle) Commit(ctx context.Context, c lashstore.Commit) (lashstore.CommitResult, error) {
	if h.m.onCommit != nil {
		h.m.onCommit(h.Store, c)
	}
	return h.Store.Commit(ctx, c)
}

func (m *memory) Durability() lashstore.Durability { return lashstore.DurabilityNone }

func (m *memory) CreateSession(ctx context.Context, meta lashstore.SessionMeta) (lashstore.SessionStore, error) {
	if _, known := m.sessions[meta.SessionID]; !known {
		s, err := store.Memory(ctx, meta, nil)
		if err != nil {
			return nil, err
		}
		m.sessions[meta.SessionID] = s
	}
	return m.OpenSession(ctx, meta.SessionID)
}

func (m *memory) OpenSession(_ context.Context, id string) (lashstore.SessionStore, error) {
	if s, known := m.sessions[id]; known {
		return memoryHandle{s, m}, nil
	}
	return nil, lashstore.ErrSessionNotFound
}

func (m *memory) DeleteSession(context.Context, string) error { return nil }

func (m *memory) Sessions(context.Context) iter.Seq2[lashstore.SessionInfo, error] {
	return func(func(lashstore.SessionInfo, error) bool) {}
}

// parsed is the conversation of a line that is one.
func parsed(t require.TestingT, line string) Conversation {
	c, err := Parse([]byte(line))
	require.NoError(t, err, line)
	return c
}

// talk is a conversation with one message a letter: u is a user's, a an assistant's, s a system's, t a tool's.
func talk(t require.TestingT, letters string) Conversation {
	roles := map[rune]string{'u': "user", 'a': "assistant", 's': "system", 't': "tool"}
	var messages []string
	for i, letter := range letters {
		messages = append(messages, fmt.Sprintf(`{"role":%q,"content":"number %d"}`, roles[letter], i+1))
	}
	return parsed(t, `{"session_id":"s","model":"m","messages":[`+strings.Join(messages, ",")+`]}`)
}

func imported(t require.TestingT, factory lashstore.SessionFactory, c Conversation) Result {
	result, err := Import(context.Background(), factory, c)
	require.NoError(t, err)
	return result
}

// exported is what a session gives back, as a line.
func exported(t require.TestingT, factory lashstore.SessionFactory, id string) string {
	s, err := factory.OpenSession(context.Background(), id)
	require.NoError(t, err)
	c, _, err := FromSession(context.Background(), s)
	require.NoError(t, err)
	return lineOf(t, c)
}

func lineOf(t require.TestingT, c Conversation) string {
	line, err := c.AppendLine(nil)
	require.NoError(t, err)
	return string(line)
}

// requireSound holds the session against the store's own verification.
func requireSound(t *testing.T, m *memory, id string) {
	t.Helper()
	report, err := m.sessions[id].Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}
