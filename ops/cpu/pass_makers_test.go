package cpu

import (
	"fmt"
	"testing"
)

// makers are the passes of Engine.
func makers(t *testing.T) []maker {
	return []maker{
		{"sep", func(s uint64) *pass[float32] { return sepPass[float32](t, s) }, func(s uint64) *pass[float64] { return sepPass[float64](t, s) }},
		{"conv", func(s uint64) *pass[float32] { return convPass[float32](t, s, false) }, func(s uint64) *pass[float64] { return convPass[float64](t, s, false) }},
		{"convNoNorm", func(s uint64) *pass[float32] { return convPass[float32](t, s, true) }, func(s uint64) *pass[float64] { return convPass[float64](t, s, true) }},
		{"reduce", func(s uint64) *pass[float32] { return reducePass[float32](t, s) }, func(s uint64) *pass[float64] { return reducePass[float64](t, s) }},
		{"stem", func(s uint64) *pass[float32] { return stemPass[float32](t, s) }, func(s uint64) *pass[float64] { return stemPass[float64](t, s) }},
		{"conv2D", func(s uint64) *pass[float32] { return conv2DPass[float32](t, s) }, func(s uint64) *pass[float64] { return conv2DPass[float64](t, s) }},
		{"depthwise", func(s uint64) *pass[float32] { return depthwisePass[float32](t, s) }, func(s uint64) *pass[float64] { return depthwisePass[float64](t, s) }},
		{"actNorm", func(s uint64) *pass[float32] { return actNormPass[float32](t, s) }, func(s uint64) *pass[float64] { return actNormPass[float64](t, s) }},
		{"pool", func(s uint64) *pass[float32] { return poolPass[float32](t, s, false) }, func(s uint64) *pass[float64] { return poolPass[float64](t, s, false) }},
		{"poolNoNorm", func(s uint64) *pass[float32] { return poolPass[float32](t, s, true) }, func(s uint64) *pass[float64] { return poolPass[float64](t, s, true) }},
		{"node", func(s uint64) *pass[float32] { return nodePass[float32](t, s) }, func(s uint64) *pass[float64] { return nodePass[float64](t, s) }},
		{"mean", func(s uint64) *pass[float32] { return meanPass[float32](t, s) }, func(s uint64) *pass[float64] { return meanPass[float64](t, s) }},
		{"avgPool", func(s uint64) *pass[float32] { return avgPoolPass[float32](t, s) }, func(s uint64) *pass[float64] { return avgPoolPass[float64](t, s) }},
		{"linear", func(s uint64) *pass[float32] { return linearPass[float32](t, s) }, func(s uint64) *pass[float64] { return linearPass[float64](t, s) }},
		{"sum", func(s uint64) *pass[float32] { return sumPass[float32](t, s) }, func(s uint64) *pass[float64] { return sumPass[float64](t, s) }},
	}
}

func newPass[T Float](t *testing.T, seed uint64) *pass[T] { return &pass[T]{lab: newLab[T](t, seed)} }

// sample draws a shape of at most size elements: up to 130 channels, images of
// up to 35 by 35 and enough of them that a chunk has two.
func (p *pass[T]) sample(size int) (n, h, w, c int) {
	c = 1 + p.r.IntN([]int{8, 20, 70, 130}[p.r.IntN(4)])
	n, h, w = 1+p.r.IntN(20), 1+p.r.IntN(35), 1+p.r.IntN(35)
	for n*h*w*c > size && n*h*w > 1 {
		switch max(n, h, w) {
		case n:
			n = (n + 1) / 2
		case h:
			h = (h + 1) / 2
		default:
			w = (w + 1) / 2
		}
	}
	return n, h, w, c
}

// of picks one of the values.
func (p *pass[T]) of(v ...int) int { return v[p.r.IntN(len(v))] }

const sampleSize = 4000

func sepPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	s := &SepStage[T]{N: n, H: h, W: w, C: c, K: p.of(3, 5, 7), Stride: p.of(1, 1, 2), Dil: p.of(1, 1, 2)}
	s.X = p.act(n*h*w, c)
	s.DW, s.PW = p.noise(s.K*s.K*c), p.noise(c*c)
	ho, wo := s.out()
	px := n * ho * wo
	var resetZ, resetX func()
	s.Z, resetZ = p.output(px, c, &s.Norm)
	dy := p.noise(px * c)
	s.DDW, s.DPW = p.result(&p.bwd, "DDW", len(s.DW)), p.result(&p.bwd, "DPW", c*c)
	dst, resetX := p.grad("DX", n*h*w*c)
	// The stage before, if this one sums for it.
	prev := &Norm[T]{Mean: p.noise(c), Inv: p.noise(c), DGamma: p.blank(c), DBeta: p.blank(c)}
	offset, slope := p.blank(c), p.blank(c)
	mode := p.of(0, 1, 2)
	if mode == 2 && s.X.Scale == nil {
		mode = 0
	}
	if mode == 2 {
		p.bwd = append(p.bwd, result[T]{"prev.DGamma", prev.DGamma}, result[T]{"prev.DBeta", prev.DBeta},
			result[T]{"prev.offset", offset}, result[T]{"prev.slope", slope})
	}
	p.what = fmt.Sprintf("%dx%dx%dx%d, K %d, stride %d, dil %d, mode %d, batch %v", n, h, w, c, s.K, s.Stride, s.Dil, mode, s.Norm.Batch)
	p.forward = func(e *Engine[T]) {
		resetZ()
		e.SepForward(s)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		switch mode {
		case 0:
			e.SepBackward(s, dy, dst, false, nil)
		case 1:
			e.normBackward(&s.Norm, n, ho*wo, c, s.Z, dy)
			e.SepBackward(s, dy, dst, true, nil)
		case 2:
			e.SepBackward(s, dy, dst, false, prev)
			copy(offset, prev.offset)
			copy(slope, prev.slope)
		}
	}
	p.fwdRounds = 4 + 2*s.K*s.K + 2*c
	p.bwdRounds = 40 + 4*s.K*s.K + 4*c + 4*max(px, n*h*w)
	return p
}

func convPass[T Float](t *testing.T, seed uint64, noNorm bool) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	parts, px := p.of(1, 2, 4), h*w
	o := &Conv[T]{N: n, Px: px, Cin: parts * c, Cout: 1 + p.r.IntN(40), F: Activation(p.of(0, 1)), NoNorm: noNorm}
	if c%2 == 0 && p.of(0, 1) == 1 {
		o.Spread = c / 2
		for range parts {
			a := Act[T]{X: p.grid(n * px * c), Scale: p.grid(c / 2), Shift: p.grid(c / 2)}
			p.x, o.Parts = append(p.x, a.X), append(o.Parts, a)
		}
	} else {
		o.Parts = p.acts(parts, n*px, c)
	}
	o.W = p.noise(o.Cin * o.Cout)
	var resetX func()
	var z []T
	resetZ := func() {}
	if noNorm {
		z = p.result(&p.fwd, "Z", n*px*o.Cout)
	} else {
		z, resetZ = p.output(n*px, o.Cout, &o.Norm)
	}
	dy := p.noise(n * px * o.Cout)
	o.DW = p.result(&p.bwd, "DW", len(o.W))
	o.DParts, resetX = p.grads(parts, n*px*c)
	p.what = fmt.Sprintf("%d images of %d pixels, %d parts of %d channels to %d, spread %d, %v, batch %v", n, px, parts, c, o.Cout, o.Spread, o.F, o.Norm.Batch)
	p.forward = func(e *Engine[T]) {
		resetZ()
		o.Z = z
		e.ConvForward(o)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		if noNorm {
			o.Z = nil // not read
		}
		e.ConvBackward(o, dy)
	}
	p.fwdRounds = 4 + 2*o.Cin
	p.bwdRounds = 40 + 2*o.Cout + 4*n*px
	return p
}

