package cpu

import (
	"fmt"
	"slices"
	"testing"
)

// rowShapes are pixels and channels: every tail of the blocks of channels, one
// pixel, many, and none.
func rowShapes() (s [][2]int) {
	for ch := range 18 {
		s = append(s, [2]int{1, ch}, [2]int{3 + ch%5, ch}, [2]int{0, ch})
	}
	return append(s, [][2]int{{300, 16}, {7, 64}, {5, 130}, {64, 33}}...)
}

// sameRows fails the test unless got and want are equal, NaN where NaN.
func sameRows[T Float](t *testing.T, got, want []T, format string, args ...any) {
	t.Helper()
	for i, v := range got {
		if !same(float64(v), float64(want[i])) {
			t.Fatalf(format+": element %d: got %v, want %v", append(args, i, v, want[i])...)
		}
	}
}

// inPlaceOf fails the test unless f gives want in place of each operand too, nil
// ones aside. f gets the destination and the operands.
func inPlaceOf[T Float](t *testing.T, what string, want []T, f func(dst []T, in [][]T), in ...[]T) {
	t.Helper()
	for i, s := range in {
		if s != nil {
			all := slices.Clone(in)
			all[i] = slices.Clone(s)
			f(all[i], all)
			sameRows(t, all[i], want, "%s, in place of operand %d", what, i)
		}
	}
}

// sums64 are sums in T that are checked against those in float64.
type sums64[T Float] struct {
	old, got [2][]T
	n        int // terms of each
}

func newSums[T Float](l *lab[T], n, ch int) (s sums64[T]) {
	s.n = n
	for i := range s.got {
		s.old[i], s.got[i] = l.random(ch), l.blank(ch)
		copy(s.got[i], s.old[i])
	}
	return s
}

// check compares the sums with those of f, which runs once on the values and
// once on magnitudes. extra is the roundings of a term.
func (s *sums64[T]) check(t *testing.T, extra int, what string, f func(magnitude bool, s1, s2 []float64)) {
	t.Helper()
	var v, abs [2][]float64
	for i := range v {
		v[i], abs[i] = widen(s.old[i], false), widen(s.old[i], true)
	}
	f(false, v[0], v[1])
	f(true, abs[0], abs[1])
	for i := range v {
		for c, got := range s.got[i] {
			near(t, exact{v[i][c], abs[i][c], s.n + 1}, got, extra, "%s: sum %d of channel %d", what, i+1, c)
		}
	}
}

// widen is x in float64, or its magnitude.
func widen[T Float](x []T, magnitude bool) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
		if magnitude {
			w[i] = max(w[i], -w[i])
		}
	}
	return w
}

// negated is -|x| in float64: x - shift of magnitudes is their sum.
func negated[T Float](x []T) []float64 {
	w := widen(x, true)
	for i := range w {
		w[i] = -w[i]
	}
	return w
}

