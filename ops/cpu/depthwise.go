package cpu

// Depthwise is an activation, depthwise KxK convolution, batch normalisation. The padding,
// zero behind the activation, keeps ceil(H/Stride) by ceil(W/Stride).
type Depthwise[T Float] struct {
	F                     Activation
	N, H, W, C, K, Stride int
	X                     Act[T] // (N,H,W,C)
	Weights               []T    // (K,K,C)
	Z                     []T    // (N,Ho,Wo,C), raw output
	Norm                  Norm[T]
	DWeights              []T    // backward: gradient of Weights
	DX                    Out[T] // backward: gradient of X
}

// A pixel of many channels is longer than a page, and pixels that far apart share few
// places of a first level cache. So the channels go in groups, each in a padded image of
// its own where its pixels are neighbours. Strips of rows pass through all groups before
// the next, so that memory is read and written in order.

// depthwiseGroup is the most channels of a group, a whole number of every vector.
const depthwiseGroup = 64

func (o *Depthwise[T]) pad() int          { return o.K / 2 }
func (o *Depthwise[T]) shape() dwShape    { return dwShape{o.K, o.Stride, 1} }
func (o *Depthwise[T]) out() (ho, wo int) { return ceilDiv(o.H, o.Stride), ceilDiv(o.W, o.Stride) }

// size is that of an image of one channel with its padding: rows, pixels of a row.
func (o *Depthwise[T]) size() (ph, pw int) { return o.H + 2*o.pad(), o.W + 2*o.pad() }

// group is how many channels the group from first on has.
func (o *Depthwise[T]) group(first int) int { return min(depthwiseGroup, o.C-first) }

// padded is the padded image of the group from first on among those of all in mem.
func (o *Depthwise[T]) padded(mem []T, first int) (pad []T, prow int) {
	ph, pw := o.size()
	c := o.group(first)
	return mem[ph*pw*first:][:ph*pw*c], pw * c
}

// pack copies weights (K*K,C) group by group: those of the group from first on begin at
// K*K*first. turned reverses the taps.
func (o *Depthwise[T]) pack(dst, src []T, turned bool) {
	taps := o.K * o.K
	for g := 0; g < o.C; g += depthwiseGroup {
		c := o.group(g)
		for t := range taps {
			from := t
			if turned {
				from = taps - 1 - t
			}
			copy(dst[taps*g+t*c:][:c], src[from*o.C+g:])
		}
	}
}

// unpack is the reverse of pack.
func (o *Depthwise[T]) unpack(dst, src []T) {
	taps := o.K * o.K
	for g := 0; g < o.C; g += depthwiseGroup {
		c := o.group(g)
		for t := range taps {
			copy(dst[t*o.C+g:][:c], src[taps*g+t*c:])
		}
	}
}

// borders sets the padding of every group's image to zero.
func (o *Depthwise[T]) borders(mem []T) {
	for g := 0; g < o.C; g += depthwiseGroup {
		pad, _ := o.padded(mem, g)
		border(pad, o.H, o.W, o.group(g), o.pad(), 0)
	}
}

// steps are the rows of a strip of the output and of the input: at least two, which the
// kernels take together, and so many that all groups of a strip fill a part of the second
// level cache, as each goes through the first on its own.
func (o *Depthwise[T]) steps() (out, in int) {
	ho, wo := o.out()
	strip := func(row, limit int) int { return min(max(2, stripRows(row/8, limit)&^1), limit) }
	return strip(wo*o.C, ho), strip(o.W*o.C, o.H)
}

// loadGroup writes the rows from from to to of the activated input x of an image into the
// padded image of the group from g on.
func (e *Engine[T]) loadGroup(o *Depthwise[T], g int, pads, x []T, from, to int) {
	if to <= from {
		return
	}
	p, c := o.pad(), o.group(g)
	pad, prow := o.padded(pads, g)
	a := &o.X
	var scale, shift []T
	if a.Scale != nil {
		scale, shift = a.Scale[g:][:c], a.Shift[g:][:c]
	}
	row := o.W * o.C
	e.activate(o.F, to-from, o.W, c, pad[(from+p)*prow+p*c:], prow, c, x[from*row+g:], row, o.C, scale, shift)
}

