//go:build !noasm

package cpu

// addRowAVX2 works like addRowRef; dst may be a or b.
func addRowAVX2(dst, a, b []float32) {
	if n := len(dst); n > 0 {
		a, b = a[:n], b[:n]
		addAVX2(n, &dst[0], &a[0], &b[0], mask(n%lanes))
	}
}
