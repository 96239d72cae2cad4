//go:build !noasm

package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// checkGemm runs one case of gemmRows against the sum in float64.
func checkGemm(t *testing.T, fn gemmFunc, r *rand.Rand, m, k, n int, value func() float32) {
	t.Helper()
	a := newField(m, k, k+r.IntN(4), r.IntN(8)).fill(value)
	b := newField(k, n, n+r.IntN(4), r.IntN(8)).fill(value)
	c := newField(m, n, n+r.IntN(4), r.IntN(8)).armed().fill(value)
	fn(m, k, n, a.s, a.stride, b.s, b.stride, c.s, c.stride)
	c.checkGuards(t)
	for i := range m {
		for j := range n {
			var s sum
			for p := range k {
				s.add(a.s[i*a.stride+p], b.s[p*b.stride+j])
			}
			s.check(t, c.s[i*c.stride+j], "m %d, k %d, n %d: c[%d,%d]", m, k, n, i, j)
		}
	}
}

func TestGemmRowsAVX2(t *testing.T) {
	for name, fn := range gemmImpls {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for v := range 131 { // every tail of every dimension
				checkGemm(t, fn, r, v, pick(r), pick(r), uniform(r))
				checkGemm(t, fn, r, pick(r), v, pick(r), uniform(r))
				checkGemm(t, fn, r, pick(r), pick(r), v, uniform(r))
			}
			for range 100 {
				checkGemm(t, fn, r, pick(r), pick(r), pick(r), special(r))
			}
		})
	}
}

// TestGemmRowsSplit: rows and columns may be cut anywhere, at any alignment,
// without changing a bit.
func TestGemmRowsSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		m, k, n := 1+r.IntN(90), 1+r.IntN(90), 1+r.IntN(90)
		a := newField(m, k, k, r.IntN(8)).fill(uniform(r)).s
		b := newField(k, n, n, r.IntN(8)).fill(uniform(r)).s
		whole := newField(m, n, n, r.IntN(8)).fill(uniform(r)).s
		parts := append([]float32(nil), whole...)
		gemmRowsAVX2(m, k, n, a, k, b, n, whole, n)
		for i := 0; i < m; {
			rows, cut := 1+r.IntN(m-i), r.IntN(n)
			gemmRowsAVX2(rows, k, cut, a[i*k:], k, b, n, parts[i*n:], n)
			gemmRowsAVX2(rows, k, n-cut, a[i*k:], k, b[cut:], n, parts[i*n+cut:], n)
			i += rows
		}
		sameBits(t, whole, parts, "m %d, k %d, n %d", m, k, n)
	}
}

// checkGemmAT runs one case of gemmATRows against the sum in float64.
func checkGemmAT(t *testing.T, fn gemmATFunc, r *rand.Rand, m, k, n int, value func() float32) {
	t.Helper()
	a := newField(m, k, k+r.IntN(4), r.IntN(8)).fill(value)
	b := newField(m, n, n+r.IntN(4), r.IntN(8)).fill(value)
	c := newField(k, n, n+r.IntN(4), r.IntN(8)).armed().fill(value)
	old := append([]float32(nil), c.s...)
	fn(m, k, n, a.s, a.stride, b.s, b.stride, c.s, c.stride)
	c.checkGuards(t)
	for i := range k {
		for j := range n {
			var s sum
			for p := range m {
				s.add(a.s[p*a.stride+i], b.s[p*b.stride+j])
			}
			s.add(old[i*c.stride+j], 1)
			s.check(t, c.s[i*c.stride+j], "m %d, k %d, n %d: c[%d,%d]", m, k, n, i, j)
		}
	}
}

func TestGemmATRowsAVX2(t *testing.T) {
	for name, fn := range gemmATImpls {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			for v := range 131 {
				checkGemmAT(t, fn, r, v, pick(r), pick(r), uniform(r))
				checkGemmAT(t, fn, r, pick(r), v, pick(r), uniform(r))
				checkGemmAT(t, fn, r, pick(r), pick(r), v, uniform(r))
			}
			for _, m := range []int{255, 1000, 2049} { // several blocks of rows
				checkGemmAT(t, fn, r, m, 1+r.IntN(20), 1+r.IntN(40), uniform(r))
			}
			for range 100 {
				checkGemmAT(t, fn, r, pick(r), pick(r), pick(r), special(r))
			}
		})
	}
}