// reach is how many rows of the input the output rows before r see.
func (o *Depthwise[T]) reach(r int) int { return min(o.H, (r-1)*o.Stride+o.K-o.pad()) }

type depthwiseForwardJob[T Float] struct {
	*Depthwise[T]
	e    *Engine[T]
	work partition
	w    []T // Weights, packed
	st   []T
}

// DepthwiseForward computes Z, the statistics and the coefficients.
func (e *Engine[T]) DepthwiseForward(o *Depthwise[T]) {
	ho, wo := o.out()
	need(o.X.X, o.N, o.H, o.W, o.C)
	need(o.Weights, o.K, o.K, o.C)
	need(o.Z, o.N, ho, wo, o.C)
	j := job[depthwiseForwardJob[T]](e)
	*j = depthwiseForwardJob[T]{Depthwise: o, e: e, work: e.forwardPartition(o.N, o.Norm.Batch), w: e.coefs(len(o.Weights))}
	o.pack(j.w, o.Weights, false)
	chunks := j.work.chunks()
	if o.Norm.Batch {
		j.st = e.partials(chunks, statLen(o.C))
	}
	e.pool.Do(chunks, j)
	o.Norm.finish(o.C, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * ho * wo }, j.st, statLen(o.C))
}

func (j *depthwiseForwardJob[T]) Chunk(worker, chunk int) {
	ho, wo := j.out()
	ph, pw := j.size()
	step, _ := j.steps()
	in := j.H * j.W * j.C
	pads := j.e.scratch(worker, ph*pw*j.C)
	j.borders(pads)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		filled := 0
		for r := 0; r < ho; r += step {
			rows := min(step, ho-r)
			end := j.reach(r + rows)
			ahead := j.X.X[min(n*in+end*j.W*j.C, len(j.X.X)):]
			z := j.Z[(n*ho+r)*wo*j.C:][:rows*wo*j.C]
			for g := 0; g < j.C; g += depthwiseGroup {
				j.e.loadGroup(j.Depthwise, g, pads, j.X.X[n*in:][:in], filled, end)
				pad, prow := j.padded(pads, g)
				j.e.depthwiseRows(j.Depthwise, j.shape(), rows, wo, g, z, pad[r*j.Stride*prow:], prow, j.w, ahead)
			}
			filled = max(filled, end)
			if j.st != nil {
				j.e.stats(n == lo && r == 0, rows*wo, j.C, z, j.st[chunk*statLen(j.C):])
			}
		}
	}
}

// depthwiseRows writes the convolution of some rows of the group from g on to its channels
// of y (rows,n,C). Of ahead it prefetches as much as it writes.
func (e *Engine[T]) depthwiseRows(o *Depthwise[T], s dwShape, rows, n, g int, y, x []T, xrow int, w, ahead []T) {
	c := o.group(g)
	e.k.dwAhead(s, rows, n, c, y[g:], n*o.C, o.C, x, xrow, w[o.K*o.K*g:][:o.K*o.K*c], ahead[min(rows*n*g, len(ahead)):])
}

type depthwiseBackwardJob[T Float] struct {
	*Depthwise[T]
	e    *Engine[T]
	work partition
	dy   []T
	part []T
	w    []T // Weights with their taps reversed, packed
	st   []T // sums of DX by chunk
}

// DepthwiseBackward computes DWeights, the gradients of the normalisation and DX from dy,
// the gradient of the normalised output.
func (e *Engine[T]) DepthwiseBackward(o *Depthwise[T], dy []T) {
	ho, wo := o.out()
	need(dy, o.N, ho, wo, o.C)
	need(o.DWeights, len(o.Weights))
	need(o.DX.DX, o.N, o.H, o.W, o.C)
	e.normBackward(&o.Norm, o.N, ho*wo, o.C, o.Z, dy)
	j := job[depthwiseBackwardJob[T]](e)
	*j = depthwiseBackwardJob[T]{Depthwise: o, e: e, work: imagePartition(o.N), dy: dy}
	chunks, size := j.work.chunks(), len(o.Weights)
	mem := e.partials(chunks+1, size+2*o.C)
	j.part, j.w, j.st = take(&mem, chunks*size), take(&mem, size), mem
	o.pack(j.w, o.Weights, true)
	e.pool.Do(chunks, j)
	e.reduce(j.w, j.part, chunks, size, 0)
	o.unpack(o.DWeights, j.w)
	e.reduce(o.DX.Sums, j.st, chunks, 2*o.C, 0)
}

