package opstest

import (
	"math"

	"oneshot/ops"
	"oneshot/ops/cuda"
)

// CUDA returns the backend of a GPU as a Machine.
func CUDA(e *cuda.Engine, half bool) Machine {
	return &cudaMachine{CUDA: ops.NewCUDA(e, half), act: map[ops.Mem]bool{}}
}

type cudaMachine struct {
	*ops.CUDA
	act map[ops.Mem]bool
}

func (m *cudaMachine) Activation(at ops.Mem) { m.act[at] = true }

// Resize panics where the device fails: a test has nothing to do about it.
func (m *cudaMachine) Resize(r ops.Region, n int) { must(m.CUDA.Resize(r, n)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (m *cudaMachine) halves(at ops.Mem) bool { return m.Half() && m.act[at] }

func (m *cudaMachine) Write(at ops.Mem, v []float64) {
	f := make([]float32, len(v))
	for i, x := range v {
		f[i] = float32(x)
	}
	if m.halves(at) {
		f = packHalves(f)
		at.Len = len(f)
	}
	must(m.CUDA.Write(at, f))
}

func (m *cudaMachine) Read(at ops.Mem) []float64 {
	n := at.Len
	f := make([]float32, n)
	if m.halves(at) {
		at.Len = (n + 1) / 2
		must(m.CUDA.Read(at, f[:at.Len]))
		f = unpackHalves(f[:at.Len], n)
	} else {
		must(m.CUDA.Read(at, f))
	}
	out := make([]float64, n)
	for i, x := range f {
		out[i] = float64(x)
	}
	return out
}

// packHalves rounds values to bfloat16, two to an element.
func packHalves(v []float32) []float32 {
	out := make([]uint32, (len(v)+1)/2)
	for i, x := range v {
		out[i/2] |= uint32(toHalf(x)) << (16 * (i % 2))
	}
	f := make([]float32, len(out))
	for i, u := range out {
		f[i] = math.Float32frombits(u)
	}
	return f
}

func unpackHalves(v []float32, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(math.Float32bits(v[i/2]) >> (16 * (i % 2)) << 16)
	}
	return out
}

// toHalf rounds to the nearest bfloat16, ties to even.
func toHalf(x float32) uint16 {
	u := math.Float32bits(x)
	if x != x {
		return 0x7fff
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}
