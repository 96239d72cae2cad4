//go:build !noasm

package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// sameFloats fails unless x and y are equal bit for bit or both NaN.
func sameFloats(t *testing.T, x, y []float32, format string, args ...any) {
	t.Helper()
	for i, v := range x {
		if math.Float32bits(v) != math.Float32bits(y[i]) && (v == v || y[i] == y[i]) {
			t.Fatalf(format+": element %d: got %v, want %v", append(args, i, v, y[i])...)
		}
	}
}

// flatKernels are the passes over flat slices with the definition of each. The
// first ones have one operand.
var flatKernels = []struct {
	name     string
	operands int
	fn, ref  func(dst, a, b []float32)
}{
	{"relu", 1, func(dst, a, _ []float32) { reluRowAVX2(dst, a) }, func(dst, a, _ []float32) { reluRowRef(dst, a) }},
	{"reluGrad", 2, reluGradRowAVX2, reluGradRowRef[float32]},
	{"add", 2, addRowAVX2, addRowRef[float32]},
}

func TestFlatAVX2(t *testing.T) {
	for _, k := range flatKernels {
		t.Run(k.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			for n := range 131 {
				for range 4 {
					a := newField(1, n, 0, r.IntN(8)).fill(special(r)).s
					b := newField(1, n, 0, r.IntN(8)).fill(special(r)).s
					want := make([]float32, n)
					k.ref(want, a, b)
					dst := newField(1, n, 0, r.IntN(8)).armed()
					k.fn(dst.s, a, b)
					dst.checkGuards(t)
					sameFloats(t, dst.s, want, "n %d", n)
					x, y := append([]float32(nil), a...), append([]float32(nil), b...)
					k.fn(x, x, b)
					sameFloats(t, x, want, "n %d, in place", n)
					if k.operands == 2 {
						k.fn(y, a, y)
						sameFloats(t, y, want, "n %d, in place of the second", n)
					}
				}
			}
		})
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

// A bnCase is operands of the passes of batch normalisation. The matrices are
// dense, but for y.
type bnCase struct {
	rows, ch                int
	x, dy                   []float32
	mean, scale, shift, fac []float32
}

func newBNCase(r *rand.Rand, rows, ch int, value func() float32) bnCase {
	row := func(n int) []float32 { return newField(1, n, 0, r.IntN(8)).fill(value).s }
	return bnCase{rows, ch, row(rows * ch), row(rows * ch), row(ch), row(ch), row(ch), row(ch)}
}

// each calls f for every element, with its operands in float64.
func (k bnCase) each(f func(r, c int, x, dy, mean, scale, shift, fac float64)) {
	for r := range k.rows {
		for c := range k.ch {
			f(r, c, float64(k.x[r*k.ch+c]), float64(k.dy[r*k.ch+c]),
				float64(k.mean[c]), float64(k.scale[c]), float64(k.shift[c]), float64(k.fac[c]))
		}
	}
}

// checkBN runs every pass of batch normalisation on one case. A result is a few
// roundings of its terms away from the formula in float64; those of a sum are
// counted as in check.
func checkBN(t *testing.T, r *rand.Rand, k bnCase) {
	t.Helper()
	abs := math.Abs
	y := newField(k.rows, k.ch, k.ch+r.IntN(20), r.IntN(8)).armed()
	bnRowsAVX2(k.rows, k.ch, y.s, y.stride, k.x, k.mean, k.scale, k.shift)
	y.checkGuards(t)
	dx := newField(k.rows, k.ch, k.ch, r.IntN(8)).armed()
	bnGradRowsAVX2(k.rows, k.ch, dx.s, k.x, k.dy, k.mean, k.scale, k.shift, k.fac)
	dx.checkGuards(t)
	sums := make([]field, 4)
	for i := range sums {
		sums[i] = newField(1, k.ch, 0, r.IntN(8)).armed()
	}
	bnSumRowsAVX2(k.rows, k.ch, k.x, k.mean, sums[0].s, sums[1].s)
	bnGradSumRowsAVX2(k.rows, k.ch, k.x, k.dy, k.mean, sums[2].s, sums[3].s)
	want := make([]sum, 4*k.ch)
	k.each(func(r, c int, x, dy, mean, scale, shift, fac float64) {
		at := fmt.Sprintf("rows %d, ch %d: [%d,%d]", k.rows, k.ch, r, c)
		within(t, y.s[r*y.stride+c], (x-mean)*scale+shift, 4*unit*((abs(x)+abs(mean))*abs(scale)+abs(shift))+1e-44, "apply, "+at)
		within(t, dx.s[r*k.ch+c], scale*(dy-shift-(x-mean)*fac),
			8*unit*abs(scale)*(abs(dy)+abs(shift)+(abs(x)+abs(mean))*abs(fac))+1e-44, "grad, "+at)
		for i, v := range []float64{x - mean, (x - mean) * (x - mean), dy, dy * (x - mean)} {
			s := &want[i*k.ch+c]
			s.value += v
			s.magnitude += abs(v)
			s.terms += 2 // the difference, or its square, is rounded as well
		}
	})
	for i, s := range sums {
		s.checkGuards(t)
		for c := range k.ch {
			want[i*k.ch+c].check(t, s.s[c], "sum %d, rows %d, ch %d: [%d]", i, k.rows, k.ch, c)
		}
	}
}

func TestBNAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for v := range 131 {
		checkBN(t, r, newBNCase(r, v, pick(r), uniform(r)))
		checkBN(t, r, newBNCase(r, pick(r), v, uniform(r)))
	}
	checkBN(t, r, newBNCase(r, 3000, 17, uniform(r))) // several blocks of rows
	for range 200 {
		checkBN(t, r, newBNCase(r, 1+r.IntN(20), 1+r.IntN(40), special(r)))
	}
}

