package ops

import (
	"fmt"
	"strconv"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Separable is one or two stages of ReLU, depthwise KxK convolution, 1x1
// convolution, batch normalisation. Two stages with dilation 1 are a
// sep_conv (the stride is the first stage's); one stage with dilation 2 is a
// dil_conv. The padding keeps H/Stride by W/Stride.
//
// Activation: x (N,H,W,C). Parameters: for each stage dw (K,K,C), pw (C,C)[,
// gamma, beta (C)]. Output: (N,ceil(H/Stride),ceil(W/Stride),C).
type Separable struct {
	C, K, Stride, Dil, Stages int
	Affine                    bool
	Standard                  bool // the 1x1 weights are standardised, see standard.go
}

func (o Separable) Name() string {
	if o.Stages == 1 {
		return fmt.Sprintf("dil_conv_%dx%d", o.K, o.K)
	}
	return fmt.Sprintf("sep_conv_%dx%d", o.K, o.K)
}
func (o Separable) Diff(int) bool    { return true }
func (o Separable) KeepsInput() bool { return true }
func (o Separable) adds() bool       { return true }

// stageNames are those of the modules of stage s, from 0.
func stageNames(s int) (dw, pw, bn string) {
	n := strconv.Itoa(s + 1)
	return "dw" + n + ".weight", "pw" + n + ".weight", "bn" + n
}

func (o Separable) Norms() []Norm {
	ns := make([]Norm, o.Stages)
	for s := range ns {
		_, _, bn := stageNames(s)
		ns[s] = Norm{bn, o.C}
	}
	return ns
}
func (o Separable) Params() []Param {
	ps := make([]Param, 0, o.Stages*o.perStage())
	for s := range o.Stages {
		dw, pw, bn := stageNames(s)
		ps = withNorm(append(ps, depthwiseParam(dw, o.C, o.K), convParam(pw, o.C, o.C, 1)), bn, o.C, o.Affine)
	}
	return ps
}

// perStage is the number of parameters of a stage.
func (o Separable) perStage() int { return 2 + normParams(o.Affine) }

func (o Separable) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.C)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, nil
}
func (o Separable) Cost(in []Shape, out Shape) Cost {
	x, y := sizes(in), out.Size()
	c := Cost{MulAdds: int64(o.Stages) * int64(y) * int64(o.K*o.K+o.C), Moved: segment(x, x, x, y)}
	for s := 1; s < o.Stages; s++ {
		c.Moved += segment(y, y, y, y)
	}
	return c
}

func init() {
	register(separableHost[float32](), separableHost[float64](), device[Separable]{forward: (*lowering).separable, backward: (*lowering).separableGrad, saved: sepSaved})
}

func separableHost[T cpu.Float]() host[T, Separable] {
	return host[T, Separable]{
		forward:  (*CPU[T]).separableForward,
		backward: (*CPU[T]).separableBackward,
		saved:    separableSaved,
		scratch:  separableScratch[T],
		temp:     separableTemp,
	}
}

// separableSaved is the room for the raw output of the first stage of two and
// its coefficients, and for standardised weights. The second stage's output is the op's.
func separableSaved(o Separable, _ []Shape, out Shape) int {
	n := o.rawSaved(out)
	if o.Standard {
		n += o.Stages * standardLen(o.C, o.C)
	}
	return n
}

// rawSaved is separableSaved without standardised weights, which lie behind it.
func (o Separable) rawSaved(out Shape) int { return (o.Stages - 1) * (out.Size() + NormLen(o.C)) }

// standard describes the 1x1 weight of stage s.
func (o Separable) standard(c *Call, s int) standardWeight {
	return standardWeight{input: 2 + s*o.perStage(), at: o.rawSaved(c.OutShape) + s*standardLen(o.C, o.C), cin: o.C, cout: o.C}
}

func separableScratch[T cpu.Float](o Separable, in []Shape, out Shape) cpu.Scratch {
	x := in[0]
	first := cpu.SepStage[T]{N: x[0], H: x[1], W: x[2], C: o.C, K: o.K, Stride: o.Stride, Dil: o.Dil}
	second := cpu.SepStage[T]{N: x[0], H: out[1], W: out[2], C: o.C, K: o.K, Stride: 1, Dil: o.Dil}
	s := withStandard(o.Standard, first.Scratch(), o.C)
	if o.Stages == 1 {
		return s
	}
	return s.Max(second.Scratch())
}

// separableTemp is the gradient of the first stage's output.
func separableTemp(o Separable, _ []Shape, out Shape) int {
	if o.Stages == 1 {
		return 0
	}
	return out.Size()
}

