package bench

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

var durabilities = []lashstore.Durability{lashstore.DurabilityNormal, lashstore.DurabilityFull}

func workload(b *testing.B) []turn {
	b.Helper()
	list, err := turns(b.N)
	if err != nil {
		b.Fatal(err)
	}
	return list
}

func BenchmarkTurnCommitFloor(b *testing.B) {
	for _, d := range durabilities {
		b.Run(string(d), func(b *testing.B) {
			ctx := context.Background()
			list := workload(b)
			f, err := openFloor(ctx, filepath.Join(b.TempDir(), "floor.db"), d)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, t := range list {
				if err := f.commit(ctx, t); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			if err := f.close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkTurnCommitStore(b *testing.B) {
	for _, d := range durabilities {
		b.Run(string(d), func(b *testing.B) {
			ctx := context.Background()
			list := workload(b)
			s, err := store.Open(ctx, filepath.Join(b.TempDir(), "store.db"), lashstore.SessionMeta{SessionID: sessionID}, &store.Options{Durability: d})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			leaf := ""
			for _, t := range list {
				if _, err := s.Commit(ctx, t.commit(leaf)); err != nil {
					b.Fatal(err)
				}
				leaf = t.nodeIDs[len(t.nodeIDs)-1]
			}
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
