//go:build !noasm

package cpu

// wide is the number of float32 in one AVX-512 register.
const wide = 16

// dwRowsAVX512 works like dwRows. Every element of y is one chain of fused
// multiply-adds in the order of the taps. Windows without a kernel of their own
// go through dwRowsAVX2.
func dwRowsAVX512(g dwShape, rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w []float32) {
	dwAheadAVX512(g, rows, n, ch, y, yrow, x, xrow, w, nil)
}

// dwAheadAVX512 works like dwAhead.
func dwAheadAVX512(g dwShape, rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w, ahead []float32) {
	if rows <= 0 || n <= 0 || ch <= 0 {
		return
	}
	f := g.dwKernel(ch < wide)
	if f == nil {
		dwRowsAVX2(g, rows, n, ch, y, yrow, x, xrow, w)
		return
	}
	g.check(rows, n, ch, y, yrow, x, xrow, w)
	if len(ahead) == 0 {
		ahead = y // in the cache: costs nothing
	}
	f(rows, n, ch, &y[0], yrow, &x[0], xrow, &w[0], &ahead[0])
}

// dwGradRowsAVX512 works like dwGradRows. Each sum is one chain of fused
// multiply-adds over ascending rows and pixels, added to dw at the end. Windows
// without a kernel of their own go through dwGradRowsAVX2.
func dwGradRowsAVX512(g dwShape, rows, n, ch int, dw []float32, x []float32, xrow int, dy []float32, dyrow int) {
	if rows <= 0 || n <= 0 || ch <= 0 {
		return
	}
	f := g.dwGradKernel(ch < wide)
	if f == nil {
		dwGradRowsAVX2(g, rows, n, ch, dw, x, xrow, dy, dyrow)
		return
	}
	g.check(rows, n, ch, dy, dyrow, x, xrow, dw)
	f(rows, n, ch, &dw[0], &x[0], xrow, &dy[0], dyrow)
}

// check panics unless the slices hold what the kernels touch. The first check of
// y and of x also bounds n and rows, so that the products below do not overflow.
func (g dwShape) check(rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w []float32) {
	slack(w, g.k*g.k, ch, ch)
	slack(y, n, ch, ch)
	slack(y, rows, n*ch, yrow)
	slack(x, rows, 1, xrow)
	slack(x, g.span(rows), g.span(n)*ch, xrow)
}

type (
	dwKernel     = func(rows, n, ch int, y *float32, yrow int, x *float32, xrow int, w, ahead *float32)
	dwGradKernel = func(rows, n, ch int, dw *float32, x *float32, xrow int, dy *float32, dyrow int)
)

// dwKernel returns the kernel of the window, nil if it has none. The narrow one
// is for ch < 16, the other for more.
func (g dwShape) dwKernel(narrow bool) dwKernel {
	full, mask := dwKernel(nil), dwKernel(nil)
	switch g {
	case dwShape{3, 1, 1}:
		full, mask = dwRows3s1d1AVX512, dwRows3s1d1MaskAVX512
	case dwShape{3, 2, 1}:
		full, mask = dwRows3s2d1AVX512, dwRows3s2d1MaskAVX512
	case dwShape{3, 1, 2}:
		full, mask = dwRows3s1d2AVX512, dwRows3s1d2MaskAVX512
	case dwShape{3, 2, 2}:
		full, mask = dwRows3s2d2AVX512, dwRows3s2d2MaskAVX512
	case dwShape{5, 1, 1}:
		full, mask = dwRows5s1d1AVX512, dwRows5s1d1MaskAVX512
	case dwShape{5, 2, 1}:
		full, mask = dwRows5s2d1AVX512, dwRows5s2d1MaskAVX512
	case dwShape{5, 1, 2}:
		full, mask = dwRows5s1d2AVX512, dwRows5s1d2MaskAVX512
	case dwShape{5, 2, 2}:
		full, mask = dwRows5s2d2AVX512, dwRows5s2d2MaskAVX512
	case dwShape{7, 1, 1}:
		full, mask = dwRows7s1d1AVX512, dwRows7s1d1MaskAVX512
	case dwShape{7, 2, 1}:
		full, mask = dwRows7s2d1AVX512, dwRows7s2d1MaskAVX512
	}
	if narrow {
		return mask
	}
	return full
}

// dwGradKernel works like dwKernel for the gradient.
func (g dwShape) dwGradKernel(narrow bool) dwGradKernel {
	full, mask := dwGradKernel(nil), dwGradKernel(nil)
	switch g {
	case dwShape{3, 1, 1}:
		full, mask = dwGradRows3s1d1AVX512, dwGradRows3s1d1MaskAVX512
	case dwShape{3, 2, 1}:
		full, mask = dwGradRows3s2d1AVX512, dwGradRows3s2d1MaskAVX512
	case dwShape{3, 1, 2}:
		full, mask = dwGradRows3s1d2AVX512, dwGradRows3s1d2MaskAVX512
	case dwShape{3, 2, 2}:
		full, mask = dwGradRows3s2d2AVX512, dwGradRows3s2d2MaskAVX512
	case dwShape{5, 1, 1}:
		full, mask = dwGradRows5s1d1AVX512, dwGradRows5s1d1MaskAVX512
	case dwShape{5, 2, 1}:
		full, mask = dwGradRows5s2d1AVX512, dwGradRows5s2d1MaskAVX512
	case dwShape{5, 1, 2}:
		full, mask = dwGradRows5s1d2AVX512, dwGradRows5s1d2MaskAVX512
	case dwShape{5, 2, 2}:
		full, mask = dwGradRows5s2d2AVX512, dwGradRows5s2d2MaskAVX512
	case dwShape{7, 1, 1}:
		full, mask = dwGradRows7s1d1AVX512, dwGradRows7s1d1MaskAVX512
	case dwShape{7, 2, 1}:
		full, mask = dwGradRows7s2d1AVX512, dwGradRows7s2d1MaskAVX512
	}
	if narrow {
		return mask
	}
	return full
}
