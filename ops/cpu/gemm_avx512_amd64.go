//go:build !noasm

package cpu

// gemmPanels[v-1] and gemmATPanels[v-1] work on v vectors of columns.
var (
	gemmPanels   = [4]gemmPanel{gemm16AVX512, gemm32AVX512, gemm48AVX512, gemm64AVX512}
	gemmATPanels = [4]gemmATPanel{gemmAT16AVX512, gemmAT32AVX512, gemmAT48AVX512, gemmAT64AVX512}
)

type (
	gemmPanel   func(rows, taps, pairs, rest, skip int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, mask *int32)
	gemmATPanel func(rows, rest, k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, mask *int32)
)

// panel returns the vectors of the next group of columns, or channels, if left
// of them remain: most at the most, and about as many in every group. whole
// says that none of them needs a mask.
func panel(left, width, most int) (vectors int, whole bool) {
	v := (left + width - 1) / width
	groups := (v + most - 1) / most
	v = (v + groups - 1) / groups
	return v, left >= v*width
}

// rowsUnderMask is the number of the last of rows rows of b, ldb apart, in which
// past elements behind the end of a row are not there: those rows are read under
// a mask.
func rowsUnderMask(rows, past, ldb int) int {
	if past <= 0 {
		return 0
	}
	if ldb <= 0 {
		return rows
	}
	return min(rows, (past+ldb-1)/ldb)
}

// gemmRowsAVX512 works like gemmRowsRef, as gemmRowsAVX2 does and with the same
// value of every element: one chain of fused multiply-adds over ascending k. c
// overlaps neither a nor b.
func gemmRowsAVX512(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	gemmTapsAVX512(m, 1, k, n, a, lda, 0, b, ldb, c, ldc)
}

// gemmTapsAVX512 works like gemmTapsRef, as gemmTapsAVX2 does and with the same value
// of every element.
func gemmTapsAVX512(m, taps, k, n int, a []float32, lda, tap int, b []float32, ldb int, c []float32, ldc int) {
	if m <= 0 || n <= 0 {
		return
	}
	taps, k = fitsGemm(m, taps, k, n, a, lda, tap, b, ldb, c, ldc)
	var pa, pb *float32
	block := m
	if n > 4*wide && k > 0 {
		block = gemmRowBlock(taps * k)
	}
	for i := 0; i < m; i += block {
		for j := 0; j < n; {
			v, whole := panel(n-j, wide, 4)
			first, end := i, min(i+block, m)
			if groups := (end - first) / 8; v == 1 && whole && k == 16 && taps == 1 && groups > 0 {
				gemm16x16AVX512(groups, &a[i*lda], lda, &b[j], ldb, &c[i*ldc+j], ldc)
				first += 8 * groups
			}
			if rows := end - first; rows > 0 {
				if k > 0 {
					pa, pb = &a[first*lda], &b[j]
				}
				pairs := (k - rowsUnderMask(k, v*wide-(n-j), ldb)) / 2
				gemmPanels[v-1](rows, taps, pairs, k-2*pairs, tap-k, pa, lda, pb, ldb, &c[first*ldc+j], ldc, mask512(min(n-j-(v-1)*wide, wide)))
			}
			j += v * wide
		}
	}
}

// gemmATRowsAVX512 works like gemmATRowsRef, as gemmATRowsAVX2 does and with the
// same value of every element: the rows are summed in blocks of a size that k and
// n alone decide. c overlaps neither a nor b.
func gemmATRowsAVX512(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
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
			v, _ := panel(n-j, wide, 4)
			rest := rowsUnderMask(rows, v*wide-(n-j), ldb)
			gemmATPanels[v-1](rows-rest, rest, k, &a[i*lda], lda, &b[i*ldb+j], ldb, &c[j], ldc, mask512(min(n-j-(v-1)*wide, wide)))
			j += v * wide
		}
	}
}
