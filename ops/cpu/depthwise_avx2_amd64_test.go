//go:build !noasm

package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// tapsOf draws taps offsets in [0, limit]: runs of up to seven that lie step
// apart, upwards, downwards or both, as the columns of kernels do.
func tapsOf(r *rand.Rand, taps, limit, step int) []int {
	dir := r.IntN(3) - 1
	off := make([]int, taps)
	for i := 0; i < taps; {
		d := step
		if dir < 0 || dir == 0 && r.IntN(2) == 0 {
			d = -step
		}
		o := r.IntN(limit + 1)
		for end := min(taps, i+1+r.IntN(7)); i < end && o >= 0 && o <= limit; i++ {
			off[i] = o
			o += d
		}
	}
	return off
}

// distinct draws taps blocks of ch floats in a random order.
func distinct(r *rand.Rand, taps, ch int) []int {
	off := r.Perm(taps)
	for i := range off {
		off[i] *= ch
	}
	return off
}

// checkDW runs one case of dwRow against the sum in float64. The guards of x
// would not show a tap that reads one pixel too far, since taps reach all of x;
// the sums do.
func checkDW(t *testing.T, fn dwFunc, r *rand.Rand, n, ch, taps int, value func() float32) {
	t.Helper()
	xstep := ch + r.IntN(4)
	reach := 10*xstep + 7 // how far taps shift
	x := newField(1, max(n-1, 0)*xstep+ch+reach, 0, r.IntN(8)).fill(value)
	w := newField(1, max(taps, 1)*ch, 0, r.IntN(8)).fill(value)
	y := newField(n, ch, ch+r.IntN(4), r.IntN(8)).armed().fill(value)
	xoff, woff := tapsOf(r, taps, reach, xstep), distinct(r, taps, ch)
	fn(n, ch, y.s, y.stride, x.s, xstep, xoff, w.s, woff)
	y.checkGuards(t)
	for q := range n {
		for c := range ch {
			var s sum
			for i := range xoff {
				s.add(w.s[woff[i]+c], x.s[xoff[i]+q*xstep+c])
			}
			s.check(t, y.s[q*y.stride+c], "n %d, ch %d, taps %d: y[%d,%d]", n, ch, taps, q, c)
		}
	}
}

// checkDWGrad runs one case of dwGradRow against the sum in float64.
func checkDWGrad(t *testing.T, fn dwGradFunc, r *rand.Rand, n, ch, taps int, value func() float32) {
	t.Helper()
	xstep := ch + r.IntN(4)
	reach := 10*xstep + 7
	x := newField(1, max(n-1, 0)*xstep+ch+reach, 0, r.IntN(8)).fill(value)
	dy := newField(n, ch, ch+r.IntN(4), r.IntN(8)).fill(value)
	dw := newField(taps, ch, ch+r.IntN(4), r.IntN(8)).armed().fill(value)
	old := append([]float32(nil), dw.s...)
	xoff, woff := tapsOf(r, taps, reach, xstep), distinct(r, taps, dw.stride)
	fn(n, ch, dw.s, woff, x.s, xstep, xoff, dy.s, dy.stride)
	dw.checkGuards(t)
	for i := range taps {
		for c := range ch {
			var s sum
			for q := range n {
				s.add(x.s[xoff[i]+q*xstep+c], dy.s[q*dy.stride+c])
			}
			s.add(old[woff[i]+c], 1)
			s.check(t, dw.s[woff[i]+c], "n %d, ch %d, taps %d: dw[%d,%d]", n, ch, taps, i, c)
		}
	}
}

// sweepDW calls check for every tail of pixels, channels and taps.
func sweepDW(r *rand.Rand, check func(n, ch, taps int, value func() float32)) {
	for v := range 131 {
		check(v, pick(r), 1+r.IntN(49), uniform(r))
		check(1+r.IntN(40), v, 1+r.IntN(49), uniform(r))
	}
	for taps := range 50 {
		for _, ch := range []int{3, 8, 12} {
			check(1+r.IntN(40), ch, taps, uniform(r))
		}
	}
	for range 200 {
		check(1+r.IntN(40), 1+r.IntN(40), 1+r.IntN(25), special(r))
	}
}