func reducePass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	h, w = h+h%2, w+w%2
	parts := p.of(1, 2, 4)
	o := &Reduce[T]{N: n, H: h, W: w, Cin: parts * c, Cout: 2 * (1 + p.r.IntN(20))}
	o.Parts = p.acts(parts, n*h*w, c)
	var resetZ, resetX func()
	o.Z, resetZ = p.output(n*h*w/4, o.Cout, &o.Norm)
	for i := range 2 {
		o.Weights[i] = p.noise(o.Cin * o.Cout / 2)
		o.DWeights[i] = p.result(&p.bwd, fmt.Sprintf("DWeights[%d]", i), len(o.Weights[i]))
	}
	dy := p.noise(len(o.Z))
	o.DParts, resetX = p.grads(parts, n*h*w*c)
	p.what = fmt.Sprintf("%dx%dx%d, %d parts of %d channels to %d, batch %v", n, h, w, parts, c, o.Cout, o.Norm.Batch)
	p.forward = func(e *Engine[T]) {
		resetZ()
		e.ReduceForward(o)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		e.ReduceBackward(o, dy)
	}
	p.fwdRounds = 4 + 2*o.Cin
	p.bwdRounds = 40 + 2*o.Cout + n*h*w
	return p
}

func stemPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, cout := p.sample(sampleSize)
	o := &Stem[T]{N: n, H: h, W: w, Cin: 1 + p.r.IntN(4), Cout: cout}
	o.X, o.Weights = p.noise(n*h*w*o.Cin), p.noise(9*o.Cin*cout)
	p.x = append(p.x, o.X)
	var resetZ func()
	o.Z, resetZ = p.output(n*h*w, cout, &o.Norm)
	dy := p.noise(len(o.Z))
	o.DWeights = p.result(&p.bwd, "DWeights", len(o.Weights))
	p.what = fmt.Sprintf("%dx%dx%d, %d channels to %d, batch %v", n, h, w, o.Cin, cout, o.Norm.Batch)
	p.forward = func(e *Engine[T]) {
		resetZ()
		e.StemForward(o)
	}
	p.backward = func(e *Engine[T]) { e.StemBackward(o, dy) }
	p.fwdRounds = 4 + 18*o.Cin
	p.bwdRounds = 40 + 4*n*h*w
	return p
}

func conv2DPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	o := &Conv2D[T]{N: n, H: h, W: w, Cin: c, Cout: 1 + p.r.IntN(40), R: p.of(1, 3, 5, 7), S: p.of(1, 3, 5, 7),
		StrideH: p.of(1, 2, 3), StrideW: p.of(1, 2, 3), F: Activation(p.of(0, 1)), NoNorm: p.of(0, 1, 2) == 2}
	o.X, o.Weights = p.act(n*h*w, c), p.noise(o.depth()*o.Cout)
	ho, wo := o.out()
	px := n * ho * wo
	resetZ, resetX := func() {}, func() {}
	var z []T
	if o.NoNorm {
		z = p.result(&p.fwd, "Z", px*o.Cout)
	} else {
		z, resetZ = p.output(px, o.Cout, &o.Norm)
	}
	dy := p.noise(px * o.Cout)
	o.DWeights = p.result(&p.bwd, "DWeights", len(o.Weights))
	if p.of(0, 1, 2) > 0 {
		o.DX, resetX = p.grad("DX", n*h*w*c)
	}
	p.what = fmt.Sprintf("%dx%dx%dx%d to %d channels, %dx%d, strides %d and %d, %v, batch %v, no norm %v, dx %v",
		n, h, w, c, o.Cout, o.R, o.S, o.StrideH, o.StrideW, o.F, o.Norm.Batch, o.NoNorm, o.DX.DX != nil)
	p.forward = func(e *Engine[T]) {
		resetZ()
		o.Z = z
		e.Conv2DForward(o)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		if o.NoNorm {
			o.Z = nil // not read
		}
		e.Conv2DBackward(o, dy)
	}
	p.fwdRounds = 4 + 2*o.depth()
	p.bwdRounds = 40 + 2*o.R*o.S*o.Cout + 4*px
	return p
}

