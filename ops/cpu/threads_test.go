package cpu

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// jobFunc is a job from a function.
type jobFunc func(worker, chunk int)

func (f jobFunc) Chunk(worker, chunk int) { f(worker, chunk) }

// Each chunk runs once, and no two at a time with the same worker.
func TestPoolRunsEachChunkOnce(t *testing.T) {
	for threads := 1; threads <= 4; threads++ {
		p := NewPool(threads)
		defer p.Close()
		for chunks := range 101 {
			counts := make([]atomic.Int32, chunks)
			once := func(how string) {
				for i := range counts {
					if n := counts[i].Swap(0); n != 1 {
						t.Fatalf("%d threads: %s ran chunk %d of %d %d times", threads, how, i, chunks, n)
					}
				}
			}
			for range 10 {
				p.Run(chunks, func(i int) { counts[i].Add(1) })
				once("Run")
				scratch := make([]int, threads) // the race detector watches it
				p.Do(chunks, jobFunc(func(w, i int) {
					scratch[w]++
					counts[i].Add(1)
				}))
				once("Do")
				sum := 0
				for _, n := range scratch {
					sum += n
				}
				if sum != chunks {
					t.Fatalf("%d threads: the workers counted %d of %d chunks", threads, sum, chunks)
				}
			}
		}
	}
}

// A worker runs its own chunks in ascending order and then those of the other
// one from the end, here while the other one is stuck in its first, and it goes
// on after a panic.
func TestPoolAffinity(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	for stuck, want := range [][]int{{4, 5, 6, 7, 3, 2, 1}, {0, 1, 2, 3, 7, 6, 5}} {
		for round := range 20 {
			both := make(chan struct{}) // both have begun
			var begun, left atomic.Int32
			left.Store(7)
			release := make(chan struct{})
			var order []int
			job := jobFunc(func(w, i int) {
				if i == 0 || i == 4 {
					if begun.Add(1) == 2 {
						close(both)
					}
					<-both
				}
				if w == stuck {
					<-release
					return
				}
				order = append(order, i)
				if left.Add(-1) == 0 {
					close(release)
				}
				if round%2 == 1 {
					panic("boom")
				}
			})
			if round%2 == 1 {
				panicsWith(t, "boom", func() { p.Do(8, job) })
			} else {
				p.Do(8, job)
			}
			if !slices.Equal(order, want) {
				t.Fatalf("worker %d ran %v, want %v", 1-stuck, order, want)
			}
		}
	}
}

// A worker that comes in time runs the first chunk of its range.
func TestPoolRanges(t *testing.T) {
	for _, chunks := range []int{4, 7, 32} {
		p := NewPool(4)
		defer p.Close()
		time.Sleep(3 * time.Millisecond) // also if it has to be woken
		var meet sync.WaitGroup
		meet.Add(4)
		var first [4]int
		var met [4]bool
		p.Do(chunks, jobFunc(func(w, i int) {
			if !met[w] { // so nobody steals before all have begun
				met[w], first[w] = true, i
				meet.Done()
				meet.Wait()
			}
		}))
		for w, i := range first {
			if i != w*chunks/4 {
				t.Errorf("worker %d of 4 began %d chunks with number %d, want %d", w, chunks, i, w*chunks/4)
			}
		}
	}
}

func TestPoolDoDoesNotAllocate(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	j := &sumJob{}
	if n := testing.AllocsPerRun(100, func() { p.Do(8, j) }); n != 0 {
		t.Fatalf("%v allocations per Do, want none", n)
	}
}

type sumJob struct{ sum [2][8]int }

func (j *sumJob) Chunk(worker, chunk int) { j.sum[worker][chunk]++ }

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
					// Where the outer Do was refused and runs inline, the inner one
					// may get the workers.
					p.Do(7, jobFunc(func(int, int) {
						p.Do(5, jobFunc(func(int, int) { n.Add(1) }))
					}))
				}
			})
		}
		wg.Wait()
		if n.Load() != 2*3*50*7*5 {
			t.Fatalf("%d threads: %d inner chunks, want %d", p.Threads(), n.Load(), 2*3*50*7*5)
		}
	})
}

// TestPoolNested: within a chunk of the pool's only Do another one stays on its
// goroutine, so that it may count without synchronisation.
func TestPoolNested(t *testing.T) {
	eachPool(func(p *Pool) {
		for range 50 {
			var n atomic.Int32
			p.Do(7, jobFunc(func(int, int) {
				inner := 0 // the race detector watches it
				p.Do(5, jobFunc(func(int, int) { inner++ }))
				n.Add(int32(inner))
			}))
			if n.Load() != 7*5 {
				t.Fatalf("%d threads: %d inner chunks, want %d", p.Threads(), n.Load(), 7*5)
			}
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
	p := NewPool(3)
	defer p.Close()
	for range 20 { // the others finish first, and a worker that panicked goes on
		var n atomic.Int32
		panicsWith(t, "boom", func() {
			p.Do(30, jobFunc(func(_, i int) {
				n.Add(1)
				if i%3 > 0 {
					panic("boom")
				}
			}))
		})
		if n.Load() != 30 {
			t.Fatalf("%d of 30 chunks began before the panic arrived", n.Load())
		}
	}
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
		p.Do(3, jobFunc(func(w, _ int) { ran += 1 + w }))
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
			for _, limit := range []int{1, 2, imageChunks, maxChunks} {
				s := partitionBy(n, cost, limit)
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

// idleJob does nothing, or with meet waits in each chunk until every thread is
// in one: what a fork and a join cost when all threads take part. Other programs
// on the same processors make that a time slice of the system's.
type idleJob struct {
	meet    bool
	arrived atomic.Int64
	passes  int64
}

func (j *idleJob) Chunk(int, int) {
	if j.meet {
		for j.arrived.Add(1); j.arrived.Load() < j.passes; {
			pause()
		}
	}
}

func BenchmarkPoolDo(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, chunks := range []int{2, 8, 32} {
			b.Run(fmt.Sprintf("empty/t%d/%d", threads, chunks), func(b *testing.B) {
				p := NewPool(threads)
				defer p.Close()
				j := &idleJob{}
				for b.Loop() {
					p.Do(chunks, j)
				}
			})
		}
	}
	b.Run("meet/t2/2", func(b *testing.B) {
		p := NewPool(2)
		defer p.Close()
		j := &idleJob{meet: true}
		for b.Loop() {
			j.passes += 2
			p.Do(2, j)
		}
	})
}
