package cpu

// SepStage is one stage of a separable convolution: ReLU, depthwise KxK
// convolution, 1x1 convolution, batch normalisation. The padding keeps
// ceil(H/Stride) by ceil(W/Stride).
type SepStage[T Float] struct {
	N, H, W, C, K, Stride, Dil int
	X                          Act[T] // (N,H,W,C)
	DW, PW                     []T    // (K,K,C), (C,C)
	Z                          []T    // (N,Ho,Wo,C), raw output
	Norm                       Norm[T]
	DDW, DPW                   []T // backward: gradients of DW and PW
}

func (s *SepStage[T]) pad() int          { return s.Dil * (s.K - 1) / 2 }
func (s *SepStage[T]) shape() dwShape    { return dwShape{s.K, s.Stride, s.Dil} }
func (s *SepStage[T]) out() (ho, wo int) { return ceilDiv(s.H, s.Stride), ceilDiv(s.W, s.Stride) }

// padded is the size of an image with its padding: rows, and elements of a row.
func (s *SepStage[T]) padded() (ph, prow int) {
	return s.H + 2*s.pad(), (s.W + 2*s.pad()) * s.C
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// sepForwardJob is the one forward pass of a stage: strips of rows go through
// ReLU into a padded image, the depthwise and the 1x1 convolution and the sums
// of the batch normalisation before the next strip.
type sepForwardJob[T Float] struct {
	*SepStage[T]
	e    *Engine[T]
	work partition
	st   []T
}

// SepForward computes Z, the statistics and the coefficients of a stage.
func (e *Engine[T]) SepForward(s *SepStage[T]) {
	ho, wo := s.out()
	need(s.X.X, s.N, s.H, s.W, s.C)
	need(s.DW, s.K, s.K, s.C)
	need(s.PW, s.C, s.C)
	need(s.Z, s.N, ho, wo, s.C)
	j := job[sepForwardJob[T]](e)
	*j = sepForwardJob[T]{SepStage: s, e: e, work: e.forwardPartition(s.N, s.Norm.Batch)}
	chunks := j.work.chunks()
	if s.Norm.Batch {
		j.st = e.partials(chunks, statLen(s.C))
	}
	e.pool.Do(chunks, j)
	s.Norm.finish(s.C, chunks, func(c int) int { lo, hi := j.work.bounds(c); return (hi - lo) * ho * wo }, j.st, statLen(s.C))
}

func (j *sepForwardJob[T]) Chunk(worker, chunk int) {
	k, c, p := j.e.k, j.C, j.pad()
	ho, wo := j.out()
	ph, prow := j.padded()
	step := stripRows(wo*c, ho)
	mem := j.e.scratch(worker, ph*prow+step*wo*c)
	pad, t := take(&mem, ph*prow), take(&mem, step*wo*c)
	border(pad, j.H, j.W, c, p, 0)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		x, z := j.X.X[n*j.H*j.W*c:][:j.H*j.W*c], j.Z[n*ho*wo*c:][:ho*wo*c]
		filled := 0
		for r := 0; r < ho; r += step {
			rows := min(step, ho-r)
			if end := min(j.H, (r+rows-1)*j.Stride+(j.K-1)*j.Dil+1-p); end > filled {
				j.load(pad, x, filled, end)
				filled = end
			}
			ahead := j.X.X[min((n*j.H+filled)*j.W*c, len(j.X.X)):]
			k.dwAhead(j.shape(), rows, wo, c, t, wo*c, c, pad[r*j.Stride*prow:], prow, j.DW, ahead)
			zs := z[r*wo*c:][:rows*wo*c]
			k.gemm(rows*wo, c, c, t, c, j.PW, c, zs, c)
			if j.Norm.Batch {
				j.e.stats(n == lo && r == 0, rows*wo, c, zs, j.st[chunk*statLen(c):])
			}
		}
	}
}

// load writes rows from to to of ReLU of the stage's input into a padded image.
func (j *sepForwardJob[T]) load(pad, x []T, from, to int) { j.e.loadReLU(j.SepStage, pad, x, from, to) }

func (e *Engine[T]) loadReLU(s *SepStage[T], pad, x []T, from, to int) {
	p := s.pad()
	_, prow := s.padded()
	row := s.W * s.C
	e.k.affine(to-from, s.W, s.C, pad[(from+p)*prow+p*s.C:], prow, s.C, x[from*row:], row, s.C, s.X.Scale, s.X.Shift, true)
}

// sepBackwardJob is the backward pass of a stage: the gradient of z, the
// depthwise output again, both weight gradients, and the gradient of x.
type sepBackwardJob[T Float] struct {
	*SepStage[T]
	e            *Engine[T]
	work         partition
	dy           []T
	dst          Out[T]
	prev         *Norm[T] // of the stage whose output x is, to be summed for; or nil
	part         []T
	stride       int
	pwT, flipped []T // PW transposed, DW with its taps reversed
}

