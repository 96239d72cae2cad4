package lanas

import (
	"cmp"
	"slices"
)

// expert is the model of the landscape: a process over the samples.
type expert struct {
	process
	samples []int     // in process, by number
	values  []float64 // of them
	n       int       // chosen from the first n samples
	next    int       // the first sample that was not looked at
}

// All samples of a usual budget have a place in the expert. Of more, as the time
// of a proposal grows with their square, it starts with fewer and learns the
// next expertPeriod ones, then it is chosen anew.
const (
	expertSamples = 320
	expertStart   = 160
	expertPeriod  = 48
)

// newExpert learns from the first n samples, or some of them; see thin.
func newExpert(e *epoch, n int, xs []packed) *expert {
	x := &expert{process: *newProcess(e.shape, e.dim, e.distance), n: n, next: n}
	pick := make([]int, n)
	for i := range pick {
		pick[i] = i
	}
	if n > expertSamples {
		pick = thin(pick, e.values, expertStart)
	}
	for _, i := range pick {
		x.learn(i, xs[i], e.values[i])
	}
	return x
}

// learn appends a sample, unless rounding forbids it.
func (x *expert) learn(sample int, code packed, value float64) {
	if x.add(code) {
		x.samples, x.values = append(x.samples, sample), append(x.values, value)
	}
}

// expert is the epoch's, with all samples counted.
func (s *Searcher) expert(e *epoch) *expert {
	n := len(s.samples)
	start := e.n
	if n > expertSamples {
		start += (n - e.n) / expertPeriod * expertPeriod
	}
	if e.expert == nil || e.expert.n != start {
		e.expert = newExpert(e, start, s.packed)
	}
	x := e.expert
	for ; x.next < n; x.next++ {
		x.learn(x.next, s.packed[x.next], e.values[x.next])
	}
	return x
}

// thin keeps n of the samples: the best half and a regular selection of the
// others, in the order of their numbers. It reorders its argument.
func thin(samples []int, values []float64, n int) []int {
	if len(samples) <= n {
		return samples
	}
	slices.SortFunc(samples, func(a, b int) int { return cmp.Or(cmp.Compare(values[b], values[a]), a-b) })
	kept, rest := slices.Clone(samples[:n/2]), samples[n/2:]
	for m, k := n-len(kept), 0; k < m; k++ {
		kept = append(kept, rest[k*len(rest)/m])
	}
	slices.Sort(kept)
	return kept
}
