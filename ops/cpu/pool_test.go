package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPoolRunsEachChunkOnce(t *testing.T) {
	eachPool(func(p *Pool) {
		for chunks := range 70 {
			for range 20 {
				counts := make([]atomic.Int32, chunks)
				p.Run(chunks, func(i int) { counts[i].Add(1) })
				for i := range counts {
					if n := counts[i].Load(); n != 1 {
						t.Fatalf("%d threads: chunk %d of %d ran %d times", p.Threads(), i, chunks, n)
					}
				}
			}
		}
	})
}

// Run must return only when the last chunk is done, also when the workers are
// parked when it starts or when it waits for them.
func TestPoolWaits(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	for range 5 {
		time.Sleep(3 * time.Millisecond) // long enough for the workers to park
		var done atomic.Int32
		p.Run(8, func(i int) {
			if i > 3 {
				time.Sleep(time.Millisecond) // long enough for the caller to block
			}
			done.Add(1)
		})
		if n := done.Load(); n != 8 {
			t.Fatalf("Run returned after %d of 8 chunks", n)
		}
	}
}

func TestPoolUsesItsThreads(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	if p.Threads() != 3 {
		t.Fatalf("Threads() = %d, want 3", p.Threads())
	}
	var meet sync.WaitGroup
	meet.Add(3)
	p.Run(3, func(int) { // returns only if three chunks run at a time
		meet.Done()
		meet.Wait()
	})
}

func TestPoolNestedAndConcurrent(t *testing.T) {
	eachPool(func(p *Pool) {
		var n atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 50 {
					p.Run(7, func(int) {
						p.Run(5, func(int) { n.Add(1) })
					})
				}
			})
		}
		wg.Wait()
		if n.Load() != 3*50*7*5 {
			t.Fatalf("%d threads: %d inner chunks, want %d", p.Threads(), n.Load(), 3*50*7*5)
		}
	})
}

func TestPoolPanics(t *testing.T) {
	eachPool(func(p *Pool) {
		for bad := range 9 {
			panicsWith(t, "boom", func() {
				p.Run(9, func(i int) {
					if i == bad {
						panic("boom")
					}
				})
			})
		}
		var n atomic.Int32
		p.Run(9, func(int) { n.Add(1) })
		if n.Load() != 9 {
			t.Fatalf("%d threads: %d of 9 chunks after a panic", p.Threads(), n.Load())
		}
	})
	panicsWith(t, badThreads, func() { NewPool(0) })
	panicsWith(t, badChunks, func() { (*Pool)(nil).Run(-1, nil) })
	panicsWith(t, badClose, func() {
		p := NewPool(2)
		defer p.Close()
		p.Run(2, func(int) { p.Close() })
	})
}

func TestPoolClose(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := range 20 {
		p := NewPool(4)
		if i%2 == 0 {
			p.Run(4, func(int) {})
		}
		if i%5 == 0 {
			time.Sleep(3 * time.Millisecond) // parked
		}
		p.Close()
		p.Close()
		ran := 0
		p.Run(3, func(int) { ran++ })
		if ran != 3 {
			t.Fatalf("a closed pool ran %d of 3 chunks", ran)
		}
	}
	// An exited goroutine may be counted for a moment.
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 100 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(time.Millisecond)
	}
	(*Pool)(nil).Close()
}

func TestSplitCoversOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 31, 32, 33, 100, 1000, 12345} {
		for _, cost := range []int{0, 1, 100, 1 << 14, 1 << 15, 1 << 40} {
			for _, limit := range []int{1, 2, maxPartials, maxChunks} {
				s := splitBy(n, cost, limit)
				if c := s.chunks(); c > limit || c == 0 && n > 0 {
					t.Fatalf("%d items of cost %d: %d chunks, limit %d", n, cost, c, limit)
				}
				next := 0
				for i := range s.chunks() {
					lo, hi := s.bounds(i)
					if lo != next || hi <= lo {
						t.Fatalf("%d items of cost %d: chunk %d is [%d,%d), want it to start at %d", n, cost, i, lo, hi, next)
					}
					next = hi
				}
				if next != n {
					t.Fatalf("%d items of cost %d: %d covered", n, cost, next)
				}
			}
		}
	}
}

func BenchmarkPool(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(map[int]string{1: "t1", 2: "t2"}[threads], func(b *testing.B) {
			p := NewPool(threads)
			defer p.Close()
			for b.Loop() {
				p.Run(8, func(int) {})
			}
		})
	}
}
