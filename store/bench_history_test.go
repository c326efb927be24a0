package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// Looking back costs little more than looking at the head: the last 200 nodes as of ten revisions ago, with a hundred thousand
// nodes of history, beside the same at the head.
func BenchmarkLoadAt(b *testing.B) {
	s := benchOpen(b, lashstore.DurabilityNormal, 100_000/4)
	for _, back := range []int{0, 10} {
		b.Run(fmt.Sprintf("back=%d", back), func(b *testing.B) {
			b.ReportAllocs()
			at := lashstore.Revision(s.turn - back)
			for b.Loop() {
				loaded, err := s.Load(context.Background(), &lashstore.LoadOptions{At: at, Last: 200})
				if err != nil || loaded.Revision != at || len(loaded.Graph.Nodes) != 200 || len(loaded.Checkpoint.Parts) != 1 {
					b.Fatal(err)
				}
			}
		})
	}
}

// A commit pays nothing for the revisions that are kept.
func BenchmarkCommitKeeping(b *testing.B) {
	for _, keep := range []int{0, 20} {
		b.Run(fmt.Sprintf("keep=%d", keep), func(b *testing.B) {
			s := benchOpen(b, lashstore.DurabilityNormal, 100)
			require.NoError(b, s.KeepRevisions(context.Background(), keep))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				s.next(b)
			}
		})
	}
}

// Collecting pays for them: the manifest of each is read. A collection behind each commit, as the policy may have it.
func BenchmarkCommitAndCollectKeeping(b *testing.B) {
	for _, keep := range []int{0, 20} {
		b.Run(fmt.Sprintf("keep=%d", keep), func(b *testing.B) {
			s := benchOpen(b, lashstore.DurabilityNormal, 100)
			require.NoError(b, s.KeepRevisions(context.Background(), keep))
			b.ResetTimer()
			for range b.N {
				s.next(b)
				if _, err := s.GC(context.Background(), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
