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

// weights returns the depthwise weights of an average in scratch memory.
func (o *Pool3[T]) weights(mem *[]T) []T {
	w := take(mem, 9*o.C)
	fill(w, o.ninth)
	return w
}

// share makes output row r, n pixels that were summed with the weight of nine,
// the average of the pixels inside the image.
func (o *Pool3[T]) share(r int, row []T) {
	inside := func(at, limit int) int { return min(at*o.Stride+1, limit-1) - max(at*o.Stride-1, 0) + 1 }
	rows := inside(r, o.H)
	for q := range o.wo {
		if n := rows * inside(q, o.W); n < 9 {
			f := T(9) / T(n)
			for c := range row[q*o.C:][:o.C] {
				row[q*o.C+c] *= f
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
	*j = poolForwardJob[T]{Pool3: o, e: e, work: imagePartition(o.N)}
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
	mem := j.e.scratch(worker, j.ph*j.row+9*c)
	pad := take(&mem, j.ph*j.row)
	border(pad, j.H, j.W, c, 1, j.border)
	w := j.weights(&mem)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		k.affine(j.H, j.W, c, pad[j.row+c:], j.row, c, j.X.X[n*j.H*j.W*c:], j.W*c, c, j.X.Scale, j.X.Shift, false)
		for r := range j.ho {
			at := (n*j.ho + r) * out
			z, x := j.Z[at:][:out], pad[r*j.Stride*j.row:]
			if j.Max && j.Values && k.maxPoolValues != nil {
				k.maxPoolValues(j.Stride, j.wo, c, z, x, j.row)
			} else if j.Max {
				k.maxPool(j.Stride, j.wo, c, z, j.Tap[at:][:out], x, j.row)
			} else {
				k.dw(dwShape{3, j.Stride, 1}, 1, j.wo, c, z, out, x, j.row, w)
				j.share(r, z)
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
	mem := j.e.scratch(worker, j.ph*j.row+9*j.C+max(j.wo, j.W)*j.C)
	up := take(&mem, j.ph*j.row)
	clear(up) // what lies between the gradients stays zero
	w := j.weights(&mem)
	for n := lo; n < hi; n++ {
		j.average(n, up, w, mem)
	}
}

// gradZ writes the gradient of the row of Z from at on.
func (j *poolBackwardJob[T]) gradZ(at int, dz []T) {
	if j.NoNorm {
		copy(dz, j.dy[at:])
		return
	}
	j.e.gradZ(&j.Norm, j.wo, j.C, dz, j.Z[at:], j.dy[at:])
}

// maximum adds each pixel's gradient to the pixel that was the maximum, a tap of
// a row at a time.
func (j *poolBackwardJob[T]) maximum(worker, n int) {
	c, out, in := j.C, j.wo*j.C, j.W*j.C
	dz := j.e.scratch(worker, out)
	j.DX.base(n*j.H*in, (n+1)*j.H*in)
	for r := range j.ho {
		at := (n*j.ho + r) * out
		j.gradZ(at, dz)
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

// average convolves the gradient, Stride apart in the padded image up.
func (j *poolBackwardJob[T]) average(n int, up, w, row []T) {
	k, c, out, in := j.e.k, j.C, j.wo*j.C, j.W*j.C
	for r := range j.ho {
		at := (n*j.ho + r) * out
		j.gradZ(at, row[:out])
		j.share(r, row)
		k.affine(1, j.wo, c, up[(r*j.Stride+1)*j.row+c:], 0, j.Stride*c, row, 0, c, nil, nil, false)
	}
	for r := range j.H {
		lo := (n*j.H + r) * in
		k.dw(dwShape{3, 1, 1}, 1, j.W, c, row, in, up[r*j.row:], j.row, w)
		k.maskAdd(j.W, c, j.DX.DX[lo:lo+in], row, j.DX.added(lo, lo+in), nil, nil, nil)
	}
}

// Scratch is that of PoolForward and PoolBackward.
func (o *Pool3[T]) Scratch() Scratch {
	n := (o.H+2)*(o.W+2)*o.C + 9*o.C
	if !o.Max {
		n += o.W * o.C
	}
	s := Scratch{Worker: n}
	if o.NoNorm {
		return s
	}
	return normScratch(o.N, o.C).Max(s)
}