// Each plain primitive agrees with its definition: bit for bit where it only
// reads and writes elements, within the roundings of a sum where it sums.
func testRowsRef[T Float](t *testing.T) {
	for i, s := range rowShapes() {
		n, ch := s[0], s[1]
		for variant := range 16 {
			l := newLab[T](t, uint64(100*i+variant))
			l.spikes = variant%2 == 1
			size := n * ch
			x, dy, add := l.random(size), l.random(size), l.random(size)
			a, b, mean, k := l.random(ch), l.random(ch), l.random(ch), l.random(ch)
			at := fmt.Sprintf("%d pixels, %d channels, variant %d", n, ch, variant)
			got, want := l.blank(size), make([]T, size)

			bnGradRowsRef(n, ch, got, ch, x, dy, ch, mean, a, b, k)
			defBNGrad(n, ch, want, x, dy, mean, a, b, k)
			sameRows(t, got, want, "bnGrad, %s", at)
			inPlaceOf(t, "bnGrad, "+at, want, func(dst []T, in [][]T) { bnGradRowsRef(n, ch, dst, ch, in[0], in[1], ch, mean, a, b, k) }, x, dy)

			px, dpx := ch+2, ch+5
			spaced := func(s []T, px int) []T {
				wide := l.blank(max(0, (n-1)*px+ch))
				for q := range n {
					copy(wide[q*px:][:ch], s[q*ch:])
				}
				return wide
			}
			apart := spaced(make([]T, size), dpx)
			bnGradRowsRef(n, ch, apart, dpx, spaced(x, px), spaced(dy, px), px, mean, a, b, k)
			for q := range n {
				sameRows(t, apart[q*dpx:][:ch], want[q*ch:][:ch], "bnGrad of pixels apart, %s", at)
			}

			sum := newSums(l, n, ch)
			sumRows(n, ch, x, mean, sum.got[0], sum.got[1])
			sum.check(t, 3, "sum, "+at, func(mag bool, s1, s2 []float64) {
				if mag {
					defSum(n, ch, widen(x, true), negated(mean), s1, s2)
					return
				}
				defSum(n, ch, widen(x, false), widen(mean, false), s1, s2)
			})
			sum = newSums(l, n, ch)
			gradSumRows(n, ch, x, dy, mean, sum.got[0], sum.got[1])
			gradSum := func(dy []T) func(mag bool, s1, s2 []float64) {
				return func(mag bool, s1, s2 []float64) {
					if mag {
						defGradSum(n, ch, widen(x, true), widen(dy, true), negated(mean), s1, s2)
						return
					}
					defGradSum(n, ch, widen(x, false), widen(dy, false), widen(mean, false), s1, s2)
				}
			}
			sum.check(t, 3, "gradSum, "+at, gradSum(dy))
			sum = newSums(l, n, ch)
			maskSumRows(n, ch, got, dy, x, a, b, mean, sum.got[0], sum.got[1])
			defMaskAdd(n, ch, want, dy, nil, x, a, b)
			sameRows(t, got, want, "maskSum, %s", at)
			sum.check(t, 3, "maskSum, "+at, gradSum(want))
			inPlaceOf(t, "maskSum, "+at, want, func(dst []T, in [][]T) {
				maskSumRows(n, ch, dst, in[0], x, a, b, mean, sum.got[0], sum.got[1])
			}, dy)

			// The variants are without some of the operands.
			mx, my, ma, mb, madd := x, dy, a, b, add
			ca, cb := k, mean
			if variant&2 != 0 {
				ma, mb = nil, nil
			}
			if variant&4 != 0 {
				madd, ca, cb = nil, nil, nil
			}
			if variant&8 != 0 {
				mx, my = nil, nil
			}
			maskAddRows(n, ch, got, dy, madd, mx, ma, mb)
			defMaskAdd(n, ch, want, dy, madd, mx, ma, mb)
			sameRows(t, got, want, "maskAdd, %s", at)
			inPlaceOf(t, "maskAdd, "+at, want, func(dst []T, in [][]T) { maskAddRows(n, ch, dst, in[0], in[1], mx, ma, mb) }, dy, madd)

			combineRows(n, ch, got, x, ma, mb, my, ca, cb)
			defCombine(n, ch, want, x, ma, mb, my, ca, cb)
			sameRows(t, got, want, "combine, %s", at)
			inPlaceOf(t, "combine, "+at, want, func(dst []T, in [][]T) { combineRows(n, ch, dst, in[0], ma, mb, in[1], ca, cb) }, x, my)

			addRowRef(got, x, dy)
			defCombine(n, ch, want, x, nil, nil, dy, nil, nil)
			sameRows(t, got, want, "add, %s", at)
			inPlaceOf(t, "add, "+at, want, func(dst []T, in [][]T) { addRowRef(dst, in[0], in[1]) }, x, dy)
			l.ok()
		}
	}
}

func TestRowsRef(t *testing.T) { bothTypes(t, testRowsRef[float32], testRowsRef[float64]) }

