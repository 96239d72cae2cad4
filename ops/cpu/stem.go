package cpu

// Stem is a 3x3 convolution with padding 1, then batch normalisation.
type Stem[T Float] struct {
	N, H, W, Cin, Cout int
	X                  []T // (N,H,W,Cin)
	Weights            []T // (3,3,Cin,Cout)
	Z                  []T // (N,H,W,Cout), raw output
	Norm               Norm[T]
	DWeights           []T
}

// padded is the size of an image with a border of one pixel.
func (o *Stem[T]) padded() (ph, prow int) { return o.H + 2, (o.W + 2) * o.Cin }

// load copies image n into a padded one, whose border stays as it is.
func (o *Stem[T]) load(n int, pad []T) {
	_, prow := o.padded()
	row := o.W * o.Cin
	for r := range o.H {
		copy(pad[(r+1)*prow+o.Cin:][:row], o.X[(n*o.H+r)*row:])
	}
}

type stemForwardJob[T Float] struct {
	*Stem[T]
	e    *Engine[T]
	work partition
	st   []T
}

// StemForward computes Z, the statistics and the coefficients.
func (e *Engine[T]) StemForward(o *Stem[T]) {
	need(o.X, o.N, o.H, o.W, o.Cin)
	need(o.Weights, 3, 3, o.Cin, o.Cout)
	need(o.Z, o.N, o.H, o.W, o.Cout)
	j := job[stemForwardJob[T]](e)
	*j = stemForwardJob[T]{Stem: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch)}
	chunks := j.work.chunks()
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.Cout))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.Cout, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * o.H * o.W }, j.st, statLen(o.Cout))
}

// Chunk multiplies rows of pixels by the three rows of the kernel: three pixels
// side by side are the 3*Cin columns of a matrix whose rows overlap.
func (j *stemForwardJob[T]) Chunk(worker, chunk int) {
	ph, prow := j.padded()
	mem := j.e.scratch(worker, ph*prow+j.W*j.Cout)
	pad, t := take(&mem, ph*prow), take(&mem, j.W*j.Cout)
	border(pad, j.H, j.W, j.Cin, 1, 0)
	k := 3 * j.Cin
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		j.load(n, pad)
		for r := range j.H {
			z := j.Z[(n*j.H+r)*j.W*j.Cout:][:j.W*j.Cout]
			j.e.k.gemm(j.W, k, j.Cout, pad[r*prow:], j.Cin, j.Weights, j.Cout, z, j.Cout)
			for ky := 1; ky < 3; ky++ {
				j.e.k.gemm(j.W, k, j.Cout, pad[(r+ky)*prow:], j.Cin, j.Weights[ky*k*j.Cout:], j.Cout, t, j.Cout)
				j.e.k.add(z, z, t)
			}
			if j.Norm.Batch {
				j.e.stats(n == lo && r == 0, j.W, j.Cout, z, j.st[chunk*statLen(j.Cout):])
			}
		}
	}
}

type stemBackwardJob[T Float] struct {
	*Stem[T]
	e    *Engine[T]
	work partition
	dy   []T
	part []T
}

// StemBackward computes the gradients of the weights and of the normalisation
// from dy, the gradient of the normalised output.
func (e *Engine[T]) StemBackward(o *Stem[T], dy []T) {
	need(dy, o.N, o.H, o.W, o.Cout)
	e.normBackward(&o.Norm, o.N, o.H*o.W, o.Cout, o.Z, dy)
	j := job[stemBackwardJob[T]](e)
	*j = stemBackwardJob[T]{Stem: o, e: e, work: imagePartition(o.N), dy: dy}
	chunks, size := j.work.chunks(), 9*o.Cin*o.Cout
	j.part = e.partials(chunks, size)
	e.pool.Do(chunks, j)
	e.reduce(o.DWeights, j.part, chunks, size, 0)
}

func (j *stemBackwardJob[T]) Chunk(worker, chunk int) {
	ph, prow := j.padded()
	mem := j.e.scratch(worker, ph*prow+j.W*j.Cout)
	pad, dz := take(&mem, ph*prow), take(&mem, j.W*j.Cout)
	border(pad, j.H, j.W, j.Cin, 1, 0)
	k := 3 * j.Cin
	dw := j.part[chunk*3*k*j.Cout:]
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		j.load(n, pad)
		for r := range j.H {
			at := (n*j.H + r) * j.W * j.Cout
			j.e.gradZ(&j.Norm, j.W, j.Cout, dz, j.Z[at:], j.dy[at:])
			for ky := range 3 {
				j.e.k.gemmAT(j.W, k, j.Cout, pad[(r+ky)*prow:], j.Cin, dz, j.Cout, dw[ky*k*j.Cout:], j.Cout)
			}
		}
	}
}

// Scratch is that of StemForward and StemBackward.
func (o *Stem[T]) Scratch() Scratch {
	ph, prow := o.padded()
	return normScratch(o.N, o.Cout).Max(Scratch{Worker: ph*prow + o.W*o.Cout, Partial: imagePartition(o.N).chunks() * 9 * o.Cin * o.Cout})
}
