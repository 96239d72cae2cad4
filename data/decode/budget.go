package decode

import (
	"runtime"
	"runtime/debug"
	"sync"
)

const (
	// maxNeed is the memory that decoding one image may take, 1.5 GiB.
	maxNeed = 3 << 29
	// smallNeed is what is not counted: most images take less, and need no lock.
	smallNeed = 8 << 20
	// maxKept is the largest buffer that a Decoder keeps for its next image.
	maxKept = 64 << 20
)

// underWay is the budget of all decoders of the process.
var underWay = newBudget(budgetFor(runtime.GOMAXPROCS(0)), debug.FreeOSMemory)

// budgetFor is the bytes of the budget on a machine with procs processors: room for a
// camera's photograph on each, and for no less than a few large images.
func budgetFor(procs int) int64 { return max(512<<20, int64(procs)*64<<20) }

// budget bounds the memory of the decodes under way. What was taken by those that have ended
// is garbage, which counts until it is collected: left to itself the collector may let it
// grow as large again as all that is in use.
type budget struct {
	limit   int64
	collect func() // collects garbage

	mu      sync.Mutex
	change  *sync.Cond
	running int64 // bytes of the decodes under way
	garbage int64 // bytes of those that ended since the last collection
	// Decodes begin in the order in which they came, so that none waits for ever for
	// smaller ones that slip in before it.
	last, turn uint64 // the number drawn last, and the one that begins next
}

func newBudget(limit int64, collect func()) *budget {
	g := &budget{limit: limit, collect: collect, turn: 1}
	g.change = sync.NewCond(&g.mu)
	return g
}

// enter waits until a decode of n bytes is within the budget. One that takes more than all
// of it goes alone. Who enters must leave without waiting for another decode.
func (g *budget) enter(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last++
	for mine := g.last; g.turn != mine || g.running > 0 && g.running+n > g.limit; {
		g.change.Wait()
	}
	g.turn++
	g.running += n
	if g.running+g.garbage > g.limit {
		g.clean()
	}
	g.change.Broadcast()
}

// leave says that a decode of n bytes has ended.
func (g *budget) leave(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running -= n
	if g.garbage += n; g.garbage > g.limit {
		g.clean()
	}
	g.change.Broadcast()
}

func (g *budget) clean() {
	if g.garbage > 0 {
		g.collect()
		g.garbage = 0
	}
}
