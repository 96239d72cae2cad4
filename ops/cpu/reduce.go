package cpu

// Reduce is DARTS's factorized reduction (arXiv 1806.09055): ReLU, two 1x1
// convolutions of stride 2 side by side, the second shifted by one pixel, batch
// normalisation. As in Conv, the input may be several tensors side by side.
type Reduce[T Float] struct {
	N, H, W   int // of the input; H and W are even
	Cin, Cout int
	Parts     []Act[T]
	Weights   [2][]T // (Cin,Cout/2) each
	Z         []T    // (N,H/2,W/2,Cout), raw output
	Norm      Norm[T]
	DWeights  [2][]T
	DParts    []Out[T]
}

func (o *Reduce[T]) part() int { return o.Cin / len(o.Parts) }

// at is the element of a part where the pixels of branch i of output row r of
// image n start.
func (o *Reduce[T]) at(n, r, i int) int { return ((n*o.H+2*r+i)*o.W + i) * o.part() }

func (o *Reduce[T]) px() int { return o.H / 2 * (o.W / 2) }

type reduceForwardJob[T Float] struct {
	*Reduce[T]
	e    *Engine[T]
	work partition
	st   []T
}

// ReduceForward computes Z, the statistics and the coefficients.
func (e *Engine[T]) ReduceForward(o *Reduce[T]) {
	need(o.Z, o.N, o.H/2, o.W/2, o.Cout)
	for _, a := range o.Parts {
		need(a.X, o.N, o.H, o.W, o.part())
	}
	j := job[reduceForwardJob[T]](e)
	*j = reduceForwardJob[T]{Reduce: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch)}
	chunks := j.work.chunks()
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.Cout))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.Cout, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * o.px() }, j.st, statLen(o.Cout))
}

func (j *reduceForwardJob[T]) Chunk(worker, chunk int) {
	ho, wo, half := j.H/2, j.W/2, j.Cout/2
	step := stripRows(wo*max(j.Cin, j.Cout), ho)
	xs := j.e.scratch(worker, step*wo*j.Cin)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		for r := 0; r < ho; r += step {
			rows := min(step, ho-r)
			z := j.Z[(n*ho+r)*wo*j.Cout:][:rows*wo*j.Cout]
			for i := range 2 {
				j.e.loadBranch(j.Reduce, n, r, rows, i, xs)
				j.e.k.gemm(rows*wo, j.Cin, half, xs, j.Cin, j.Weights[i], half, z[i*half:], j.Cout)
			}
			if j.Norm.Batch {
				j.e.stats(n == lo && r == 0, rows*wo, j.Cout, z, j.st[chunk*statLen(j.Cout):])
			}
		}
	}
}

// loadBranch writes ReLU of the pixels of branch i of some output rows, all
// parts side by side.
func (e *Engine[T]) loadBranch(o *Reduce[T], n, r, rows, i int, xs []T) {
	c, wo := o.part(), o.W/2
	for k := range o.Parts {
		a := &o.Parts[k]
		e.k.affine(rows, wo, c, xs[k*c:], wo*o.Cin, o.Cin, a.X[o.at(n, r, i):], 2*o.W*c, 2*c, a.Scale, a.Shift, true)
	}
}

type reduceBackwardJob[T Float] struct {
	*Reduce[T]
	e    *Engine[T]
	work partition
	dy   []T
	part []T
	wT   [2][]T
}

// ReduceBackward computes the gradients of the weights, the normalisation and
// the parts from dy, the gradient of the normalised output.
func (e *Engine[T]) ReduceBackward(o *Reduce[T], dy []T) {
	need(dy, o.N, o.H/2, o.W/2, o.Cout)
	for _, d := range o.DParts {
		need(d.DX, o.N, o.H, o.W, o.part())
	}
	e.normBackward(&o.Norm, o.N, o.px(), o.Cout, o.Z, dy)
	j := job[reduceBackwardJob[T]](e)
	*j = reduceBackwardJob[T]{Reduce: o, e: e, work: imagePartition(o.N), dy: dy}
	chunks, half := j.work.chunks(), o.Cout/2
	size := o.Cin * half
	mem := e.partials(chunks+1, 2*size)
	j.part = mem[:chunks*2*size]
	for i := range 2 {
		j.wT[i] = mem[(2*chunks+i)*size:][:size]
		transpose(o.Cin, half, o.Weights[i], j.wT[i])
	}
	e.pool.Do(chunks, j)
	for i := range 2 {
		e.reduce(o.DWeights[i], j.part, chunks, 2*size, i*size)
	}
}

func (j *reduceBackwardJob[T]) Chunk(worker, chunk int) {
	k, ho, wo, half, c := j.e.k, j.H/2, j.W/2, j.Cout/2, j.Reduce.part()
	step := stripRows(wo*max(j.Cin, j.Cout), ho)
	mem := j.e.scratch(worker, step*wo*(j.Cin+j.Cout+3*c))
	xs, dz, g := take(&mem, step*wo*j.Cin), take(&mem, step*wo*j.Cout), take(&mem, step*wo*c)
	x, old := take(&mem, step*wo*c), take(&mem, step*wo*c)
	dw := j.part[chunk*2*j.Cin*half:]
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		for i := range j.DParts {
			j.DParts[i].base(n*j.H*j.W*c, (n+1)*j.H*j.W*c)
		}
		for r := 0; r < ho; r += step {
			rows := min(step, ho-r)
			px := rows * wo
			at := (n*ho + r) * wo * j.Cout
			j.e.gradZ(&j.Norm, px, j.Cout, dz, j.Z[at:], j.dy[at:])
			for b := range 2 {
				j.e.loadBranch(j.Reduce, n, r, rows, b, xs)
				k.gemmAT(px, j.Cin, half, xs, j.Cin, dz[b*half:], j.Cout, dw[b*j.Cin*half:], half)
				for i := range j.Parts {
					// Gather x and the gradient so far, add, and scatter.
					k.gemm(px, half, c, dz[b*half:], j.Cout, j.wT[b][i*c:], j.Cin, g, c)
					k.affine(rows, wo, c, x, wo*c, c, xs[i*c:], wo*j.Cin, j.Cin, nil, nil, false)
					dx := j.DParts[i].DX[j.at(n, r, b):]
					k.affine(rows, wo, c, old, wo*c, c, dx, 2*j.W*c, 2*c, nil, nil, false)
					k.maskAdd(px, c, g, g, old, x, nil, nil)
					k.affine(rows, wo, c, dx, 2*j.W*c, 2*c, g, wo*c, c, nil, nil, false)
				}
			}
		}
	}
}

// Scratch is that of ReduceForward and ReduceBackward; parts is how many o has.
func (o *Reduce[T]) Scratch(parts int) Scratch {
	ho, wo := o.H/2, o.W/2
	step := stripRows(wo*max(o.Cin, o.Cout), ho)
	chunks := imagePartition(o.N).chunks()
	return normScratch(o.N, o.Cout).Max(Scratch{Worker: step * wo * (o.Cin + o.Cout + 3*o.Cin/parts), Partial: (chunks + 1) * o.Cin * o.Cout})
}
