package cpu

// Float is the element type of every kernel.
type Float interface{ ~float32 | ~float64 }

// The float32 versions of the primitives. A build for a processor with a faster
// version replaces them once, in an init function; nothing else may write them.
var (
	gemmRows32   = gemmRowsRef[float32]
	gemmATRows32 = gemmATRowsRef[float32]
	dwRow32      = dwRowRef[float32]
	dwGradRow32  = dwGradRowRef[float32]
	maxRow32     = maxRowRef[float32]
)

// gemmRows works like gemmRowsRef, with the fastest version for T.
func gemmRows[T Float](m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool) {
	if a32, ok := any(a).([]float32); ok {
		gemmRows32(m, k, n, a32, lda, any(b).([]float32), ldb, any(c).([]float32), ldc, acc)
		return
	}
	gemmRowsRef(m, k, n, a, lda, b, ldb, c, ldc, acc)
}

// gemmATRows works like gemmATRowsRef, with the fastest version for T.
func gemmATRows[T Float](m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	if a32, ok := any(a).([]float32); ok {
		gemmATRows32(m, k, n, a32, lda, any(b).([]float32), ldb, any(c).([]float32), ldc)
		return
	}
	gemmATRowsRef(m, k, n, a, lda, b, ldb, c, ldc)
}

// dwRow works like dwRowRef, with the fastest version for T.
func dwRow[T Float](n, ch int, y []T, ystep int, x []T, xstep int, xoff []int, w []T, woff []int) {
	if y32, ok := any(y).([]float32); ok {
		dwRow32(n, ch, y32, ystep, any(x).([]float32), xstep, xoff, any(w).([]float32), woff)
		return
	}
	dwRowRef(n, ch, y, ystep, x, xstep, xoff, w, woff)
}

// dwGradRow works like dwGradRowRef, with the fastest version for T.
func dwGradRow[T Float](n, ch int, dw []T, woff []int, x []T, xstep int, xoff []int, dy []T, ystep int) {
	if dw32, ok := any(dw).([]float32); ok {
		dwGradRow32(n, ch, dw32, woff, any(x).([]float32), xstep, xoff, any(dy).([]float32), ystep)
		return
	}
	dwGradRowRef(n, ch, dw, woff, x, xstep, xoff, dy, ystep)
}

// maxRow works like maxRowRef, with the fastest version for T.
func maxRow[T Float](n, ch int, y []T, idx []uint8, ystep int, x []T, xstep int, xoff []int, tap0 uint8, taps []uint8) {
	if y32, ok := any(y).([]float32); ok {
		maxRow32(n, ch, y32, idx, ystep, any(x).([]float32), xstep, xoff, tap0, taps)
		return
	}
	maxRowRef(n, ch, y, idx, ystep, x, xstep, xoff, tap0, taps)
}