// sepStage describes a stage: the first reads the op's input, the second the
// first's output.
func (b *CPU[T]) sepStage(o Separable, c *Call, s int) *cpu.SepStage[T] {
	at := 1 + s*o.perStage()
	x, y := c.InShape[0], c.OutShape
	k := &args[[2]cpu.SepStage[T]](b)[s]
	*k = cpu.SepStage[T]{N: x[0], H: x[1], W: x[2], C: o.C, K: o.K, Stride: o.Stride, Dil: o.Dil,
		X: b.act(c, 0), DW: b.at(c.In[at]), PW: b.at(c.In[at+1]), Z: b.at(c.Out)}
	coef := b.at(c.OutNorm)
	n := y.Size()
	switch {
	case s > 0:
		saved := b.at(c.Saved)
		k.H, k.W, k.Stride = y[1], y[2], 1
		k.X = cpu.Act[T]{X: saved[:n], Scale: saved[n : n+o.C], Shift: saved[n+o.C : n+2*o.C]}
	case o.Stages > 1:
		saved := b.at(c.Saved)
		k.Z, coef = saved[:n], saved[n:]
	}
	k.Norm = b.norm(c, s, o.Affine, at+2, coef)
	if o.Standard {
		k.PW, _ = b.standardSaved(o.standard(c, s), c)
	}
	if c.DIn != nil {
		k.DDW, k.DPW = b.at(c.DIn[at]), b.at(c.DIn[at+1])
	}
	return k
}

func (b *CPU[T]) separableForward(o Separable, c *Call) error {
	for s := range o.Stages {
		if o.Standard {
			b.standardise(o.standard(c, s), c)
		}
		b.eng.SepForward(b.sepStage(o, c, s))
	}
	return nil
}

func (b *CPU[T]) separableBackward(o Separable, c *Call) error {
	first := b.sepStage(o, c, 0)
	dy := b.at(c.DOut)
	if o.Stages > 1 {
		d := b.scratch(len(first.Z))
		b.eng.SepBackward(b.sepStage(o, c, 1), dy, cpu.Out[T]{DX: d}, false, &first.Norm)
		dy = d
	}
	b.eng.SepBackward(first, dy, b.out(c, 0), o.Stages > 1, nil)
	if o.Standard {
		for s := range o.Stages {
			b.standardiseGrad(o.standard(c, s), c)
		}
	}
	return nil
}

// On a device a separable convolution saves the output of each stage's depthwise
// convolution and, of two stages, the first's raw output and its coefficients: in
// the order depthwise 1, depthwise 2, raw 1, coefficients 1.

// sepSaved is the size of these in bytes, each aligned, for activations of act bytes.
func sepSaved(o Separable, _ []Shape, out Shape, act int) int {
	n := alignUp(out.Size() * act)
	if o.Stages == 1 {
		return n
	}
	return 3*n + 4*NormLen(o.C)
}

func alignUp(n int) int { return ceilDiv(n, 256) * 256 }

// deviceStage is one stage as the kernels see it.
type deviceStage struct {
	dw    cuda.DwArgs   // forward: input and output of the depthwise convolution
	conv  cuda.ConvArgs // of its output
	coef  cuda.Addr     // of the normalisation
	param int           // index of its first parameter
	rows  int
}

