// Package kernels measures the processor's kernels one at a time, outside any
// network: the primitives of ops/cpu in the shapes that the reference job of
// bench/ gives them, and a separable convolution, the largest piece of a training
// step, alone in a backend's memory. It computes nothing that anybody keeps.
//
//	for _, c := range kernels.Cases() {
//		c.Run() // time it, compare with c.Flops and c.Bytes
//	}
package kernels

import (
	"fmt"
	"math/rand/v2"

	"oneshot/ops/cpu"
)

// A Case is one primitive on operands of one size, for one thread.
type Case struct {
	Name, Shape string
	Flops       int    // one multiply-add is two; comparisons count
	Bytes       int    // of operands and results, each once, though it be read and written
	Run         func() // one call
}

// Sizes of the arrays of passes over memory, in floats: three of the first fit a
// first level cache of 48 KiB with room to spare, the second fits no cache of a
// core.
const (
	strip  = 2 << 10
	memory = 4 << 20
)

// Cases are the primitives of the fused passes of ops/cpu, in the shapes that the
// reference job of bench/ gives them. Their operands share memory, so
// they must not run at the same time.
func Cases() []Case {
	b := &cases{k: cpu.MeasuredKernels(), idx: make([]uint8, memory)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b.mem {
		b.mem[i] = cpu.Huge[float32](memory)
		for j := range b.mem[i] {
			b.mem[i][j] = 2*r.Float32() - 1
		}
	}
	for i := range b.idx {
		b.idx[i] = uint8(r.IntN(9))
	}
	for i := range b.ch {
		b.ch[i] = b.mem[3][i*256:][:256:256] // channels at most, none of them 0
	}
	for _, s := range [][2]int{{16, 16}, {32, 32}, {64, 64}, {80, 16}, {16, 80}} {
		b.gemm(s[0], s[1])
	}
	for _, k := range []int{3, 5} {
		for _, s := range [][2]int{{16, 32}, {32, 16}, {64, 8}} {
			b.depthwise(k, s[0], s[1])
		}
	}
	for _, floats := range []int{strip, memory} {
		for _, ch := range []int{16, 64} {
			b.passes(floats/ch, ch)
			b.pools(floats/ch, ch)
		}
	}
	return b.all
}

type cases struct {
	k   cpu.Kernels
	mem [4][]float32 // operands; the last holds what is a value a channel, and weights
	idx []uint8
	ch  [8][]float32
	all []Case
}

func (b *cases) add(name, shape string, flops, bytes int, run func()) {
	b.all = append(b.all, Case{Name: name, Shape: shape, Flops: flops, Bytes: bytes, Run: run})
}

// gemm is a strip of pixels through a 1x1 convolution, and the gradient of its
// weights.
func (b *cases) gemm(k, n int) {
	m := b.k.StripPixels(k, n)
	x, w, y := b.mem[0], b.mem[3], b.mem[1]
	bytes := 4 * (m*k + k*n + m*n)
	b.add("gemm", fmt.Sprintf("%dx%d %dx%d", m, k, k, n), 2*m*k*n, bytes,
		func() { b.k.Gemm(m, k, n, x, w, y) })
	b.add("gemmAT", fmt.Sprintf("%dx%d %dx%d", k, m, m, n), 2*m*k*n, bytes,
		func() { b.k.GemmAT(m, k, n, x, b.mem[2], y) })
}

// depthwise is a strip of rows of a padded image.
func (b *cases) depthwise(k, ch, side int) {
	x, w, y := b.mem[0], b.mem[3], b.mem[1]
	rows, wide := b.k.StripRows(side*ch, side), side+k-1
	flops := 2 * k * k * rows * side * ch
	bytes := 4 * ch * ((rows+k-1)*wide + rows*side + k*k)
	shape := fmt.Sprintf("%dx%d %dx%dx%d", k, k, rows, side, ch)
	b.add("dw", shape, flops, bytes, func() { b.k.Depthwise(k, rows, side, ch, y, x, w) })
	b.add("dwGrad", shape, flops, bytes,
		func() { b.k.DepthwiseGrad(k, rows, side, ch, b.mem[2], x, y) })
}

// passes are those over n pixels that do little arithmetic.
func (b *cases) passes(n, ch int) {
	e := n * ch
	x, y, z := b.mem[0][:e], b.mem[1][:e], b.mem[2][:e]
	var c [8][]float32
	for i := range c {
		c[i] = b.ch[i][:ch]
	}
	add := func(name string, flops, arrays int, run func()) {
		b.add(name, fmt.Sprintf("%dx%d", n, ch), flops*e, 4*arrays*e, run)
	}
	s1, s2 := make([]float32, ch), make([]float32, ch)
	add("affine", 3, 2, func() { b.k.Affine(n, ch, y, x, c[0], c[1]) })
	add("sum", 4, 1, func() { b.k.Sum(n, ch, x, c[0], s1, s2) })
	add("gradSum", 4, 2, func() { b.k.GradSum(n, ch, x, y, c[0], s1, s2) })
	add("bnGrad", 5, 3, func() { b.k.BNGrad(n, ch, z, x, y, c[0], c[1], c[2], c[3]) })
	add("maskSum", 7, 3, func() { b.k.MaskSum(n, ch, z, y, x, c[0], c[1], c[2], s1, s2) })
	add("maskAdd", 4, 3, func() { b.k.MaskAdd(n, ch, z, y, z, x, c[0], c[1]) })
	add("combine", 5, 3, func() { b.k.Combine(n, ch, z, x, c[0], c[1], y, c[2], c[3]) })
}

// pools are rows of 32 pixels, or of as many as there are, about n in all.
func (b *cases) pools(n, ch int) {
	width := min(n, 32)
	rows := n / width
	for (rows+2)*(width+2)*ch > len(b.mem[0]) {
		rows--
	}
	x, y := b.mem[0], b.mem[1]
	e, xrow := rows*width*ch, (width+2)*ch
	shape := fmt.Sprintf("%dx%dx%d", rows, width, ch)
	b.add("maxPool", shape, 8*e, 4*(rows+2)*xrow+5*e, func() {
		for r := range rows {
			b.k.MaxPool(width, ch, y[r*width*ch:], b.idx[r*width*ch:], x[r*xrow:])
		}
	})
	b.add("maxPoolGrad", shape, e, 4*2*e+e, func() { // one tap of nine
		b.k.MaxPoolGrad(rows*width, ch, b.mem[2], y, b.idx, 4)
	})
}
