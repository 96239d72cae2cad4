package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	badThreads = "cpu: NewPool needs at least one thread"
	badChunks  = "cpu: Do or Run of a negative number of chunks"
	badClose   = "cpu: Close while Do or Run is in progress"
)

// How an idle thread waits: spinRounds times it looks spinPolls times and then
// lets other goroutines run, after that it parks. A look takes some 15 ns with
// PAUSE on a Xeon of 2023, so these are some 4 us and 1 ms: a round is longer
// than most hand-overs, which then cost no call of the scheduler, and all rounds
// are longer than any gap inside a training step. It is not the cost of waking a
// parked thread, 5 us, that makes parking within a step dear: on a machine with
// other work the kernel tends to wake it on the waker's processor, and the two
// then share one, step after step.
const (
	spinPolls  = 256
	spinRounds = 250
)

// Job is the work of one pass, cut into chunks.
type Job interface{ Chunk(worker, chunk int) }

// funcJob is a job that does not care about the worker.
type funcJob func(chunk int)

func (f funcJob) Chunk(_, chunk int) { f(chunk) }

// Pool runs the chunks of one job at a time on a fixed set of goroutines.
//
// Which goroutine runs which chunk is left to chance, so a kernel must write
// each result from one chunk only and must cut its work into chunks by shape
// alone, never by Threads. Then the thread count changes no bit.
//
// But chance is biased: worker t of T begins with the chunks from t*chunks/T to
// (t+1)*chunks/T in ascending order, and only then takes chunks from the ends of
// what is left to the others. So a pass finds most of what the pass before has
// written for the same chunk in the cache of its own core.
//
// A nil *Pool is valid and runs everything on the calling goroutine.
type Pool struct {
	threads []thread
	polls   int // spinPolls, or 1 if there are more threads than processors
	closed  atomic.Bool
	exited  sync.WaitGroup
	_       [64]byte // what only the caller writes is in lines of its own

	busy     atomic.Bool // a Do is in progress, or the pool is closed
	panicked atomic.Pointer[panicValue]
	due      uint64 // what done will be at the end of the job
	_        [64]byte

	done atomic.Uint64 // how many chunks the workers have done, of all jobs
	_    [64]byte
}

// thread is one goroutine of a Pool. The first one of a pool is whoever calls Do.
type thread struct {
	// chunks is its range without what has been taken: first<<32 | end. Within a
	// job first only grows and end only shrinks. Between jobs it is empty.
	chunks atomic.Uint64
	job    Job // written before chunks, read only by who took one; stays until the next
	_      [40]byte

	asleep atomic.Bool
	wake   chan struct{} // capacity 1; a token is sent by whoever clears asleep
	_      [48]byte
}

type panicValue struct{ v any }

// NewPool starts threads-1 goroutines; the caller of Do is the first thread.
// Close stops them. It panics if threads < 1.
func NewPool(threads int) *Pool {
	if threads < 1 {
		panic(badThreads)
	}
	p := &Pool{polls: spinPolls, threads: make([]thread, threads)}
	if threads > runtime.GOMAXPROCS(0) {
		p.polls = 1 // what we wait for may need our processor
	}
	for t := range p.threads {
		p.threads[t].wake = make(chan struct{}, 1)
		if t > 0 {
			p.exited.Go(func() { p.work(t) })
		}
	}
	return p
}

// Threads returns the number of threads, at least 1.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return len(p.threads)
}

// Close stops the workers and returns when they are gone. A later Do runs on
// the calling goroutine; a second Close does nothing. It panics if a Do is in
// progress.
func (p *Pool) Close() {
	if p == nil || p.closed.Load() {
		return
	}
	if !p.busy.CompareAndSwap(false, true) { // stays set
		panic(badClose)
	}
	p.closed.Store(true)
	for t := range p.threads {
		p.threads[t].rouse()
	}
	p.exited.Wait()
}

// Run calls f(0) ... f(chunks-1) as Do does, for work that needs no worker.
func (p *Pool) Run(chunks int, f func(chunk int)) { p.Do(chunks, funcJob(f)) }