// Gaps between pixels and rows keep what they hold.
func testAffineRef[T Float](t *testing.T) {
	for i, s := range rowShapes() {
		n, ch := s[0], s[1]
		for variant := range 16 {
			l := newLab[T](t, uint64(100*i+variant))
			l.spikes = variant%2 == 1
			rows, dpx, spx := 1+variant%3, ch, ch
			if variant&2 != 0 {
				dpx, spx = 2*ch, 2*ch+1
			}
			drow, srow := n*dpx, n*spx
			if variant&4 != 0 {
				drow, srow = drow+5, srow+3
			}
			a, b := l.random(ch), l.random(ch)
			if variant&8 != 0 {
				a, b = nil, nil
			}
			src, got := l.random(rows*srow+1), l.random(rows*drow+1)
			for _, relu := range []bool{false, true} {
				want := slices.Clone(got)
				affineRows(rows, n, ch, got, drow, dpx, src, srow, spx, a, b, relu)
				defAffine(rows, n, ch, want, drow, dpx, src, srow, spx, a, b, relu)
				sameRows(t, got, want, "%d rows, %d pixels, %d channels, variant %d, relu %v", rows, n, ch, variant, relu)
				affineRows(rows, n, ch, want, drow, dpx, want, drow, dpx, a, b, relu)
				affineRows(rows, n, ch, got, drow, dpx, slices.Clone(got), drow, dpx, a, b, relu)
				sameRows(t, got, want, "%d rows, %d pixels, %d channels, variant %d, relu %v, in place", rows, n, ch, variant, relu)
			}
			l.ok()
		}
	}
}

func TestAffineRef(t *testing.T) { bothTypes(t, testAffineRef[float32], testAffineRef[float64]) }

func testWindowRef[T Float](t *testing.T) {
	windows := []dwShape{{1, 1, 1}, {3, 1, 1}, {3, 2, 1}, {3, 1, 2}, {3, 3, 1}, {5, 2, 2}, {7, 1, 1}, {9, 1, 1}}
	for i, s := range rowShapes() {
		n, ch := min(s[0], 9), s[1]
		g, rows := windows[i%len(windows)], 1+i%3
		l := newLab[T](t, uint64(i))
		l.spikes = i%2 == 1
		xrow, yrow := g.span(max(n, 1))*ch+i%4, n*ch+i%3
		x, w := l.random(g.span(rows)*xrow), l.random(g.k*g.k*ch)
		y := l.random(rows * yrow)
		want := slices.Clone(y)
		dwRows(g, rows, n, ch, y, yrow, x, xrow, w)
		defDW(g, rows, n, ch, want, yrow, x, xrow, w)
		sameRows(t, y, want, "dw %v: %d rows, %d pixels, %d channels", g, rows, n, ch)
		l.ok()

		sum := newSums(l, rows*n, g.k*g.k*ch)
		dy := l.random(rows * yrow)
		dwGradRows(g, rows, n, ch, sum.got[0], x, xrow, dy, yrow)
		copy(sum.got[1], sum.old[1])
		sum.check(t, 0, fmt.Sprintf("dwGrad %v: %d rows, %d pixels, %d channels", g, rows, n, ch), func(mag bool, s1, _ []float64) {
			defDWGrad(g, rows, n, ch, s1, widen(x, mag), xrow, widen(dy, mag), yrow)
		})
		l.ok()
	}
	for i, s := range rowShapes() {
		n, ch, stride := min(s[0], 9), s[1], 1+i%3
		l := newLab[T](t, uint64(i))
		l.spikes = i%2 == 1
		xrow := (max(n, 1)*stride+3)*ch + i%4
		x, y := l.random(3*xrow), l.blank(n*ch)
		for j := range x { // equal ones
			if l.r.IntN(2) == 0 {
				x[j] = 1
			}
		}
		idx, tap, want := make([]uint8, n*ch), make([]uint8, n*ch), make([]T, n*ch)
		maxPoolRow(stride, n, ch, y, idx, x, xrow)
		defMaxPool(stride, n, ch, want, tap, x, xrow)
		sameRows(t, y, want, "maxPool: %d pixels, %d channels, stride %d", n, ch, stride)
		if !slices.Equal(idx, tap) {
			t.Fatalf("maxPool: %d pixels, %d channels, stride %d: taps %v, want %v", n, ch, stride, idx, tap)
		}
		for t9 := range uint8(9) {
			dpx := ch * (1 + int(t9)%2)
			dx := l.random(n * dpx)
			want := slices.Clone(dx)
			maxPoolGradRow(n, ch, dx, dpx, y, idx, t9)
			defMaxPoolGrad(n, ch, want, dpx, y, tap, t9)
			sameRows(t, dx, want, "maxPoolGrad: %d pixels, %d channels, tap %d", n, ch, t9)
		}
		l.ok()
	}
}

