//go:build !noasm

package cpu

// wide is the number of float32 in one AVX-512 register.
const wide = 16

// dwRowsAVX512 works like dwRows. Every element of y is one chain of fused
// multiply-adds in the order of the taps, as in dwRowsAVX2, which takes what has
// no kernel here: windows of other sizes, and rows too short for a block.
func dwRowsAVX512(g dwShape, rows, n, ch int, y []float32, yrow int, x []float32, xrow int, w []float32) {
	dwAheadAVX512(g, rows, n, ch, y, yrow, ch, x, xrow, w, nil)
}

// dwAheadAVX512 works like dwAhead.
func dwAheadAVX512(g dwShape, rows, n, ch int, y []float32, yrow, ypx int, x []float32, xrow int, w, ahead []float32) {
	if rows <= 0 || n <= 0 || ch <= 0 {
		return
	}
	// A dilated window is a window of neighbours among every dil-th pixel: outputs
	// that are apart pixels apart read the same ones.
	common, apart := 1, 1
	if g.dil > 1 { // or two divisions, which count on a strip
		common = gcd(g.stride, g.dil)
		apart = g.dil / common
	}
	kernel := dwKernelOf(g.k, g.stride/common)
	if kernel == nil || n/apart < dwLeast {
		dwAheadAVX2(g, rows, n, ch, y, yrow, ypx, x, xrow, w, nil)
		return
	}
	g.check(rows, n, ch, y, yrow, ypx, x, xrow, w)
	if ch < wide {
		// The kernel reads 16 channels of every pixel. Where they may not be there,
		// in the last row, it is not used.
		if !g.reads16(rows-2, n, ch, x, xrow) {
			dwAheadAVX2(g, rows, n, ch, y, yrow, ypx, x, xrow, w, nil)
			return
		}
		if !g.reads16(rows-1, n, ch, x, xrow) {
			rows--
			dwAheadAVX2(g, 1, n, ch, y[rows*yrow:], yrow, ypx, x[rows*g.stride*xrow:], xrow, w, nil)
		}
	}
	if len(ahead) == 0 {
		ahead = y // in the cache: costs nothing
	}
	mask := mask512(min(ch, wide))
	if apart == 1 {
		if rows > 0 {
			kernel(rows, n, ch, &y[0], yrow, ypx, &x[0], g.dil*xrow, g.dil*ch, &w[0], &ahead[0], mask)
		}
		return
	}
	for r := range min(rows, apart) {
		for q := range apart {
			some, of := (rows-r+apart-1)/apart, (n-q+apart-1)/apart
			kernel(some, of, ch, &y[r*yrow+q*ypx], apart*yrow, apart*ypx,
				&x[r*g.stride*xrow+q*g.stride*ch], g.dil*xrow, g.dil*ch, &w[0], &ahead[0], mask)
			ahead = ahead[min(some*of*ch, len(ahead)-1):]
		}
	}
}

// reads16 reports whether x has 16 channels of all the pixels that the first n
// outputs of row r read.
func (g dwShape) reads16(r, n, ch int, x []float32, xrow int) bool {
	return r < 0 || (r*g.stride+(g.k-1)*g.dil)*xrow+(g.span(n)-1)*ch+wide <= len(x)
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// dwGradRowsAVX512 works like dwGradRows. Each sum is one chain of fused
// multiply-adds over ascending rows and pixels, added to dw at the end. Windows
// of other sizes go through dwGradRowsAVX2.
func dwGradRowsAVX512(g dwShape, rows, n, ch int, dw []float32, x []float32, xrow int, dy []float32, dyrow int) {
	if rows <= 0 || n <= 0 || ch <= 0 {
		return
	}
	if uint(g.k) >= uint(len(dwGradKernels)) || dwGradKernels[g.k] == nil {
		dwGradRowsAVX2(g, rows, n, ch, dw, x, xrow, dy, dyrow)
		return
	}
	g.check(rows, n, ch, dy, dyrow, ch, x, xrow, dw)
	blocks, last := 0, 0
	if g.stride == g.dil {
		blocks, last = n/dwGradBlock, n/dwGradBlock
		// Blocks read 16 channels of every pixel; where those may not be there, in
		// the last row, single pixels take the place of the last block.
		fits := func(r, pixels int) bool {
			return ch >= wide || r < 0 || pixels <= 0 ||
				g.reads16(r, pixels, ch, x, xrow) && r*dyrow+(pixels-1)*ch+wide <= len(dy)
		}
		if !fits(rows-1, dwGradBlock*last) {
			last--
		}
		if !fits(rows-1, dwGradBlock*last) || !fits(rows-2, dwGradBlock*blocks) {
			blocks, last = 0, 0
		}
	}
	dwGradKernels[g.k](rows, n, blocks, last, ch, &dw[0], &x[0], g.stride*xrow, g.stride*ch, g.dil*xrow, g.dil*ch, &dy[0], dyrow, mask512(min(ch, wide)))
}

// check panics unless the slices hold what the kernels touch. The first check of
// y and of x also bounds n and rows, so that the products below do not overflow.
func (g dwShape) check(rows, n, ch int, y []float32, yrow, ypx int, x []float32, xrow int, w []float32) {
	slack(w, g.k*g.k, ch, ch)
	slack(y, n, ch, ypx)
	slack(y, rows, (n-1)*ypx+ch, yrow)
	slack(x, rows, 1, xrow)
	slack(x, g.span(rows), g.span(n)*ch, xrow)
}

// dwLeast is the least length of a row that the kernels take, dwGradBlock the
// pixels of a block, see _asm/depthwise_avx512.go and _asm/depthwise_grad_avx512.go.
const (
	dwLeast     = 4
	dwGradBlock = 4
)

type (
	dwKernel     = func(rows, n, ch int, y *float32, yrow, ypx int, x *float32, xrow, xpx int, w, ahead *float32, mask *int32)
	dwGradKernel = func(rows, n, blocks, lastBlocks, ch int, dw *float32, x *float32, xrow, xpx, tapRow, tapPx int, dy *float32, dyrow int, mask *int32)
)

// dwKernels are the kernels by size and stride of the window, dwGradKernels those
// by its size.
var (
	dwKernels = [...][3]dwKernel{
		3: {1: dwRows3s1AVX512, 2: dwRows3s2AVX512},
		5: {1: dwRows5s1AVX512, 2: dwRows5s2AVX512},
		7: {1: dwRows7s1AVX512, 2: dwRows7s2AVX512},
	}
	dwGradKernels = [...]dwGradKernel{3: dwGradRows3AVX512, 5: dwGradRows5AVX512, 7: dwGradRows7AVX512}
)

// dwKernelOf returns the kernel of a window, nil if it has none.
func dwKernelOf(size, stride int) dwKernel {
	if uint(size) >= uint(len(dwKernels)) || uint(stride) > 2 {
		return nil
	}
	return dwKernels[size][stride]
}
