package lanas

import (
	"math"
	"slices"
)

// A code is mostly zeros, so the models work on the indices of its ones.
func ones(code []byte) []int32 {
	on := make([]int32, 0, 32)
	for i, v := range code {
		if v == 1 {
			on = append(on, int32(i))
		}
	}
	return on
}

// model predicts a score: f(x) = bias + the sum of weight over x's ones.
type model struct {
	weight []float64
	bias   float64
}

// predict adds in ascending order of the indices, so that a code gets the same
// bits whenever it is asked about: a sample never leaves its own region.
func (m model) predict(on []int32) float64 {
	f := m.bias
	for _, i := range on {
		f += m.weight[i]
	}
	return f
}

// fit minimises sum_i (f(x_i) - y_i)^2 + lambda |weight|^2 (ridge regression;
// the bias is free) in closed form. xs are the ones of n codes of dim entries.
//
// With x and y centred, the weights are (X'X + lambda)^-1 X'y or, equally,
// X'(XX' + lambda)^-1 y; the smaller of the two systems is solved. It reports
// false when rounding leaves the system without a solution.
func fit(xs [][]int32, y []float64, dim int, lambda float64) (model, bool) {
	n := len(xs)
	centre := make([]float64, dim)
	var mean float64
	for i, x := range xs {
		mean += y[i]
		for _, k := range x {
			centre[k]++
		}
	}
	mean /= float64(n)
	for k := range centre {
		centre[k] /= float64(n)
	}
	yc := make([]float64, n)
	for i := range yc {
		yc[i] = y[i] - mean
	}
	weight, ok := make([]float64, dim), false
	if n < dim {
		ok = fitDual(xs, yc, centre, lambda, weight)
	} else {
		ok = fitPrimal(xs, yc, centre, lambda, weight)
	}
	bias := mean
	for k, w := range weight {
		bias -= float64(w * centre[k])
	}
	return model{weight, bias}, ok
}

// fitPrimal solves (X'X - n centre centre' + lambda) weight = X'yc.
func fitPrimal(xs [][]int32, yc, centre []float64, lambda float64, weight []float64) bool {
	dim, n := len(centre), float64(len(xs))
	a := make([]float64, dim*dim) // lower triangle
	for i, x := range xs {
		for p, k := range x {
			weight[k] += yc[i]
			for _, l := range x[:p+1] { // x ascends, so l <= k
				a[int(k)*dim+int(l)]++
			}
		}
	}
	for k := range dim {
		row := a[k*dim:]
		for l := range k + 1 {
			row[l] -= float64(float64(n*centre[k]) * centre[l])
		}
		row[k] += lambda
	}
	return solve(a, weight)
}

// centredGram is XX' (n,n), lower triangle, of the centred codes.
func centredGram(xs [][]int32, dim int) []float64 {
	n := len(xs)
	centre := make([]float64, dim)
	for _, x := range xs {
		for _, k := range x {
			centre[k] += 1 / float64(n)
		}
	}
	proj := make([]float64, n) // x_i . centre
	for i, x := range xs {
		for _, k := range x {
			proj[i] += centre[k]
		}
	}
	cc := dot(centre, centre)
	a := make([]float64, n*n)
	dense := make([]float64, dim)
	for i, x := range xs {
		for _, k := range x {
			dense[k] = 1
		}
		row := a[i*n:]
		for j := range i + 1 {
			var common float64
			for _, k := range xs[j] {
				common += dense[k]
			}
			row[j] = common - proj[i] - proj[j] + cc
		}
		for _, k := range x {
			dense[k] = 0
		}
	}
	return a
}

// fitDual solves (XX' + lambda) alpha = yc, X centred, and weight = X'alpha.
func fitDual(xs [][]int32, yc, centre []float64, lambda float64, weight []float64) bool {
	n, dim := len(xs), len(centre)
	a := centredGram(xs, dim)
	for i := range n {
		a[i*n+i] += lambda
	}
	alpha := append([]float64(nil), yc...)
	if !solve(a, alpha) {
		return false
	}
	var sum float64
	for i, x := range xs {
		sum += alpha[i]
		for _, k := range x {
			weight[k] += alpha[i]
		}
	}
	for k := range weight {
		weight[k] -= float64(sum * centre[k])
	}
	return true
}

// The penalties that crossValidate chooses from.
var penalties = []float64{0.1, 0.3, 1, 3, 10, 30}

// crossValidate returns the penalty of the least generalized cross-validation
// error n |y - f|^2 / (n - tr H)^2, where y is centred and f = H y (Golub, Heath
// and Wahba, Technometrics 21, 1979); H leaves the mean out of account. With alpha
// = (XX' + lambda)^-1 y, X centred too, that is n |alpha|^2 / (tr (XX' +
// lambda)^-1)^2. Above beliefSamples samples a regular
// selection decides.
func crossValidate(xs [][]int32, y []float64, dim int) float64 {
	n := min(len(xs), beliefSamples)
	x, v := make([][]int32, n), make([]float64, n)
	for k := range n {
		i := k * len(xs) / n
		x[k], v[k] = xs[i], y[i]
	}
	mean := 0.0
	for _, w := range v {
		mean += w / float64(n)
	}
	gram := centredGram(x, dim)
	best, penalty := math.Inf(1), 1.0
	for _, l := range penalties {
		a := slices.Clone(gram)
		for i := range n {
			a[i*n+i] += l
		}
		alpha := make([]float64, n)
		for i := range alpha {
			alpha[i] = v[i] - mean
		}
		if !solve(a, alpha) {
			continue
		}
		t := traceInverse(a, n)
		if e := dot(alpha, alpha) / (t * t); e < best {
			best, penalty = e, l
		}
	}
	return penalty
}

// traceInverse is the trace of (LL')^-1 for the factor L (n,n) in the lower
// triangle of a: the squares of the entries of L^-1.
func traceInverse(a []float64, n int) (trace float64) {
	col := make([]float64, n)
	for j := range n {
		clear(col)
		col[j] = 1 / a[j*n+j]
		for i := j + 1; i < n; i++ {
			col[i] = -dot(a[i*n+j:i*n+i], col[j:i]) / a[i*n+i]
		}
		trace += dot(col[j:], col[j:])
	}
	return trace
}

// solve replaces b (n) by the solution of a x = b for a symmetric positive
// definite a (n,n), of which it reads and overwrites the lower triangle
// (Cholesky). It reports false when a is not positive definite.
//
// Products are rounded before they are added (the float64 conversions forbid
// fusing), so that every processor takes the same search.
func solve(a, b []float64) bool {
	n := len(b)
	for i := range n {
		ri := a[i*n : i*n+i+1]
		for j := range i {
			rj := a[j*n : j*n+j+1]
			ri[j] = (ri[j] - dot(ri[:j], rj[:j])) / rj[j]
		}
		d := ri[i] - dot(ri[:i], ri[:i])
		if !(d > 0) {
			return false
		}
		ri[i] = math.Sqrt(d)
		b[i] = (b[i] - dot(ri[:i], b[:i])) / ri[i]
	}
	for i := n - 1; i >= 0; i-- {
		b[i] /= a[i*n+i]
		for j := range i {
			b[j] -= float64(a[i*n+j] * b[i])
		}
	}
	return true
}

// dot has four partial sums: they do not wait for each other.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += float64(x[i] * y[i])
		s1 += float64(x[i+1] * y[i+1])
		s2 += float64(x[i+2] * y[i+2])
		s3 += float64(x[i+3] * y[i+3])
	}
	for ; i < len(x); i++ {
		s0 += float64(x[i] * y[i])
	}
	return (s0 + s1) + (s2 + s3)
}
