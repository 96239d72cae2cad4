package cpu

import "math"

// Pool3 is a 3x3 maximum or average with padding 1, then batch normalisation unless
// NoNorm. The average is that of the pixels inside the image.
type Pool3[T Float] struct {
	Max, NoNorm     bool
	Values          bool // of a maximum: no gradient follows, and Tap may be left as it is
	N, H, W, C      int
	Stride          int
	X               Act[T]
	Z               []T     // (N,Ho,Wo,C), raw output; with NoNorm backward does not read it
	Tap             []uint8 // of the shape of Z: which of nine pixels is the maximum
	Norm            Norm[T] // not used with NoNorm
	DX              Out[T]
	border, ninth   T // what the padding holds; the weight of a pixel of an average
	ho, wo, ph, row int
}

// plan derives the fields the passes share.
func (o *Pool3[T]) plan() {
	o.ho, o.wo = ceilDiv(o.H, o.Stride), ceilDiv(o.W, o.Stride)
	o.ph, o.row = o.H+2, (o.W+2)*o.C
	o.ninth = T(1) / 9
	if o.Max {
		o.border = T(math.Inf(-1))
	}
}

// averaging is the scratch memory of an average: the depthwise weights, and for each
// number of pixels inside the image what makes a sum with the weight of nine their average.
type averaging[T Float] struct {
	weights, zero []T
	share         [9][]T
}

func (o *Pool3[T]) averaging(mem *[]T) (a averaging[T]) {
	if o.Max {
		return a
	}
	a.weights, a.zero = take(mem, 9*o.C), take(mem, o.C)
	fill(a.weights, o.ninth)
	clear(a.zero)
	for n := 1; n < 9; n++ {
		a.share[n] = take(mem, o.C)
		fill(a.share[n], T(9)/T(n))
	}
	return a
}

// averagingLen is the length of that memory.
func (o *Pool3[T]) averagingLen() int {
	if o.Max {
		return 0
	}
	return (9 + 1 + 8) * o.C
}

// poolRun are neighbouring windows in one direction that have as many pixels inside.
type poolRun struct{ first, n, inside int }

// poolRuns cuts out windows, stride apart, over size pixels.
func poolRuns(out, size, stride int) (runs [3]poolRun) {
	k := 0
	for at := range out {
		inside := min(at*stride+1, size-1) - max(at*stride-1, 0) + 1
		switch {
		case at == 0:
		case inside == runs[k].inside:
			runs[k].n++
			continue
		default:
			k++
		}
		runs[k] = poolRun{at, 1, inside}
	}
	return runs
}

// averageInside makes the sums of an image with the weight of nine, rows row apart and pixels px,
// the averages of the pixels inside the image.
func (e *Engine[T]) averageInside(o *Pool3[T], a *averaging[T], sums []T, row, px int) {
	for _, r := range poolRuns(o.ho, o.H, o.Stride) {
		for _, q := range poolRuns(o.wo, o.W, o.Stride) {
			if n := r.inside * q.inside; r.n*q.n > 0 && n < 9 {
				at := sums[r.first*row+q.first*px:]
				e.k.affine(r.n, q.n, o.C, at, row, px, at, row, px, a.share[n], a.zero, false)
			}
		}
	}
}

type poolForwardJob[T Float] struct {
	*Pool3[T]
	e    *Engine[T]
	work partition
	st   []T
}

// PoolForward computes Z, Tap for a maximum, and the statistics and coefficients of
// the normalisation.
func (e *Engine[T]) PoolForward(o *Pool3[T]) {
	o.plan()
	need(o.X.X, o.N, o.H, o.W, o.C)
	need(o.Z, o.N, o.ho, o.wo, o.C)
	if o.Max {
		need(o.Tap, len(o.Z))
	}
	j := job[poolForwardJob[T]](e)
	*j = poolForwardJob[T]{Pool3: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch)}
	chunks := j.work.chunks()
	if o.NoNorm {
		e.pool.Do(chunks, j)
		return
	}
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.C))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.C, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * o.ho * o.wo }, j.st, statLen(o.C))
}

func (j *poolForwardJob[T]) Chunk(worker, chunk int) {
	k, c, out := j.e.k, j.C, j.wo*j.C
	mem := j.e.scratch(worker, j.ph*j.row+j.averagingLen())
	pad := take(&mem, j.ph*j.row)
	border(pad, j.H, j.W, c, 1, j.border)
	a := j.averaging(&mem)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		k.affine(j.H, j.W, c, pad[j.row+c:], j.row, c, j.X.X[n*j.H*j.W*c:], j.W*c, c, j.X.Scale, j.X.Shift, false)
		if !j.Max {
			z := j.Z[n*j.ho*out:][:j.ho*out]
			k.dw(dwShape{3, j.Stride, 1}, j.ho, j.wo, c, z, out, pad, j.row, a.weights)
			j.e.averageInside(j.Pool3, &a, z, out, c)
		}
		for r := range j.ho {
			at := (n*j.ho + r) * out
			z, x := j.Z[at:][:out], pad[r*j.Stride*j.row:]
			if j.Max && j.Values && k.maxPoolValues != nil {
				k.maxPoolValues(j.Stride, j.wo, c, z, x, j.row)
			} else if j.Max {
				k.maxPool(j.Stride, j.wo, c, z, j.Tap[at:][:out], x, j.row)
			}
			if j.st != nil {
				j.e.stats(n == lo && r == 0, j.wo, c, z, j.st[chunk*statLen(c):])
			}
		}
	}
}

