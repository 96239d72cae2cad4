package cpu

// Float is the element type of every kernel.
type Float interface{ ~float32 | ~float64 }

// addRow works like addRowRef, with the fastest version for T.
func addRow[T Float](dst, a, b []T) { rowsOf[T]().add(dst, a, b) }