// TestBNInPlaceAVX2: y may be x, dx may be x or dy.
func TestBNInPlaceAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 50 {
		rows, ch := 1+r.IntN(600), 1+r.IntN(40)
		k := newBNCase(r, rows, ch, uniform(r))
		want, got := make([]float32, rows*ch), append([]float32(nil), k.x...)
		bnRowsAVX2(rows, ch, want, ch, k.x, k.mean, k.scale, k.shift)
		bnRowsAVX2(rows, ch, got, ch, got, k.mean, k.scale, k.shift)
		sameBits(t, got, want, "apply, rows %d, ch %d", rows, ch)

		bnGradRowsAVX2(rows, ch, want, k.x, k.dy, k.mean, k.scale, k.shift, k.fac)
		copy(got, k.x)
		bnGradRowsAVX2(rows, ch, got, got, k.dy, k.mean, k.scale, k.shift, k.fac)
		sameBits(t, got, want, "grad in x, rows %d, ch %d", rows, ch)
		copy(got, k.dy)
		bnGradRowsAVX2(rows, ch, got, k.x, got, k.mean, k.scale, k.shift, k.fac)
		sameBits(t, got, want, "grad in dy, rows %d, ch %d", rows, ch)
	}
}

// checkMax runs one case of maxRow against its definition.
func checkMax(t *testing.T, r *rand.Rand, n, ch, taps int, value func() float32) {
	t.Helper()
	xstep := ch + r.IntN(4)
	reach := 10*xstep + 7
	x := newField(1, (n-1)*xstep+ch+reach, 0, r.IntN(8)).fill(value)
	xoff, tap, tap0 := tapsOf(r, taps, reach, xstep), make([]uint8, taps), uint8(r.IntN(100))
	for i := range tap {
		tap[i] = uint8(r.IntN(100))
	}
	y := newField(n, ch, ch+r.IntN(4), r.IntN(8)).armed()
	idx := make([]uint8, len(y.s)+16)
	for i := range idx {
		idx[i] = 0xee
	}
	wantIdx := append([]uint8(nil), idx...)
	want := append([]float32(nil), y.s...)
	maxRowRef(n, ch, want, wantIdx, y.stride, x.s, xstep, xoff, tap0, tap)
	maxRowAVX2(n, ch, y.s, idx[:len(y.s)], y.stride, x.s, xstep, xoff, tap0, tap)
	y.checkGuards(t)
	sameFloats(t, y.s, want, "n %d, ch %d, taps %d", n, ch, taps)
	for i, v := range idx {
		if v != wantIdx[i] {
			t.Fatalf("n %d, ch %d, taps %d: idx[%d] = %d, want %d", n, ch, taps, i, v, wantIdx[i])
		}
	}
}

func TestMaxRowAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	few := func() float32 { return float32(r.IntN(5)) } // many equal maxima
	for v := 1; v < 131; v++ {
		for _, value := range []func() float32{uniform(r), special(r), few} {
			checkMax(t, r, v, pick(r), 1+r.IntN(25), value)
			checkMax(t, r, 1+r.IntN(20), v, 1+r.IntN(25), value)
		}
	}
}

func FuzzMaxRow(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(17), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, n, ch, taps uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkMax(t, r, 1+int(n), 1+int(ch), 1+int(taps%49), bits32(r))
	})
}

func FuzzFlat(f *testing.F) {
	f.Add(uint64(1), uint16(77))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		r := rand.New(rand.NewPCG(seed, 0))
		a := newField(1, int(n%999), 0, r.IntN(8)).fill(bits32(r)).s
		b := newField(1, len(a), 0, r.IntN(8)).fill(bits32(r)).s
		want, got := make([]float32, len(a)), make([]float32, len(a))
		for _, k := range flatKernels {
			k.ref(want, a, b)
			k.fn(got, a, b)
			sameFloats(t, got, want, "%s, n %d", k.name, len(a))
		}
	})
}

// BenchmarkVector times the passes over 32 KiB, which the first level cache
// holds, and over 16 MiB, which only memory holds, in bytes read and written.
func BenchmarkVector(b *testing.B) {
	for _, n := range []int{1 << 13, 1 << 22} {
		for _, ch := range []int{16, 64} {
			rows := n / ch
			x, dy, z, p := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, ch)
			s1, s2 := make([]float32, ch), make([]float32, ch)
			for _, k := range []struct {
				name  string
				bytes int
				f     func()
			}{
				{"relu", 8, func() { reluRowAVX2(z, x) }},
				{"reluGrad", 12, func() { reluGradRowAVX2(z, x, dy) }},
				{"add", 12, func() { addRowAVX2(z, x, dy) }},
				{"bnRows", 8, func() { bnRowsAVX2(rows, ch, z, ch, x, p, p, p) }},
				{"bnSumRows", 4, func() {
					for r := 0; r < rows; r += 256 {
						bnSumRowsAVX2(min(256, rows-r), ch, x[r*ch:], p, s1, s2)
					}
				}},
				{"bnGradSumRows", 8, func() {
					for r := 0; r < rows; r += 256 {
						bnGradSumRowsAVX2(min(256, rows-r), ch, x[r*ch:], dy[r*ch:], p, s1, s2)
					}
				}},
				{"bnGradRows", 12, func() { bnGradRowsAVX2(rows, ch, z, x, dy, p, p, p, p) }},
			} {
				b.Run(fmt.Sprintf("%s/n=%d/ch=%d", k.name, n, ch), func(b *testing.B) {
					b.SetBytes(int64(k.bytes * n))
					for b.Loop() {
						k.f()
					}
				})
			}
		}
	}
}

func BenchmarkMaxRow(b *testing.B) {
	const n, ch = 32, 16
	xoff, taps := make([]int, 9), make([]uint8, 9)
	for i := range xoff {
		xoff[i], taps[i] = (i/3*(n+2)+i%3)*ch, uint8(i)
	}
	x, y, idx := make([]float32, 3*(n+2)*ch), make([]float32, n*ch), make([]uint8, n*ch)
	for name, fn := range map[string]func(int, int, []float32, []uint8, int, []float32, int, []int, uint8, []uint8){"avx2": maxRowAVX2, "ref": maxRowRef[float32]} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(4 * n * ch)
			for b.Loop() {
				fn(n, ch, y, idx, ch, x, ch, xoff, 0, taps)
			}
		})
	}
}
