//go:build !noasm

package cpu

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

type (
	maxPoolFunc       = func(stride, n, ch int, y []float32, idx []uint8, x []float32, xrow int)
	maxPoolValuesFunc = func(stride, n, ch int, y, x []float32, xrow int)
	maxPoolGradFunc   = func(n, ch int, dx []float32, dpx int, dy []float32, idx []uint8, tap uint8)
)

var (
	maxPoolImpls       = impls[maxPoolFunc](maxPoolRow[float32], maxPoolRowAVX2, maxPoolRowAVX512)
	maxPoolValuesImpls = impls[maxPoolValuesFunc](maxPoolValuesRef, maxPoolValuesRef, maxPoolValuesAVX512)
	maxPoolGradImpls   = impls[maxPoolGradFunc](maxPoolGradRow[float32], maxPoolGradRowAVX2, maxPoolGradRowAVX512)
)

// maxPoolValuesRef is what the kernels without taps are compared with.
func maxPoolValuesRef(stride, n, ch int, y, x []float32, xrow int) {
	maxPoolRow(stride, n, ch, y, make([]uint8, n*ch), x, xrow)
}

// few draws from so few values that most maxima are held by several taps, and
// now and then an infinity or a NaN.
func few(r *rand.Rand) func() float32 {
	return func() float32 {
		switch r.IntN(40) {
		case 0:
			return nan32
		case 1:
			return inf32
		case 2, 3, 4, 5, 6, 7, 8:
			return -inf32
		}
		return float32(r.IntN(4) - 2)
	}
}

// guarded returns n bytes inside a buffer of bytes that must survive.
func guarded(n int) (s, buf []uint8) {
	const guard = 64
	buf = bytes.Repeat([]uint8{0xa5}, n+2*guard)
	return buf[guard : guard+n : guard+n], buf
}

// checkMaxPoolRow runs one case of maxPoolRow, which is exact.
func checkMaxPoolRow(t *testing.T, r *rand.Rand, stride, n, ch int, value func() float32) {
	t.Helper()
	x := inputOf(r, dwShape{3, stride, 1}, 1, n, ch, value)
	want, arg := make([]float32, n*ch), make([]uint8, n*ch)
	maxPoolRow(stride, n, ch, want, arg, x.s, x.stride)
	off := r.IntN(16)
	for _, k := range maxPoolImpls {
		y := newField(n, ch, ch, off).armed()
		idx, buf := guarded(n * ch)
		k.fn(stride, n, ch, y.s, idx, x.s, x.stride)
		y.checkGuards(t)
		sameBits(t, y.s, want, "%s: stride %d, n %d, ch %d", k.name, stride, n, ch)
		_, outside := guarded(n * ch)
		copy(outside[64:], arg)
		if !bytes.Equal(buf, outside) {
			t.Fatalf("%s: stride %d, n %d, ch %d: taps %v, want %v", k.name, stride, n, ch, idx, arg)
		}
	}
}

// checkMaxPoolValues runs one case of maxPoolRow without taps.
func checkMaxPoolValuesRow(t *testing.T, r *rand.Rand, stride, n, ch int, value func() float32) {
	t.Helper()
	x := inputOf(r, dwShape{3, stride, 1}, 1, n, ch, value)
	want, arg := make([]float32, n*ch), make([]uint8, n*ch)
	maxPoolRow(stride, n, ch, want, arg, x.s, x.stride)
	for _, k := range maxPoolValuesImpls {
		y := newField(n, ch, ch, r.IntN(16)).armed()
		k.fn(stride, n, ch, y.s, x.s, x.stride)
		y.checkGuards(t)
		sameBits(t, y.s, want, "%s: stride %d, n %d, ch %d", k.name, stride, n, ch)
	}
}

