package cpu

// Float is the element type of every kernel.
type Float interface{ ~float32 | ~float64 }

// gemmRows works like gemmRowsRef, with the fastest version for T.
func gemmRows[T Float](m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool) {
	rowsOf[T]().gemm(m, k, n, a, lda, b, ldb, c, ldc, acc)
}

// gemmATRows works like gemmATRowsRef, with the fastest version for T.
func gemmATRows[T Float](m, k, n int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	rowsOf[T]().gemmAT(m, k, n, a, lda, b, ldb, c, ldc)
}

// addRow works like addRowRef, with the fastest version for T.
func addRow[T Float](dst, a, b []T) { rowsOf[T]().add(dst, a, b) }
