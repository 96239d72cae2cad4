package cpu

import (
	"fmt"
	"math"
	"testing"
)

// lengths are the tails of every vector width, and one of several chunks.
var lengths = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 1000, 150001}

func testAxpby[T Float](t *testing.T) {
	for i, n := range lengths {
		l := newLab[T](t, uint64(i))
		l.spikes = i%2 == 1
		a, b, y := l.random(n), l.random(n), l.blank(n)
		// check runs kernel on y at all thread counts, and in place on copies of a
		// and b where in says so, and compares with want.
		check := func(name string, kernel func(p *Pool, a, b, y []T), inA, inB bool, want func(a, b float64) (exact, int)) {
			t.Helper()
			l.sameAtAnyThreads(y, func(p *Pool) { kernel(p, a, b, y) })
			for j := range y {
				e, extra := want(float64(a[j]), float64(b[j]))
				near(t, e, y[j], extra, "%s: %d elements: y[%d]", name, n, j)
			}
			inPlace := func(ca, cb, cy []T) {
				kernel(nil, ca, cb, cy)
				for j := range cy {
					if !same(float64(cy[j]), float64(y[j])) {
						t.Fatalf("%s: in place: y[%d] = %v, want %v", name, j, cy[j], y[j])
					}
				}
			}
			if c := append([]T{}, a...); inA {
				inPlace(c, b, c)
			}
			if c := append([]T{}, b...); inB {
				inPlace(a, c, c)
			}
		}
		terms := func(vs ...float64) (e exact, extra int) {
			for _, v := range vs {
				e.add(v)
			}
			return e, 2
		}
		f := T(0.3)
		check("axpby", func(p *Pool, a, b, y []T) {
			copy(y, b)
			Axpby(p, f, a, -2, y)
		}, false, true, func(a, b float64) (exact, int) { return terms(float64(f)*a, -2*b) })
		l.ok()
	}
	x := make([]T, 3)
	panicsWith(t, badLength, func() { Axpby(nil, 1, x, 1, x[1:]) })
}

func TestAxpby(t *testing.T) {
	bothTypes(t, testAxpby[float32], testAxpby[float64])
}

// descent is a rule with one array of state.
type descent[T Float] struct{ lr T }

func (d *descent[T]) Apply(p Param[T]) {
	for i, g := range p.G {
		p.S[1][i] = p.S[1][i]/2 + g
		p.W[i] -= d.lr * p.S[1][i]
	}
}

// testUpdate: a rule reaches every value of every piece once, at any number of threads.
func testUpdate[T Float](t *testing.T) {
	for i, n := range lengths {
		l := newLab[T](t, uint64(i))
		w0, v0, g, w, v := l.random(n), l.random(n), l.random(n), l.blank(n), l.blank(n)
		const lr = 0.025
		step := func(p *Pool) {
			copy(w, w0)
			copy(v, v0)
			cut := n / 3
			NewEngine[T](p).Update([]Param[T]{
				{W: w[:cut], G: g[:cut], S: [3][]T{1: v[:cut]}}, {W: w[cut:], G: g[cut:], S: [3][]T{1: v[cut:]}},
			}, &descent[T]{lr})
		}
		l.sameAtAnyThreads(v, step)
		l.sameAtAnyThreads(w, step)
		for j := range w {
			var e exact
			e.add(float64(v0[j]) / 2)
			e.add(float64(g[j]))
			near(t, e, v[j], 2, "v[%d]", j)
			s := exact{float64(w0[j]) - lr*e.v, math.Abs(float64(w0[j])) + lr*e.abs, 4}
			near(t, s, w[j], 2, "w[%d]", j)
		}
		var want exact
		for _, x := range g {
			want.add(float64(x) * float64(x))
		}
		var first float64
		eachPool(func(p *Pool) {
			got := NewEngine[T](p).SumSquares([][]T{g})
			if p == nil {
				first = got
			}
			if got != first || !(math.Abs(got-want.v) <= float64(n)*0x1p-53*want.v) {
				t.Fatalf("%d threads, %d elements: sum of squares %v, want %v", p.Threads(), n, got, want.v)
			}
		})
		l.ok()
	}
	if s := NewEngine[T](nil).SumSquares([][]T{{1, T(math.NaN()), 2}}); s == s {
		t.Errorf("sum of squares with a NaN is %v", s)
	}
}

func TestUpdate(t *testing.T) { bothTypes(t, testUpdate[float32], testUpdate[float64]) }

func BenchmarkElementwise(b *testing.B) {
	const n = 64 * 32 * 32 * 16
	x, y, z := make([]float32, n), make([]float32, n), make([]float32, n)
	fillNoise(x)
	bench := func(name string, tensors int, f func(p *Pool)) {
		benchBytes(b, fmt.Sprintf("%s/%d", name, n), float64(4*tensors*n), f)
	}
	bench("update", 5, func(p *Pool) {
		NewEngine[float32](p).Update([]Param[float32]{{W: z, G: x, S: [3][]float32{1: y}}}, &descent[float32]{1e-3})
	})
	bench("sumsquares", 1, func(p *Pool) { NewEngine[float32](p).SumSquares([][]float32{x}) })
}
