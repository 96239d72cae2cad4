//go:build !noasm

package peak

// fmaAVX2 does n times 12 vector multiply-adds, fmaAVX512 24; n is positive.
func fmaAVX2(n int)
func fmaAVX512(n int)

// readAVX2 loads n floats from x, a positive multiple of 64; readAVX512 one of
// 128.
//
//go:noescape
func readAVX2(x *float32, n int)

//go:noescape
func readAVX512(x *float32, n int)

// fmaLoop returns a loop that does nothing but multiply-adds, and the operations
// of one turn.
func fmaLoop(isa string) (f func(n int), flops int) {
	switch isa {
	case "avx512":
		return fmaAVX512, 2 * 24 * 16
	case "avx2":
		return fmaAVX2, 2 * 12 * 8
	}
	return fmaPlain()
}

// readLoop reads x, whose length is a multiple of readUnit.
func readLoop(isa string, x []float32) {
	switch {
	case len(x) == 0:
	case isa == "avx512":
		readAVX512(&x[0], len(x))
	case isa == "avx2":
		readAVX2(&x[0], len(x))
	default:
		readPlain(x)
	}
}
