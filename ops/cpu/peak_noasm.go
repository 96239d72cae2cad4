//go:build !amd64 || noasm

package cpu

func fmaLoop() (f func(n int), flops int) { return fmaPlain() }

func readLoop(x []float32) { readPlain(x) }
