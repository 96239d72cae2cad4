package ops

import (
	"oneshot/ops/cpu"
)

// separableSaved is the room for the raw output of the first stage of two and
// its coefficients. The second stage's are the op's output.
func separableSaved(o Separable, out Shape) int {
	return (o.Stages - 1) * (out.Size() + NormLen(o.C))
}

// sepStage describes a stage: the first reads the op's input, the second the
// first's output.
func (b *CPU[T]) sepStage(o Separable, c *Call, s int) *cpu.SepStage[T] {
	at := 1 + s*(2+normParams(o.Affine))
	x, y := c.InShape[0], c.OutShape
	k := &b.sepArgs[s]
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
	if c.DIn != nil {
		k.DDW, k.DPW = b.at(c.DIn[at]), b.at(c.DIn[at+1])
	}
	return k
}

func (b *CPU[T]) separableForward(o Separable, c *Call) {
	for s := range o.Stages {
		b.eng.SepForward(b.sepStage(o, c, s))
	}
}

func (b *CPU[T]) separableBackward(o Separable, c *Call) {
	first := b.sepStage(o, c, 0)
	dy := b.at(c.DOut)
	if o.Stages > 1 {
		d := b.scratch(len(first.Z))
		b.eng.SepBackward(b.sepStage(o, c, 1), dy, cpu.Out[T]{DX: d}, false, &first.Norm)
		dy = d
	}
	b.eng.SepBackward(first, dy, b.out(c, 0), o.Stages > 1, nil)
}
