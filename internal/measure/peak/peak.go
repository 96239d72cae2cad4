// Package peak measures what a machine's arithmetic units and memories deliver at
// best: the yardstick for kernels and the floor under the time of a network's
// step. Short loops that do nothing else stand for the best; a program that
// computes something stays below.
//
//	p := cpu.NewPool(2)
//	m := peak.Measure(p, fastest) // fastest: the shortest of several runs, timed
//	share := flops / seconds / 1e9 / m.GFLOPSAll
package peak

import (
	"time"

	"oneshot/ops/cpu"
)

// Peak is what a machine's arithmetic units and memories deliver at best, as
// short loops measure it: the yardstick for kernels. Rates of memory count
// bytes read and bytes written, in 1e9 a second.
type Peak struct {
	Threads     int     // of the rates that end in All
	GFLOPS      float64 // one thread, float32 multiply-adds counted as two
	GFLOPSAll   float64
	ReadL1      float64 // one thread, 16 KiB
	ReadL2      float64 // one thread, 512 KiB
	CopyL2      float64
	ReadL3      float64 // one thread, 32 MiB: in a shared cache where one is as large
	CopyL3      float64
	ReadL3All   float64
	ReadMemory  float64 // one thread, 256 MiB
	CopyMemory  float64
	ReadAll     float64 // all threads, 256 MiB
	CopyAll     float64
	Instruction string // the instruction set measured, as ISA names it
}

const (
	inL1     = 16 << 10 / 4 // floats
	inL2     = 512 << 10 / 4
	inL3     = 32 << 20 / 4
	inMemory = 256 << 20 / 4
)

// Measure measures for about half a second, and fills 256 MiB for it. The
// caller has the clock: best returns the shortest of several runs of a function.
func Measure(p *cpu.Pool, best func(func()) time.Duration) Peak {
	isa, _ := cpu.ISA() // an unknown one that was asked for is the caller's to report
	m := Peak{Threads: p.Threads(), Instruction: isa}
	x := cpu.Huge[float32](inMemory)
	for i := range x {
		x[i] = 1
	}
	rate := func(threads int, work float64, f func(chunk int)) float64 {
		var pool *cpu.Pool
		if threads > 1 {
			pool = p
		}
		return work / float64(max(1, best(func() { pool.Run(threads, f) }).Nanoseconds()))
	}
	flops := func(threads int) float64 {
		f, per := fmaLoop(isa)
		n := max(1, 1<<27/per)
		return rate(threads, float64(threads*n*per), func(int) { f(n) })
	}
	read := func(threads, size int) float64 {
		times := max(1, 1<<21/size) // short runs would measure the clock
		share := size / threads / readUnit * readUnit
		return rate(threads, float64(4*times*threads*share), func(i int) {
			for range times {
				readLoop(isa, x[i*share:][:share])
			}
		})
	}
	cp := func(threads, size int) float64 {
		times := max(1, 1<<21/size)
		share := size / 2 / threads
		return rate(threads, float64(2*4*times*threads*share), func(i int) {
			for range times {
				copy(x[i*share:][:share], x[size/2+i*share:][:share])
			}
		})
	}
	m.GFLOPS, m.GFLOPSAll = flops(1), flops(m.Threads)
	m.ReadL1, m.ReadL2, m.CopyL2 = read(1, inL1), read(1, inL2), cp(1, inL2)
	m.ReadL3, m.CopyL3, m.ReadL3All = read(1, inL3), cp(1, inL3), read(m.Threads, inL3)
	m.ReadMemory, m.CopyMemory = read(1, inMemory), cp(1, inMemory)
	m.ReadAll, m.CopyAll = read(m.Threads, inMemory), cp(m.Threads, inMemory)
	return m
}

// Bandwidth is the better of reading and copying in the smallest memory measured
// that holds so many bytes, for one thread.
func (m Peak) Bandwidth(bytes int) float64 {
	switch {
	case bytes <= 32<<10:
		return m.ReadL1
	case bytes <= 1<<20:
		return max(m.ReadL2, m.CopyL2)
	case bytes <= 128<<20:
		return max(m.ReadL3, m.CopyL3)
	}
	return max(m.ReadMemory, m.CopyMemory)
}

// BandwidthAll is that of all threads, for data that no core's own cache holds.
func (m Peak) BandwidthAll(bytes int) float64 {
	if bytes <= 128<<20 {
		return max(m.ReadL3All, m.ReadAll, m.CopyAll)
	}
	return max(m.ReadAll, m.CopyAll)
}

// readUnit divides the length of what readLoop reads.
const readUnit = 128

// fmaPlain stands in for the arithmetic units where there is no assembly: the
// product of matrices that fit the first level cache.
func fmaPlain() (f func(n int), flops int) {
	const m, k = 64, 32
	kernels := cpu.MeasuredKernels()
	return func(n int) {
		a, b, c := make([]float32, m*k), make([]float32, k*m), make([]float32, m*m)
		for range n {
			kernels.Gemm(m, k, m, a, b, c)
		}
	}, 2 * m * k * m
}

// readPlain reads x without assembly. Inlined, it would be nothing.
//
//go:noinline
func readPlain(x []float32) float32 {
	var s0, s1, s2, s3 float32
	for ; len(x) >= 4; x = x[4:] {
		s0 += x[0]
		s1 += x[1]
		s2 += x[2]
		s3 += x[3]
	}
	return s0 + s1 + s2 + s3
}