type poolBackwardJob[T Float] struct {
	*Pool3[T]
	e    *Engine[T]
	work partition
	dy   []T
}

// PoolBackward computes DX and the gradients of the normalisation from dy, the
// gradient of the output, normalised if it is.
func (e *Engine[T]) PoolBackward(o *Pool3[T], dy []T) {
	o.plan()
	need(dy, o.N, o.ho, o.wo, o.C)
	need(o.DX.DX, o.N, o.H, o.W, o.C)
	if !o.NoNorm {
		need(o.Z, len(dy))
		e.normBackward(&o.Norm, o.N, o.ho*o.wo, o.C, o.Z, dy)
	}
	j := job[poolBackwardJob[T]](e)
	*j = poolBackwardJob[T]{Pool3: o, e: e, work: imagePartition(o.N), dy: dy}
	e.pool.Do(j.work.chunks(), j)
}

func (j *poolBackwardJob[T]) Chunk(worker, chunk int) {
	lo, hi := j.work.bounds(chunk)
	if j.Max {
		for n := lo; n < hi; n++ {
			j.maximum(worker, n)
		}
		return
	}
	mem := j.e.scratch(worker, j.ph*j.row+j.averagingLen()+j.strip()*j.W*j.C)
	up := take(&mem, j.ph*j.row)
	clear(up) // what lies between the gradients stays zero
	a := j.averaging(&mem)
	for n := lo; n < hi; n++ {
		j.average(n, up, &a, mem)
	}
}

// gradZ returns the gradient of n pixels of Z from at on, in dz if it has to be computed.
func (j *poolBackwardJob[T]) gradZ(at, n int, dz []T) []T {
	if j.NoNorm {
		return j.dy[at:][:n*j.C]
	}
	j.e.gradZ(&j.Norm, n, j.C, dz, j.Z[at:], j.dy[at:])
	return dz
}

// maximum adds each pixel's gradient to the pixel that was the maximum, a tap of
// a row at a time.
func (j *poolBackwardJob[T]) maximum(worker, n int) {
	c, out, in := j.C, j.wo*j.C, j.W*j.C
	mem := j.e.scratch(worker, out)
	j.DX.base(n*j.H*in, (n+1)*j.H*in)
	for r := range j.ho {
		at := (n*j.ho + r) * out
		dz := j.gradZ(at, j.wo, mem)
		for t := range 9 {
			y := r*j.Stride + t/3 - 1
			if y < 0 || y >= j.H || j.W < t%3 {
				continue
			}
			// Output pixels whose tap t lies inside the row.
			first := 0
			if t%3 == 0 {
				first = 1
			}
			end := min(j.wo, (j.W-t%3)/j.Stride+1)
			if end <= first {
				continue
			}
			dx := j.DX.DX[(n*j.H+y)*in+(first*j.Stride+t%3-1)*c:]
			j.e.k.maxPoolGrad(end-first, c, dx, j.Stride*c, dz[first*c:], j.Tap[at+first*c:], uint8(t))
		}
	}
}

// strip is how many rows of the image go through the kernels together.
func (o *Pool3[T]) strip() int { return stripRows(o.W*o.C, o.H) }

// average convolves the gradient, Stride apart in the padded image up, a strip of rows at
// a time.
func (j *poolBackwardJob[T]) average(n int, up []T, a *averaging[T], mem []T) {
	k, c, in := j.e.k, j.C, j.W*j.C
	inner, row, px := up[j.row+c:], j.Stride*j.row, j.Stride*c
	step := j.strip()
	for r := 0; r < j.ho; r += step {
		rows := min(step, j.ho-r)
		dz := j.gradZ((n*j.ho+r)*j.wo*c, rows*j.wo, mem)
		k.affine(rows, j.wo, c, inner[r*row:], row, px, dz, j.wo*c, c, nil, nil, false)
	}
	j.e.averageInside(j.Pool3, a, inner, row, px)
	for r := 0; r < j.H; r += step {
		rows := min(step, j.H-r)
		lo := (n*j.H + r) * in
		hi := lo + rows*in
		k.dw(dwShape{3, 1, 1}, rows, j.W, c, mem, in, up[r*j.row:], j.row, a.weights)
		k.maskAdd(rows*j.W, c, j.DX.DX[lo:hi], mem, j.DX.added(lo, hi), nil, nil, nil)
	}
}

// Scratch is that of PoolForward and PoolBackward.
func (o *Pool3[T]) Scratch() Scratch {
	n := (o.H+2)*(o.W+2)*o.C + o.averagingLen()
	if !o.Max {
		n += o.strip() * o.W * o.C
	}
	s := Scratch{Worker: n}
	if o.NoNorm {
		return s
	}
	return normScratch(o.N, o.C).Max(s)
}
