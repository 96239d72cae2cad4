package machine

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestWaited: more goroutines than processors, each with a thread, wait for one another, and
// what they compute is counted.
func TestWaited(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skipf("the system does not say: %v", err)
	}
	n := 4 * runtime.NumCPU()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	waited, computed, from := Waited(), Computed(), time.Now()
	hold, done := make(chan bool), sync.WaitGroup{}
	for range n {
		done.Go(func() {
			runtime.LockOSThread() // its thread is there until all are counted
			defer runtime.UnlockOSThread()
			for time.Since(from) < 300*time.Millisecond {
			}
			<-hold
		})
	}
	for time.Since(from) < 350*time.Millisecond {
		time.Sleep(10 * time.Millisecond)
	}
	waited, computed = Waited()-waited, Computed()-computed
	close(hold)
	done.Wait()
	if waited < 50*time.Millisecond || computed < 10*time.Millisecond {
		t.Errorf("%d threads on %d processors: waited %v, computed %v", n, runtime.NumCPU(), waited, computed)
	}
}
