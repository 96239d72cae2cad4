package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// ActBN is an activation, then batch normalisation: the last one of NAS-Bench-201
// (arXiv 2001.00326). With NoNorm the output is the activated value itself, for readers
// that need it as it is.
//
// Activation: x (N,H,W,C). Parameters: [gamma, beta (C)]. Output: (N,H,W,C).
type ActBN struct {
	Act    Activation
	C      int
	Affine bool   // not with NoNorm
	NoNorm bool   // no batch normalisation
	Suffix string // of the name of the normalisation, such as 1
}

func (o ActBN) Name() string {
	switch {
	case o.NoNorm:
		return o.Act.String()
	case o.Act == Identity:
		return "bn"
	}
	return o.Act.String() + "_bn"
}
func (o ActBN) Params() []Param { return withNorm(nil, "bn"+o.Suffix, o.C, o.Affine && !o.NoNorm) }
func (o ActBN) Norms() []Norm {
	if o.NoNorm {
		return nil
	}
	return []Norm{{"bn" + o.Suffix, o.C}}
}
func (o ActBN) Diff(int) bool    { return true }
func (o ActBN) KeepsInput() bool { return o.Act != Identity }
func (o ActBN) adds() bool       { return true }
func (o ActBN) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.C)
	if err != nil {
		return nil, err
	}
	if err := wantActivation(o, o.Act); err != nil {
		return nil, err
	}
	if o.Affine && o.NoNorm {
		return nil, shapeErr(o, "affine without a normalisation")
	}
	return x.Clone(), nil
}

// Cost: an activation reads x again for its derivative; without normalisation backward does
// not read the output.
func (o ActBN) Cost(in []Shape, out Shape) Cost {
	x, again := sizes(in), 0
	if o.KeepsInput() {
		again = x
	}
	c := Cost{Moved: segment(x, again, x, out.Size())}
	if o.NoNorm {
		c.Moved -= int64(out.Size())
	}
	return c
}

func init() {
	register(actBNHost[float32](), actBNHost[float64](), device[ActBN]{forward: (*lowering).actBN, backward: (*lowering).actBNGrad})
}

func actBNHost[T cpu.Float]() host[T, ActBN] {
	return host[T, ActBN]{
		forward:  (*CPU[T]).actBNForward,
		backward: (*CPU[T]).actBNBackward,
		scratch:  actBNScratch[T],
	}
}

func actBNScratch[T cpu.Float](o ActBN, in []Shape, _ Shape) cpu.Scratch {
	x := in[0]
	k := cpu.ActNorm[T]{F: o.Act, NoNorm: o.NoNorm, N: x[0], Px: x[1] * x[2], C: o.C}
	return k.Scratch()
}

func (b *CPU[T]) actBN(o ActBN, c *Call) *cpu.ActNorm[T] {
	x := c.InShape[0]
	k := args[cpu.ActNorm[T]](b)
	*k = cpu.ActNorm[T]{F: o.Act, NoNorm: o.NoNorm, N: x[0], Px: x[1] * x[2], C: o.C, X: b.act(c, 0), Z: b.at(c.Out)}
	if !o.NoNorm {
		k.Norm = b.outNorm(c, o.Affine, 1)
	}
	return k
}

func (b *CPU[T]) actBNForward(o ActBN, c *Call) error {
	b.eng.ActNormForward(b.actBN(o, c))
	return nil
}

func (b *CPU[T]) actBNBackward(o ActBN, c *Call) error {
	k := b.actBN(o, c)
	k.DX = b.out(c, 0)
	b.eng.ActNormBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) actArgs(o ActBN, c *Call) cuda.ActArgs {
	x := c.InShape[0]
	a := cuda.ActArgs{ReLU: l.activation(o.Act), P: int32(x[0] * x[1] * x[2]), C: int32(o.C)}
	if c.DIn == nil || o.KeepsInput() {
		a.X = l.act(c.In[0])
		a.Scale, a.Shift = l.coef(c, 0)
	}
	return a
}

func (l *lowering) actBN(o ActBN, c *Call) {
	a := l.actArgs(o, c)
	a.Z = l.act(c.Out)
	if o.NoNorm {
		l.actForward(a)
		return
	}
	l.normForward(c, a, l.norm(c, 0, o.Affine, 1, l.f32(c.OutNorm), 0))
}

// normForward adds a pass that a normalisation follows.
func (l *lowering) normForward(c *Call, a cuda.ActArgs, n cuda.Norm) {
	a.Blocks = l.share(int(a.P*a.C), 4*1024)
	l.stats(c, &n, int(a.Blocks), int(a.C))
	if c.Mode != Eval {
		a.Norm = n
	} else if a.Z == 0 {
		return // the statistics are there
	}
	cuda.Add(l.b, "act_fwd", l.half, &a)
}

func (l *lowering) actForward(a cuda.ActArgs) {
	a.Blocks = l.share(int(a.P*a.C), 4*1024)
	cuda.Add(l.b, "act_fwd", l.half, &a)
}

func (l *lowering) actBNGrad(o ActBN, c *Call) {
	a := l.actArgs(o, c)
	if o.NoNorm {
		a.Dz.DY = l.act(c.DOut)
	} else {
		a.Dz = l.normGrad(c, 0, o.Affine, 1, l.f32(c.OutNorm), l.act(c.DOut), l.act(c.Out), int(a.P))
	}
	if c.DIn[0].Len == 0 {
		return
	}
	a.DX, a.Add = l.act(c.DIn[0]), l.act(c.DAdd[0])
	l.actBackward(a)
}

// actBackward adds the gradient of an activation's input.
func (l *lowering) actBackward(a cuda.ActArgs) {
	kernel := "act_bwd"
	if a.Dz.A == 0 {
		kernel = "act_nonorm_bwd"
	}
	a.Blocks = int32(max(1, ceilDiv(int(a.P)*int(a.C), 256*16)))
	cuda.Add(l.b, kernel, l.half, &a)
}
