//go:build !noasm

package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// gemmFunc, gemmATFunc, dwFunc and dwGradFunc are the float32 hot primitives.
type (
	gemmFunc   func(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int)
	gemmATFunc func(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int)
	dwFunc     func(n, ch int, y []float32, ystep int, x []float32, xstep int, xoff []int, w []float32, woff []int)
	dwGradFunc func(n, ch int, dw []float32, woff []int, x []float32, xstep int, xoff []int, dy []float32, ystep int)
)

// Every implementation goes through the same cases, the references as well.
var (
	gemmImpls   = map[string]gemmFunc{"avx2": gemmRowsAVX2, "ref": gemmRowsRef[float32]}
	gemmATImpls = map[string]gemmATFunc{"avx2": gemmATRowsAVX2, "ref": gemmATRowsRef[float32]}
	dwImpls     = map[string]dwFunc{"avx2": dwRowAVX2, "ref": dwRowRef[float32]}
	dwGradImpls = map[string]dwGradFunc{"avx2": dwGradRowAVX2, "ref": dwGradRowRef[float32]}
)

var (
	nan32 = float32(math.NaN())
	inf32 = float32(math.Inf(1))
)

// A field is a matrix between guard zones: rows rows of cols elements, stride
// apart, starting off elements after wherever the allocator aligned the buffer.
// Whatever is not an element of the matrix is a guard: NaN in an operand, so
// that reading it shows in the result, and a value that must survive in a
// result.
type field struct {
	rows, cols, stride int
	s                  []float32 // the kernel's argument: ends at the last element
	buf, before        []float32
}

func newField(rows, cols, stride, off int) field {
	const guard = 64
	size := 0
	if rows > 0 && cols > 0 {
		size = (rows-1)*stride + cols
	}
	f := field{rows: rows, cols: cols, stride: stride, buf: make([]float32, guard+off+size+guard)}
	for i := range f.buf {
		f.buf[i] = nan32
	}
	f.s = f.buf[guard+off : guard+off+size : guard+off+size]
	return f
}

// fill sets the elements, not the guards.
func (f field) fill(value func() float32) field {
	for i := range f.rows {
		for j := range f.cols {
			f.s[i*f.stride+j] = value()
		}
	}
	return f
}

// armed marks a result: its guards compare equal to themselves.
func (f field) armed() field {
	for i := range f.buf {
		f.buf[i] = -1e30
	}
	f.before = append([]float32(nil), f.buf...)
	return f
}

// checkGuards fails if anything but an element changed.
func (f field) checkGuards(t *testing.T) {
	t.Helper()
	element := make(map[int]bool)
	start := cap(f.buf) - 64 - len(f.s)
	for i := range f.rows {
		for j := range f.cols {
			element[start+i*f.stride+j] = true
		}
	}
	for i, v := range f.buf {
		if !element[i] && v != f.before[i] {
			t.Fatalf("wrote %v outside the result, %d elements from its start", v, i-start)
		}
	}
}

// unit is the roundoff of float32.
const unit = 0x1p-24

// sum is the reference of one element: a sum of products in float64 and what
// bounds the error of the same sum in float32.
type sum struct {
	value, magnitude float64
	terms            int
}

func (s *sum) add(a, b float32) {
	p := float64(a) * float64(b)
	s.value += p
	s.magnitude += math.Abs(p)
	s.terms++
}

// check compares got with the sum. Fused or not, a chain of n products and sums
// makes at most two roundings a term, in any order; see Higham, Accuracy and
// Stability of Numerical Algorithms, 2nd ed., section 3.1. Products that
// underflow lose at most the smallest denormal each.
func (s *sum) check(t *testing.T, got float32, format string, args ...any) {
	t.Helper()
	n := float64(2*s.terms + 2)
	tol := n*unit/(1-n*unit)*s.magnitude + n*math.SmallestNonzeroFloat32
	switch {
	case math.IsNaN(s.value):
		if got == got {
			t.Fatalf(format+": got %v, want NaN", append(args, got)...)
		}
	case math.IsInf(s.value, 0):
		if float64(got) != s.value {
			t.Fatalf(format+": got %v, want %v", append(args, got, s.value)...)
		}
	case s.magnitude > math.MaxFloat32/4: // outside the contract: may overflow on the way
	default:
		if diff := math.Abs(float64(got) - s.value); !(diff <= tol) {
			t.Fatalf(format+": got %v, want %v ± %.2g", append(args, got, s.value, tol)...)
		}
	}
}

// uniform draws from [-1, 1).
func uniform(r *rand.Rand) func() float32 {
	return func() float32 { return 2*r.Float32() - 1 }
}

// special draws values that show when a kernel is not IEEE arithmetic.
func special(r *rand.Rand) func() float32 {
	values := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, nan32, inf32, -inf32, math.SmallestNonzeroFloat32, 0x1p-126}
	return func() float32 {
		if r.IntN(4) > 0 {
			return 2*r.Float32() - 1
		}
		return values[r.IntN(len(values))]
	}
}

// bits draws any float32 at all.
func bits32(r *rand.Rand) func() float32 {
	return func() float32 { return math.Float32frombits(r.Uint32()) }
}

// sizes are the lengths around every block of the kernels.
var sizes = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 48, 49, 64, 65, 80, 128, 130}

func pick(r *rand.Rand) int { return sizes[r.IntN(len(sizes))] }

// sameBits fails unless x and y are equal bit for bit.
func sameBits(t *testing.T, x, y []float32, format string, args ...any) {
	t.Helper()
	for i := range x {
		if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
			t.Fatalf(format+": element %d: %v and %v", append(args, i, x[i], y[i])...)
		}
	}
}

// sameFloats fails unless x and y are equal bit for bit or both NaN.
func sameFloats(t *testing.T, x, y []float32, format string, args ...any) {
	t.Helper()
	for i, v := range x {
		if math.Float32bits(v) != math.Float32bits(y[i]) && (v == v || y[i] == y[i]) {
			t.Fatalf(format+": element %d: got %v, want %v", append(args, i, v, y[i])...)
		}
	}
}

// within fails unless got is within tol of want, or the same NaN or infinity.
func within(t *testing.T, got float32, want, tol float64, format string, args ...any) {
	t.Helper()
	switch {
	case math.IsNaN(want):
		if got == got {
			t.Fatalf(format+": got %v, want NaN", append(args, got)...)
		}
	case math.IsInf(want, 0):
		if float64(got) != want {
			t.Fatalf(format+": got %v, want %v", append(args, got, want)...)
		}
	default:
		if diff := math.Abs(float64(got) - want); !(diff <= tol) {
			t.Fatalf(format+": got %v, want %v ± %.2g", append(args, got, want, tol)...)
		}
	}
}

// panics reports whether f panics.
func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return
}
