package cpu

import (
	"fmt"
	"math"
)

// A pass is an operation of Engine, forward and backward, on operands that a
// seed decides. Running it again gives the same results.
type pass[T Float] struct {
	*lab[T]
	what              string
	forward, backward func(e *Engine[T])
	fwd, bwd          []result[T] // what they compute
	fwdRounds         int         // at most as many roundings lie between an operand and a result
	bwdRounds         int
	in, x             [][]T // operands, and those of them that are activations
	kept              [][]T // what forward leaves for backward, and its taps
	taps              []uint8
	norm              *Norm[T] // of z (px,c), if the operation has one
	z                 []T
	c                 int
}

type result[T Float] struct {
	name string
	v    []T
}

// noise is an operand whose sums round.
func (p *pass[T]) noise(n int) []T {
	s := p.blank(n)
	for i := range s {
		s[i] = T(float32(2*p.r.Float64() - 1))
	}
	p.in = append(p.in, s)
	return s
}

// grid is an operand whose products of two are exact in float32, and so are
// their sums: a ReLU of them has one mask in every precision.
func (p *pass[T]) grid(n int) []T {
	s := p.blank(n)
	for i := range s {
		s[i] = T(p.r.IntN(129)-64) / 64
	}
	p.in = append(p.in, s)
	return s
}

// act is an activation, deferred to its consumers every other time.
func (p *pass[T]) act(n, c int) (a Act[T]) {
	if p.r.IntN(2) == 0 {
		a = Act[T]{X: p.noise(n * c)}
	} else {
		a = Act[T]{X: p.grid(n * c), Scale: p.grid(c), Shift: p.grid(c)}
	}
	p.x = append(p.x, a.X)
	return a
}

func (p *pass[T]) acts(parts, n, c int) (a []Act[T]) {
	for range parts {
		a = append(a, p.act(n, c))
	}
	return a
}

func (p *pass[T]) result(list *[]result[T], name string, n int) []T {
	s := p.blank(n)
	*list = append(*list, result[T]{name, s})
	return s
}

// grad is where the gradient of an activation goes: alone, added to another one
// or to what is there. reset brings back what was there.
func (p *pass[T]) grad(name string, n int) (o Out[T], reset func()) {
	o.DX = p.result(&p.bwd, name, n)
	add := p.noise(n)
	switch p.r.IntN(3) {
	case 0:
		o.Add = add
	case 1:
		o.Add = o.DX
		return o, func() { copy(o.DX, add) }
	}
	return o, func() {}
}

func (p *pass[T]) grads(parts, n int) (o []Out[T], reset func()) {
	var all []func()
	for i := range parts {
		out, f := p.grad(fmt.Sprintf("DParts[%d]", i), n)
		o, all = append(o, out), append(all, f)
	}
	return o, func() {
		for _, f := range all {
			f()
		}
	}
}

// output makes z (px,c) the result of forward and nm its normalisation. reset
// brings back the running statistics.
func (p *pass[T]) output(px, c int, nm *Norm[T]) (z []T, reset func()) {
	p.norm, p.c = nm, c
	p.z = p.result(&p.fwd, "Z", px*c)
	nm.Batch, nm.Momentum = p.r.IntN(4) > 0, 0.25
	mean, variance := p.noise(c), p.noise(c)
	for i, v := range variance {
		variance[i] = max(v, -v)
	}
	nm.RunMean, nm.RunVar = p.blank(c), p.blank(c)
	nm.Scale, nm.Shift, nm.Mean, nm.Inv = p.blank(c), p.blank(c), p.blank(c), p.blank(c)
	p.kept = append(p.kept, p.z, nm.Scale, nm.Shift, nm.Mean, nm.Inv)
	if p.r.IntN(2) == 0 {
		nm.Gamma, nm.Beta = p.noise(c), p.noise(c)
	}
	nm.DGamma, nm.DBeta = p.result(&p.bwd, "DGamma", c), p.result(&p.bwd, "DBeta", c)
	return p.z, func() {
		copy(nm.RunMean, mean)
		copy(nm.RunVar, variance)
	}
}

