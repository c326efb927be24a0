package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// benchTurn is the turn that the design measures: four nodes of 1.4 KB, a part of 3 KB, usage, a receipt.
func benchTurn(n int, leaf string, expect lashstore.Expectation) lashstore.Commit {
	nodes := make([]lashstore.Node, 4)
	for i := range nodes {
		payload, err := json.Marshal(map[string]string{"role": "user", "content": string(text(1350, n*4+i))})
		if err != nil {
			panic(err)
		}
		nodes[i] = lashstore.Node{
			ID: fmt.Sprintf("node-%d-%d", n, i), ParentID: leaf, Kind: lashstore.NodeMessage, Role: lashstore.RoleUser, Payload: payload,
		}
		leaf = nodes[i].ID
	}
	return lashstore.Commit{
		SessionID: sessionID, Expect: expect, WithoutLease: true, Turn: &lashstore.TurnStamp{TurnID: fmt.Sprint("turn-", n)},
		Graph: lashstore.AppendNodes(nodes...),
		Checkpoint: &lashstore.Checkpoint{
			TurnState: json.RawMessage(`{"turn_index":1}`),
			Parts:     map[string]lashstore.Part{lashstore.PartNameToolState: lashstore.PartContent(text(3000, n))},
		},
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 100, Output: 20}}},
	}
}

type benchSession struct {
	*store.Store
	turn int
	leaf string
}

func (s *benchSession) next(b *testing.B) {
	expect := lashstore.Create()
	if s.turn > 0 {
		expect = lashstore.At(lashstore.Revision(s.turn))
	}
	s.turn++
	c := benchTurn(s.turn, s.leaf, expect)
	_, err := s.Commit(context.Background(), c)
	if err != nil {
		b.Fatal(err)
	}
	s.leaf = c.Graph.Nodes[3].ID
}

func benchOpen(b *testing.B, d lashstore.Durability, turns int) *benchSession {
	b.Helper()
	s, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "s.db"), lashstore.SessionMeta{SessionID: sessionID}, &store.Options{Durability: d})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	session := &benchSession{Store: s}
	for range turns {
		session.next(b)
	}
	return session
}

func BenchmarkCommit(b *testing.B) {
	for _, d := range []lashstore.Durability{lashstore.DurabilityNormal, lashstore.DurabilityFull} {
		for _, nodes := range []int{100, 100_000} {
			b.Run(fmt.Sprintf("%s/nodes=%d", d, nodes), func(b *testing.B) {
				s := benchOpen(b, d, nodes/4)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					s.next(b)
				}
			})
		}
	}
}

func BenchmarkLoadLast200(b *testing.B) {
	for _, nodes := range []int{400, 100_000} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			s := benchOpen(b, lashstore.DurabilityNormal, nodes/4)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				loaded, err := s.Load(context.Background(), &lashstore.LoadOptions{Last: 200})
				if err != nil || len(loaded.Graph.Nodes) != 200 {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	b.Run("cold", func(b *testing.B) {
		dir := b.TempDir()
		for i := range b.N {
			s, err := store.Open(context.Background(), filepath.Join(dir, fmt.Sprint(i, ".db")), lashstore.SessionMeta{SessionID: sessionID}, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			require.NoError(b, s.Close())
			b.StartTimer()
		}
	})
	b.Run("warm", func(b *testing.B) {
		path := benchOpen(b, lashstore.DurabilityFull, 10).File()
		b.ResetTimer()
		for range b.N {
			s, err := store.OpenExisting(context.Background(), path, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			require.NoError(b, s.Close())
			b.StartTimer()
		}
	})
}

// A claim costs the same whatever waits behind it: one batch is claimed and given back with a hundred in the line, and
// with a hundred thousand.
func BenchmarkClaim(b *testing.B) {
	for _, waiting := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			ctx := context.Background()
			s, err := store.Open(ctx, filepath.Join(b.TempDir(), "s.db"), lashstore.SessionMeta{SessionID: sessionID},
				&store.Options{Durability: lashstore.DurabilityNormal})
			require.NoError(b, err)
			defer func() { require.NoError(b, s.Close()) }()
			for i := range waiting {
				d := wake(fmt.Sprint(i))
				d.Slot, d.MergeKey = lashstore.SlotJoin, fmt.Sprint(i/4) // groups of four
				_, err := s.EnqueueWork(ctx, d)
				require.NoError(b, err)
			}
			lease, err := s.TakeLease(ctx, worker, lashstore.MaxLeaseTTL)
			require.NoError(b, err)
			for b.Loop() {
				claim, err := s.ClaimWork(ctx, lease.Fence(), lashstore.BoundaryIdle, 64)
				if err != nil || len(claim.Batches) != 4 {
					b.Fatal(claim, err)
				}
				b.StopTimer()
				if err := s.AbandonWork(ctx, claim); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// A checkpoint with nothing to take is one read.
func BenchmarkIdleCheckpoint(b *testing.B) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(b.TempDir(), "s.db"), lashstore.SessionMeta{SessionID: sessionID}, nil)
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	lease, err := s.TakeLease(ctx, worker, lashstore.MaxLeaseTTL)
	require.NoError(b, err)
	for b.Loop() {
		_, err := s.ClaimCheckpoint(ctx, lease.Fence(), lashstore.CheckpointRequest{
			At: lashstore.TurnCheckpoint{TurnID: "t", Boundary: lashstore.AfterWork}, MaxInputs: 64, MaxWork: 64,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
