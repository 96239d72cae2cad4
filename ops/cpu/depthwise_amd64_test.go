//go:build !noasm

package cpu

import (
	"math/rand/v2"
	"testing"
)

// An impl is one implementation of a primitive of rowKernels.
type impl[F any] struct {
	name string
	fn   F
}

// impls lists what this machine runs: every one goes through the same cases, the
// reference as well.
func impls[F any](ref, avx2, avx512 F) []impl[F] {
	list := []impl[F]{{"ref", ref}}
	switch bestISA() {
	case isaAVX512:
		return append(list, impl[F]{"avx2", avx2}, impl[F]{"avx512", avx512})
	case isaAVX2:
		return append(list, impl[F]{"avx2", avx2})
	}
	return list
}

type (
	dwRowsFunc     = func(g dwShape, rows, n, ch int, y []float32, yrow, ypx int, x []float32, xrow int, w, ahead []float32)
	dwGradRowsFunc = func(g dwShape, rows, n, ch int, dw []float32, x []float32, xrow int, dy []float32, dyrow int)
)

var (
	dwRowsImpls     = impls[dwRowsFunc](dwAhead[float32], dwAheadAVX2, dwAheadAVX512)
	dwGradRowsImpls = impls[dwGradRowsFunc](dwGradRows[float32], dwGradRowsAVX2, dwGradRowsAVX512)
)

// ownWindows have kernels, otherWindows have none.
var (
	ownWindows = []dwShape{
		{3, 1, 1}, {3, 2, 1}, {3, 1, 2}, {3, 2, 2}, {5, 1, 1}, {5, 2, 1}, {5, 1, 2}, {5, 2, 2}, {7, 1, 1}, {7, 2, 1},
	}
	otherWindows = []dwShape{{1, 1, 1}, {2, 1, 3}, {3, 3, 1}, {5, 2, 3}, {7, 1, 2}, {9, 1, 1}}
)

// windowSums calls f for every product of x[i] with the tap and the output it
// belongs to.
func windowSums(g dwShape, rows, n int, f func(tap, row, q, xrow, xq int)) {
	for r := range rows {
		for q := range n {
			for ky := range g.k {
				for kx := range g.k {
					f(ky*g.k+kx, r, q, r*g.stride+ky*g.dil, q*g.stride+kx*g.dil)
				}
			}
		}
	}
}

// inputOf draws the padded rows that rows by n outputs see, between NaN.
func inputOf(r *rand.Rand, g dwShape, rows, n, ch int, value func() float32) field {
	if rows <= 0 || n <= 0 {
		return newField(0, 0, 0, 0)
	}
	cols := g.span(n) * ch
	return newField(g.span(rows), cols, cols+r.IntN(20), r.IntN(16)).fill(value)
}

// checkDWRows runs one case of dwRows against the sums in float64.
func checkDWRows(t *testing.T, r *rand.Rand, g dwShape, rows, n, ch int, value func() float32) {
	t.Helper()
	x := inputOf(r, g, rows, n, ch, value)
	w := newField(g.k*g.k, ch, ch, r.IntN(16)).fill(value)
	sums := make([]sum, rows*n*ch)
	windowSums(g, rows, n, func(tap, row, q, xr, xq int) {
		for c := range ch {
			sums[(row*n+q)*ch+c].add(w.s[tap*ch+c], x.s[xr*x.stride+xq*ch+c])
		}
	})
	ypx, off := ch, r.IntN(16)
	yrow := n*ypx + r.IntN(20)
	apart := r.IntN(2) > 0
	if apart {
		ypx += 1 + r.IntN(20)
		yrow = n * ypx
	}
	for _, k := range dwRowsImpls {
		y := newField(rows, n*ch, yrow, off).armed() // guards lie between the rows
		if apart {
			y = newField(rows*n, ch, ypx, off).armed() // between the pixels
		}
		k.fn(g, rows, n, ch, y.s, yrow, ypx, x.s, x.stride, w.s, nil)
		y.checkGuards(t)
		for i := range sums {
			row, c := i/(n*ch), i%(n*ch)
			sums[i].check(t, y.s[row*yrow+c/ch*ypx+c%ch], "%s %v: rows %d, n %d, ch %d: y[%d,%d,%d]", k.name, g, rows, n, ch, row, c/ch, c%ch)
		}
	}
}

// checkDWGradRows runs one case of dwGradRows against the sums in float64.
func checkDWGradRows(t *testing.T, r *rand.Rand, g dwShape, rows, n, ch int, value func() float32) {
	t.Helper()
	x := inputOf(r, g, rows, n, ch, value)
	dy := newField(rows, n*ch, n*ch+r.IntN(20), r.IntN(16)).fill(value)
	old := newField(1, g.k*g.k*ch, 0, 0).fill(value).s
	sums := make([]sum, g.k*g.k*ch)
	windowSums(g, rows, n, func(tap, row, q, xr, xq int) {
		for c := range ch {
			sums[tap*ch+c].add(dy.s[row*dy.stride+q*ch+c], x.s[xr*x.stride+xq*ch+c])
		}
	})
	off := r.IntN(16)
	for i := range sums {
		sums[i].add(old[i], 1)
	}
	for _, k := range dwGradRowsImpls {
		dw := newField(g.k*g.k, ch, ch, off).armed()
		copy(dw.s, old)
		k.fn(g, rows, n, ch, dw.s, x.s, x.stride, dy.s, dy.stride)
		dw.checkGuards(t)
		for i := range sums {
			sums[i].check(t, dw.s[i], "%s %v: rows %d, n %d, ch %d: dw[%d,%d]", k.name, g, rows, n, ch, i/ch, i%ch)
		}
	}
}

