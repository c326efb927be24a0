package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// childRoles are what this test binary does when it is started as a child.
var childRoles = map[string]func(path string) error{
	"turns":   commitTurns,
	"hold":    holdSession,
	"enqueue": enqueueOnRequest,
	"create": func(dir string) error {
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
		f, err := store.NewFactory(dir, nil)
		if err != nil {
			return err
		}
		meta := lashstore.SessionMeta{SessionID: sessionID, Name: fmt.Sprint("by ", os.Getpid())}
		s, err := f.CreateSession(context.Background(), meta)
		if err != nil {
			return err
		}
		got, err := s.Meta(context.Background())
		if err != nil {
			return err
		}
		fmt.Println(got.Name)
		return s.Close()
	},
}

// commitTurns commits one turn after the other, each under a lease of its own, and prints every one that is
// acknowledged. Two of these on one session take turns.
func commitTurns(path string) error {
	ctx := context.Background()
	s, err := store.OpenExisting(ctx, path, nil)
	if err != nil {
		return err
	}
	owner := store.LocalOwner("worker", fmt.Sprint(os.Getpid()))
	for {
		lease, err := s.TakeLease(ctx, owner, time.Minute)
		var busy *lashstore.LeaseBusyError
		if errors.As(err, &busy) {
			if lease, err = s.ReclaimLease(ctx, owner, busy.Holder, time.Minute); errors.Is(err, lashstore.ErrLeaseBusy) {
				time.Sleep(time.Millisecond)
				continue
			}
		}
		if err != nil {
			return err
		}
		head, err := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true})
		if err != nil {
			return err
		}
		n := int(head.Revision) + 1
		id := fmt.Sprintf("n%d", n)
		result, err := s.Commit(ctx, lashstore.Commit{
			SessionID: sessionID, Expect: head.Expect(), Lease: lease.Fence(), ReleaseLease: true,
			Turn:       &lashstore.TurnStamp{TurnID: fmt.Sprintf("turn-%d", n)},
			Graph:      lashstore.AppendNodes(message(id, head.Graph.Leaf, lashstore.RoleUser, id)),
			Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(fmt.Sprint(n)), Parts: map[string]lashstore.Part{"state": lashstore.PartContent(text(5000, n))}},
			Usage:      []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 1}}},
		})
		if err != nil {
			return err
		}
		fmt.Println(result.Revision)
	}
}

// holdSession keeps a handle open until it is told to end, and then says what a commit meets.
func holdSession(path string) error {
	ctx := context.Background()
	s, err := store.OpenExisting(ctx, path, nil)
	if err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	_, loadErr := s.Load(ctx, nil)
	_, commitErr := s.Commit(ctx, lashstore.Commit{SessionID: s.SessionID(), Expect: lashstore.At(1), WithoutLease: true})
	fmt.Println(errors.Is(loadErr, lashstore.ErrSessionDeleted), errors.Is(commitErr, lashstore.ErrSessionDeleted))
	return s.Close()
}

type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t testing.TB, role, path string) process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), "STORE_TEST_ROLE="+role, "STORE_TEST_PATH="+path)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	return process{c, in, bufio.NewScanner(out)}
}

func (p process) line(t testing.TB) string {
	t.Helper()
	require.True(t, p.out.Scan(), "the child said nothing")
	return p.out.Text()
}

func (p process) release(t testing.TB) {
	t.Helper()
	_, err := p.in.Write([]byte("go\n"))
	require.NoError(t, err)
}

// holdWriteLock keeps the write lock of a session's file from another handle, until release.
func holdWriteLock(t *testing.T, path string) (release func()) {
	t.Helper()
	began, end := make(chan struct{}), make(chan struct{})
	clock := lashstore.ClockFunc(func() time.Time { // read inside the transaction
		select {
		case <-began:
		default:
			close(began)
			<-end
		}
		return time.Now()
	})
	s, err := store.OpenExisting(t.Context(), path, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	var wg sync.WaitGroup
	var once sync.Once
	wg.Go(func() {
		armed := false
		var h *store.Store
		h, err := store.OpenExisting(t.Context(), path, &store.Options{Clock: lashstore.ClockFunc(func() time.Time {
			if !armed {
				return time.Now()
			}
			return clock.Now()
		})})
		if !assert.NoError(t, err) {
			close(began)
			return
		}
		armed = true
		_, err = h.TakeLease(t.Context(), lashstore.Owner{ID: "holder", Incarnation: "1"}, 0)
		assert.NoError(t, err)
		assert.NoError(t, h.Close())
	})
	<-began
	return func() { once.Do(func() { close(end); wg.Wait() }) }
}

// Two processes share a session and are killed again and again.
//
// 1. What was acknowledged is there, in order, and nothing is half there.
// 2. The lease of a killed holder is taken over at once, not after it expires.
func TestKilledWritersLeaveAWholeSession(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	f := setup(t, nil)
	acknowledged := lashstore.Revision(0)
	for range 12 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 2 {
			p := start(t, "turns", f.path)
			life := time.Duration(random.IntN(80)) * time.Millisecond // from its first turn on: starting may take long
			wg.Go(func() {
				for begun := false; p.out.Scan(); begun = true {
					if !begun {
						time.AfterFunc(life, func() { assert.NoError(t, p.Process.Kill()) })
					}
					var r lashstore.Revision
					if _, err := fmt.Sscanf(p.out.Text(), "%d", &r); err == nil {
						mu.Lock()
						acknowledged = max(acknowledged, r)
						mu.Unlock()
					}
				}
				assert.ErrorContains(t, p.Wait(), "signal: killed")
			})
		}
		wg.Wait()
		s, err := f.Load(t.Context(), nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, s.Revision, acknowledged)
		require.Len(t, s.Graph.Nodes, int(s.Revision))
		if s.Revision > 0 {
			assert.JSONEq(t, fmt.Sprint(s.Revision), string(s.Checkpoint.TurnState))
			assert.EqualValues(t, s.Revision, s.Usage[0].Usage.Input)
			assert.EqualValues(t, s.Revision, s.Summary.Turns)
		}
		f.sound()
	}
	assert.Greater(t, acknowledged, lashstore.Revision(10))
}

// 8.B.45, 10.W9: any number of processes create one session at once; all get the same.
func TestConcurrentCreatorsAgree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var names sync.Map
	var wg sync.WaitGroup
	var children []process
	for range 8 {
		children = append(children, start(t, "create", dir))
	}
	for _, p := range children {
		p.release(t)
		wg.Go(func() {
			if assert.True(t, p.out.Scan()) {
				names.Store(p.out.Text(), true)
			}
			assert.NoError(t, p.Wait())
		})
	}
	wg.Wait()
	var all []string
	names.Range(func(k, _ any) bool { all = append(all, fmt.Sprint(k)); return true })
	assert.Len(t, all, 1, strings.Join(all, ", "))
}