func depthwisePass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	o := &Depthwise[T]{N: n, H: h, W: w, C: c, K: p.of(3, 5, 7), Stride: p.of(1, 1, 2), F: Activation(p.of(0, 1)), X: p.act(n*h*w, c)}
	o.Weights = p.noise(o.K * o.K * c)
	ho, wo := o.out()
	px := n * ho * wo
	var resetZ, resetX func()
	o.Z, resetZ = p.output(px, c, &o.Norm)
	dy := p.noise(px * c)
	o.DWeights = p.result(&p.bwd, "DWeights", len(o.Weights))
	o.DX, resetX = p.grad("DX", n*h*w*c)
	p.what = fmt.Sprintf("%dx%dx%dx%d, K %d, stride %d, %v, batch %v", n, h, w, c, o.K, o.Stride, o.F, o.Norm.Batch)
	p.forward = func(e *Engine[T]) {
		resetZ()
		e.DepthwiseForward(o)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		e.DepthwiseBackward(o, dy)
	}
	p.fwdRounds = 4 + 2*o.K*o.K
	p.bwdRounds = 40 + 2*o.K*o.K + 4*px
	return p
}

func actNormPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	px := n * h * w
	o := &ActNorm[T]{N: n, Px: h * w, C: c, F: Activation(p.of(0, 1)), NoNorm: p.of(0, 1, 2) == 2, X: p.act(px, c)}
	resetZ, resetX := func() {}, func() {}
	var z []T
	if o.NoNorm {
		z = p.result(&p.fwd, "Z", px*c)
	} else {
		z, resetZ = p.output(px, c, &o.Norm)
	}
	dy := p.noise(px * c)
	o.DX, resetX = p.grad("DX", px*c)
	p.what = fmt.Sprintf("%d images of %d pixels, %d channels, %v, batch %v, no norm %v", n, o.Px, c, o.F, o.Norm.Batch, o.NoNorm)
	p.forward = func(e *Engine[T]) {
		resetZ()
		o.Z = z
		e.ActNormForward(o)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		if o.NoNorm {
			o.Z = nil // not read
		}
		e.ActNormBackward(o, dy)
	}
	p.fwdRounds, p.bwdRounds = 4, 40+2*px
	return p
}

func poolPass[T Float](t *testing.T, seed uint64, noNorm bool) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	o := &Pool3[T]{Max: p.of(0, 1) == 1, NoNorm: noNorm, N: n, H: h, W: w, C: c, Stride: p.of(1, 2), X: p.act(n*h*w, c)}
	px := n * ceilDiv(h, o.Stride) * ceilDiv(w, o.Stride)
	var resetX func()
	var z []T
	resetZ := func() {}
	if noNorm {
		z = p.result(&p.fwd, "Z", px*c)
	} else {
		z, resetZ = p.output(px, c, &o.Norm)
	}
	if o.Max {
		o.Tap = make([]uint8, px*c)
		p.taps = o.Tap
	}
	dy := p.noise(px * c)
	o.DX, resetX = p.grad("DX", n*h*w*c)
	p.what = fmt.Sprintf("%dx%dx%dx%d, stride %d, max %v, batch %v", n, h, w, c, o.Stride, o.Max, o.Norm.Batch)
	p.forward = func(e *Engine[T]) {
		resetZ()
		o.Z = z
		e.PoolForward(o)
	}
	p.backward = func(e *Engine[T]) {
		resetX()
		if noNorm {
			o.Z = nil // not read
		}
		e.PoolBackward(o, dy)
	}
	p.fwdRounds = 4 + 2*9 + 4
	p.bwdRounds = 60 + 2*px
	return p
}

func nodePass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	px := h * w
	terms := p.of(2, 2, 3, 5, 8)
	o := &Node[T]{N: n, Px: px, C: c, Terms: p.acts(terms, n*px, c), Y: p.result(&p.fwd, "Y", n*px*c)}
	mask, dy, d := p.noise(n), p.noise(n*px*c), p.result(&p.bwd, "d", n*px*c)
	masks := 0
	for i := range terms {
		if p.of(0, 1) == 1 {
			o.Masks[i] = p.noise(n)
			masks++
		}
	}
	p.what = fmt.Sprintf("%d images of %d pixels, %d channels, %d terms, %d masks", n, px, c, terms, masks)
	p.forward = func(e *Engine[T]) { e.NodeForward(o) }
	p.backward = func(e *Engine[T]) { e.MaskImages(n, px*c, dy, mask, d) }
	p.fwdRounds, p.bwdRounds = 6+terms, 2
	return p
}

func meanPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	parts, px := p.of(1, 2, 4), h*w
	o := &Mean[T]{N: n, Px: px, C: c, Parts: p.acts(parts, n*px, c), Y: p.result(&p.fwd, "Y", n*parts*c)}
	dy := p.noise(n * parts * c)
	var reset func()
	o.DParts, reset = p.grads(parts, n*px*c)
	p.what = fmt.Sprintf("%d images of %d pixels, %d parts of %d channels", n, px, parts, c)
	p.forward = func(e *Engine[T]) { e.MeanForward(o) }
	p.backward = func(e *Engine[T]) {
		reset()
		e.MeanBackward(o, dy)
	}
	p.fwdRounds, p.bwdRounds = 8+px, 4
	return p
}

func avgPoolPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	o := &AvgPool[T]{F: Activation(p.of(0, 1)), N: n, K: 1 + p.r.IntN(5), Stride: p.of(1, 2, 3), C: c}
	o.H, o.W = max(h, o.K), max(w, o.K)
	parts, px := p.of(1, 2, 4), n*o.H*o.W
	ho, wo := o.out()
	o.Parts, o.Y = p.acts(parts, px, c), p.result(&p.fwd, "Y", n*ho*wo*parts*c)
	dy := p.noise(len(o.Y))
	var reset func()
	o.DParts, reset = p.grads(parts, px*c)
	p.what = fmt.Sprintf("%dx%dx%d, %d parts of %d channels, K %d, stride %d", n, o.H, o.W, parts, c, o.K, o.Stride)
	p.forward = func(e *Engine[T]) { e.AvgPoolForward(o) }
	p.backward = func(e *Engine[T]) {
		reset()
		e.AvgPoolBackward(o, dy)
	}
	p.fwdRounds, p.bwdRounds = 8+o.K*o.K, 4+2*o.K*o.K
	return p
}

func linearPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	n, h, w, c := p.sample(sampleSize)
	o := &Linear[T]{N: n, In: h * w * c, Out: 1 + p.r.IntN(20), F: Activation(p.of(0, 1))}
	o.X, o.W, o.Bias = p.act(n, o.In), p.noise(o.In*o.Out), p.noise(o.Out)
	o.Y = p.result(&p.fwd, "Y", n*o.Out)
	dy := p.noise(n * o.Out)
	o.DW, o.DBias = p.result(&p.bwd, "DW", len(o.W)), p.result(&p.bwd, "DBias", o.Out)
	o.DX = p.result(&p.bwd, "DX", n*o.In)
	p.what = fmt.Sprintf("%d images, %d to %d, %v", n, o.In, o.Out, o.F)
	p.forward = func(e *Engine[T]) { e.LinearForward(o) }
	p.backward = func(e *Engine[T]) { e.LinearBackward(o, dy) }
	p.fwdRounds, p.bwdRounds = 6+2*o.In, 6+2*(n+o.Out)
	return p
}

// sumPass is Sum of several tensors, then of one more in place.
func sumPass[T Float](t *testing.T, seed uint64) *pass[T] {
	p := newPass[T](t, seed)
	size, count := p.of(1, 7, 100, 5000, 100000), 1+p.r.IntN(4)
	srcs, more := make([][]T, count), p.noise(size)
	for i := range srcs {
		srcs[i] = p.noise(size)
	}
	y, z := p.result(&p.fwd, "Y", size), p.result(&p.bwd, "Z", size)
	p.kept = append(p.kept, y)
	p.what = fmt.Sprintf("%d tensors of %d", count, size)
	inPlace := [][]T{z, more}
	p.forward = func(e *Engine[T]) { e.Sum(y, srcs) }
	p.backward = func(e *Engine[T]) {
		copy(z, y)
		e.Sum(z, inPlace)
	}
	p.fwdRounds, p.bwdRounds = count, 1
	return p
}
