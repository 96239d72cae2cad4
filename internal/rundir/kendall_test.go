package rundir

import (
	"math"
	"testing"
)

// tau and p are scipy 1.10.1's: scipy.stats.kendalltau(x, y), whose tau is tau-b; p with method="exact" or, where
// values are equal, the share of itertools.permutations(y) with a tau as far from 0.
var kendalls = []struct {
	x, y   []float64
	tau, p float64
}{
	{[]float64{1, 2, 3}, []float64{1, 2, 3}, 1, 1. / 3},
	{[]float64{1, 2, 3, 4}, []float64{1, 3, 2, 4}, 0.6666666666666669, 0.3333333333333333},
	{[]float64{12, 2, 1, 12, 2}, []float64{1, 4, 7, 1, 0}, -0.4714045207910316, 0.36666666666666664},
	{[]float64{1, 1, 2, 2, 3}, []float64{1, 2, 2, 3, 3}, 0.7499999999999999, 0.16666666666666666},
	{[]float64{5, 4, 3, 2, 1, 0}, []float64{0, 1, 2, 3, 4, 5}, -1, 0.002777777777777778},
	{[]float64{0.82, 0.814, 0.81, 0.805, 0.80, 0.79, 0.78}, []float64{0.91, 0.90, 0.905, 0.88, 0.89, 0.86, 0.87}, 0.7142857142857143, 0.03015873015873016},
	{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, []float64{2, 1, 4, 3, 6, 5, 8, 7}, 0.7142857142857142, 0.014136904761904762},
}

func TestKendall(t *testing.T) {
	for _, c := range kendalls {
		k := KendallOf(c.x, c.y)
		if k.Tau == nil || !(math.Abs(*k.Tau-c.tau) <= 1e-12) || !(math.Abs(*k.P-c.p) <= 1e-12) || k.Drawn != 0 {
			t.Errorf("%v, %v: %+v, want tau %v, p %v of all orders", c.x, c.y, k, c.tau, c.p)
		}
		// It does not depend on which of the two is which, nor on the order in which they come.
		n := len(c.x)
		x, y := make([]float64, n), make([]float64, n)
		for i := range n {
			x[i], y[i] = c.y[n-1-i], c.x[n-1-i]
		}
		if r := KendallOf(x, y); *r.Tau != *k.Tau || *r.P != *k.P {
			t.Errorf("%v, %v: exchanged it has %v and %v", c.x, c.y, *r.Tau, *r.P)
		}
	}
	// By hand: of three pairs one is equal in x, two agree: 2 / sqrt(2 * 3).
	if k := KendallOf([]float64{1, 1, 2}, []float64{1, 2, 3}); !(math.Abs(*k.Tau-2/math.Sqrt(6)) <= 1e-12) {
		t.Errorf("tau %v", *k.Tau)
	}
	if k := KendallOf([]float64{1, 1, 1}, []float64{1, 2, 3}); k.Tau != nil || k.P != nil {
		t.Errorf("all values are equal: %+v", k)
	}
}

// Of more values orders are drawn, always the same: p is close to scipy's exact one, and never 0.
func TestKendallOfMany(t *testing.T) {
	x, y := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{3, 1, 2, 5, 4, 7, 6, 10, 8, 9}
	k, again := KendallOf(x, y), KendallOf(x, y)
	const p = 0.002212852733686067 // scipy 1.10.1, method="exact"
	// The deviation of a share of 9,999 draws is 0.0005.
	if !(math.Abs(*k.Tau-0.7333333333333333) <= 1e-12) || !(math.Abs(*k.P-p) <= 0.002) || k.Drawn != drawnOrders || *again.P != *k.P {
		t.Errorf("tau %v, p %v and %v of %d orders", *k.Tau, *k.P, *again.P, k.Drawn)
	}
	if k := KendallOf(x, x); *k.Tau != 1 || !(*k.P > 0) || !(*k.P < 0.001) {
		t.Errorf("the same order: tau %v, p %v", *k.Tau, *k.P)
	}
	ties := []float64{1, 2, 2, 3, 4, 4, 4, 5, 6, 7, 8, 9}
	if k := KendallOf(ties, []float64{2, 1, 3, 3, 3, 5, 4, 6, 6, 8, 7, 9}); !(math.Abs(*k.Tau-0.8709677419354839) <= 1e-12) { // scipy 1.10.1
		t.Errorf("tau %v", *k.Tau)
	}
}

// Below three architectures nothing is compared; the mean of seeds is what is compared.
func TestTopCompares(t *testing.T) {
	arch := func(score, test float64, search *Spread) TopArch {
		return TopArch{Score: score, Test: Spread{Mean: test}, Search: search}
	}
	top := Top{Seeds: 2, Archs: []TopArch{arch(3, 0.9, nil), arch(2, 0.8, nil)}}
	if top.Compare(); top.Test != nil || top.Search != nil || top.Looks != 4 {
		t.Errorf("%+v", top)
	}
	top.Archs = append(top.Archs, arch(1, 0.85, &Spread{Mean: 1}))
	if top.Compare(); top.Test == nil || !(math.Abs(*top.Test.Tau-1./3) <= 1e-12) || top.Search != nil || top.Looks != 6 {
		t.Errorf("%+v", top)
	}
}