// sweepWindow calls check for every tail of rows, pixels and channels.
func sweepWindow(r *rand.Rand, check func(g dwShape, rows, n, ch int, value func() float32)) {
	for _, g := range append(ownWindows, otherWindows...) {
		for v := range 36 {
			check(g, v, 1+r.IntN(3), 1+r.IntN(33), uniform(r))
			check(g, 1+r.IntN(3), v, 1+r.IntN(33), uniform(r))
			check(g, 1+r.IntN(5), 1+r.IntN(9), 1+r.IntN(33), special(r))
		}
		for ch := 1; ch <= 40; ch++ {
			check(g, 1+r.IntN(4), 1+r.IntN(12), ch, uniform(r))
		}
		for _, ch := range []int{48, 64, 100, 130} {
			check(g, 1+r.IntN(4), 1+r.IntN(12), ch, uniform(r))
		}
	}
}

func TestWindowDW(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	sweepWindow(r, func(g dwShape, rows, n, ch int, value func() float32) {
		checkDWRows(t, r, g, rows, n, ch, value)
	})
}

func TestWindowDWGrad(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	sweepWindow(r, func(g dwShape, rows, n, ch int, value func() float32) {
		checkDWGradRows(t, r, g, rows, n, ch, value)
	})
}

// TestWindowDWChain: an element of y is the same chain of multiply-adds in a
// block of any size, and with AVX2.
func TestWindowDWChain(t *testing.T) {
	if bestISA() != isaAVX512 {
		t.Skip("needs AVX-512")
	}
	r := rand.New(rand.NewPCG(3, 3))
	for _, g := range ownWindows {
		for range 12 {
			rows, n, ch := 1+r.IntN(5), 1+r.IntN(20), 1+r.IntN(40)
			x := inputOf(r, g, rows, n, ch, uniform(r))
			w := newField(g.k*g.k, ch, ch, r.IntN(16)).fill(uniform(r)).s
			y, avx2, single := make([]float32, rows*n*ch), make([]float32, rows*n*ch), make([]float32, rows*n*ch)
			dwRowsAVX512(g, rows, n, ch, y, n*ch, x.s, x.stride, w)
			dwRowsAVX2(g, rows, n, ch, avx2, n*ch, x.s, x.stride, w)
			sameBits(t, y, avx2, "%v: rows %d, n %d, ch %d, AVX2", g, rows, n, ch)
			for row := range rows {
				for q := range n {
					dwRowsAVX512(g, 1, 1, ch, single[(row*n+q)*ch:], ch, x.s[row*g.stride*x.stride+q*g.stride*ch:], x.stride, w)
				}
			}
			sameBits(t, y, single, "%v: rows %d, n %d, ch %d, pixel by pixel", g, rows, n, ch)
		}
	}
}

// TestWindowDWGradSplit: the sum of a channel does not depend on those beside it.
func TestWindowDWGradSplit(t *testing.T) {
	if bestISA() != isaAVX512 {
		t.Skip("needs AVX-512")
	}
	r := rand.New(rand.NewPCG(4, 4))
	for _, g := range ownWindows {
		for range 8 {
			rows, n, ch := 1+r.IntN(5), 1+r.IntN(20), 17+r.IntN(40)
			x := inputOf(r, g, rows, n, ch, uniform(r))
			dy := newField(rows, n*ch, n*ch, r.IntN(16)).fill(uniform(r)).s
			dw := make([]float32, g.k*g.k*ch)
			dwGradRowsAVX512(g, rows, n, ch, dw, x.s, x.stride, dy, n*ch)
			c := r.IntN(ch)
			one := func(s []float32, pixels int) []float32 {
				p := make([]float32, pixels)
				for i := range p {
					p[i] = s[i*ch+c]
				}
				return p
			}
			x1, got := make([]float32, g.span(rows)*g.span(n)), make([]float32, g.k*g.k)
			for row := range g.span(rows) {
				copy(x1[row*g.span(n):], one(x.s[row*x.stride:], g.span(n)))
			}
			dwGradRowsAVX512(g, rows, n, 1, got, x1, g.span(n), one(dy, rows*n), n)
			sameBits(t, got, one(dw, g.k*g.k), "%v: rows %d, n %d, channel %d of %d", g, rows, n, c, ch)
		}
	}
}

func FuzzWindowDW(f *testing.F) {
	f.Add(uint64(1), uint8(4), uint8(5), uint8(17), uint8(11))
	f.Add(uint64(2), uint8(0), uint8(1), uint8(8), uint8(48))
	f.Fuzz(func(t *testing.T, seed uint64, window, rows, n, ch uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkDWRows(t, r, ownWindows[int(window)%len(ownWindows)], int(rows%40), int(n%40), 1+int(ch%140), bits32(r))
	})
}

func FuzzWindowDWGrad(f *testing.F) {
	f.Add(uint64(1), uint8(4), uint8(5), uint8(17), uint8(11))
	f.Add(uint64(2), uint8(8), uint8(1), uint8(8), uint8(39))
	f.Fuzz(func(t *testing.T, seed uint64, window, rows, n, ch uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkDWGradRows(t, r, ownWindows[int(window)%len(ownWindows)], int(rows%40), int(n%40), 1+int(ch%140), bits32(r))
	})
}