func TestWindowRef(t *testing.T) { bothTypes(t, testWindowRef[float32], testWindowRef[float64]) }

// BenchmarkRows times the primitives that this program uses on strips of the
// network: ONESHOT_ISA says which.
func BenchmarkRows(b *testing.B) {
	for _, s := range [][2]int{{256, 16}, {128, 32}, {64, 64}} {
		n, ch := s[0], s[1]
		b.Run(fmt.Sprintf("%dx%d/float32", n, ch), func(b *testing.B) { benchRows(b, rows32, n, ch) })
		b.Run(fmt.Sprintf("%dx%d/float64", n, ch), func(b *testing.B) { benchRows(b, rows64, n, ch) })
	}
}

func benchRows[T Float](b *testing.B, k rowKernels[T], n, ch int) {
	row := func(n int) []T { return fillNoise(make([]T, n)) }
	x, y, z := row(n*ch), row(n*ch), row(n*ch)
	p, q, m, s1, s2, idx := row(ch), row(ch), row(ch), row(ch), row(ch), make([]uint8, n*ch)
	bytes := int64(sizeOf[T]() * n * ch)
	rate := func(name string, tensors int64, f func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(tensors * bytes)
			for b.Loop() {
				f()
			}
		})
	}
	rate("copy", 2, func() { k.affine(1, n, ch, z, 0, ch, x, 0, ch, nil, nil, false) })
	rate("relu", 2, func() { k.affine(1, n, ch, z, 0, ch, x, 0, ch, nil, nil, true) })
	rate("affine", 2, func() { k.affine(1, n, ch, z, 0, ch, x, 0, ch, p, q, true) })
	rate("sum", 1, func() { k.sum(n, ch, x, m, s1, s2) })
	rate("gradSum", 2, func() { k.gradSum(n, ch, x, y, m, s1, s2) })
	rate("bnGrad", 3, func() { k.bnGrad(n, ch, z, ch, x, y, ch, m, p, q, m) })
	rate("maskSum", 3, func() { k.maskSum(n, ch, z, y, x, p, q, m, s1, s2) })
	rate("mask", 3, func() { k.maskAdd(n, ch, z, y, nil, x, nil, nil) })
	rate("maskAdd", 4, func() { k.maskAdd(n, ch, z, y, z, x, p, q) })
	rate("add", 3, func() { k.add(z, x, y) })
	rate("combine", 3, func() { k.combine(n, ch, z, x, p, q, y, q, p) })
	rate("maxPoolGrad", 2, func() { k.maxPoolGrad(n, ch, z, ch, y, idx, 4) })
	flops := func(name string, flop int, f func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(flop)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
	pw, dpw := row(ch*ch), row(ch*ch)
	flops("gemm", 2*n*ch*ch, func() { k.gemm(n, ch, ch, x, ch, pw, ch, z, ch) })
	flops("gemmAT", 2*n*ch*ch, func() { k.gemmAT(n, ch, ch, x, ch, y, ch, dpw, ch) })
	for _, g := range []dwShape{{3, 1, 1}, {5, 1, 1}, {5, 1, 2}} {
		rows := 4
		xrow := g.span(n/rows) * ch
		in, w := row(g.span(rows)*xrow), row(g.k*g.k*ch)
		name := fmt.Sprintf("k%dd%d", g.k, g.dil)
		flops("dw/"+name, 2*n*ch*g.k*g.k, func() { k.dw(g, rows, n/rows, ch, z, n/rows*ch, in, xrow, w) })
		flops("dwGrad/"+name, 2*n*ch*g.k*g.k, func() { k.dwGrad(g, rows, n/rows, ch, w, in, xrow, y, n/rows*ch) })
	}
	in := row(3 * (n + 2) * ch)
	flops("maxPool", 9*n*ch, func() { k.maxPool(1, n, ch, z, idx, in, (n+2)*ch) })
}

// sizeOf is the size of a T.
func sizeOf[T Float]() int {
	if roundoff[T]() == 0x1p-24 {
		return 4
	}
	return 8
}
