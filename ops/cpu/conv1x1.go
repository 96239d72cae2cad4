package cpu

// Conv is an activation, 1x1 convolution, batch normalisation over the channels of
// several tensors side by side: a concatenation that is never written. With NoNorm nothing
// is normalised.
type Conv[T Float] struct {
	N, Px     int        // images, pixels of one
	Cin, Cout int        // Cin is the sum of the parts' channels, which are alike
	F         Activation // before the convolution
	NoNorm    bool       // Z is the output; backward does not read it
	Spread    int        // channels of X.Scale where they are fewer than a part's, repeated; else 0
	Parts     []Act[T]   // (N,Px,Cin/len(Parts)) each
	W         []T        // (Cin,Cout)
	Z         []T        // (N,Px,Cout), raw output
	Norm      Norm[T]    // not used with NoNorm
	DW        []T        // backward: gradient of W
	DParts    []Out[T]   // backward: gradients of the parts
}

// spread is the shape a part is loaded in: pixels a pixel, and their channels.
func (o *Conv[T]) spread() (px, ch int) {
	c := o.Cin / len(o.Parts)
	if o.Spread > 0 {
		return c / o.Spread, o.Spread
	}
	return 1, c
}

// strip is the number of pixels that go through the kernels together; parts is how many o
// has. A strip of MobileNetV2's blocks that the first level cache holds would be a few
// pixels, for which the weights and their gradient come from behind it. So there it is 64
// pixels, or what half of the second level holds. Cells, whose sums keep their order, have
// no such shapes: theirs are of several parts, narrow, or, in the auxiliary head, of less
// than 16 pixels an image.
func (o *Conv[T]) strip(parts int) int {
	if parts == 1 && o.Px >= 16 && (o.Cout >= 3*o.Cin || max(o.Cin, o.Cout) >= 512) {
		return max(8, min(64, 32*stripLen/(2*o.Cin+o.Cout)/8*8))
	}
	return max(8, stripLen/max(o.Cin, o.Cout)/8*8)
}

// gradPartition is that of the backward pass. Each chunk has a gradient of the weights of its own, which is
// written and then summed. So there are half as many chunks where weights are many; not in cells, whose sums
// keep their order.
func (o *Conv[T]) gradPartition() partition {
	const many = 1 << 17
	if o.Spread == 0 && o.Px >= 16 && o.Cin*o.Cout >= many {
		return partition{o.N, max(1, ceilDiv(o.N, imageChunks/2))}
	}
	return imagePartition(o.N)
}

type convForwardJob[T Float] struct {
	*Conv[T]
	e    *Engine[T]
	work partition
	st   []T
}

// ConvForward computes Z, the statistics and the coefficients.
func (e *Engine[T]) ConvForward(o *Conv[T]) {
	need(o.W, o.Cin, o.Cout)
	need(o.Z, o.N, o.Px, o.Cout)
	for _, a := range o.Parts {
		need(a.X, o.N, o.Px, o.Cin/len(o.Parts))
	}
	j := job[convForwardJob[T]](e)
	*j = convForwardJob[T]{Conv: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch)}
	chunks := j.work.chunks()
	if o.NoNorm {
		e.pool.Do(chunks, j)
		return
	}
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.Cout))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.Cout, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * o.Px }, j.st, statLen(o.Cout))
}

func (j *convForwardJob[T]) Chunk(worker, chunk int) {
	step := j.strip(len(j.Parts))
	xs := j.e.scratch(worker, step*j.Cin)
	lo, hi := j.work.bounds(chunk)
	lo, hi = lo*j.Px, hi*j.Px
	for p := lo; p < hi; p += step {
		n := min(step, hi-p)
		j.e.loadParts(j.Conv, p, n, xs)
		z := j.Z[p*j.Cout:][:n*j.Cout]
		j.e.k.gemm(n, j.Cin, j.Cout, xs, j.Cin, j.W, j.Cout, z, j.Cout)
		if j.st != nil {
			j.e.stats(p == lo, n, j.Cout, z, j.st[chunk*statLen(j.Cout):])
		}
	}
}

