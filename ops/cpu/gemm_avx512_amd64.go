//go:build !noasm

package cpu

// gemmPanels[v-1] and gemmMaskPanels[v-1] work on v vectors of columns; the
// tiles of both have at most gemm512Heights[v-1] rows, see _asm/gemm_avx512.go.
// gemmATTiles, gemmATMaskTiles and gemmAT512Heights are the same for gemmAT.
var (
	gemmPanels       = [4]gemmPanelFunc{gemm16AVX512, gemm32AVX512, gemm48AVX512, gemm64AVX512}
	gemmMaskPanels   = [4]gemmPanelFunc{gemm16MaskAVX512, gemm32MaskAVX512, gemm48MaskAVX512, gemm64MaskAVX512}
	gemm512Heights   = [4]int{24, 12, 8, 6}
	gemmATTiles      = [4]gemmATTileFunc{gemmAT16AVX512, gemmAT32AVX512, gemmAT48AVX512, gemmAT64AVX512}
	gemmATMaskTiles  = [4]gemmATTileFunc{gemmAT16MaskAVX512, gemmAT32MaskAVX512, gemmAT48MaskAVX512, gemmAT64MaskAVX512}
	gemmAT512Heights = [4]int{16, 12, 8, 6}
)

type (
	gemmPanelFunc  func(h, tall, short, k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, acc bool, mask *int32)
	gemmATTileFunc func(rows, kb int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, mask *int32)
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

// gemmRowsAVX512 works like gemmRowsRef, as gemmRowsAVX2 does and with the same
// value of every element: one chain of fused multiply-adds over ascending k,
// added to c at the end if acc. c overlaps neither a nor b.
func gemmRowsAVX512(m, k, n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, acc bool) {
	if m <= 0 || n <= 0 {
		return
	}
	slack(c, m, n, ldc)
	k = max(k, 0)
	var pa, pb *float32
	if k > 0 {
		slack(a, m, k, lda)
		slack(b, k, n, ldb)
		pa, pb = &a[0], &b[0]
	}
	block := m
	if n > 4*wide && k > 0 {
		block = gemmRowBlock(k)
	}
	for i := 0; i < m; i += block {
		for j := 0; j < n; {
			v, whole := panel(n-j, wide, 4)
			first, end := i, min(i+block, m)
			if groups := (end - first) / 8; v == 1 && whole && k == 16 && groups > 0 {
				gemm16x16AVX512(groups, &a[i*lda], lda, &b[j], ldb, &c[i*ldc+j], ldc, acc)
				first += 8 * groups
			}
			if rows := end - first; rows > 0 {
				tiles := (rows + gemm512Heights[v-1] - 1) / gemm512Heights[v-1]
				h := (rows + tiles - 1) / tiles
				tall := rows - tiles*(h-1)
				if k > 0 {
					pa, pb = &a[first*lda], &b[j]
				}
				pc := &c[first*ldc+j]
				if whole {
					gemmPanels[v-1](h, tall, tiles-tall, k, pa, lda, pb, ldb, pc, ldc, acc, nil)
				} else {
					gemmMaskPanels[v-1](h, tall, tiles-tall, k, pa, lda, pb, ldb, pc, ldc, acc, mask512(n-j-(v-1)*wide))
				}
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
			v, whole := panel(n-j, wide, 4)
			most := gemmAT512Heights[v-1]
			for tiles, p := (k+most-1)/most, 0; p < k; tiles-- {
				h := (k - p + tiles - 1) / tiles
				if whole {
					gemmATTiles[v-1](rows, h, &a[i*lda+p], lda, &b[i*ldb+j], ldb, &c[p*ldc+j], ldc, nil)
				} else {
					gemmATMaskTiles[v-1](rows, h, &a[i*lda+p], lda, &b[i*ldb+j], ldb, &c[p*ldc+j], ldc, mask512(n-j-(v-1)*wide))
				}
				p += h
			}
			j += v * wide
		}
	}
}
