package cpu

import "math"

// standardEps is added to the standard deviation of a standardised weight. The published
// code of Weight Standardization (Qiao et al., arXiv 1903.10520) and of LaNet has it.
const standardEps = 1e-5

// Standardise computes the weights u of a 1x1 convolution that are standardised over the
// inputs of each output channel: u = (w - mean) / (sd + 1e-5), where sd is the unbiased
// standard deviation. Weights that are all equal give u = 0 and sd = 0. So does a single
// input, which has no deviation. Weights whose squares add up to more than T holds give
// sd = +Inf and u = 0, with NaN for their gradient, which ends a training. u is not w.
//
// w, u (cin,cout), sd (cout).
func (e *Engine[T]) Standardise(cin, cout int, w, u, sd []T) {
	need(w, cin, cout)
	need(u, cin, cout)
	need(sd, cout)
	mem := e.coefs(standardCoefs * cout)
	s1, s2, zero := take(&mem, cout), take(&mem, cout), take(&mem, cout)
	mean, inv := take(&mem, cout), take(&mem, cout)
	clear(s1)
	clear(s2)
	clear(zero)
	copy(mean, w) // the first row: the sums are relative to it, so equal weights leave no rounding
	e.k.sum(cin, cout, w, mean, s1, s2)
	for i := range cout {
		d := float64(s1[i]) / float64(cin)
		dev := 0.0
		if cin > 1 {
			v := float64(s2[i]) - d*float64(s1[i])
			if v < 0 { // rounding; a NaN stays
				v = 0
			}
			dev = math.Sqrt(v / float64(cin-1))
		}
		sd[i], mean[i], inv[i] = T(dev), mean[i]+T(d), T(1/(dev+standardEps))
	}
	// With a slope of 0 this is inv*(w-mean).
	e.k.bnGrad(cin, cout, u, cout, w, w, cout, mean, inv, mean, zero)
}

// StandardiseGrad turns dw, which holds the gradient of what Standardise computed, into
// the gradient of the weights themselves. With n = cin inputs and g for dw as it was, this is
//
//	(g - Σg/n - u*Σ(g*u)*(sd+1e-5)/((n-1)*sd)) / (sd+1e-5)
//
// Where sd is 0 the last term is left out: torch too has 0 for the derivative of a
// standard deviation there. A single input has the gradient 0.
//
// u, dw (cin,cout), sd (cout).
func (e *Engine[T]) StandardiseGrad(cin, cout int, u, sd, dw []T) {
	need(u, cin, cout)
	need(sd, cout)
	need(dw, cin, cout)
	mem := e.coefs(standardCoefs * cout)
	s1, s2, zero := take(&mem, cout), take(&mem, cout), take(&mem, cout)
	slope, inv := take(&mem, cout), take(&mem, cout)
	clear(s1)
	clear(s2)
	clear(zero)
	e.k.gradSum(cin, cout, u, dw, zero, s1, s2)
	for i := range cout {
		dev := float64(sd[i])
		slope[i], inv[i] = 0, T(1/(dev+standardEps))
		if dev != 0 { // the sum first by the deviation: neither then leaves the range of T
			slope[i] = T(float64(s2[i]) / dev * (dev + standardEps) / float64(cin-1))
		}
		s1[i] = T(float64(s1[i]) / float64(cin))
	}
	// A batch normalisation has the same gradient, with inputs for pixels.
	e.k.bnGrad(cin, cout, dw, cout, u, dw, cout, zero, inv, s1, slope)
}

// standardCoefs is how many values a standardisation keeps of a channel while it runs.
const standardCoefs = 5

// StandardScratch is the memory of Standardise and StandardiseGrad.
func StandardScratch(cout int) Scratch { return Scratch{Coef: standardCoefs * cout} }