func TestDWRowAVX2(t *testing.T) {
	for name, fn := range dwImpls {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			sweepDW(r, func(n, ch, taps int, value func() float32) { checkDW(t, fn, r, n, ch, taps, value) })
		})
	}
}

func TestDWGradRowAVX2(t *testing.T) {
	for name, fn := range dwGradImpls {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(2, 2))
			sweepDW(r, func(n, ch, taps int, value func() float32) { checkDWGrad(t, fn, r, n, ch, taps, value) })
		})
	}
}

// TestDWRepeatedTap: the same weight may belong to several taps.
func TestDWRepeatedTap(t *testing.T) {
	const n, ch, taps = 3, 11, 5
	x, dy := make([]float32, n*ch), make([]float32, n*ch)
	for i := range x {
		x[i], dy[i] = 1, 1
	}
	dw := make([]float32, ch)
	dwGradRowAVX2(n, ch, dw, make([]int, taps), x, ch, make([]int, taps), dy, ch)
	for c, v := range dw {
		if v != n*taps {
			t.Fatalf("dw[%d] = %v, want %d", c, v, n*taps)
		}
	}
}

// TestDWSplit: a row may be cut anywhere, pixels or channels, at any alignment,
// without changing a bit.
func TestDWSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		n, ch, taps := 1+r.IntN(40), 1+r.IntN(70), 1+r.IntN(25)
		size := (n + taps) * ch
		x := newField(1, size, 0, r.IntN(8)).fill(uniform(r)).s
		w := newField(1, taps*ch, 0, r.IntN(8)).fill(uniform(r)).s
		xoff, woff := tapsOf(r, taps, taps*ch, ch), distinct(r, taps, ch)
		whole, parts := newField(1, n*ch, 0, r.IntN(8)).s, make([]float32, n*ch)
		dwRowAVX2(n, ch, whole, ch, x, ch, xoff, w, woff)
		q, c := r.IntN(n), r.IntN(ch)
		dwRowAVX2(q, ch, parts, ch, x, ch, xoff, w, woff)
		dwRowAVX2(n-q, c, parts[q*ch:], ch, x[q*ch:], ch, xoff, w, woff)
		dwRowAVX2(n-q, ch-c, parts[q*ch+c:], ch, x[q*ch+c:], ch, xoff, w[c:], woff)
		sameBits(t, whole, parts, "dwRow: n %d, ch %d, taps %d", n, ch, taps)

		dy := newField(n, ch, ch, r.IntN(8)).fill(uniform(r)).s
		whole, parts = make([]float32, taps*ch), newField(taps, ch, ch, r.IntN(8)).s
		clear(parts)
		dwGradRowAVX2(n, ch, whole, woff, x, ch, xoff, dy, ch)
		i := r.IntN(taps)
		dwGradRowAVX2(n, ch, parts, woff[:i], x, ch, xoff[:i], dy, ch)
		dwGradRowAVX2(n, c, parts, woff[i:], x, ch, xoff[i:], dy, ch)
		dwGradRowAVX2(n, ch-c, parts[c:], woff[i:], x[c:], ch, xoff[i:], dy[c:], ch)
		sameBits(t, whole, parts, "dwGradRow: n %d, ch %d, taps %d", n, ch, taps)
	}
}

