package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// enqueued is one batch, and when putting it in began and was acknowledged.
type enqueued struct {
	id          string
	began, done int64 // nanoseconds since 1970: the clock of the machine, so that two processes may compare
}

func enqueueNow(s *store.Store) (enqueued, error) {
	var e enqueued
	e.began = time.Now().UnixNano()
	added, err := s.EnqueueWork(context.Background(), wake(""))
	e.done, e.id = time.Now().UnixNano(), added.Batch.ID
	return e, err
}

// enqueueOnRequest is a child that puts a batch in for every line it reads, and says when it did.
func enqueueOnRequest(path string) error {
	s, err := store.OpenExisting(context.Background(), path, nil)
	if err != nil {
		return err
	}
	for in := bufio.NewReader(os.Stdin); ; {
		if _, err := in.ReadString('\n'); err != nil {
			return s.Close()
		}
		e, err := enqueueNow(s)
		if err != nil {
			return err
		}
		fmt.Println(e.id, e.began, e.done)
	}
}

// How long after a batch was acknowledged its waiter has woken, and how long after the enqueuing began, with the commit
// in it. A waiter that is there before the acknowledgement is took no time. Full durability.
func BenchmarkWakeup(b *testing.B) {
	open := func(b *testing.B) *store.Store {
		s, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "s.db"), lashstore.SessionMeta{SessionID: sessionID}, nil)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, s.Close()) })
		return s
	}
	b.Run("in_process", func(b *testing.B) {
		s := open(b)
		measureWakeups(b, s, func() enqueued {
			e, err := enqueueNow(s)
			require.NoError(b, err)
			return e
		})
	})
	b.Run("other_process", func(b *testing.B) {
		s := open(b)
		child := start(b, "enqueue", s.File())
		measureWakeups(b, s, func() (e enqueued) {
			child.release(b)
			_, err := fmt.Sscan(child.line(b), &e.id, &e.began, &e.done)
			require.NoError(b, err)
			return e
		})
		require.NoError(b, child.in.Close())
		require.NoError(b, child.Wait())
	})
}

func measureWakeups(b *testing.B, s *store.Store, enqueue func() enqueued) {
	ctx := context.Background()
	var wakes, calls []int64
	for range b.N {
		woken := make(chan int64, 1)
		failed := make(chan error, 1)
		go func() {
			ready, err := s.WaitReady(ctx, nil)
			woken <- time.Now().UnixNano()
			if err == nil && !ready.Work {
				err = fmt.Errorf("woken by %+v", ready)
			}
			failed <- err
		}()
		time.Sleep(5 * time.Millisecond) // it has looked, and waits
		select {
		case <-woken:
			b.Fatal("woken before there was anything")
		default:
		}
		e := enqueue()
		at := <-woken
		require.NoError(b, <-failed)
		wakes, calls = append(wakes, max(at-e.done, 0)), append(calls, at-e.began)
		_, err := s.CancelWork(ctx, lashstore.ByID(e.id))
		require.NoError(b, err)
	}
	b.ReportMetric(0, "ns/op") // mostly the pause
	for name, all := range map[string][]int64{"wake": wakes, "call": calls} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2])/1e3, name+"-p50-us")
		b.ReportMetric(float64(all[(len(all)-1)*99/100])/1e3, name+"-p99-us")
	}
}
