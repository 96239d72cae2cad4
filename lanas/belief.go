package lanas

import "math"

// belief is what the search has learnt of the landscape as a whole: how smooth
// it is, how noisy, how skewed.
type belief struct {
	shape
	bend     float64 // of the scores' scale
	distance float64 // mean, of two samples
}

// beliefSamples bounds the samples that a belief is learnt from.
const beliefSamples = 160

// The values that learnBelief chooses from.
var (
	lengths = []float64{0.25, 0.5, 1, 2, 4, 8}
	noises  = []float64{1e-3, 1e-2, 0.05, 0.2, 0.8}
	linears = []float64{0, 0.5, 0.9}
	bends   = []float64{0, 0.25, 1, 4}
)

// learnBelief maximises the likelihood of the samples, one coordinate after the
// other, twice around. Of too many samples it takes a part; see thin.
func learnBelief(xs []packed, scores []float64, dim int, c Config) belief {
	all := make([]int, len(xs))
	for i := range all {
		all[i] = i
	}
	var x []packed
	var y []float64
	for _, i := range thin(all, scores, beliefSamples) {
		x, y = append(x, xs[i]), append(y, scores[i])
	}
	b := belief{shape: shape{length: 2, noise: 0.05}, distance: meanDistance(x)}
	warps, mixes := bends, linears
	if !c.Warp {
		warps = warps[:1]
	}
	if !c.Linear {
		mixes = mixes[:1]
	}
	best := math.Inf(-1)
	try := func(s shape) {
		if l, bend := s.likelihood(x, y, dim, b.distance, warps); l > best {
			best, b.shape, b.bend = l, s, bend
		}
	}
	for range 2 {
		s := b.shape
		for _, s.length = range lengths {
			try(s)
		}
		s = b.shape
		for _, s.linear = range mixes {
			try(s)
		}
		s = b.shape
		for _, s.noise = range noises {
			try(s)
		}
	}
	return b
}

// likelihood is the greatest log likelihood of the scores over the bends, and
// its bend; -Inf where rounding forbids the shape.
func (s shape) likelihood(x []packed, scores []float64, dim int, distance float64, bends []float64) (best, bend float64) {
	best = math.Inf(-1)
	p := newProcess(s, dim, distance)
	for _, code := range x {
		if !p.add(code) {
			return best, 0
		}
	}
	y := make([]float64, len(scores))
	for _, f := range bends {
		to, logSlope := learnScale(scores, f)
		for i, v := range scores {
			y[i] = to.at(v)
		}
		if l := p.observe(y) + logSlope; l > best {
			best, bend = l, f
		}
	}
	return best, bend
}

// meanDistance is the mean Hamming distance of two codes, at least 1.
func meanDistance(x []packed) float64 {
	var sum, pairs float64
	for i := range x {
		for _, y := range x[:i] {
			sum += float64(hamming(x[i], y))
			pairs++
		}
	}
	return max(1, sum/max(1, pairs))
}
