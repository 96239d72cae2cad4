package cpu

// The float32 versions of the primitives that memory, not arithmetic, limits.
// As in primitives.go, only an init function may replace them.
var (
	reluRow32       = reluRowRef[float32]
	reluGradRow32   = reluGradRowRef[float32]
	addRow32        = addRowRef[float32]
	bnRows32        = bnRowsRef[float32]
	bnSumRows32     = bnSumRowsRef[float32]
	bnGradSumRows32 = bnGradSumRowsRef[float32]
	bnGradRows32    = bnGradRowsRef[float32]
)

// reluRow works like reluRowRef, with the fastest version for T.
func reluRow[T Float](y, x []T) {
	if y32, ok := any(y).([]float32); ok {
		reluRow32(y32, any(x).([]float32))
		return
	}
	reluRowRef(y, x)
}

// reluGradRow works like reluGradRowRef, with the fastest version for T.
func reluGradRow[T Float](dx, x, dy []T) {
	if dx32, ok := any(dx).([]float32); ok {
		reluGradRow32(dx32, any(x).([]float32), any(dy).([]float32))
		return
	}
	reluGradRowRef(dx, x, dy)
}

// addRow works like addRowRef, with the fastest version for T.
func addRow[T Float](dst, a, b []T) {
	if dst32, ok := any(dst).([]float32); ok {
		addRow32(dst32, any(a).([]float32), any(b).([]float32))
		return
	}
	addRowRef(dst, a, b)
}

// bnRows works like bnRowsRef, with the fastest version for T.
func bnRows[T Float](rows, ch int, y []T, ldy int, x, mean, scale, shift []T) {
	if y32, ok := any(y).([]float32); ok {
		bnRows32(rows, ch, y32, ldy, any(x).([]float32), any(mean).([]float32), any(scale).([]float32), any(shift).([]float32))
		return
	}
	bnRowsRef(rows, ch, y, ldy, x, mean, scale, shift)
}

// bnSumRows works like bnSumRowsRef, with the fastest version for T.
func bnSumRows[T Float](rows, ch int, x, shift, s1, s2 []T) {
	if x32, ok := any(x).([]float32); ok {
		bnSumRows32(rows, ch, x32, any(shift).([]float32), any(s1).([]float32), any(s2).([]float32))
		return
	}
	bnSumRowsRef(rows, ch, x, shift, s1, s2)
}

// bnGradSumRows works like bnGradSumRowsRef, with the fastest version for T.
func bnGradSumRows[T Float](rows, ch int, x, dy, mean, s1, s2 []T) {
	if x32, ok := any(x).([]float32); ok {
		bnGradSumRows32(rows, ch, x32, any(dy).([]float32), any(mean).([]float32), any(s1).([]float32), any(s2).([]float32))
		return
	}
	bnGradSumRowsRef(rows, ch, x, dy, mean, s1, s2)
}

// bnGradRows works like bnGradRowsRef, with the fastest version for T.
func bnGradRows[T Float](rows, ch int, dx, x, dy, mean, a, b, k []T) {
	if dx32, ok := any(dx).([]float32); ok {
		bnGradRows32(rows, ch, dx32, any(x).([]float32), any(dy).([]float32), any(mean).([]float32),
			any(a).([]float32), any(b).([]float32), any(k).([]float32))
		return
	}
	bnGradRowsRef(rows, ch, dx, x, dy, mean, a, b, k)
}