// loadParts writes n pixels from p of all parts side by side, as the
// convolution sees them.
func (e *Engine[T]) loadParts(o *Conv[T], p, n int, xs []T) {
	c := o.Cin / len(o.Parts)
	px, ch := o.spread()
	for i := range o.Parts {
		a := &o.Parts[i]
		e.activate(o.F, n, px, ch, xs[i*c:], o.Cin, ch, a.X[p*c:], c, ch, a.Scale, a.Shift)
	}
}

type convBackwardJob[T Float] struct {
	*Conv[T]
	e    *Engine[T]
	work partition
	dy   []T
	part []T
	wT   []T // W transposed
	st   []T // sums of the only part's gradient by chunk
}

// ConvBackward computes DW, the gradients of the normalisation and DParts from
// dy, the gradient of the normalised output.
func (e *Engine[T]) ConvBackward(o *Conv[T], dy []T) {
	need(dy, o.N, o.Px, o.Cout)
	need(o.DW, o.Cin, o.Cout)
	for _, d := range o.DParts {
		need(d.DX, o.N, o.Px, o.Cin/len(o.Parts))
	}
	if !o.NoNorm {
		e.normBackward(&o.Norm, o.N, o.Px, o.Cout, o.Z, dy)
	}
	j := job[convBackwardJob[T]](e)
	*j = convBackwardJob[T]{Conv: o, e: e, work: o.gradPartition(), dy: dy}
	chunks, size := j.work.chunks(), o.Cin*o.Cout
	mem := e.uncleared(chunks+1, size+2*o.Cin) // a chunk clears its own piece
	j.part, j.wT, j.st = take(&mem, chunks*size), take(&mem, size), mem
	transpose(o.Cin, o.Cout, o.W, j.wT)
	e.pool.Do(chunks, j)
	e.reduce(o.DW, j.part, chunks, size, 0)
	e.reduce(o.DParts[0].Sums, j.st, chunks, 2*o.Cin, 0)
}

func (j *convBackwardJob[T]) Chunk(worker, chunk int) {
	k, step, c := j.e.k, j.strip(len(j.Parts)), j.Cin/len(j.Parts)
	mem := j.e.scratch(worker, step*(j.Cin+j.Cout+c))
	xs, dz, dx := take(&mem, step*j.Cin), take(&mem, step*j.Cout), take(&mem, step*c)
	dw := j.part[chunk*j.Cin*j.Cout:][:j.Cin*j.Cout]
	clear(dw)
	st := j.st[2*chunk*j.Cin:][:2*j.Cin]
	clear(st)
	px, ch := j.spread()
	lo, hi := j.work.bounds(chunk)
	lo, hi = lo*j.Px, hi*j.Px
	for p := lo; p < hi; p += step {
		n := min(step, hi-p)
		j.e.loadParts(j.Conv, p, n, xs)
		if j.NoNorm {
			dz = j.dy[p*j.Cout:][:n*j.Cout]
		} else {
			j.e.gradZ(&j.Norm, n, j.Cout, dz, j.Z[p*j.Cout:], j.dy[p*j.Cout:])
		}
		k.gemmAT(n, j.Cin, j.Cout, xs, j.Cin, dz, j.Cout, dw, j.Cout)
		for i := range j.Parts {
			k.gemm(n, j.Cout, c, dz, j.Cout, j.wT[i*c:], j.Cin, dx, c)
			j.e.pull(j.F, p*px, n*px, ch, &j.DParts[i], dx, &j.Parts[i], st)
		}
	}
}

// Scratch is that of ConvForward and ConvBackward; parts is how many o has.
func (o *Conv[T]) Scratch(parts int) Scratch {
	chunks := o.gradPartition().chunks()
	s := Scratch{Worker: o.strip(parts) * (o.Cin + o.Cout + o.Cin/parts), Partial: (chunks + 1) * (o.Cin*o.Cout + 2*o.Cin)}
	if o.NoNorm {
		return s
	}
	return normScratch(o.N, o.Cout).Max(s)
}
