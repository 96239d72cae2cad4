package data

import (
	"math"
	"math/rand/v2"
)

// beta draws from the beta distribution whose two parameters are both a > 0. A draw is the
// share that one of two values has in their sum, both drawn from a gamma distribution. For a
// small parameter the values are often too small for a float64, though their ratio is not.
// So the ratio is computed from logarithms.
func beta(r *rand.Rand, a float64) float64 {
	shape := a
	if a < 1 {
		shape = a + 1
	}
	odds := math.Log(gamma(r, shape) / gamma(r, shape))
	if a < 1 {
		// A value of parameter a is one of a+1 times u^(1/a), u uniform (Marsaglia and Tsang, section 6).
		u, v := 1-float64(r.Float64()), 1-float64(r.Float64())
		odds += (math.Log(u) - math.Log(v)) / a
	}
	return 1 / (1 + math.Exp(-odds))
}

// gammaTries is more than is ever needed: fewer than one in twenty is drawn again.
const gammaTries = 100

// gamma draws from the gamma distribution of parameter a >= 1 (Marsaglia and Tsang 2000, "A
// simple method for generating gamma variables").
func gamma(r *rand.Rand, a float64) float64 {
	d := a - 1./3
	c := 1 / math.Sqrt(9*d)
	for range gammaTries {
		x := r.NormFloat64()
		v := 1 + float64(c*x)
		v = v * v * v
		u := 1 - float64(r.Float64())
		if v > 0 && math.Log(u) < float64(x*x/2)+d-float64(d*v)+float64(d*math.Log(v)) {
			return d * v
		}
	}
	return d
}
