package cpu

import (
	"fmt"
	"math/rand/v2"
)

// KernelBench is one primitive on operands of one size, for one thread.
type KernelBench struct {
	Name, Shape string
	Flops       int    // one multiply-add is two; comparisons count
	Bytes       int    // of operands and results, each once, though it be read and written
	Run         func() // one call
}

// Sizes of the arrays of passes over memory, in floats: three of the first fit a
// first level cache of 48 KiB with room to spare, the second fits no cache of a
// core.
const (
	benchStrip  = 2 << 10
	benchMemory = 4 << 20
)

// KernelBenches are the primitives of the fused passes, kernels.go, in the shapes
// that the reference job of bench/ gives them. Their operands share memory, so
// they must not run at the same time.
func KernelBenches() []KernelBench {
	b := &kernelBenches{k: rowsOf[float32](), idx: make([]uint8, benchMemory)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b.mem {
		b.mem[i] = Huge[float32](benchMemory)
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
	for _, floats := range []int{benchStrip, benchMemory} {
		for _, ch := range []int{16, 64} {
			b.passes(floats/ch, ch)
			b.pools(floats/ch, ch)
		}
	}
	return b.all
}

type kernelBenches struct {
	k   *rowKernels[float32]
	mem [4][]float32 // operands; the last holds what is a value a channel, and weights
	idx []uint8
	ch  [8][]float32
	all []KernelBench
}

func (b *kernelBenches) add(name, shape string, flops, bytes int, run func()) {
	b.all = append(b.all, KernelBench{Name: name, Shape: shape, Flops: flops, Bytes: bytes, Run: run})
}

// gemm is a strip of pixels through a 1x1 convolution, and the gradient of its
// weights.
func (b *kernelBenches) gemm(k, n int) {
	o := Conv[float32]{Cin: k, Cout: n}
	m := o.strip()
	x, w, y := b.mem[0], b.mem[3], b.mem[1]
	bytes := 4 * (m*k + k*n + m*n)
	b.add("gemm", fmt.Sprintf("%dx%d %dx%d", m, k, k, n), 2*m*k*n, bytes,
		func() { b.k.gemm(m, k, n, x, k, w, n, y, n) })
	b.add("gemmAT", fmt.Sprintf("%dx%d %dx%d", k, m, m, n), 2*m*k*n, bytes,
		func() { b.k.gemmAT(m, k, n, x, k, b.mem[2], n, y, n) })
}

// depthwise is a strip of rows of a padded image.
func (b *kernelBenches) depthwise(k, ch, side int) {
	g := dwShape{k: k, stride: 1, dil: 1}
	x, w, y := b.mem[0], b.mem[3], b.mem[1]
	rows, wide := stripRows(side*ch, side), side+k-1
	flops := 2 * k * k * rows * side * ch
	bytes := 4 * ch * ((rows+k-1)*wide + rows*side + k*k)
	shape := fmt.Sprintf("%dx%d %dx%dx%d", k, k, rows, side, ch)
	b.add("dw", shape, flops, bytes, func() { b.k.dw(g, rows, side, ch, y, side*ch, x, wide*ch, w) })
	b.add("dwGrad", shape, flops, bytes,
		func() { b.k.dwGrad(g, rows, side, ch, b.mem[2], x, wide*ch, y, side*ch) })
}

// passes are those over n pixels that do little arithmetic.
func (b *kernelBenches) passes(n, ch int) {
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
	add("affine", 3, 2, func() { b.k.affine(1, n, ch, y, e, ch, x, e, ch, c[0], c[1], true) })
	add("sum", 4, 1, func() { b.k.sum(n, ch, x, c[0], s1, s2) })
	add("gradSum", 4, 2, func() { b.k.gradSum(n, ch, x, y, c[0], s1, s2) })
	add("bnGrad", 5, 3, func() { b.k.bnGrad(n, ch, z, x, y, c[0], c[1], c[2], c[3]) })
	add("maskSum", 7, 3, func() { b.k.maskSum(n, ch, z, y, x, c[0], c[1], c[2], s1, s2) })
	add("maskAdd", 4, 3, func() { b.k.maskAdd(n, ch, z, y, z, x, c[0], c[1]) })
	add("combine", 5, 3, func() { b.k.combine(n, ch, z, x, c[0], c[1], y, c[2], c[3]) })
}

// pools are rows of 32 pixels, or of as many as there are, about n in all.
func (b *kernelBenches) pools(n, ch int) {
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
			b.k.maxPool(1, width, ch, y[r*width*ch:], b.idx[r*width*ch:], x[r*xrow:], xrow)
		}
	})
	b.add("maxPoolGrad", shape, e, 4*2*e+e, func() { // one tap of nine
		b.k.maxPoolGrad(rows*width, ch, b.mem[2], ch, y, b.idx, 4)
	})
}