// checkMaxPoolGradRow runs one case of maxPoolGradRow, which is exact.
func checkMaxPoolGradRow(t *testing.T, r *rand.Rand, n, ch, dpx int, value func() float32) {
	t.Helper()
	dy := newField(n, ch, ch, r.IntN(16)).fill(value).s
	old := newField(n, ch, dpx, 0).fill(value).s
	idx := make([]uint8, n*ch)
	for i := range idx {
		idx[i] = uint8(r.IntN(9))
	}
	tap, off := uint8(r.IntN(9)), r.IntN(16)
	var want []float32
	for _, k := range maxPoolGradImpls {
		dx := newField(n, ch, dpx, off).armed()
		for q := range n {
			copy(dx.s[q*dpx:][:ch], old[q*dpx:])
		}
		k.fn(n, ch, dx.s, dpx, dy, idx, tap)
		dx.checkGuards(t)
		if want == nil {
			want = dx.s
		}
		sameFloats(t, dx.s, want, "%s: n %d, ch %d, dpx %d, tap %d", k.name, n, ch, dpx, tap)
	}
}

func TestWindowMaxPool(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for stride := 1; stride <= 4; stride++ {
		for v := range 36 {
			checkMaxPoolRow(t, r, stride, v, 1+r.IntN(40), few(r))
			checkMaxPoolRow(t, r, stride, 1+r.IntN(9), 1+v, uniform(r))
			checkMaxPoolRow(t, r, stride, 1+r.IntN(9), 1+v, special(r))
			checkMaxPoolRow(t, r, stride, 1+r.IntN(9), 1+v, bits32(r))
		}
		for _, ch := range []int{37, 38, 39, 40, 48, 64, 100, 130} {
			checkMaxPoolRow(t, r, stride, 1+r.IntN(9), ch, few(r))
		}
	}
}

// zeros draws zeros of both signs, and now and then a number or a NaN.
func zeros(r *rand.Rand) func() float32 {
	return func() float32 {
		switch r.IntN(12) {
		case 0:
			return -1
		case 1:
			return nan32
		}
		return math.Float32frombits(uint32(r.IntN(2)) << 31)
	}
}

func TestWindowMaxPoolValues(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for stride := 1; stride <= 4; stride++ {
		for v := range 36 {
			checkMaxPoolValuesRow(t, r, stride, v, 1+r.IntN(40), few(r))
			checkMaxPoolValuesRow(t, r, stride, 1+r.IntN(9), 1+v, zeros(r))
			checkMaxPoolValuesRow(t, r, stride, 1+r.IntN(9), 1+v, special(r))
			checkMaxPoolValuesRow(t, r, stride, 1+r.IntN(9), 1+v, bits32(r))
		}
		for _, ch := range []int{37, 38, 39, 40, 48, 64, 100, 130} {
			checkMaxPoolValuesRow(t, r, stride, 1+r.IntN(9), ch, few(r))
		}
	}
}

func TestWindowMaxPoolGrad(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for v := range 72 {
		for _, gap := range []int{0, 1, 16} {
			ch := 1 + r.IntN(40)
			checkMaxPoolGradRow(t, r, v, ch, ch+gap, special(r))
			checkMaxPoolGradRow(t, r, 1+r.IntN(9), 1+v, 1+v+gap, special(r))
		}
	}
	for _, ch := range []int{100, 128, 130, 200} {
		checkMaxPoolGradRow(t, r, 3, ch, ch+7, special(r))
	}
}

func FuzzWindowMaxPool(f *testing.F) {
	f.Add(uint64(1), uint8(1), uint8(17), uint8(11))
	f.Add(uint64(2), uint8(2), uint8(8), uint8(48))
	f.Fuzz(func(t *testing.T, seed uint64, stride, n, ch uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		value := few(r)
		if seed%2 == 0 {
			value = bits32(r)
		}
		checkMaxPoolRow(t, r, 1+int(stride%8), int(n), 1+int(ch%140), value)
		checkMaxPoolValuesRow(t, r, 1+int(stride%8), int(n), 1+int(ch%140), value)
	})
}

func FuzzWindowMaxPoolGrad(f *testing.F) {
	f.Add(uint64(1), uint8(17), uint8(11), uint8(0))
	f.Add(uint64(2), uint8(3), uint8(100), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, n, ch, gap uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkMaxPoolGradRow(t, r, int(n), 1+int(ch), 1+int(ch)+int(gap), bits32(r))
	})
}
