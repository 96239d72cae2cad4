//go:build !noasm

package cpu

// fmaLoop returns a loop that does nothing but multiply-adds, and the operations
// of one turn.
func fmaLoop() (f func(n int), flops int) {
	switch isaName {
	case isaAVX512:
		return fmaPeakAVX512, 2 * 24 * 16
	case isaAVX2:
		return fmaPeakAVX2, 2 * 12 * 8
	}
	return fmaPlain()
}

// readLoop reads x, whose length is a multiple of readUnit.
func readLoop(x []float32) {
	switch {
	case len(x) == 0:
	case isaName == isaAVX512:
		readPeakAVX512(&x[0], len(x))
	case isaName == isaAVX2:
		readPeakAVX2(&x[0], len(x))
	default:
		readPlain(x)
	}
}
