package cpu

// maxTerms is the most terms of a Node.
const maxTerms = 8

// Node adds the results of a cell's node, each image of a term first multiplied by the
// term's drop-path mask where there is one.
type Node[T Float] struct {
	N, Px, C int
	Terms    []Act[T]      // (N,Px,C) each, 2 to 8
	Masks    [maxTerms][]T // (N) or nil
	Y        []T           // (N,Px,C)
}

type nodeForwardJob[T Float] struct {
	*Node[T]
	e      *Engine[T]
	work   partition
	masked bool // some term has a mask
}

// NodeForward computes Y.
func (e *Engine[T]) NodeForward(o *Node[T]) {
	need(o.Y, o.N, o.Px, o.C)
	j := job[nodeForwardJob[T]](e)
	*j = nodeForwardJob[T]{Node: o, e: e, work: imagePartition(o.N)}
	for i, a := range o.Terms {
		need(a.X, o.N, o.Px, o.C)
		if m := o.Masks[i]; m != nil {
			need(m, o.N)
			j.masked = true
		}
	}
	e.pool.Do(j.work.chunks(), j)
}

func (j *nodeForwardJob[T]) Chunk(worker, chunk int) {
	var terms [maxTerms]Act[T]
	copy(terms[:], j.Terms)
	lo, hi := j.work.bounds(chunk)
	if !j.masked {
		j.add(terms[:len(j.Terms)], lo*j.Px, hi*j.Px)
		return
	}
	mem := j.e.scratch(worker, 2*len(j.Terms)*j.C)
	for n := lo; n < hi; n++ {
		coef := mem
		for i := range j.Terms {
			a := &j.Terms[i]
			terms[i].Scale, terms[i].Shift = a.masked(j.Masks[i], n, take(&coef, 2*j.C))
		}
		j.add(terms[:len(j.Terms)], n*j.Px, (n+1)*j.Px)
	}
}

// add sums pixels lo to hi of the terms: two in one go, more in strips that the cache
// holds, so that the memory behind it sees one pass.
func (j *nodeForwardJob[T]) add(terms []Act[T], lo, hi int) {
	c, step := j.C, hi-lo
	if len(terms) > 2 {
		step = max(1, stripLen/max(c, 1))
	}
	for p := lo; p < hi; p += step {
		n := min(step, hi-p)
		from, to := p*c, (p+n)*c
		y, a, b := j.Y[from:to], &terms[0], &terms[1]
		j.e.k.combine(n, c, y, a.X[from:to], a.Scale, a.Shift, b.X[from:to], b.Scale, b.Shift)
		for i := range terms[2:] {
			a := &terms[2+i]
			j.e.k.combine(n, c, y, y, nil, nil, a.X[from:to], a.Scale, a.Shift)
		}
	}
}

// masked returns the coefficients of a times mask[n], in coef if need be.
func (a *Act[T]) masked(mask []T, n int, coef []T) (scale, shift []T) {
	if mask == nil {
		return a.Scale, a.Shift
	}
	c := len(coef) / 2
	scale, shift = coef[:c], coef[c:]
	fill(scale, mask[n])
	clear(shift)
	if a.Scale != nil {
		for i := range scale {
			scale[i] *= a.Scale[i]
			shift[i] = mask[n] * a.Shift[i]
		}
	}
	return scale, shift
}

type nodeBackwardJob[T Float] struct {
	e           *Engine[T]
	work        partition
	size        int
	dy, mask, d []T
}

// MaskImages computes d = mask[n]*dy for image n of N, each of size elements:
// the gradient of a masked operand of Node.
func (e *Engine[T]) MaskImages(n, size int, dy, mask, d []T) {
	need(dy, n, size)
	need(d, n, size)
	need(mask, n)
	j := job[nodeBackwardJob[T]](e)
	*j = nodeBackwardJob[T]{e, imagePartition(n), size, dy, mask, d}
	e.pool.Do(j.work.chunks(), j)
}

// maskLane is how many values MaskImages takes for channels.
const maskLane = 64