// TestGemmATRowsSplit: neither alignment nor the tile a column falls in changes
// a bit. The block of rows depends on k and n, so these cases stay within one.
func TestGemmATRowsSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		m, k, n := 1+r.IntN(60), 1+r.IntN(90), 1+r.IntN(90)
		a := newField(m, k, k, r.IntN(8)).fill(uniform(r)).s
		b := newField(m, n, n, r.IntN(8)).fill(uniform(r)).s
		whole := newField(k, n, n, r.IntN(8)).fill(uniform(r)).s
		parts := append([]float32(nil), whole...)
		gemmATRowsAVX2(m, k, n, a, k, b, n, whole, n)
		for i := 0; i < k; {
			rows, cut := 1+r.IntN(k-i), r.IntN(n)
			gemmATRowsAVX2(m, rows, cut, a[i:], k, b, n, parts[i*n:], n)
			gemmATRowsAVX2(m, rows, n-cut, a[i:], k, b[cut:], n, parts[i*n+cut:], n)
			i += rows
		}
		sameBits(t, whole, parts, "m %d, k %d, n %d", m, k, n)
	}
}

func TestGemmMisuse(t *testing.T) {
	s := func(n int) []float32 { return make([]float32, n) }
	for name, f := range map[string]func(){
		"short a":     func() { gemmRowsAVX2(2, 2, 2, s(3), 2, s(4), 2, s(4), 2) },
		"short b":     func() { gemmRowsAVX2(2, 2, 2, s(4), 2, s(3), 2, s(4), 2) },
		"short c":     func() { gemmRowsAVX2(2, 2, 2, s(4), 2, s(4), 2, s(3), 2) },
		"huge stride": func() { gemmRowsAVX2(5, 2, 2, s(4), 1<<62, s(4), 2, s(99), 2) },
		"neg. stride": func() { gemmRowsAVX2(2, 2, 2, s(4), -1, s(4), 2, s(4), 2) },
		"short at":    func() { gemmATRowsAVX2(2, 2, 2, s(4), 2, s(4), 2, s(3), 2) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func FuzzGemmRows(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint8(9), uint8(17))
	f.Fuzz(func(t *testing.T, seed uint64, m, k, n uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, fn := range gemmImpls {
			checkGemm(t, fn, r, int(m), int(k), int(n), bits32(r))
		}
	})
}

func FuzzGemmATRows(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint8(9), uint8(17))
	f.Fuzz(func(t *testing.T, seed uint64, m, k, n uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, fn := range gemmATImpls {
			checkGemmAT(t, fn, r, int(m), int(k), int(n), bits32(r))
		}
	})
}

// gflops reports the rate of a benchmark that does flop operations a turn.
func gflops(b *testing.B, flop int) {
	b.ReportMetric(float64(flop)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(0, "ns/op")
}

// gemmShapes are those of the network: 1x1 convolutions, the preprocessing of
// concatenated states, the auxiliary head, the classifier.
var gemmShapes = [][3]int{
	{1024, 8, 8}, {1024, 16, 16}, {1024, 24, 24}, {1024, 32, 32}, {1024, 40, 8}, {1024, 40, 40}, {1024, 80, 16}, {1024, 160, 32},
	{256, 64, 64}, {256, 240, 48}, {256, 128, 128}, {65536, 16, 16}, {65536, 64, 64}, {1024, 27, 48}, {96, 512, 768}, {96, 256, 10},
}

func BenchmarkGemmRows(b *testing.B) {
	for _, s := range gemmShapes {
		m, k, n := s[0], s[1], s[2]
		x, w, y := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
		for name, fn := range gemmImpls {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", name, m, k, n), func(b *testing.B) {
				for b.Loop() {
					fn(m, k, n, x, k, w, n, y, n)
				}
				gflops(b, 2*m*k*n)
			})
		}
	}
}

func BenchmarkGemmATRows(b *testing.B) {
	for _, s := range gemmShapes {
		m, k, n := s[0], s[1], s[2]
		x, dy, dw := make([]float32, m*k), make([]float32, m*n), make([]float32, k*n)
		for name, fn := range gemmATImpls {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", name, m, k, n), func(b *testing.B) {
				for b.Loop() {
					fn(m, k, n, x, k, dy, n, dw, n)
				}
				gflops(b, 2*m*k*n)
			})
		}
	}
}
