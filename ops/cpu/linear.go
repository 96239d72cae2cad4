package cpu

// Linear is a fully connected layer behind an activation: Y = F(X) W + Bias.
type Linear[T Float] struct {
	N, In, Out      int
	F               Activation
	X               Act[T] // (N,In)
	W, Bias, Y      []T    // (In,Out), (Out), (N,Out)
	DW, DBias, DX   []T    // backward
	work            partition
	dy, partial, wT []T
	e               *Engine[T]
}

// maxPartial is the most memory of the chunks' sums of weight gradients, in
// elements: a wide layer is cut into fewer chunks.
const maxPartial = 1 << 23

func (o *Linear[T]) partition() partition {
	s := imagePartition(o.N)
	if size := o.In * o.Out; size*s.chunks() > maxPartial {
		s.size = max(s.size, ceilDiv(o.N, max(1, maxPartial/size)))
	}
	return s
}

// load writes images lo to hi as the layer sees them.
func (o *Linear[T]) load(lo, hi int, x []T) {
	o.e.activate(o.F, 1, hi-lo, o.In, x, 0, o.In, o.X.X[lo*o.In:], 0, o.In, o.X.Scale, o.X.Shift)
}

type linearForwardJob[T Float] struct{ *Linear[T] }

// LinearForward computes Y.
func (e *Engine[T]) LinearForward(o *Linear[T]) {
	need(o.X.X, o.N, o.In)
	need(o.W, o.In, o.Out)
	need(o.Bias, o.Out)
	need(o.Y, o.N, o.Out)
	o.e, o.work = e, o.partition()
	j := job[linearForwardJob[T]](e)
	j.Linear = o
	e.pool.Do(o.work.chunks(), j)
}

func (o *linearForwardJob[T]) Chunk(worker, chunk int) {
	lo, hi := o.work.bounds(chunk)
	x := o.e.scratch(worker, (hi-lo)*o.In)
	o.load(lo, hi, x)
	o.e.k.gemm(hi-lo, o.In, o.Out, x, o.In, o.W, o.Out, o.Y[lo*o.Out:], o.Out)
	for n := lo; n < hi; n++ {
		y := o.Y[n*o.Out:][:o.Out]
		addRow(y, y, o.Bias)
	}
}

type linearBackwardJob[T Float] struct{ *Linear[T] }

// LinearBackward computes DW, DBias and DX from dy (N,Out).
func (e *Engine[T]) LinearBackward(o *Linear[T], dy []T) {
	need(dy, o.N, o.Out)
	need(o.DX, o.N, o.In)
	o.e, o.work, o.dy = e, o.partition(), dy
	chunks, size := o.work.chunks(), o.In*o.Out
	mem := e.partials(1, chunks*(size+o.Out)+size)
	o.partial, o.wT = mem[:chunks*(size+o.Out)], mem[chunks*(size+o.Out):]
	transpose(o.In, o.Out, o.W, o.wT)
	j := job[linearBackwardJob[T]](e)
	j.Linear = o
	e.pool.Do(chunks, j)
	e.reduce(o.DW, o.partial, chunks, size+o.Out, 0)
	e.reduce(o.DBias, o.partial, chunks, size+o.Out, size)
}

func (o *linearBackwardJob[T]) Chunk(worker, chunk int) {
	k, size := o.e.k, o.In*o.Out
	lo, hi := o.work.bounds(chunk)
	n := hi - lo
	x := o.e.scratch(worker, n*o.In)
	part := o.partial[chunk*(size+o.Out):][:size+o.Out]
	dy, dx := o.dy[lo*o.Out:hi*o.Out], o.DX[lo*o.In:hi*o.In]
	o.load(lo, hi, x)
	k.gemmAT(n, o.In, o.Out, x, o.In, dy, o.Out, part, o.Out)
	addRows(n, dy, part[size:])
	k.gemm(n, o.Out, o.In, dy, o.Out, o.wT, o.In, dx, o.In)
	o.e.pullback(o.F, n, o.In, dx, dx, nil, o.X.X[lo*o.In:hi*o.In], o.X.Scale, o.X.Shift)
}

// addJob adds tensors.
type addJob[T Float] struct {
	work partition
	dst  []T
	srcs [][]T
}

// Sum computes dst = srcs[0] + srcs[1] + ..., in that order. dst may be srcs[0]
// but overlaps no other. There is at least one.
func (e *Engine[T]) Sum(dst []T, srcs [][]T) {
	for _, src := range srcs {
		need(src, len(dst))
	}
	j := job[addJob[T]](e)
	*j = addJob[T]{partitionBy(len(dst), len(srcs), imageChunks), dst, srcs}
	e.pool.Do(j.work.chunks(), j)
}

func (j *addJob[T]) Chunk(_, chunk int) {
	const block = 1 << 11 // the sum stays in the first level cache
	for lo, end := j.work.bounds(chunk); lo < end; lo += block {
		hi := min(lo+block, end)
		dst, first := j.dst[lo:hi], j.srcs[0][lo:hi]
		if len(j.srcs) == 1 {
			copy(dst, first)
		}
		for i, src := range j.srcs[1:] {
			if i == 0 {
				addRow(dst, first, src[lo:hi])
			} else {
				addRow(dst, dst, src[lo:hi])
			}
		}
	}
}

// addRows adds each of the rows of x (rows,len(y)) to y.
func addRows[T Float](rows int, x, y []T) {
	for r := range rows {
		addRow(y, y, x[r*len(y):][:len(y)])
	}
}

// Scratch is that of LinearForward and LinearBackward.
func (o *Linear[T]) Scratch() Scratch {
	s, size := o.partition(), o.In*o.Out
	return Scratch{Worker: min(s.size, o.N) * o.In, Partial: s.chunks()*(size+o.Out) + size}
}
