package lanas

import (
	"math"
	"math/rand/v2"
	"testing"
)

// dense is the textbook's Gaussian process with an unknown constant mean: every
// formula from an explicit inverse (Rasmussen and Williams, section 2.7).
type dense struct {
	k        []float64
	x        []packed
	inv      [][]float64 // (K + noise)^-1
	mean, s2 float64
	alpha    []float64
	oneInv   float64 // 1' inv 1
}

func newDense(s shape, dim int, distance float64, x []packed, y []float64) *dense {
	d := &dense{k: s.table(dim, distance), x: x}
	n := len(x)
	a := make([][]float64, n)
	for i := range a {
		a[i] = make([]float64, 2*n)
		for j := range n {
			a[i][j] = d.k[hamming(x[i], x[j])]
		}
		a[i][i] += s.noise
		a[i][n+i] = 1
	}
	for i := range n { // Gauss-Jordan
		p := a[i][i]
		for j := range a[i] {
			a[i][j] /= p
		}
		for r := range n {
			if f := a[r][i]; r != i {
				for j := range a[r] {
					a[r][j] -= f * a[i][j]
				}
			}
		}
	}
	for i := range a {
		d.inv = append(d.inv, a[i][n:])
	}
	one := make([]float64, n)
	for i := range one {
		one[i] = 1
	}
	d.oneInv = d.form(one, one)
	d.mean = d.form(one, y) / d.oneInv
	r := make([]float64, n)
	for i := range r {
		r[i] = y[i] - d.mean
	}
	d.s2 = d.form(r, r) / float64(n)
	for i := range n {
		d.alpha = append(d.alpha, dot(d.inv[i], r))
	}
	return d
}

// form is u' inv v.
func (d *dense) form(u, v []float64) (sum float64) {
	for i := range u {
		sum += u[i] * dot(d.inv[i], v)
	}
	return sum
}

func (d *dense) at(x packed) (mean, sd float64) {
	c, one := make([]float64, len(d.x)), make([]float64, len(d.x))
	for i, y := range d.x {
		c[i], one[i] = d.k[hamming(x, y)], 1
	}
	u := 1 - d.form(one, c)
	v := d.k[0] - d.form(c, c) + u*u/d.oneInv
	return d.mean + dot(c, d.alpha), math.Sqrt(v * d.s2)
}

func TestProcessIsTheTextbooks(t *testing.T) {
	sp := choices{8, 3}
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		shape
		n int // few leave the mean uncertain
	}{{shape{1, 0, 0.05}, 40}, {shape{2, 0.5, 0.01}, 40}, {shape{0.5, 0.9, 0.8}, 40}, {shape{1, 0, 0.05}, 2}, {shape{8, 0.9, 0.001}, 3}} {
		s := c.shape
		p := newProcess(s, sp.Dim(), 10)
		var x []packed
		var y []float64
		for range c.n {
			x, y = append(x, pack(sp.Sample(r))), append(y, r.NormFloat64())
			if !p.add(x[len(x)-1]) {
				t.Fatal("no factor")
			}
		}
		p.observe(y)
		d := newDense(s, sp.Dim(), 10, x, y)
		if !(math.Abs(p.mean-d.mean) <= 1e-9) || !(math.Abs(p.variance-d.s2) <= 1e-9*d.s2) {
			t.Errorf("%+v: mean %g and variance %g, want %g and %g", s, p.mean, p.variance, d.mean, d.s2)
		}
		cov := make([]float64, p.len())
		for i, q := range x {
			if want, _ := d.at(q); !(math.Abs(p.at(i, y[i])-want) <= 1e-8) {
				t.Fatalf("%+v: mean %g at sample %d, want %g", s, p.at(i, y[i]), i, want)
			}
		}
		for range 50 {
			q := pack(sp.Sample(r))
			mean, nearest := p.expect(q, cov)
			bound, sd := p.bound(nearest), p.deviation(cov)
			wantMean, wantSD := d.at(q)
			if !(math.Abs(mean-wantMean) <= 1e-8) || !(math.Abs(sd-wantSD) <= 1e-6) {
				t.Fatalf("%+v: %g +- %g, want %g +- %g", s, mean, sd, wantMean, wantSD)
			}
			if !(bound >= 0.999*sd) {
				t.Fatalf("%+v: bound %g below the deviation %g", s, bound, sd)
			}
		}
	}
}

// The factor, and what follows from it, is after truncate and add again bit by
// bit that of the first time.
func TestProcessForgets(t *testing.T) {
	sp := choices{8, 3}
	r := rand.New(rand.NewPCG(3, 4))
	p := newProcess(shape{2, 0.5, 0.05}, sp.Dim(), 10)
	var x []packed
	y := make([]float64, 20)
	for i := range y {
		x, y[i] = append(x, pack(sp.Sample(r))), r.NormFloat64()
		p.add(x[i])
	}
	observe := func() [2]float64 { return [2]float64{p.observe(y), p.norm} }
	want := observe()
	for i := range 5 {
		p.truncate(20 - i)
		for _, q := range x[20-i:] {
			p.add(q)
		}
		if got := observe(); got != want {
			t.Errorf("after forgetting %d: likelihood and norm %v, want %v", i, got, want)
		}
	}
}

// Of two codes that agree and no noise, the factor has no root.
func TestProcessRefusesTwins(t *testing.T) {
	p := newProcess(shape{length: 1}, 4, 2)
	code := pack([]byte{1, 0, 1, 0})
	if !p.add(code) || p.add(code) {
		t.Error("twins without noise have a factor")
	}
	if p.len() != 1 || !p.add(pack([]byte{0, 1, 1, 0})) {
		t.Error("the refused code left something behind")
	}
}

// Improvement against the integral of max(0, z).
func TestImprovement(t *testing.T) {
	for _, c := range []struct{ gain, sd float64 }{{0, 1}, {1, 0.5}, {-1, 2}, {-3, 1}, {0.2, 1e-3}} {
		var want float64
		const steps = 200000
		for i := range steps {
			z := -8 + 16*(float64(i)+0.5)/steps
			want += max(0, c.gain+c.sd*z) * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * 16 / steps
		}
		if got := improvement(c.gain, c.sd); !(math.Abs(got-want) <= 1e-6) {
			t.Errorf("improvement(%g, %g) = %g, want %g", c.gain, c.sd, got, want)
		}
	}
}
