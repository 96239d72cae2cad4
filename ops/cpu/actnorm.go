package cpu

// ActNorm is an activation, then batch normalisation unless NoNorm.
type ActNorm[T Float] struct {
	F        Activation
	NoNorm   bool // Z is the output itself; backward does not read it
	N, Px, C int
	X        Act[T]  // (N,Px,C)
	Z        []T     // (N,Px,C), raw output
	Norm     Norm[T] // not used with NoNorm
	DX       Out[T]
}

// strip is the number of pixels that go through the kernels together.
func (o *ActNorm[T]) strip() int { return max(1, stripLen/max(o.C, 1)) }

type actNormForwardJob[T Float] struct {
	*ActNorm[T]
	e    *Engine[T]
	work partition
	st   []T
}

// ActNormForward computes Z, and the statistics and coefficients of the normalisation.
func (e *Engine[T]) ActNormForward(o *ActNorm[T]) {
	need(o.X.X, o.N, o.Px, o.C)
	need(o.Z, o.N, o.Px, o.C)
	j := job[actNormForwardJob[T]](e)
	*j = actNormForwardJob[T]{ActNorm: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch)}
	chunks := j.work.chunks()
	if o.NoNorm {
		e.pool.Do(chunks, j)
		return
	}
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.C))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.C, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * o.Px }, j.st, statLen(o.C))
}

func (j *actNormForwardJob[T]) Chunk(_, chunk int) {
	c, step := j.C, j.strip()
	lo, hi := j.work.bounds(chunk)
	for p := lo * j.Px; p < hi*j.Px; p += step {
		n := min(step, hi*j.Px-p)
		z := j.Z[p*c:][:n*c]
		j.e.activate(j.F, 1, n, c, z, 0, c, j.X.X[p*c:], 0, c, j.X.Scale, j.X.Shift)
		if j.st != nil {
			j.e.stats(p == lo*j.Px, n, c, z, j.st[chunk*statLen(c):])
		}
	}
}

type actNormBackwardJob[T Float] struct {
	*ActNorm[T]
	e    *Engine[T]
	work partition
	dy   []T
}

// ActNormBackward computes DX and the gradients of the normalisation from dy, the gradient
// of the output, normalised if it is.
func (e *Engine[T]) ActNormBackward(o *ActNorm[T], dy []T) {
	need(dy, o.N, o.Px, o.C)
	need(o.DX.DX, o.N, o.Px, o.C)
	if !o.NoNorm {
		need(o.Z, len(dy))
		e.normBackward(&o.Norm, o.N, o.Px, o.C, o.Z, dy)
	}
	j := job[actNormBackwardJob[T]](e)
	*j = actNormBackwardJob[T]{ActNorm: o, e: e, work: imagePartition(o.N), dy: dy}
	e.pool.Do(j.work.chunks(), j)
}

func (j *actNormBackwardJob[T]) Chunk(worker, chunk int) {
	c, step := j.C, j.strip()
	var mem []T
	if !j.NoNorm {
		mem = j.e.scratch(worker, step*c)
	}
	lo, hi := j.work.bounds(chunk)
	for p := lo * j.Px; p < hi*j.Px; p += step {
		n := min(step, hi*j.Px-p)
		from, to := p*c, (p+n)*c
		dz := j.dy[from:to]
		if !j.NoNorm {
			dz = mem[:n*c]
			j.e.gradZ(&j.Norm, n, c, dz, j.Z[from:], j.dy[from:])
		}
		j.e.pullback(j.F, n, c, j.DX.DX[from:to], dz, j.DX.added(from, to), j.X.kept(from, to), j.X.Scale, j.X.Shift)
	}
}

// Scratch is that of ActNormForward and ActNormBackward.
func (o *ActNorm[T]) Scratch() Scratch {
	if o.NoNorm {
		return Scratch{}
	}
	return normScratch(o.N, o.C).Max(Scratch{Worker: o.strip() * o.C})
}
