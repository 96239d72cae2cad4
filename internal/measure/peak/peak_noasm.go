//go:build !amd64 || noasm

package peak

func fmaLoop(string) (f func(n int), flops int) { return fmaPlain() }

func readLoop(_ string, x []float32) { readPlain(x) }
