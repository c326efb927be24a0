package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func TestMain(m *testing.M) {
	if role := os.Getenv("STORE_TEST_ROLE"); role != "" {
		if err := childRoles[role](os.Getenv("STORE_TEST_PATH")); err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// fixture is one session on disk.
type fixture struct {
	*store.Store
	t    testing.TB
	path string
}

const sessionID = "fixture"

// setup creates a session; after the test it must be sound, unless damaged says otherwise.
func setup(t testing.TB, options *store.Options) *fixture {
	t.Helper()
	path := filepath.Join(t.TempDir(), "session.db")
	f := &fixture{t: t, path: path}
	var err error
	f.Store, err = store.Open(t.Context(), path, lashstore.SessionMeta{SessionID: sessionID}, options)
	require.NoError(t, err)
	// What a commit supersedes is garbage at once: tests of history say otherwise.
	require.NoError(t, f.KeepRevisions(context.Background(), 0))
	t.Cleanup(func() { require.NoError(t, f.Store.Close()) })
	return f
}

// sound fails the test when a verification finds anything.
func (f *fixture) sound() {
	f.t.Helper()
	report, err := f.Verify(context.Background())
	require.NoError(f.t, err)
	require.Empty(f.t, report.Findings)
}

// findings returns what a verification finds, by kind.
func (f *fixture) findings() map[lashstore.FindingKind]int {
	f.t.Helper()
	report, err := f.Verify(context.Background())
	require.NoError(f.t, err)
	kinds := map[lashstore.FindingKind]int{}
	for _, finding := range report.Findings {
		assert.NotEmpty(f.t, finding.Key)
		assert.NotEmpty(f.t, finding.Detail)
		kinds[finding.Kind]++
	}
	return kinds
}

// damage closes the session, lets fn at the file, and opens it again.
func (f *fixture) damage(fn func(path string)) {
	f.t.Helper()
	require.NoError(f.t, f.Store.Close())
	fn(f.path)
	var err error
	f.Store, err = store.OpenExisting(context.Background(), f.path, nil)
	require.NoError(f.t, err)
}

func message(id, parent string, role lashstore.Role, text string) lashstore.Node {
	payload, err := json.Marshal(map[string]any{"role": role, "content": text})
	if err != nil {
		panic(err)
	}
	return lashstore.Node{ID: id, ParentID: parent, Kind: lashstore.NodeMessage, Role: role, Payload: payload}
}

// turn is a commit of one exchange behind what is stored: two messages, a checkpoint, usage.
func (f *fixture) turn(n int) lashstore.Commit {
	f.t.Helper()
	s, err := f.Load(context.Background(), &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true})
	require.NoError(f.t, err)
	user, reply := fmt.Sprintf("u%d", n), fmt.Sprintf("a%d", n)
	return lashstore.Commit{
		SessionID: sessionID, Expect: s.Expect(), WithoutLease: true, Turn: &lashstore.TurnStamp{TurnID: fmt.Sprintf("turn-%d", n)},
		Graph: lashstore.AppendNodes(
			message(user, s.Graph.Leaf, lashstore.RoleUser, fmt.Sprintf("question %d", n)),
			message(reply, user, lashstore.RoleAssistant, fmt.Sprintf("answer %d", n))),
		Checkpoint: &lashstore.Checkpoint{
			TurnState: json.RawMessage(fmt.Sprintf(`{"turn_index":%d}`, n)),
			Parts: map[string]lashstore.Part{
				lashstore.PartNameToolState:      lashstore.PartContent([]byte(fmt.Sprintf("tools of turn %d", n))),
				lashstore.PartNameExecutionState: lashstore.PartContent(text(6000, n)),
			},
		},
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 10, Output: 5}}},
	}
}

// text is compressible content that differs by seed.
func text(size, seed int) []byte {
	b := make([]byte, 0, size+64)
	for i := 0; len(b) < size; i++ {
		b = fmt.Appendf(b, "line %d of %d; ", i, seed)
	}
	return b[:size]
}

func (f *fixture) commit(c lashstore.Commit) lashstore.CommitResult {
	f.t.Helper()
	result, err := f.Commit(context.Background(), c)
	require.NoError(f.t, err)
	return result
}

// turns commits n turns.
func (f *fixture) turns(n int) {
	f.t.Helper()
	for i := 1; i <= n; i++ {
		f.commit(f.turn(i))
	}
}
