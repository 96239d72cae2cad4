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
			rowsOf[float32]().gemmAT(hi-lo, k, n, a[lo*k:], k, b[lo*n:], n, part, n)
			for j, v := range part {
				sum[j] += v
			}
		}
		return sum
	}
	if slices.Equal(byThreads(1), byThreads(2)) || slices.Equal(byThreads(2), byThreads(4)) {
		t.Error("a split by threads gives the same bits: the thread tests see nothing")
	}
	o := Linear[float32]{N: m, In: k, Out: n, X: Act[float32]{X: a}, W: make([]float32, k*n), Bias: make([]float32, n),
		Y: make([]float32, m*n), DW: make([]float32, k*n), DBias: make([]float32, n), DX: make([]float32, m*k)}
	var first []float32
	for _, threads := range []int{1, 2, 4} {
		p := NewPool(threads)
		e := NewEngine[float32](p)
		e.LinearForward(&o)
		e.LinearBackward(&o, b)
		p.Close()
		if first == nil {
			first = slices.Clone(o.DW)
		}
		if !slices.Equal(o.DW, first) {
			t.Errorf("%d threads give other bits than 1", threads)
		}
	}
}
