package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// lab is what the tests of kernels share: random operands between guard zones,
// and a pool for each thread count.
type lab[T Float] struct {
	t      *testing.T
	r      *rand.Rand
	zones  [][]T
	spikes bool // make some of the operands NaN, Inf and zero
}

const (
	guardZone = 16
	guardMark = 12345.678
)

func newLab[T Float](t *testing.T, seed uint64) *lab[T] {
	return &lab[T]{t: t, r: rand.New(rand.NewPCG(seed, 7))}
}

// blank returns n elements that are NaN, so that one which a kernel forgets is
// noticed, between guard zones.
func (l *lab[T]) blank(n int) []T {
	all := make([]T, n+2*guardZone)
	for i := range all {
		all[i] = guardMark
	}
	l.zones = append(l.zones, all)
	s := all[guardZone:][:n:n]
	for i := range s {
		s[i] = T(math.NaN())
	}
	return s
}

// random returns n elements in (-1, 1).
func (l *lab[T]) random(n int) []T {
	s := l.blank(n)
	for i := range s {
		s[i] = T(2*l.r.Float64() - 1)
		if l.spikes && l.r.IntN(40) == 0 {
			s[i] = T([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e-40}[l.r.IntN(6)])
		}
	}
	return s
}

// ok fails the test if a guard zone was written to.
func (l *lab[T]) ok() {
	l.t.Helper()
	for _, z := range l.zones {
		for i := range guardZone {
			if z[i] != guardMark || z[len(z)-1-i] != guardMark {
				l.t.Fatal("a guard zone was written to")
			}
		}
	}
}

// eachPool calls f with pools of 1, 2 and 4 threads and with none.
func eachPool(f func(p *Pool)) {
	f(nil)
	for _, n := range []int{1, 2, 4} {
		p := NewPool(n)
		f(p)
		p.Close()
	}
}

// sameAtAnyThreads runs kernel, which fills out, on pools of every size and
// fails the test if any two of them differ in a bit.
func (l *lab[T]) sameAtAnyThreads(out []T, kernel func(p *Pool)) {
	l.t.Helper()
	var want []T
	eachPool(func(p *Pool) {
		for i := range out {
			out[i] = T(math.NaN())
		}
		kernel(p)
		if want == nil {
			want = append([]T{}, out...)
		}
		for i := range out {
			if math.Float64bits(float64(want[i])) != math.Float64bits(float64(out[i])) {
				l.t.Fatalf("%d threads: element %d is %v, want %v", p.Threads(), i, out[i], want[i])
			}
		}
	})
}

// roundoff is half the distance from 1 to the next T.
func roundoff[T Float]() float64 {
	if unsafe.Sizeof(T(0)) == 4 {
		return 0x1p-24
	}
	return 0x1p-53
}

// exact is a sum in float64, the sum of the magnitudes of its terms, and how
// many roundings a sum in any order makes at most.
type exact struct {
	v, abs float64
	n      int
}

func (e *exact) add(x float64) {
	e.v += x
	e.abs += math.Abs(x)
	e.n++
}

// near fails the test unless got is the exact sum, computed in T with at most
// extra roundings besides one for each product and each addition.
func near[T Float](t *testing.T, e exact, got T, extra int, format string, args ...any) {
	t.Helper()
	if math.IsNaN(e.v) || math.IsInf(e.v, 0) {
		if !same(e.v, float64(got)) {
			t.Fatalf(format+": got %v, want %v", append(args, got, e.v)...)
		}
		return
	}
	// The float64 sum that stands for the exact one has roundings of its own.
	tol := float64(2*e.n+extra) * (roundoff[T]() + 0x1p-53) * e.abs
	tol += float64(e.n+1) * 0x1p-149 // underflow of products
	if diff := math.Abs(float64(got) - e.v); !(diff <= tol) {
		t.Fatalf(format+": got %v, want %v, off by %.3g > %.3g", append(args, got, e.v, diff, tol)...)
	}
}

// same reports whether a and b are equal or both NaN.
func same(a, b float64) bool { return a == b || a != a && b != b }

// bothTypes runs a test for float32 and float64.
func bothTypes(t *testing.T, f32, f64 func(*testing.T)) {
	t.Run("float32", f32)
	t.Run("float64", f64)
}

// panicsWith fails the test unless f panics with want.
func panicsWith(t *testing.T, want any, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic %v, want %v", got, want)
		}
	}()
	f()
}