func (j *depthwiseBackwardJob[T]) Chunk(worker, chunk int) {
	ho, wo := j.out()
	ph, pw := j.size()
	stepOut, stepIn := j.steps()
	rest := max(stepOut*wo*depthwiseGroup, stepIn*j.W*j.C)
	mem := j.e.scratch(worker, 2*ph*pw*j.C+rest)
	pads, ups := take(&mem, ph*pw*j.C), take(&mem, ph*pw*j.C)
	j.borders(pads)
	if j.Stride > 1 {
		clear(ups) // what lies between the gradients stays zero
	} else {
		j.borders(ups)
	}
	dw := j.part[chunk*len(j.Weights):][:len(j.Weights)]
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		filled, done := 0, 0
		for r := 0; r < ho; r += stepOut {
			rows := min(stepOut, ho-r)
			end := j.reach(r + rows)
			j.weights(n, r, rows, filled, end, pads, ups, mem, dw)
			filled = max(filled, end)
			ready := (r+rows)*j.Stride - j.pad() // input rows that no later output sees
			if r+rows == ho {
				ready = j.H
			}
			for ; done < ready && (ready == j.H || done+stepIn <= ready); done += stepIn {
				j.input(n, done, min(stepIn, ready-done), ups, mem, j.st[2*chunk*j.C:])
			}
		}
	}
}

// weights takes some rows of the output: the gradient of the weights, and the output's
// gradient into the padded images ups, Stride apart. It loads the input's rows from filled to end.
func (j *depthwiseBackwardJob[T]) weights(n, r, rows, filled, end int, pads, ups, dz, dw []T) {
	k, p := j.e.k, j.pad()
	ho, wo := j.out()
	in := j.H * j.W * j.C
	for g := 0; g < j.C; g += depthwiseGroup {
		c := j.group(g)
		j.e.loadGroup(j.Depthwise, g, pads, j.X.X[n*in:][:in], filled, end)
		pad, prow := j.padded(pads, g)
		up, _ := j.padded(ups, g)
		up = up[(r*j.Stride+p)*prow+p*c:]
		d, drow := up, prow
		if j.Stride > 1 { // the sums of the weights want neighbours
			d, drow = dz, wo*c
		}
		for i := range rows {
			at := (n*ho+r+i)*wo*j.C + g
			j.e.gradGroup(&j.Norm, wo, g, c, d[i*drow:], c, j.Z[at:], j.dy[at:], j.C)
		}
		if j.Stride > 1 {
			k.affine(rows, wo, c, up, j.Stride*prow, j.Stride*c, d, drow, c, nil, nil, false)
		}
		k.dwGrad(j.shape(), rows, wo, c, dw[j.K*j.K*g:][:j.K*j.K*c], pad[r*j.Stride*prow:], prow, d, drow)
	}
}

// input takes some rows of the input: a convolution of the padded gradient with the
// reversed taps, and the derivative of the activation.
func (j *depthwiseBackwardJob[T]) input(n, r, rows int, ups, dx, st []T) {
	p := (n*j.H + r) * j.W
	ahead := j.DX.DX[p*j.C:][:rows*j.W*j.C]
	for g := 0; g < j.C; g += depthwiseGroup {
		up, prow := j.padded(ups, g)
		j.e.depthwiseRows(j.Depthwise, dwShape{j.K, 1, 1}, rows, j.W, g, dx, up[r*prow:], prow, j.w, ahead)
	}
	j.e.pull(j.F, p, rows*j.W, j.C, &j.DX, dx, &j.X, st)
}

// Scratch is that of DepthwiseForward and DepthwiseBackward.
func (o *Depthwise[T]) Scratch() Scratch {
	_, wo := o.out()
	ph, pw := o.size()
	stepOut, stepIn := o.steps()
	rest := max(stepOut*wo*depthwiseGroup, stepIn*o.W*o.C)
	size, chunks := o.K*o.K*o.C, imagePartition(o.N).chunks()
	return normScratch(o.N, o.C).Max(Scratch{Worker: 2*ph*pw*o.C + rest, Partial: (chunks + 1) * (size + 2*o.C), Coef: size})
}
