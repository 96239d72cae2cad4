package machine

import "runtime/debug"

// GarbageBytes is how much a stage may leave for the garbage collector: the graphs
// of four steps of the reference job and of thirteen of preset tiny, so that it has
// little to do.
const GarbageBytes = 16 << 20

// leastHeap is what Go lets a heap grow to before it collects at all, at 100 percent.
const leastHeap = 4 << 20

// percent is how much garbage, in percent of a heap of that size, LessGarbage lets wait.
func percent(heap int64) int64 { return min(100, max(1, 100*GarbageBytes/max(heap, 1))) }

// Garbage is about how much of it waits beside a heap of that size, in bytes, after LessGarbage.
func Garbage(heap int64) int64 { return max(heap, leastHeap) * percent(heap) / 100 }

// LessGarbage has the garbage of a stage collected before it is more than
// GarbageBytes beside a heap of that size, where the default is as much again.
// What was left before goes first, and at the end what the stage leaves: what follows it begins with as little as the
// stage has. With keep, the user's setting counts more.
func LessGarbage(heap int64, keep bool) (restore func()) {
	debug.FreeOSMemory()
	if keep {
		return debug.FreeOSMemory
	}
	old := debug.SetGCPercent(int(percent(heap)))
	return func() {
		debug.SetGCPercent(old)
		debug.FreeOSMemory()
	}
}

// LimitHeap has garbage collected in time to keep what Go manages within limit bytes, unless the
// user set a lower limit. Memory that is in use is kept all the same.
func LimitHeap(limit int64) (restore func()) {
	old := debug.SetMemoryLimit(-1)
	if limit >= old {
		return func() {}
	}
	debug.SetMemoryLimit(max(limit, GarbageBytes))
	return func() { debug.SetMemoryLimit(old) }
}
