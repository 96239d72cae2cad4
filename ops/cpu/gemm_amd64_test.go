//go:build !noasm

package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestStripGemm: every size of each dimension, so every tile and every mask.
func TestStripGemm(t *testing.T) {
	for _, isa := range stripISAs()[1:] {
		t.Run(isa.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(12, 1))
			for v := range 131 {
				checkGemm(t, isa.gemm, r, v, pick(r), pick(r), uniform(r))
				checkGemm(t, isa.gemm, r, pick(r), v, pick(r), uniform(r))
				checkGemm(t, isa.gemm, r, pick(r), pick(r), v, uniform(r))
				checkGemmAT(t, isa.gemmAT, r, v, pick(r), pick(r), uniform(r))
				checkGemmAT(t, isa.gemmAT, r, pick(r), v, pick(r), uniform(r))
				checkGemmAT(t, isa.gemmAT, r, pick(r), pick(r), v, uniform(r))
			}
			for m := range 17 { // every height of every width of tile
				for n := 1; n <= 65; n++ {
					checkGemm(t, isa.gemm, r, m, r.IntN(6), n, ranged(r))
					checkGemmAT(t, isa.gemmAT, r, r.IntN(6), m, n, ranged(r))
				}
			}
			for m := range 33 { // b in registers
				n := []int{16, 16, 80, 144}[m%4]
				checkGemm(t, isa.gemm, r, m, 16, n, uniform(r))
			}
			for _, s := range stripShapes {
				checkGemm(t, isa.gemm, r, s[0], s[1], s[2], uniform(r))
				checkGemmAT(t, isa.gemmAT, r, s[0], s[1], s[2], uniform(r))
			}
			for _, m := range []int{255, 1000, 2049} { // several blocks of rows
				checkGemm(t, isa.gemm, r, m, 1+r.IntN(40), 65+r.IntN(40), uniform(r))
				checkGemmAT(t, isa.gemmAT, r, m, 1+r.IntN(20), 1+r.IntN(40), uniform(r))
			}
		})
	}
}

// checkGemmTaps compares the product of rows of pieces, which may overlap, with gemm's
// of the same pieces side by side: it is the same chain.
func checkGemmTaps(t *testing.T, isa stripISA, r *rand.Rand, m, taps, k, n int, value func() float32) {
	t.Helper()
	tap, lda := r.IntN(2*k+2), r.IntN(2*k+2)
	a := newField(1, max(m-1, 0)*lda+max(taps-1, 0)*tap+k, 0, r.IntN(16)).fill(value).s
	b := newField(taps*k, n, n+r.IntN(4), r.IntN(16)).fill(value)
	side := make([]float32, m*taps*k)
	for i := range m * taps {
		copy(side[i*k:][:k], a[i/taps*lda+i%taps*tap:])
	}
	c := newField(m, n, n+r.IntN(4), r.IntN(16)).armed().fill(value)
	want := append([]float32(nil), c.s...)
	isa.gemmTaps(m, taps, k, n, a, lda, tap, b.s, b.stride, c.s, c.stride)
	c.checkGuards(t)
	isa.gemm(m, taps*k, n, side, taps*k, b.s, b.stride, want, c.stride)
	sameBits(t, c.s, want, "%s: m %d, taps %d, k %d, n %d, tap %d, lda %d", isa.name, m, taps, k, n, tap, lda)
}

// TestStripGemmTaps: every height and width of tile, and blocks of rows, with any number
// of pieces. TestStripGemm and TestGemmRowsStrided hold gemm to the sums themselves.
func TestStripGemmTaps(t *testing.T) {
	for _, isa := range stripISAs() {
		t.Run(isa.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(16, 1))
			for m := range 33 {
				for n := 1; n <= 65; n += 1 + r.IntN(4) {
					checkGemmTaps(t, isa, r, m, r.IntN(5), r.IntN(7), n, ranged(r))
				}
				checkGemmTaps(t, isa, r, m, 3, 16, 16, uniform(r)) // not the kernel with b in registers
			}
			for _, s := range [][4]int{{32, 3, 48, 16}, {16, 3, 96, 32}, {112, 3, 48, 16}, {130, 5, 20, 70}, {28, 7, 48, 48}} {
				checkGemmTaps(t, isa, r, s[0], s[1], s[2], s[3], uniform(r))
			}
		})
	}
}