func (l *lowering) sepStage(o Separable, c *Call, s int) deviceStage {
	x, y := c.InShape[0], c.OutShape
	saved := l.f32(c.Saved)
	n := cuda.Addr(alignUp(y.Size() * l.actSize()))
	st := deviceStage{param: 1 + s*o.perStage(), rows: y[0] * y[1] * y[2], coef: l.f32(c.OutNorm)}
	z1, coef1 := saved+2*n, saved+3*n
	st.dw = cuda.DwArgs{ReLU: l.activation(ReLU), W: l.f32(c.In[st.param]), T: saved + cuda.Addr(s)*n, N: int32(x[0]), C: int32(o.C), K: int32(o.K), Dil: int32(o.Dil),
		H: int32(x[1]), Width: int32(x[2]), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
	if s == 0 {
		st.dw.X = l.act(c.In[0])
		st.dw.Scale, st.dw.Shift = l.coef(c, 0)
	} else {
		st.dw.X, st.dw.Scale, st.dw.Shift = z1, coef1, coef1+cuda.Addr(4*o.C)
		st.dw.H, st.dw.Width, st.dw.Stride = st.dw.OH, st.dw.OW, 1
	}
	st.conv = dense(1, o.C, o.C, st.rows, o.C, o.C)
	st.conv.W, st.conv.Z = l.f32(c.In[st.param+1]), l.act(c.Out)
	if o.Standard {
		st.conv.W = l.standard(o.standard(c, s), c).u
	}
	if s+1 < o.Stages {
		st.conv.Z, st.coef = z1, coef1
	}
	return st
}

func (l *lowering) separable(o Separable, c *Call) {
	for s := range o.Stages {
		st := l.sepStage(o, c, s)
		if l.fuses(st) {
			l.sepFused(c, st, l.norm(c, s, o.Affine, st.param+2, st.coef, 0))
			continue
		}
		st.dw.Blocks = l.dwBlocks(st.dw)
		cuda.Add(l.b, "dw_fwd", l.half, &st.dw)
		l.convForward(c, st.conv, l.norm(c, s, o.Affine, st.param+2, st.coef, 0), []cuda.Part{{X: st.dw.T}})
	}
}

// fuses says whether a stage fits the kernels that do both convolutions in one.
func (l *lowering) fuses(st deviceStage) bool {
	d := st.dw
	return l.half && d.Stride == 1 && d.K <= 5 && d.C <= 64 && d.C%4 == 0 && d.OW%4 == 0 && d.W%16 == 0
}

// sepFused adds a stage as one task. Without a backward pass the output of the
// depthwise convolution is never written.
func (l *lowering) sepFused(c *Call, st deviceStage, n cuda.Norm) {
	w := convWidth(int(st.dw.C))
	rows := map[int]int{16: 256, 32: 128, 64: 128}[w] // of a tile
	blocks := max(1, min(ceilDiv(st.rows, rows), 3*l.b.SMs))
	l.stats(c, &n, blocks, int(st.dw.C))
	a := cuda.SepArgs{DW: st.dw, Conv: st.conv, Blocks: int32(blocks)}
	if c.Mode != Eval {
		a.Conv.Norm = n
	}
	if !l.train {
		a.DW.T = 0
	}
	cuda.Add(l.b, fmt.Sprint("sep_fwd", w), true, &a)
}

func (l *lowering) separableGrad(o Separable, c *Call) {
	dy := l.act(c.DOut)
	for s := o.Stages - 1; s >= 0; s-- {
		st := l.sepStage(o, c, s)
		size := st.rows * o.C * l.actSize()
		a := st.conv
		a.Dz = l.normGrad(c, s, o.Affine, st.param+2, st.coef, dy, a.Z, st.rows)
		t, dt := st.dw.T, l.b.Temp(size)
		parts := []cuda.Part{{X: t, DX: dt}}
		if o.Standard {
			partial, splits := l.convGrads(a, parts)
			l.standardGrad(o.standard(c, s), c, partial, splits)
		} else {
			l.convBackward(a, l.f32(c.DIn[st.param+1]), parts)
		}
		d := st.dw
		d.T, d.DT = 0, dt
		if s > 0 {
			d.DX = l.b.Temp(size)
			dy = d.DX
		} else {
			d.DX, d.Add = l.act(c.DIn[0]), l.act(c.DAdd[0])
		}
		if d.DX != 0 {
			d.Blocks = l.dwBlocks(d)
			cuda.Add(l.b, "dw_dx", l.half, &d)
		}
		l.dwWeights(d, l.f32(c.DIn[st.param]), 1)
	}
}

// dwWeights adds the gradient of a depthwise convolution's weights. That many blocks
// share the channels of a split: of many channels each split has long partial sums.
func (l *lowering) dwWeights(d cuda.DwArgs, dw cuda.Addr, shares int) {
	n := int(d.K * d.K * d.C)
	d.DX, d.Add, d.W = 0, 0, 0
	d.Splits = int32(max(1, min(int(d.N*d.OH)/4, 3*l.b.SMs/shares)))
	d.Blocks = d.Splits * int32(shares)
	d.Partial = l.b.Temp(4 * n * int(d.Splits))
	cuda.Add(l.b, "dw_dw", l.half, &d)
	l.reduce(dw, d.Partial, n, int(d.Splits))
}

// dwBlocks is how many blocks a depthwise convolution has: a thread for every four
// channels of four pixels, or of one where the stride is not 1.
func (l *lowering) dwBlocks(d cuda.DwArgs) int32 {
	per := 256 * 4 * 4
	if d.Stride > 1 {
		per = 256 * 4
	}
	return int32(max(1, min(ceilDiv(int(d.N)*int(d.H)*int(d.Width)*int(d.C), per), 64*l.b.SMs)))
}
