package lanas

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFitMinimisesTheObjective: at the minimum of a convex function, and only
// there, the gradient is zero. The sizes need both forms of the solution.
func TestFitMinimisesTheObjective(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 5, 23, 24, 25, 200} {
		c := choices{8, 3}
		xs, y := make([][]int32, n), make([]float64, n)
		for i := range xs {
			xs[i], y[i] = ones(c.Sample(r)), r.NormFloat64()
		}
		const lambda = 0.7
		m, ok := fit(xs, y, c.Dim(), lambda)
		if !ok {
			t.Fatalf("%d samples: no solution", n)
		}
		grad, bias := make([]float64, c.Dim()), 0.0
		for i, x := range xs {
			e := m.predict(x) - y[i]
			bias += e
			for _, k := range x {
				grad[k] += e
			}
		}
		if !(math.Abs(bias) <= 1e-10) {
			t.Errorf("%d samples: gradient of the bias is %g", n, bias)
		}
		for k := range grad {
			if g := grad[k] + lambda*m.weight[k]; !(math.Abs(g) <= 1e-10) {
				t.Errorf("%d samples: gradient of weight %d is %g", n, k, g)
			}
		}
	}
}

func TestFitFindsAnAdditiveLandscape(t *testing.T) {
	c, score := choices{6, 4}, additive(3, choices{6, 4}.Dim())
	r := rand.New(rand.NewPCG(5, 6))
	var xs [][]int32
	var y []float64
	for range 200 {
		code := c.Sample(r)
		xs, y = append(xs, ones(code)), append(y, score(code))
	}
	m, _ := fit(xs, y, c.Dim(), 1e-6)
	for range 100 {
		code := c.Sample(r)
		if got, want := m.predict(ones(code)), score(code); !(math.Abs(got-want) <= 1e-6) {
			t.Fatalf("predicts %g for %g", got, want)
		}
	}
}

func TestSolveRefusesWhatHasNoRoot(t *testing.T) {
	for _, a := range [][]float64{
		{1, 0, 2, 1}, // eigenvalues 3 and -1
		{0, 0, 0, 0},
		{math.NaN(), 0, 0, 1},
	} {
		if solve(a, []float64{1, 1}) {
			t.Errorf("%v is taken for positive definite", a)
		}
	}
}

// TestCrossValidate against the definition: H has in its columns what is fitted
// to unit vectors, without their mean.
func TestCrossValidate(t *testing.T) {
	c := choices{6, 3}
	chosen := map[float64]bool{}
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 2))
		score, noise := additive(seed, c.Dim()), 0.02*float64(seed%4)
		const n = 40
		xs, y := make([][]int32, n), make([]float64, n)
		for i := range xs {
			code := c.Sample(r)
			xs[i], y[i] = ones(code), score(code)+noise*r.NormFloat64()
		}
		best, want := math.Inf(1), 0.0
		for _, lambda := range penalties {
			m, _ := fit(xs, y, c.Dim(), lambda)
			var rss, trace float64
			for i, x := range xs {
				e := y[i] - m.predict(x)
				rss += e * e
				unit := make([]float64, n)
				unit[i] = 1
				h, _ := fit(xs, unit, c.Dim(), lambda)
				trace += h.predict(x) - 1.0/n
			}
			if gcv := n * rss / ((n - trace) * (n - trace)); gcv < best {
				best, want = gcv, lambda
			}
		}
		chosen[want] = true
		if got := crossValidate(xs, y, c.Dim()); got != want {
			t.Errorf("noise %g: penalty %g, want %g", noise, got, want)
		}
	}
	if len(chosen) < 3 {
		t.Errorf("only the penalties %v were right", chosen)
	}
}
