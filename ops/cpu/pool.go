package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	badThreads = "cpu: NewPool needs at least one thread"
	badChunks  = "cpu: Run of a negative number of chunks"
	badClose   = "cpu: Close while Run is in progress"
)

// spinRounds is how often an idle worker looks for work before it parks: some
// 30 us, the gap between two kernels of a training step. Waking a parked worker
// takes about 5 us, so a gap much longer than that is worth a park.
const spinRounds = 150

// Pool runs the chunks of one kernel at a time on a fixed set of goroutines.
//
// Which goroutine runs which chunk is left to chance, so a kernel must write
// each result from one chunk only and must cut its work into chunks by shape
// alone, never by Threads. Then the thread count changes no bit.
//
// A nil *Pool is valid and runs everything on the calling goroutine.
type Pool struct {
	workers []*worker
	busy    atomic.Bool // a Run is in progress, or the pool is closed
	closed  atomic.Bool
	exited  sync.WaitGroup

	// The job. These fields are written before state is stored and stay as they
	// are until every chunk is done.
	f        func(chunk int)
	chunks   uint32
	panicked atomic.Pointer[panicValue]

	_     [64]byte
	state atomic.Uint64 // generation<<32 | chunks that nobody has taken yet
	_     [56]byte
	left  atomic.Int64 // chunks that are not done
	_     [56]byte

	waits atomic.Bool   // the caller of Run is about to block, or blocks, on done
	done  chan struct{} // capacity 1
}

// worker is one goroutine of a Pool besides the caller of Run.
type worker struct {
	asleep atomic.Bool
	wake   chan struct{} // capacity 1; a token is sent by whoever clears asleep
}

type panicValue struct{ v any }

// NewPool starts threads-1 goroutines; the caller of Run is the last thread.
// Close stops them. It panics if threads < 1.
func NewPool(threads int) *Pool {
	if threads < 1 {
		panic(badThreads)
	}
	p := &Pool{done: make(chan struct{}, 1)}
	for range threads - 1 {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		p.exited.Go(func() { p.work(w) })
	}
	return p
}

// Threads returns the number of threads, at least 1.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return len(p.workers) + 1
}

// Close stops the workers and returns when they are gone. A later Run runs on
// the calling goroutine; a second Close does nothing. It panics if a Run is in
// progress.
func (p *Pool) Close() {
	if p == nil || p.closed.Load() {
		return
	}
	if !p.busy.CompareAndSwap(false, true) { // stays set
		panic(badClose)
	}
	p.closed.Store(true)
	for _, w := range p.workers {
		w.rouse()
	}
	p.exited.Wait()
}

// Run calls f(0) ... f(chunks-1), each once, on all threads, and returns when
// they are done. It panics with the value of the first call that panicked, once
// the others have finished. f must not call runtime.Goexit.
//
// While a Run is in progress another one, be it from within f or from another
// goroutine, runs its chunks on its own goroutine in ascending order.
func (p *Pool) Run(chunks int, f func(chunk int)) {
	if chunks < 0 || chunks > 1<<31-1 {
		panic(badChunks)
	}
	if p == nil || chunks <= 1 || len(p.workers) == 0 || !p.busy.CompareAndSwap(false, true) {
		for i := range chunks {
			f(i)
		}
		return
	}
	p.f, p.chunks = f, uint32(chunks)
	p.left.Store(int64(chunks))
	generation := p.state.Load()>>32 + 1
	p.state.Store(generation<<32 | uint64(chunks))
	for i, n := 0, 1; i < len(p.workers) && n < chunks; i, n = i+1, n+1 {
		p.workers[i].rouse()
	}
	for p.runOne() {
	}
	p.wait()
	p.f = nil
	failed := p.panicked.Swap(nil)
	p.busy.Store(false)
	if failed != nil {
		panic(failed.v)
	}
}

// wait returns when every chunk of the job is done.
func (p *Pool) wait() {
	for range spinRounds {
		if spin(func() bool { return p.left.Load() == 0 }) {
			return
		}
	}
	for p.left.Load() != 0 {
		p.waits.Store(true)
		if p.left.Load() == 0 && p.waits.CompareAndSwap(true, false) {
			return // nobody has seen waits, nobody will send
		}
		<-p.done // may still be the last word of the job before
	}
}

// runOne takes a chunk and runs it. It returns false if none was left.
//
// The generation in state keeps a worker that slept through the end of one job
// from taking a chunk of the next with what it remembers: a swap that succeeds
// proves that the job it read is the one in progress, and the job cannot end
// before its chunk is done.
func (p *Pool) runOne() bool {
	for {
		s := p.state.Load()
		n := uint32(s)
		if n == 0 {
			return false
		}
		if p.state.CompareAndSwap(s, s-1) {
			p.runChunk(int(p.chunks - n))
			return true
		}
	}
}

func (p *Pool) runChunk(chunk int) {
	defer func() {
		if v := recover(); v != nil {
			p.panicked.CompareAndSwap(nil, &panicValue{v})
		}
		if p.left.Add(-1) == 0 && p.waits.CompareAndSwap(true, false) {
			p.done <- struct{}{}
		}
	}()
	p.f(chunk)
}

// work is the life of a worker: run chunks, look for more for a while, park.
func (p *Pool) work(w *worker) {
	ready := func() bool { return uint32(p.state.Load()) != 0 || p.closed.Load() }
	for idle := 0; !p.closed.Load(); {
		switch {
		case p.runOne():
			idle = 0
		case idle < spinRounds:
			idle++
			spin(ready)
		default:
			w.asleep.Store(true)
			if !ready() || !w.asleep.CompareAndSwap(true, false) {
				<-w.wake
			}
			idle = 0
		}
	}
}

// rouse wakes the worker if it is parked or about to park.
func (w *worker) rouse() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}

// spin polls ready for about 0.1 us and then lets other goroutines run.
func spin(ready func() bool) bool {
	for range 64 {
		if ready() {
			return true
		}
	}
	runtime.Gosched()
	return false
}