func TestDWMisuse(t *testing.T) {
	s := func(n int) []float32 { return make([]float32, n) }
	for name, f := range map[string]func(){
		"neg. step": func() { dwRowAVX2(2, 8, s(99), -8, s(99), 8, []int{0}, s(9), []int{0}) },
		"short y":   func() { dwRowAVX2(2, 8, s(15), 8, s(16), 8, []int{0}, s(8), []int{0}) },
		"tap in x":  func() { dwRowAVX2(2, 8, s(16), 8, s(16), 8, []int{1}, s(8), []int{0}) },
		"tap in w":  func() { dwRowAVX2(2, 8, s(16), 8, s(16), 8, []int{0}, s(8), []int{1}) },
		"before x":  func() { dwRowAVX2(2, 8, s(16), 8, s(16), 8, []int{-1}, s(8), []int{0}) },
		"lists":     func() { dwRowAVX2(2, 8, s(16), 8, s(16), 8, []int{0, 0}, s(8), []int{0}) },
		"grad":      func() { dwGradRowAVX2(2, 8, s(8), []int{1}, s(16), 8, []int{0}, s(16), 8) },
		"grad x":    func() { dwGradRowAVX2(2, 8, s(8), []int{0}, s(16), 8, []int{1}, s(16), 8) },
		"short dy":  func() { dwGradRowAVX2(2, 8, s(8), []int{0}, s(16), 8, []int{0}, s(15), 8) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func FuzzDWRow(f *testing.F) {
	f.Add(uint64(1), uint8(30), uint8(11), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, n, ch, taps uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, fn := range dwImpls {
			checkDW(t, fn, r, int(n), int(ch), int(taps%50), bits32(r))
		}
	})
}

func FuzzDWGradRow(f *testing.F) {
	f.Add(uint64(1), uint8(30), uint8(11), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, n, ch, taps uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, fn := range dwGradImpls {
			checkDWGrad(t, fn, r, int(n), int(ch), int(taps%50), bits32(r))
		}
	})
}

// benchDW calls f for the interior of one image row after another, as the
// convolutions do: h rows of n+k-1 pixels, k*k taps.
func benchDW(b *testing.B, f func(name string, n, ch, h, k int, xoff, woff []int)) {
	for _, s := range [][3]int{{32, 8, 3}, {32, 8, 5}, {32, 16, 3}, {32, 16, 5}, {16, 32, 3}, {16, 32, 5}, {8, 64, 3}, {8, 64, 5}, {30, 16, 3}, {28, 16, 5}, {14, 32, 3}, {6, 64, 3}, {4, 64, 5}, {32, 12, 3}} {
		n, ch, k := s[0], s[1], s[2]
		var xoff, woff []int
		for i := range k {
			for j := range k {
				xoff = append(xoff, (i*(n+k-1)+j)*ch)
				woff = append(woff, (i*k+j)*ch)
			}
		}
		f(fmt.Sprintf("n=%d/ch=%d/k=%d", n, ch, k), n, ch, n, k, xoff, woff)
	}
}

func BenchmarkDWRow(b *testing.B) {
	benchDW(b, func(shape string, n, ch, h, k int, xoff, woff []int) {
		x, w, y := make([]float32, (h+k-1)*(n+k-1)*ch), make([]float32, k*k*ch), make([]float32, h*n*ch)
		for name, fn := range dwImpls {
			b.Run(name+"/"+shape, func(b *testing.B) {
				for b.Loop() {
					for p := range h {
						fn(n, ch, y[p*n*ch:], ch, x[p*(n+k-1)*ch:], ch, xoff, w, woff)
					}
				}
				gflops(b, 2*n*ch*h*k*k)
			})
		}
	})
}

func BenchmarkDWGradRow(b *testing.B) {
	benchDW(b, func(shape string, n, ch, h, k int, xoff, woff []int) {
		x, dw, dy := make([]float32, (h+k-1)*(n+k-1)*ch), make([]float32, k*k*ch), make([]float32, h*n*ch)
		for name, fn := range dwGradImpls {
			b.Run(name+"/"+shape, func(b *testing.B) {
				for b.Loop() {
					for p := range h {
						fn(n, ch, dw, woff, x[p*(n+k-1)*ch:], ch, xoff, dy[p*n*ch:], ch)
					}
				}
				gflops(b, 2*n*ch*h*k*k)
			})
		}
	})
}
