package cpu

import (
	"fmt"
	"testing"
)

func gemmCases() [][3]int {
	var s [][3]int
	for i := range 120 { // every m, k, n up to 20, and the empty ones
		s = append(s, [3]int{i % 21, i * 5 % 19, i * 7 % 23})
	}
	return append(s, [][3]int{
		{1, 0, 1}, {0, 3, 3}, {3, 3, 0}, {0, 0, 0}, {5, 0, 7},
		{500, 16, 16}, {701, 48, 16}, {333, 80, 17}, {64, 512, 33}, {1500, 27, 48}, {64, 160, 10},
	}...)
}

func testGemm[T Float](t *testing.T) {
	for i, s := range gemmCases() {
		m, k, n := s[0], s[1], s[2]
		l := newLab[T](t, uint64(i))
		l.spikes = i%4 == 1
		a, b, c := l.random(m*k), l.random(k*n), l.blank(m*n)
		c0 := l.random(m * n)
		want := make([]exact, m*n)
		for r := range m {
			for p := range k {
				for j := range n {
					want[r*n+j].add(float64(a[r*k+p]) * float64(b[p*n+j]))
				}
			}
		}
		l.sameAtAnyThreads(c, func(p *Pool) { Gemm(p, m, k, n, a, b, c, false) })
		for j, e := range want {
			near(t, e, c[j], 0, "%v: c[%d]", s, j)
		}
		l.sameAtAnyThreads(c, func(p *Pool) {
			copy(c, c0)
			Gemm(p, m, k, n, a, b, c, true)
		})
		for j, e := range want {
			e.add(float64(c0[j]))
			near(t, e, c[j], 0, "%v: acc: c[%d]", s, j)
		}
		l.ok()
	}
}

func TestGemm(t *testing.T) { bothTypes(t, testGemm[float32], testGemm[float64]) }

func testGemmTransposed[T Float](t *testing.T) {
	for i, s := range gemmCases() {
		m, k, n := s[0], s[1], s[2]
		l := newLab[T](t, uint64(i))
		l.spikes = i%4 == 1
		x, dy, w := l.random(m*k), l.random(m*n), l.random(k*n)
		dx, dw := l.blank(m*k), l.blank(k*n)
		scratch := l.blank(max(GemmTAScratch(m, k, n), GemmTBScratch(k, n)))
		wantX, wantW := make([]exact, m*k), make([]exact, k*n)
		for r := range m {
			for p := range k {
				for j := range n {
					wantX[r*k+p].add(float64(dy[r*n+j]) * float64(w[p*n+j]))
					wantW[p*n+j].add(float64(dy[r*n+j]) * float64(x[r*k+p]))
				}
			}
		}
		l.sameAtAnyThreads(dw, func(p *Pool) { GemmTA(p, m, k, n, x, dy, dw, scratch) })
		for j, e := range wantW {
			near(t, e, dw[j], 0, "%v: dw[%d]", s, j)
		}
		l.sameAtAnyThreads(dx, func(p *Pool) { GemmTB(p, m, k, n, dy, w, dx, scratch) })
		for j, e := range wantX {
			near(t, e, dx[j], 0, "%v: dx[%d]", s, j)
		}
		l.ok()
	}
}

func TestGemmTransposed(t *testing.T) {
	bothTypes(t, testGemmTransposed[float32], testGemmTransposed[float64])
}

func TestGemmShapeMisuse(t *testing.T) {
	a := make([]float32, 6)
	panicsWith(t, badLength, func() { Gemm(nil, 2, 3, 2, a, a, a[:5], false) })
	panicsWith(t, badShape, func() { Gemm(nil, -2, -3, 2, a, a, a, false) })
	panicsWith(t, badScratch, func() { GemmTB(nil, 2, 3, 2, a[:4], a, a, a[:5]) })
	panicsWith(t, badShape, func() { GemmTAScratch(1<<40, 1<<40, 1) })
}

// The references are held to strides and offsets that the kernels do not use.
func testGemmRowsStrided[T Float](t *testing.T) {
	for m := range 7 {
		for k := range 7 {
			for n := range 11 {
				l := newLab[T](t, uint64(m*100+k*10+n))
				lda, ldb, ldc := k+m%3, n+k%3, n+3
				a, b, c := l.random(m*lda), l.random(k*ldb), l.random(m*ldc)
				was := append([]T{}, c...)
				gemmRowsRef(m, k, n, a, lda, b, ldb, c, ldc, true)
				for i := range m {
					for j := range ldc {
						var e exact
						e.add(float64(was[i*ldc+j]))
						for p := 0; p < k && j < n; p++ {
							e.add(float64(a[i*lda+p]) * float64(b[p*ldb+j]))
						}
						near(t, e, c[i*ldc+j], 0, "%dx%dx%d: c[%d,%d]", m, k, n, i, j)
					}
				}
				// The same operands with rows and depth exchanged: c (k,n) += aᵀ (k,m) b (m,n).
				a, b, c = l.random(m*lda), l.random(m*ldb), l.random(k*ldc)
				was = append([]T{}, c...)
				gemmATRowsRef(m, k, n, a, lda, b, ldb, c, ldc)
				for p := range k {
					for j := range ldc {
						var e exact
						e.add(float64(was[p*ldc+j]))
						for i := 0; i < m && j < n; i++ {
							e.add(float64(a[i*lda+p]) * float64(b[i*ldb+j]))
						}
						near(t, e, c[p*ldc+j], 0, "%dx%dx%d: transposed: c[%d,%d]", m, k, n, p, j)
					}
				}
				l.ok()
			}
		}
	}
}

func TestGemmRowsStrided(t *testing.T) {
	bothTypes(t, testGemmRowsStrided[float32], testGemmRowsStrided[float64])
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{64 * 1024, 16, 16}, {64 * 1024, 80, 16}, {64 * 256, 32, 32}, {64 * 64, 64, 64}, {64 * 64, 320, 64}} {
		m, k, n := s[0], s[1], s[2]
		x, y, w := make([]float32, m*k), make([]float32, m*n), make([]float32, k*n)
		scratch := make([]float32, max(GemmTAScratch(m, k, n), GemmTBScratch(k, n)))
		flop := 2 * float64(m) * float64(k) * float64(n)
		bench := func(name string, f func(p *Pool)) {
			benchThreads(b, fmt.Sprintf("%s/%dx%dx%d", name, m, k, n), flop, f)
		}
		bench("forward", func(p *Pool) { Gemm(p, m, k, n, x, w, y, false) })
		bench("data", func(p *Pool) { GemmTB(p, m, k, n, y, w, x, scratch) })
		bench("weights", func(p *Pool) { GemmTA(p, m, k, n, x, y, w, scratch) })
	}
}