// Do calls j.Chunk(w, 0) ... j.Chunk(w, chunks-1), each once, on all threads,
// and returns when they are done. It panics with the value of the first call
// that panicked, once the others have finished. Chunk must not call
// runtime.Goexit. Do allocates nothing.
//
// The worker w is in [0, Threads()). No two calls of one Do run at the same time
// with the same worker, so a job may give each worker scratch of its own.
//
// While a Do is in progress another one, be it from within Chunk or from another
// goroutine, runs its chunks on its own goroutine as worker 0 in ascending
// order, and so does a Do of one chunk, of a closed or of a nil pool; there a
// panic ends it at once. Hence Dos that may overlap must not share scratch.
func (p *Pool) Do(chunks int, j Job) {
	if chunks < 0 || chunks > 1<<31-1 {
		panic(badChunks)
	}
	if p == nil || chunks <= 1 || len(p.threads) == 1 || !p.busy.CompareAndSwap(false, true) {
		for i := range chunks {
			j.Chunk(0, i)
		}
		return
	}
	n := uint64(len(p.threads))
	p.due += uint64(chunks)
	// The caller's own range comes last: the others are waiting.
	for t := n - 1; t < n; t-- {
		first, end := t*uint64(chunks)/n, (t+1)*uint64(chunks)/n
		if first == end { // only if there are fewer chunks than threads
			continue
		}
		w := &p.threads[t]
		w.job = j
		w.chunks.Store(first<<32 | end)
		w.rouse()
	}
	for p.drain(0) {
	}
	for p.done.Load() != p.due {
		p.await(0, func() bool { return p.done.Load() == p.due })
	}
	failed := p.panicked.Load()
	if failed != nil {
		p.panicked.Store(nil)
	}
	p.busy.Store(false)
	if failed != nil {
		panic(failed.v)
	}
}

// work is the life of a worker other than the caller.
//
// One that finds its range empty, because others were faster, may leave the rest
// of the job to them.
func (p *Pool) work(t int) {
	own := &p.threads[t].chunks
	for !p.closed.Load() {
		p.await(t, func() bool { return !empty(own.Load()) || p.closed.Load() })
		for p.drain(t) {
		}
	}
}

// drain runs chunks as worker t until none is left to take or one panics.
//
// A job cannot end between a take and the finish that counts it. Hence the
// chunks of one loop are of one job, and a worker that slept through the end of
// a job and takes a chunk of the next does no harm: the swap proves that the
// chunk is there to be taken now, and its job was written before.
func (p *Pool) drain(t int) (panicked bool) {
	taken := uint64(0)
	defer func() {
		if v := recover(); v != nil {
			p.panicked.CompareAndSwap(nil, &panicValue{v})
			panicked = true
		}
		p.finish(t, taken)
	}()
	own := &p.threads[t]
	for chunk, ok := own.takeFirst(); ok; chunk, ok = own.takeFirst() {
		taken++
		own.job.Chunk(t, chunk)
	}
	p.finish(t, taken)
	taken = 0
	for i := 1; i < len(p.threads); i++ {
		other := &p.threads[(t+i)%len(p.threads)]
		for chunk, ok := other.takeLast(); ok; chunk, ok = other.takeLast() {
			taken++
			other.job.Chunk(t, chunk)
		}
	}
	return false
}

// finish counts n chunks of worker t as done.
func (p *Pool) finish(t int, n uint64) {
	switch {
	case n == 0:
	case t == 0:
		p.due -= n
	default:
		p.done.Add(n)
		p.threads[0].rouse()
	}
}

func empty(chunks uint64) bool { return chunks>>32 >= chunks&(1<<32-1) }

// takeFirst takes the first chunk of the thread's range.
func (w *thread) takeFirst() (chunk int, ok bool) {
	for {
		c := w.chunks.Load()
		if empty(c) {
			return 0, false
		}
		if w.chunks.CompareAndSwap(c, c+1<<32) {
			return int(c >> 32), true
		}
	}
}

// takeLast takes the last chunk of the thread's range.
func (w *thread) takeLast() (chunk int, ok bool) {
	for {
		c := w.chunks.Load()
		if empty(c) {
			return 0, false
		}
		if w.chunks.CompareAndSwap(c, c-1) {
			return int(uint32(c - 1)), true
		}
	}
}

// await returns when ready does, or after it was roused.
func (p *Pool) await(t int, ready func() bool) {
	for range spinRounds {
		for range p.polls {
			if ready() {
				return
			}
			pause()
		}
		runtime.Gosched()
	}
	w := &p.threads[t]
	w.asleep.Store(true)
	if !ready() || !w.asleep.CompareAndSwap(true, false) {
		<-w.wake
	}
}

// rouse wakes the thread if it is parked or about to park.
func (w *thread) rouse() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}
