package testsuite

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// race runs n goroutines that begin at the same moment, and waits for them. A panic in one of them fails the test.
func race(t testing.TB, n int, run func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			<-start
			run(i)
		})
	}
	close(start)
	wg.Wait()
}

// alternate runs background again and again beside n runs of step, each of which begins while background is running or
// has just run. Either ends both by returning false.
func alternate(t testing.TB, background func() bool, n int, step func(i int) bool) {
	t.Helper()
	var begun atomic.Int64
	var over atomic.Bool
	race(t, 2, func(i int) {
		defer over.Store(true)
		if i == 0 {
			for !over.Load() {
				begun.Add(1)
				if !background() {
					return
				}
				runtime.Gosched()
			}
			return
		}
		for i := range n {
			for seen := begun.Load(); begun.Load() == seen && !over.Load(); {
				runtime.Gosched()
			}
			if over.Load() || !step(i) {
				return
			}
		}
	})
}
