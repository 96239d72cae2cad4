//go:build !noasm

package cpu

import "math"

// gemmRowsAVX2 works like gemmRowsRef. Every element of c is one chain of fused
// multiply-adds over ascending k: its value depends on its row of a and its
// column of b alone, neither on m and n nor on where the rows were split between
// calls. c overlaps neither a nor b.
func gemmRowsAVX2(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	gemmTapsAVX2(m, 1, k, n, a, lda, 0, b, ldb, c, ldc)
}

// gemmTapsAVX2 works like gemmTapsRef, with the same chain over all taps.
func gemmTapsAVX2(m, taps, k, n int, a []float32, lda, tap int, b []float32, ldb int, c []float32, ldc int) {
	if m <= 0 || n <= 0 {
		return
	}
	taps, k = fitsGemm(m, taps, k, n, a, lda, tap, b, ldb, c, ldc)
	var pa, pb *float32
	block := m
	if n > 2*lanes && k > 0 {
		block = gemmRowBlock(taps * k)
	}
	for i := 0; i < m; i += block {
		rows := min(block, m-i)
		for j := 0; j < n; {
			if k > 0 {
				pa, pb = &a[i*lda], &b[j]
			}
			pc := &c[i*ldc+j]
			switch w := n - j; {
			case w >= 2*lanes:
				gemm16AVX2(rows, taps, k, tap-k, pa, lda, pb, ldb, pc, ldc)
				j += 2 * lanes
			default:
				gemm8AVX2(rows, taps, k, tap-k, pa, lda, pb, ldb, pc, ldc, mask(min(w, lanes)))
				j += lanes
			}
		}
	}
}

// fitsGemm panics unless the slices hold what the panels touch, for m and n > 0. It
// returns taps and k as the panels take them: at least one tap, and k 0 for nothing.
func fitsGemm(m, taps, k, n int, a []float32, lda, tap int, b []float32, ldb int, c []float32, ldc int) (int, int) {
	slack(c, m, n, ldc)
	if taps <= 0 || k <= 0 {
		return 1, 0
	}
	if taps > math.MaxInt/k {
		panic(shortRows)
	}
	slack(a, taps, k, tap) // so the length of a row does not overflow
	slack(a, m, (taps-1)*tap+k, lda)
	slack(b, taps*k, n, ldb)
	return taps, k
}

// gemmRowBlock is the number of rows of a, a multiple of 24 and so of most tiles,
// that go through all column panels together: as many as stay in the first level
// cache beside a panel of b. Chosen by experiment, see BenchmarkGemmRows.
func gemmRowBlock(k int) int {
	const budget = 24 << 10 / 4
	return max(budget/k/24, 1) * 24
}

// gemmATRowsAVX2 works like gemmATRowsRef. The rows are summed in blocks of a
// size that k and n alone decide; within a block an element of c is one chain
// of fused multiply-adds over ascending rows. c overlaps neither a nor b.
func gemmATRowsAVX2(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	if m <= 0 || k <= 0 || n <= 0 {
		return
	}
	slack(a, m, k, lda)
	slack(b, m, n, ldb)
	slack(c, k, n, ldc)
	block := gemmATBlock(k, n)
	for i := 0; i < m; i += block {
		rows := min(block, m-i)
		for j := 0; j < n; {
			if w := n - j; w >= 2*lanes {
				gemmAT16AVX2(rows, k, &a[i*lda], lda, &b[i*ldb+j], ldb, &c[j], ldc)
				j += 2 * lanes
			} else {
				gemmAT8AVX2(rows, k, &a[i*lda], lda, &b[i*ldb+j], ldb, &c[j], ldc, mask(min(w, lanes)))
				j += lanes
			}
		}
	}
}

// gemmATBlock is the number of rows of a and b that go through all tiles
// together: as many as stay in the first level cache, and enough that adding a
// tile to c does not count. Chosen by experiment, see BenchmarkGemmATRows.
func gemmATBlock(k, n int) int {
	const budget = 32 << 10 / 4
	return max(budget/(k+n), 64)
}
