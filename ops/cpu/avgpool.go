package cpu

// AvgPool is an activation, then the average over KxK windows without padding, of
// several tensors side by side.
type AvgPool[T Float] struct {
	F                     Activation
	N, H, W, C, K, Stride int      // C is the channels of a part
	Parts                 []Act[T] // (N,H,W,C) each
	Y                     []T      // (N,Ho,Wo,len(Parts)*C)
	DParts                []Out[T]
}

func (o *AvgPool[T]) out() (ho, wo int) { return (o.H-o.K)/o.Stride + 1, (o.W-o.K)/o.Stride + 1 }

// apart says that no two windows share a pixel.
func (o *AvgPool[T]) apart() bool {
	ho, wo := o.out()
	return o.K <= o.Stride || ho*wo == 1
}

// share divides the pixels src (n,C), spx apart, by the pixels of a window: dst, dpx
// apart. By a power of two it multiplies, which gives the same values; inverse has room
// for 2*C values.
func (e *Engine[T]) share(o *AvgPool[T], n int, dst []T, dpx int, src []T, spx int, inverse []T) {
	area := o.K * o.K
	if area&(area-1) == 0 {
		fill(inverse[:o.C], 1/T(area))
		clear(inverse[o.C:])
		e.k.affine(1, n, o.C, dst, 0, dpx, src, 0, spx, inverse[:o.C], inverse[o.C:2*o.C], false)
		return
	}
	for q := range n {
		d := dst[q*dpx:][:o.C]
		for c, v := range src[q*spx:][:o.C] {
			d[c] = v / T(area)
		}
	}
}

type avgPoolForwardJob[T Float] struct {
	*AvgPool[T]
	e    *Engine[T]
	work partition
}

// AvgPoolForward computes Y.
func (e *Engine[T]) AvgPoolForward(o *AvgPool[T]) {
	ho, wo := o.out()
	need(o.Y, o.N, ho, wo, len(o.Parts), o.C)
	for _, a := range o.Parts {
		need(a.X, o.N, o.H, o.W, o.C)
	}
	j := job[avgPoolForwardJob[T]](e)
	*j = avgPoolForwardJob[T]{o, e, imagePartition(o.N)}
	e.pool.Do(j.work.chunks(), j)
}

// Chunk sums the windows of a row of Y tap by tap.
func (j *avgPoolForwardJob[T]) Chunk(worker, chunk int) {
	k, c := j.e.k, j.C
	ho, wo := j.out()
	mem := j.e.scratch(worker, 2*wo*c+2*c)
	sum, tap := take(&mem, wo*c), take(&mem, wo*c)
	lo, hi := j.work.bounds(chunk)
	for i := lo * ho; i < hi*ho; i++ {
		n, r := i/ho, i%ho
		for part := range j.Parts {
			a := &j.Parts[part]
			clear(sum)
			for t := range j.K * j.K {
				x := a.X[((n*j.H+r*j.Stride+t/j.K)*j.W+t%j.K)*c:]
				j.e.activate(j.F, 1, wo, c, tap, 0, c, x, 0, j.Stride*c, a.Scale, a.Shift)
				k.add(sum, sum, tap)
			}
			all := len(j.Parts) * c
			j.e.share(j.AvgPool, wo, j.Y[i*wo*all+part*c:], all, sum, c, mem)
		}
	}
}

type avgPoolBackwardJob[T Float] struct {
	*AvgPool[T]
	e    *Engine[T]
	work partition
	dy   []T
}

// AvgPoolBackward computes DParts from dy, the gradient of Y.
func (e *Engine[T]) AvgPoolBackward(o *AvgPool[T], dy []T) {
	ho, wo := o.out()
	need(dy, o.N, ho, wo, len(o.Parts), o.C)
	for _, d := range o.DParts {
		need(d.DX, o.N, o.H, o.W, o.C)
	}
	j := job[avgPoolBackwardJob[T]](e)
	*j = avgPoolBackwardJob[T]{o, e, imagePartition(o.N), dy}
	e.pool.Do(j.work.chunks(), j)
}

func (j *avgPoolBackwardJob[T]) Chunk(worker, chunk int) {
	_, wo := j.out()
	c, row := j.C, j.W*j.C
	mem := j.e.scratch(worker, wo*c+row+2*c)
	g, up := take(&mem, wo*c), take(&mem, row)
	clear(up) // what no window covers stays zero
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		for part := range j.Parts {
			if j.apart() {
				j.rows(n, part, g, up, mem)
			} else {
				j.windows(n, part, g, mem)
			}
		}
	}
}

// gradient writes the gradient of a pixel of the windows of row r of Y to g.
func (j *avgPoolBackwardJob[T]) gradient(n, r, part int, g, mem []T) {
	ho, wo := j.out()
	all := len(j.Parts) * j.C
	j.e.share(j.AvgPool, wo, g, j.C, j.dy[(n*ho+r)*wo*all+part*j.C:], all, mem)
}

// rows takes the rows of the input whole, whose pixels have one window at most.
func (j *avgPoolBackwardJob[T]) rows(n, part int, g, up, mem []T) {
	ho, wo := j.out()
	c, row := j.C, j.W*j.C
	a, d := &j.Parts[part], j.DParts[part]
	for y := range j.H {
		lo := (n*j.H + y) * row
		hi := lo + row
		r, tap := y/j.Stride, y%j.Stride
		if r >= ho {
			r, tap = ho-1, y-(ho-1)*j.Stride
		}
		if tap >= j.K {
			d.base(lo, hi)
			continue
		}
		if tap == 0 {
			j.gradient(n, r, part, g, mem)
			for t := range j.K {
				j.e.k.affine(1, wo, c, up[t*c:], 0, j.Stride*c, g, 0, c, nil, nil, false)
			}
		}
		j.e.pullback(j.F, j.W, c, d.DX[lo:hi], up, d.added(lo, hi), a.kept(lo, hi), a.Scale, a.Shift)
	}
}

// windows adds the gradient of window after window.
func (j *avgPoolBackwardJob[T]) windows(n, part int, g, mem []T) {
	ho, wo := j.out()
	c := j.C
	a, d := &j.Parts[part], j.DParts[part]
	d.base(n*j.H*j.W*c, (n+1)*j.H*j.W*c)
	for r := range ho {
		j.gradient(n, r, part, g, mem)
		for q := range wo {
			for t := range j.K {
				lo := ((n*j.H+r*j.Stride+t)*j.W + q*j.Stride) * c
				for px := lo; px < lo+j.K*c; px += c {
					dx := d.DX[px:][:c]
					j.e.pullback(j.F, 1, c, dx, g[q*c:][:c], dx, a.kept(px, px+c), a.Scale, a.Shift)
				}
			}
		}
	}
}

// Scratch is that of AvgPoolForward and AvgPoolBackward.
func (o *AvgPool[T]) Scratch() Scratch {
	_, wo := o.out()
	return Scratch{Worker: wo*o.C + max(wo, o.W)*o.C + 2*o.C}
}
