package rank

import (
	"math"
	"slices"

	"oneshot/internal/rng"
)

// Interval is a 95 % interval, [low, high]: the percentiles 2.5 and 97.5 of a figure over networks drawn with replacement
// (the percentile bootstrap; Efron and Tibshirani 1993, section 13.3). A network that is drawn twice ties with itself, which tau-b
// leaves out, so that the figures of the draws lie around that of the networks themselves.
type Interval [2]float64

// Resamples is how often networks are drawn.
const Resamples = 1000

// resample are the intervals of figures of n things, each a function of how often each thing is drawn. A draw of which a
// figure is none is left out; nil is that all are.
func resample(n int, seed uint64, stream string, figures ...func(w []int) *float64) []*Interval {
	r := rng.New(seed, stream)
	drawn := make([][]float64, len(figures))
	w := make([]int, n)
	for range Resamples {
		clear(w)
		for range n {
			w[r.IntN(n)]++
		}
		for k, f := range figures {
			if v := f(w); v != nil {
				drawn[k] = append(drawn[k], *v)
			}
		}
	}
	out := make([]*Interval, len(figures))
	for k, v := range drawn {
		if len(v) > 0 {
			slices.Sort(v)
			out[k] = &Interval{percentile(v, 0.025), percentile(v, 0.975)}
		}
	}
	return out
}

// percentile lies between two values of v, which is sorted, as far as q lies between their places.
func percentile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 == len(v) {
		return v[i]
	}
	return v[i] + float64((at-math.Floor(at))*(v[i+1]-v[i]))
}

// Covers says whether a figure lies in the interval; nil covers nothing.
func (i *Interval) Covers(v *float64) bool {
	return i != nil && v != nil && i[0] <= *v && *v <= i[1]
}

// Sample chooses n of the hashes of networks, all where there are no more. It depends on the seed and on which hashes there
// are, not on their order, and a larger sample holds a smaller one. They come sorted as they are drawn.
func Sample(hashes []string, n int, seed uint64) []string {
	sorted := slices.Sorted(slices.Values(hashes))
	rng.New(seed, "rank-sample").Shuffle(len(sorted), func(i, j int) { sorted[i], sorted[j] = sorted[j], sorted[i] })
	return sorted[:min(n, len(sorted))]
}
