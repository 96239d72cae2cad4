package cpu

// Kernels are the primitives that this machine runs float32 with, see kernels.go.
// They are exported for measuring, one at a time and on operands without gaps; a
// network runs through [Engine].
type Kernels struct{ k *rowKernels[float32] }

// MeasuredKernels returns the primitives.
func MeasuredKernels() Kernels { return Kernels{rowsOf[float32]()} }

// StripPixels is the number of pixels that a 1x1 convolution takes through the
// kernels together, StripRows that of the image rows of a depthwise one, of which
// there are limit.
func (Kernels) StripPixels(cin, cout int) int {
	return (&Conv[float32]{Cin: cin, Cout: cout}).strip(1)
}

func (Kernels) StripRows(rowLen, limit int) int { return stripRows(rowLen, limit) }

// Gemm computes c (m,n) = a (m,k) b (k,n), GemmAT adds aᵀ b to c (k,n), with
// a (m,k) and b (m,n).
func (k Kernels) Gemm(m, depth, n int, a, b, c []float32) {
	k.k.gemm(m, depth, n, a, depth, b, n, c, n)
}

func (k Kernels) GemmAT(m, depth, n int, a, b, c []float32) {
	k.k.gemmAT(m, depth, n, a, depth, b, n, c, n)
}

// Depthwise computes y (rows,n,ch) from padded rows x (rows+size-1,n+size-1,ch)
// and w (size,size,ch); DepthwiseGrad adds the gradient to dw (size,size,ch).
func (k Kernels) Depthwise(size, rows, n, ch int, y, x, w []float32) {
	k.k.dw(dwShape{size, 1, 1}, rows, n, ch, y, n*ch, x, (n+size-1)*ch, w)
}

func (k Kernels) DepthwiseGrad(size, rows, n, ch int, dw, x, dy []float32) {
	k.k.dwGrad(dwShape{size, 1, 1}, rows, n, ch, dw, x, (n+size-1)*ch, dy, n*ch)
}

// The passes take n pixels of ch channels: Affine is scale, shift and ReLU, the
// others are what the entries of rowKernels say.

func (k Kernels) Affine(n, ch int, dst, src, a, b []float32) {
	k.k.affine(1, n, ch, dst, n*ch, ch, src, n*ch, ch, a, b, true)
}

func (k Kernels) Sum(n, ch int, x, shift, s1, s2 []float32) { k.k.sum(n, ch, x, shift, s1, s2) }

func (k Kernels) GradSum(n, ch int, x, dy, mean, s1, s2 []float32) {
	k.k.gradSum(n, ch, x, dy, mean, s1, s2)
}

func (k Kernels) BNGrad(n, ch int, dx, x, dy, mean, a, b, slope []float32) {
	k.k.bnGrad(n, ch, dx, ch, x, dy, ch, mean, a, b, slope)
}

func (k Kernels) MaskSum(n, ch int, dst, dy, x, a, b, mean, s1, s2 []float32) {
	k.k.maskSum(n, ch, dst, dy, x, a, b, mean, s1, s2)
}

func (k Kernels) MaskAdd(n, ch int, dst, dy, add, x, a, b []float32) {
	k.k.maskAdd(n, ch, dst, dy, add, x, a, b)
}

func (k Kernels) Combine(n, ch int, dst, x, ax, bx, y, ay, by []float32) {
	k.k.combine(n, ch, dst, x, ax, bx, y, ay, by)
}

// MaxPool computes a row of n pixels y and their taps idx from three padded rows
// x (3,n+2,ch); MaxPoolGrad adds one tap of the gradient to dx (n,ch).
func (k Kernels) MaxPool(n, ch int, y []float32, idx []uint8, x []float32) {
	k.k.maxPool(1, n, ch, y, idx, x, (n+2)*ch)
}

func (k Kernels) MaxPoolGrad(n, ch int, dx, dy []float32, idx []uint8, tap uint8) {
	k.k.maxPoolGrad(n, ch, dx, ch, dy, idx, tap)
}
