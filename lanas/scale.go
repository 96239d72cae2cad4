package lanas

import (
	"math"
	"slices"
)

// scale maps scores to the values that models are fitted to, with mean 0 and
// deviation 1 over the samples it was learnt from.
//
// The scores of a space are skewed: many architectures near the best and a long
// tail of bad ones, which a model would spend itself on. The scale may bend so
// that differences near the best weigh more:
//
//	w(y) = top - c log(1 + (top - y)/c), c = bend (top - median)
//
// and goes on straight above the top.
type scale struct{ top, c, mean, sd float64 }

// learnScale fits a scale of the given bend, 0 for a straight one, to one score
// or more. It returns the logarithm of the product of dw/dy at the scores, which
// makes likelihoods of different bends comparable (warped Gaussian processes,
// Snelson et al., NIPS 2003).
func learnScale(scores []float64, bend float64) (s scale, logSlope float64) {
	s.sd = 1
	if bend > 0 {
		sorted := slices.Sorted(slices.Values(scores))
		s.top = sorted[len(sorted)-1]
		s.c = bend * (s.top - sorted[len(sorted)/2])
	}
	n := float64(len(scores))
	var mean, sq float64
	for _, y := range scores {
		mean += s.at(y) / n
		if s.c > 0 {
			logSlope -= math.Log1p((s.top - y) / s.c)
		}
	}
	s.mean = mean
	for _, y := range scores {
		v := s.at(y)
		sq += float64(v * v)
	}
	if sd := math.Sqrt(sq / n); sd > 1e-12*math.Abs(mean) { // else equal, but for rounding
		s.sd = sd
	}
	return s, logSlope - float64(n*math.Log(s.sd))
}

// at is the value of a score.
func (s scale) at(y float64) float64 {
	if s.c > 0 && y < s.top {
		y = s.top - float64(s.c*math.Log1p((s.top-y)/s.c))
	}
	return (y - s.mean) / s.sd
}

// score is the inverse of at, and slope its derivative by the value: how many
// units of the score a unit of the value is.
func (s scale) score(v float64) (score, slope float64) {
	y := s.mean + float64(s.sd*v)
	if s.c > 0 && y < s.top {
		e := math.Expm1((s.top - y) / s.c)
		return s.top - float64(s.c*e), s.sd * (1 + e)
	}
	return y, s.sd
}