// SepBackward computes the gradients of a stage from dy, the gradient of its
// normalised output: DDW, DPW, those of its normalisation, and dst, that of its
// input. If ready is set the normalisation's coefficients are already there.
// With prev, the normalisation that makes X, dst is also summed for prev, whose
// coefficients and gradients are then ready as well.
func (e *Engine[T]) SepBackward(s *SepStage[T], dy []T, dst Out[T], ready bool, prev *Norm[T]) {
	ho, wo := s.out()
	need(dy, s.N, ho, wo, s.C)
	need(dst.DX, s.N, s.H, s.W, s.C)
	c, taps := s.C, s.K*s.K*s.C
	if !ready {
		e.normBackward(&s.Norm, s.N, ho*wo, c, s.Z, dy)
	}
	j := job[sepBackwardJob[T]](e)
	*j = sepBackwardJob[T]{SepStage: s, e: e, work: imagePartition(s.N), dy: dy, dst: dst, prev: prev, stride: c*c + taps + 2*c}
	chunks := j.work.chunks()
	mem := e.partials(chunks+1, j.stride)
	j.part, j.pwT, j.flipped = mem[:chunks*j.stride], mem[chunks*j.stride:][:c*c], mem[chunks*j.stride+c*c:][:taps]
	transpose(c, c, s.PW, j.pwT)
	for t := range s.K * s.K {
		copy(j.flipped[t*c:][:c], s.DW[(s.K*s.K-1-t)*c:][:c])
	}
	e.pool.Do(chunks, j)
	e.reduce(s.DPW, j.part, chunks, j.stride, 0)
	e.reduce(s.DDW, j.part, chunks, j.stride, c*c)
	if prev != nil {
		prev.finishGrad(e.coefs(2*c), s.N*s.H*s.W, c, chunks, j.part[c*c+taps:], j.stride)
	}
}

func (j *sepBackwardJob[T]) Chunk(worker, chunk int) {
	c, taps := j.C, j.K*j.K*j.C
	ho, wo := j.out()
	ph, prow := j.padded()
	stepOut, stepIn := stripRows(wo*c, ho), stripRows(j.W*c, j.H)
	strip := max(stepOut*wo, stepIn*j.W) * c
	mem := j.e.scratch(worker, 2*ph*prow+3*strip)
	pad, up := take(&mem, ph*prow), take(&mem, ph*prow)
	t, dz, dt := take(&mem, strip), take(&mem, strip), take(&mem, strip)
	border(pad, j.H, j.W, c, j.pad(), 0)
	if j.Stride > 1 {
		clear(up) // what lies between the gradients stays zero
	} else {
		border(up, j.H, j.W, c, j.pad(), 0)
	}
	sums := j.part[chunk*j.stride:][:j.stride]
	dpw, ddw, st := take(&sums, c*c), take(&sums, taps), take(&sums, 2*c)
	lo, hi := j.work.bounds(chunk)
	for n := lo; n < hi; n++ {
		x := j.X.X[n*j.H*j.W*c:][:j.H*j.W*c]
		j.e.loadReLU(j.SepStage, pad, x, 0, j.H)
		for r := 0; r < ho; r += stepOut {
			j.weights(n, r, min(stepOut, ho-r), pad, up, t, dz, dt, dpw, ddw)
		}
		for r := 0; r < j.H; r += stepIn {
			j.input(n, r, min(stepIn, j.H-r), up, t, st)
		}
	}
}

// weights takes some rows of the output: gradients of the weights, and that of
// the depthwise output into the padded image up, stride apart.
func (j *sepBackwardJob[T]) weights(n, r, rows int, pad, up, t, dz, dt, dpw, ddw []T) {
	k, c, p := j.e.k, j.C, j.pad()
	ho, wo := j.out()
	_, prow := j.padded()
	px := rows * wo
	at := (n*ho + r) * wo * c
	j.e.gradZ(&j.Norm, px, c, dz, j.Z[at:], j.dy[at:])
	k.dwAhead(j.shape(), rows, wo, c, t, wo*c, c, pad[r*j.Stride*prow:], prow, j.DW, j.dy[at+px*c:])
	k.gemmAT(px, c, c, t, c, dz, c, dpw, c)
	k.gemm(px, c, c, dz, c, j.pwT, c, dt, c)
	k.dwGrad(j.shape(), rows, wo, c, ddw, pad[r*j.Stride*prow:], prow, dt, wo*c)
	k.affine(rows, wo, c, up[(r*j.Stride+p)*prow+p*c:], j.Stride*prow, j.Stride*c, dt, wo*c, c, nil, nil, false)
}

// input takes some rows of the input: a convolution of the padded gradient with
// the reversed taps, and the mask of the ReLU.
func (j *sepBackwardJob[T]) input(n, r, rows int, up, dr, st []T) {
	k, c := j.e.k, j.C
	_, prow := j.padded()
	row := j.W * c
	lo := (n*j.H + r) * row
	hi := lo + rows*row
	k.dwAhead(dwShape{j.K, 1, j.Dil}, rows, j.W, c, dr, row, c, up[r*prow:], prow, j.flipped, j.dst.DX[lo:hi])
	if j.prev != nil {
		k.maskSum(rows*j.W, c, j.dst.DX[lo:hi], dr, j.X.X[lo:hi], j.X.Scale, j.X.Shift, j.prev.Mean, st[:c], st[c:])
		return
	}
	k.maskAdd(rows*j.W, c, j.dst.DX[lo:hi], dr, j.dst.added(lo, hi), j.X.X[lo:hi], j.X.Scale, j.X.Shift)
}

// Scratch is that of SepForward and SepBackward.
func (s *SepStage[T]) Scratch() Scratch {
	c, taps := s.C, s.K*s.K*s.C
	ho, wo := s.out()
	ph, prow := s.padded()
	strip := max(stripRows(wo*c, ho)*wo, stripRows(s.W*c, s.H)*s.W) * c
	chunks := imagePartition(s.N).chunks()
	return normScratch(s.N, c).Max(Scratch{Worker: 2*ph*prow + 3*strip, Partial: (chunks + 1) * (c*c + taps + 2*c)})
}