// TestStripGemmOverlap: the rows of a may overlap, as those of an image do.
func TestStripGemmOverlap(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	const m, k, n, lda = 40, 9, 48, 3
	a := newField(1, (m-1)*lda+k, 0, 1).fill(uniform(r)).s
	b := newField(k, n, n, 3).fill(uniform(r)).s
	apart := make([]float32, m*k)
	for i := range m {
		copy(apart[i*k:][:k], a[i*lda:])
	}
	dy := newField(m, n, n, 3).fill(uniform(r)).s
	for _, isa := range stripISAs() {
		got, want := make([]float32, m*n), make([]float32, m*n)
		isa.gemm(m, k, n, a, lda, b, n, got, n)
		isa.gemm(m, k, n, apart, k, b, n, want, n)
		sameBits(t, got, want, "%s: gemm", isa.name)
		got, want = make([]float32, k*n), make([]float32, k*n)
		isa.gemmAT(m, k, n, a, lda, dy, n, got, n)
		isa.gemmAT(m, k, n, apart, k, dy, n, want, n)
		sameBits(t, got, want, "%s: gemmAT", isa.name)
	}
}

// TestStripGemmSplit: rows and columns may be cut anywhere, at any alignment,
// without changing a bit; and both instruction sets compute the same chains.
func TestStripGemmSplit(t *testing.T) {
	isas := stripISAs()[1:]
	r := rand.New(rand.NewPCG(14, 1))
	for range 200 {
		m, k, n := 1+r.IntN(60), 1+r.IntN(90), 1+r.IntN(150)
		a := newField(m, k, k, r.IntN(16)).fill(uniform(r)).s
		b := newField(k, n, n, r.IntN(16)).fill(uniform(r)).s
		old := newField(m, n, n, r.IntN(16)).fill(uniform(r)).s
		dy := newField(m, n, n, r.IntN(16)).fill(uniform(r)).s
		oldAT := newField(k, n, n, r.IntN(16)).fill(uniform(r)).s
		var first, firstAT []float32
		for _, isa := range isas {
			whole, parts := append([]float32(nil), old...), append([]float32(nil), old...)
			isa.gemm(m, k, n, a, k, b, n, whole, n)
			for i := 0; i < m; {
				rows, cut := 1+r.IntN(m-i), r.IntN(n)
				isa.gemm(rows, k, cut, a[i*k:], k, b, n, parts[i*n:], n)
				isa.gemm(rows, k, n-cut, a[i*k:], k, b[cut:], n, parts[i*n+cut:], n)
				i += rows
			}
			sameBits(t, whole, parts, "%s: m %d, k %d, n %d", isa.name, m, k, n)
			wholeAT, partsAT := append([]float32(nil), oldAT...), append([]float32(nil), oldAT...)
			isa.gemmAT(m, k, n, a, k, dy, n, wholeAT, n)
			for i := 0; i < k; {
				rows, cut := 1+r.IntN(k-i), r.IntN(n)
				isa.gemmAT(m, rows, cut, a[i:], k, dy, n, partsAT[i*n:], n)
				isa.gemmAT(m, rows, n-cut, a[i:], k, dy[cut:], n, partsAT[i*n+cut:], n)
				i += rows
			}
			sameBits(t, wholeAT, partsAT, "%s: at, m %d, k %d, n %d", isa.name, m, k, n)
			if first == nil {
				first, firstAT = whole, wholeAT
			}
			sameBits(t, whole, first, "%s and %s: m %d, k %d, n %d", isas[0].name, isa.name, m, k, n)
			sameBits(t, wholeAT, firstAT, "%s and %s: at, m %d, k %d, n %d", isas[0].name, isa.name, m, k, n)
		}
	}
}

// stripShapes are the 1x1 convolutions of the network on strips of pixels.
var stripShapes = [][3]int{
	{32, 16, 16}, {128, 16, 16}, {256, 16, 16}, {128, 32, 32}, {256, 32, 32}, {64, 64, 64}, {256, 64, 64}, {256, 80, 16}, {256, 16, 80},
	{128, 160, 32}, {128, 32, 160}, {256, 36, 36}, {256, 9, 48},
}

func BenchmarkStripGemm(b *testing.B) {
	for _, isa := range stripISAs() {
		for _, s := range stripShapes {
			m, k, n := s[0], s[1], s[2]
			lda := k
			if k == 9 {
				lda = 3 // the rows overlap
			}
			x, w, y := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
			b.Run(fmt.Sprintf("%s/%dx%dx%d", isa.name, m, k, n), func(b *testing.B) {
				for b.Loop() {
					isa.gemm(m, k, n, x, lda, w, n, y, n)
				}
				gflops(b, 2*m*k*n)
			})
		}
	}
}

func BenchmarkStripGemmAT(b *testing.B) {
	for _, isa := range stripISAs() {
		for _, s := range stripShapes {
			m, k, n := s[0], s[1], s[2]
			lda := k
			if k == 9 {
				lda = 3
			}
			x, dy, dw := make([]float32, m*k), make([]float32, m*n), make([]float32, k*n)
			b.Run(fmt.Sprintf("%s/%dx%dx%d", isa.name, m, k, n), func(b *testing.B) {
				for b.Loop() {
					isa.gemmAT(m, k, n, x, lda, dy, n, dw, n)
				}
				gflops(b, 2*m*k*n)
			})
		}
	}
}
