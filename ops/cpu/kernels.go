package cpu

// Float is the element type of every kernel.
type Float interface{ ~float32 | ~float64 }

// rowKernels are the primitives of the fused passes: loops over a few image
// rows, or over a strip of pixels, that the first level cache holds. Every
// tensor has its channels innermost and pixels ch apart unless a stride says
// otherwise; strides are in elements. The entry's reference (in
// the files *_ref.go) is its definition; a fast version differs in rounding only.
//
// A kernel checks that its slices are long enough and panics with a constant if
// not. Nothing overlaps unless the reference says so.
type rowKernels[T Float] struct {
	affine   func(rows, n, ch int, dst []T, drow, dpx int, src []T, srow, spx int, a, b []T, relu bool)
	dw       func(g dwShape, rows, n, ch int, y []T, yrow int, x []T, xrow int, w []T)
	dwAhead  func(g dwShape, rows, n, ch int, y []T, yrow, ypx int, x []T, xrow int, w, ahead []T)
	dwGrad   func(g dwShape, rows, n, ch int, dw []T, x []T, xrow int, dy []T, dyrow int)
	gemm     func(m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int)
	gemmTaps func(m, taps, k, n int, a []T, lda, tap int, b []T, ldb int, c []T, ldc int)
	gemmAT   func(m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int)
	sum      func(n, ch int, x, shift, s1, s2 []T)
	gradSum  func(n, ch int, x, dy, mean, s1, s2 []T)
	bnGrad   func(n, ch int, dx []T, dpx int, x, dy []T, spx int, mean, a, b, k []T)
	maskSum  func(n, ch int, dst, dy, x, a, b, mean, s1, s2 []T)
	maskAdd  func(n, ch int, dst, dy, add, x, a, b []T)
	add      func(dst, a, b []T)
	combine  func(n, ch int, dst, x, ax, bx, y, ay, by []T)
	maxPool  func(stride, n, ch int, y []T, idx []uint8, x []T, xrow int)
	// maxPoolValues is maxPool without its taps, for evaluations; nil where that is no faster.
	maxPoolValues func(stride, n, ch int, y []T, x []T, xrow int)
	maxPoolGrad   func(n, ch int, dx []T, dpx int, dy []T, idx []uint8, tap uint8)
}

// dwShape is the window of a depthwise convolution.
type dwShape struct{ k, stride, dil int }

// span is the pixels that the window of n outputs covers.
func (g dwShape) span(n int) int { return (n-1)*g.stride + (g.k-1)*g.dil + 1 }

// rows32 is replaced entry by entry, once, by an init function that finds a
// faster version; nothing else may write it.
var (
	rows32 = refRows[float32]()
	rows64 = refRows[float64]()
)

func refRows[T Float]() rowKernels[T] {
	return rowKernels[T]{
		affine: affineRows[T], dw: dwRows[T], dwAhead: dwAhead[T], dwGrad: dwGradRows[T], gemm: gemmRowsRef[T], gemmTaps: gemmTapsRef[T], gemmAT: gemmATRowsRef[T],
		sum: sumRows[T], gradSum: gradSumRows[T], bnGrad: bnGradRowsRef[T], maskSum: maskSumRows[T], maskAdd: maskAddRows[T],
		add: addRowRef[T], combine: combineRows[T], maxPool: maxPoolRow[T], maxPoolGrad: maxPoolGradRow[T],
	}
}

// rowsOf returns the fastest primitives for T.
func rowsOf[T Float]() *rowKernels[T] {
	if k, ok := any(&rows32).(*rowKernels[T]); ok {
		return k
	}
	if k, ok := any(&rows64).(*rowKernels[T]); ok {
		return k
	}
	k := refRows[T]() // a named type
	return &k
}

// addRow works like addRowRef, with the fastest version for T.
func addRow[T Float](dst, a, b []T) { rowsOf[T]().add(dst, a, b) }