func (j *nodeBackwardJob[T]) Chunk(worker, chunk int) {
	const lane = maskLane
	coef := j.e.scratch(worker, 2*lane)
	clear(coef)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		fill(coef[:lane], j.mask[n])
		lo, hi := n*j.size, (n+1)*j.size
		full := j.size / lane
		j.e.k.affine(1, full, lane, j.d[lo:hi], 0, lane, j.dy[lo:hi], 0, lane, coef[:lane], coef[lane:], false)
		if rest := j.size % lane; rest > 0 {
			j.e.k.affine(1, 1, rest, j.d[hi-rest:hi], 0, rest, j.dy[hi-rest:hi], 0, rest, coef[:rest], coef[lane:][:rest], false)
		}
	}
}

// Mean averages over the pixels of several tensors side by side: the global
// average pooling before the classifier.
type Mean[T Float] struct {
	N, Px, C int      // C is the channels of a part
	Parts    []Act[T] // (N,Px,C) each
	Y        []T      // (N,len(Parts)*C)
	DParts   []Out[T]
}

type meanForwardJob[T Float] struct {
	*Mean[T]
	e    *Engine[T]
	work partition
}

// MeanForward computes Y.
func (e *Engine[T]) MeanForward(o *Mean[T]) {
	need(o.Y, o.N, len(o.Parts), o.C)
	for _, a := range o.Parts {
		need(a.X, o.N, o.Px, o.C)
	}
	j := job[meanForwardJob[T]](e)
	*j = meanForwardJob[T]{o, e, imagePartition(o.N)}
	e.pool.Do(j.work.chunks(), j)
}

func (j *meanForwardJob[T]) Chunk(worker, chunk int) {
	mem := j.e.scratch(worker, 2*j.C)
	zero, unused := take(&mem, j.C), take(&mem, j.C)
	clear(zero)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		for i, a := range j.Parts {
			y := j.Y[(n*len(j.Parts)+i)*j.C:][:j.C]
			clear(y)
			clear(unused)
			j.e.k.sum(j.Px, j.C, a.X[n*j.Px*j.C:], zero, y, unused)
			for c, v := range y {
				v /= T(j.Px)
				if a.Scale != nil {
					v = a.Scale[c]*v + a.Shift[c]
				}
				y[c] = v
			}
		}
	}
}

type meanBackwardJob[T Float] struct {
	*Mean[T]
	e    *Engine[T]
	work partition
	dy   []T
}

// MeanBackward computes DParts from dy, the gradient of Y.
func (e *Engine[T]) MeanBackward(o *Mean[T], dy []T) {
	need(dy, o.N, len(o.Parts), o.C)
	for _, d := range o.DParts {
		need(d.DX, o.N, o.Px, o.C)
	}
	j := job[meanBackwardJob[T]](e)
	*j = meanBackwardJob[T]{o, e, imagePartition(o.N), dy}
	e.pool.Do(j.work.chunks(), j)
}

func (j *meanBackwardJob[T]) Chunk(worker, chunk int) {
	mem := j.e.scratch(worker, j.C)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		for i, o := range j.DParts {
			for c, v := range j.dy[(n*len(j.Parts)+i)*j.C:][:j.C] {
				mem[c] = v / T(j.Px)
			}
			lo, hi := n*j.Px*j.C, (n+1)*j.Px*j.C
			for p := lo; p < hi; p += j.C {
				j.e.k.maskAdd(1, j.C, o.DX[p:p+j.C], mem, o.added(p, p+j.C), nil, nil, nil)
			}
		}
	}
}

// Scratch is that of NodeForward of that many terms, and of MaskImages; masked says that
// there are masks.
func (o *Node[T]) Scratch(terms int, masked bool) Scratch {
	if !masked {
		return Scratch{}
	}
	return Scratch{Worker: max(2*terms*o.C, 2*maskLane)}
}

// Scratch is that of MeanForward and MeanBackward.
func (o *Mean[T]) Scratch() Scratch { return Scratch{Worker: 2 * o.C} }
