package machine

import "runtime/debug"

// GarbageBytes is how much a training may leave for the garbage collector: the graphs
// of four steps of the reference job and of thirteen of preset tiny, so that it has
// little to do.
const GarbageBytes = 16 << 20

// LessGarbage has the garbage of a training collected before it is more than
// GarbageBytes beside a heap of that size, where the default is as much again.
// What was left before goes first. With keep, the user's setting counts more.
func LessGarbage(heap int64, keep bool) (restore func()) {
	debug.FreeOSMemory()
	if keep {
		return func() {}
	}
	old := debug.SetGCPercent(int(min(100, max(1, 100*GarbageBytes/max(heap, 1)))))
	return func() { debug.SetGCPercent(old) }
}
