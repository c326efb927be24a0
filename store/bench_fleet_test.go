package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// BenchmarkFleetList lists 10,000 sessions: by looking into each file, by a catalog that is not there yet, by one that is,
// with nothing changed since, in full and its first page, and a page of it without a look at the directory.
func BenchmarkFleetList(b *testing.B) {
	const sessions = 10_000
	dir := b.TempDir()
	benchSessions(b, dir, sessions)
	open := func(b *testing.B) *store.Fleet {
		f, err := store.NewFleet(dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
	b.Run("scan", func(b *testing.B) {
		f := open(b)
		for b.Loop() {
			n := 0
			for range f.Sessions(b.Context()) {
				n++
			}
			requireCount(b, n, sessions)
		}
		benchClose(b, f)
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(filepath.Join(dir, store.CatalogName) + suffix); err != nil && !os.IsNotExist(err) {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			f := open(b)
			requireCount(b, listAll(b, f), sessions)
			benchClose(b, f)
		}
	})
	b.Run("catalogued", func(b *testing.B) {
		f := open(b)
		requireCount(b, listAll(b, f), sessions)
		for b.Loop() {
			requireCount(b, listAll(b, f), sessions)
		}
		benchClose(b, f)
	})
	b.Run("first", func(b *testing.B) {
		f := open(b)
		for b.Loop() {
			page, err := f.List(b.Context(), nil)
			if err != nil {
				b.Fatal(err)
			}
			requireCount(b, len(page.Sessions), store.DefaultPageSize)
		}
		benchClose(b, f)
	})
	b.Run("page", func(b *testing.B) {
		f := open(b)
		for b.Loop() {
			page, err := f.List(b.Context(), &store.ListQuery{NoRefresh: true})
			if err != nil {
				b.Fatal(err)
			}
			requireCount(b, len(page.Sessions), store.DefaultPageSize)
		}
		benchClose(b, f)
	})
}

// benchSessions makes sessions of one commit, whose files are a while old.
func benchSessions(b *testing.B, dir string, count int) {
	factory, err := store.NewFactory(dir, &store.Options{Durability: lashstore.DurabilityNormal})
	if err != nil {
		b.Fatal(err)
	}
	for i := range count {
		s, err := factory.CreateSession(context.Background(), lashstore.SessionMeta{SessionID: fmt.Sprintf("session-%05d", i), Model: "m"})
		if err != nil {
			b.Fatal(err)
		}
		if err := say(context.Background(), s, "m"); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		at := time.Now().Add(-time.Hour)
		if err := os.Chtimes(factory.PathOf(s.SessionID()), at, at); err != nil {
			b.Fatal(err)
		}
	}
}

// listAll lists by full pages, the first of them with a refresh, and returns how many there were.
func listAll(b *testing.B, f *store.Fleet) (n int) {
	query := &store.ListQuery{Limit: store.MaxPageSize}
	for {
		page, err := f.List(b.Context(), query)
		if err != nil {
			b.Fatal(err)
		}
		n += len(page.Sessions)
		if page.Next == "" {
			return n
		}
		query.After, query.NoRefresh = page.Next, true
	}
}

func requireCount(b *testing.B, got, want int) {
	if got != want {
		b.Fatalf("listed %d, not %d", got, want)
	}
}

func benchClose(b *testing.B, f *store.Fleet) {
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}