// all is every result, and what the normalisation computes, one after another.
func (p *pass[T]) all() (s []T) {
	for _, r := range p.fwd {
		s = append(s, r.v...)
	}
	for _, r := range p.bwd {
		s = append(s, r.v...)
	}
	if nm := p.norm; nm != nil {
		for _, v := range [][]T{nm.Scale, nm.Shift, nm.Mean, nm.Inv, nm.RunMean, nm.RunVar} {
			s = append(s, v...)
		}
	}
	for _, t := range p.taps {
		s = append(s, T(t))
	}
	return s
}

// magnitudes are primitives that compute the sum of the magnitudes of the terms
// instead of their sum, given magnitudes.
func magnitudes() *rowKernels[float64] {
	k := refRows[float64]()
	k.sum = func(n, ch int, x, shift, s1, s2 []float64) { sumRows(n, ch, x, negated(shift), s1, s2) }
	k.gradSum = func(n, ch int, x, dy, mean, s1, s2 []float64) { gradSumRows(n, ch, x, dy, negated(mean), s1, s2) }
	k.maskSum = func(n, ch int, dst, dy, x, a, b, mean, s1, s2 []float64) {
		maskSumRows(n, ch, dst, dy, x, a, b, negated(mean), s1, s2)
	}
	k.bnGrad = func(n, ch int, dx []float64, dpx int, x, dy []float64, spx int, mean, a, b, k []float64) {
		bnGradRowsRef(n, ch, dx, dpx, x, dy, spx, negated(mean), a, negated(b), negated(k))
	}
	return &k
}

// maker builds the same pass for both types.
type maker struct {
	name string
	f32  func(seed uint64) *pass[float32]
	f64  func(seed uint64) *pass[float64]
}

// disagree runs the pass of a seed in float32 with e and in float64, and reports
// where they differ by more than the roundings of float32 explain. backward
// starts from what forward left in float32. The bound of a result is the number
// of its roundings times the sum of the magnitudes of its terms, see Higham,
// Accuracy and Stability of Numerical Algorithms, 2nd ed., chapter 3: the same
// pass with the magnitudes of the operands and with magnitudes in place of the
// primitives computes it.
func (m maker) disagree(seed uint64, e *Engine[float32]) error {
	got, want, size := m.f32(seed), m.f64(seed), m.f64(seed)
	e64, mag := NewEngine[float64](nil), NewEngine[float64](nil)
	mag.k = magnitudes()
	for _, s := range size.in {
		copy(s, widen(s, true))
	}
	compare := func(got []result[float32], want, size []result[float64], rounds int) error {
		for i, r := range got {
			for j, v := range r.v {
				tol := 1.01*float64(rounds)*0x1p-24*size[i].v[j] + 0x1p-140
				if diff := math.Abs(float64(v) - want[i].v[j]); !(diff <= tol) {
					return fmt.Errorf("%s: %s[%d] = %v, want %v ± %.3g", m.name, r.name, j, v, want[i].v[j], tol)
				}
			}
		}
		return nil
	}
	got.forward(e)
	want.forward(e64)
	size.forward(mag)
	if err := compare(got.fwd, want.fwd, size.fwd, got.fwdRounds); err != nil {
		return fmt.Errorf("%w (%s)", err, got.what)
	}
	for i, s := range got.kept {
		copy(want.kept[i], widen(s, false))
		copy(size.kept[i], widen(s, true))
	}
	copy(want.taps, got.taps)
	copy(size.taps, got.taps)
	got.backward(e)
	want.backward(e64)
	size.backward(mag)
	if err := compare(got.bwd, want.bwd, size.bwd, got.bwdRounds); err != nil {
		return fmt.Errorf("%w (%s)", err, got.what)
	}
	got.ok()
	return nil
}
