package cpu

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestThreadSplitWouldShow is the broken twin of the thread tests: a weight
// gradient whose rows are divided among the threads, instead of into chunks
// fixed by the shape, gives other bits at another thread count. If it did not,
// "same bits at 1, 2 and 4 threads" would prove nothing.
func TestThreadSplitWouldShow(t *testing.T) {
	const m, k, n = 4096, 16, 16
	r := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float32, m*k), make([]float32, m*n)
	for i := range a {
		a[i] = float32(r.NormFloat64())
	}
	for i := range b {
		b[i] = float32(r.NormFloat64())
	}
	byThreads := func(threads int) []float32 {
		sum := make([]float32, k*n)
		for i := range threads {
			lo, hi := i*m/threads, (i+1)*m/threads
			part := make([]float32, k*n)
			gemmATRows(hi-lo, k, n, a[lo*k:], k, b[lo*n:], n, part, n)
			for j, v := range part {
				sum[j] += v
			}
		}
		return sum
	}
	if slices.Equal(byThreads(1), byThreads(2)) || slices.Equal(byThreads(2), byThreads(4)) {
		t.Error("a split by threads gives the same bits: the thread tests see nothing")
	}
	var first []float32
	for _, threads := range []int{1, 2, 4} {
		p := NewPool(threads)
		c := make([]float32, k*n)
		GemmTA(p, m, k, n, a, b, c, make([]float32, GemmTAScratch(m, k, n)))
		p.Close()
		if first == nil {
			first = c
		}
		if !slices.Equal(c, first) {
			t.Errorf("%d threads give other bits than 1", threads)
		}
	}
}
