package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Stem is a 3x3 convolution with padding 1, then batch normalisation.
//
// Activation: images x (N,H,W,Cin), which have no gradient. Parameters: conv
// (3,3,Cin,Cout)[, gamma, beta (Cout)]. Output: (N,H,W,Cout).
type Stem struct {
	Cin, Cout int
	Affine    bool
}

func (o Stem) Name() string     { return "stem" }
func (o Stem) Norms() []Norm    { return []Norm{{"bn", o.Cout}} }
func (o Stem) Diff(int) bool    { return false }
func (o Stem) KeepsInput() bool { return true }
func (o Stem) Params() []Param {
	return withNorm([]Param{convParam("conv.weight", o.Cout, o.Cin, 3)}, "bn", o.Cout, o.Affine)
}
func (o Stem) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.Cin)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], x[1], x[2], o.Cout}, nil
}
func (o Stem) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	return Cost{MulAdds: int64(out.Size()) * int64(9*o.Cin), Moved: segment(x, x, 0, out.Size())}
}

func init() {
	register(stemHost[float32](), stemHost[float64](), device[Stem]{forward: (*lowering).stem, backward: (*lowering).stemGrad, saved: stemSaved})
}

func stemHost[T cpu.Float]() host[T, Stem] {
	return host[T, Stem]{
		forward:  (*CPU[T]).stemForward,
		backward: (*CPU[T]).stemBackward,
		scratch:  stemScratch[T],
	}
}

func stemScratch[T cpu.Float](o Stem, in []Shape, _ Shape) cpu.Scratch {
	x := in[0]
	k := cpu.Stem[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout}
	return k.Scratch()
}

func (b *CPU[T]) stem(o Stem, c *Call) *cpu.Stem[T] {
	x := c.InShape[0]
	k := args[cpu.Stem[T]](b)
	*k = cpu.Stem[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout, X: b.at(c.In[0]),
		Weights: b.at(c.In[1]), Z: b.at(c.Out), Norm: b.outNorm(c, o.Affine, 2)}
	return k
}

func (b *CPU[T]) stemForward(o Stem, c *Call) error {
	b.eng.StemForward(b.stem(o, c))
	return nil
}

func (b *CPU[T]) stemBackward(o Stem, c *Call) error {
	k := b.stem(o, c)
	k.DWeights = b.at(c.DIn[1])
	b.eng.StemBackward(k, b.at(c.DOut))
	return nil
}

// A device convolves by a matrix product: forward writes the 3x3 neighbourhood of
// every pixel as a row, and saves this matrix for backward.

// stemRow is the length of a row in activations: the 9*Cin of the neighbourhood, and
// zeros up to a multiple of 8.
func stemRow(o Stem) int { return ceilDiv(9*o.Cin, 8) * 8 }

// stemSaved is the size of the matrix (N*H*W, stemRow) in bytes, for activations of
// act bytes.
func stemSaved(o Stem, in []Shape, _ Shape, act int) int {
	x := in[0]
	return x[0] * x[1] * x[2] * stemRow(o) * act
}

func (l *lowering) stemArgs(o Stem, c *Call) cuda.ConvArgs {
	x := c.InShape[0]
	ld := stemRow(o)
	a := dense(1, ld, ld, x[0]*x[1]*x[2], 9*o.Cin, o.Cout)
	a.W, a.Z = l.f32(c.In[1]), l.act(c.Out)
	return a
}

func (l *lowering) stem(o Stem, c *Call) {
	x := c.InShape[0]
	a := l.stemArgs(o, c)
	m := l.f32(c.Saved)
	cuda.Add(l.b, "im2col", l.half, &cuda.Im2colArgs{X: l.f32(c.In[0]), Out: m, Blocks: l.share(int(a.P)*stemRow(o), 8*1024),
		N: int32(x[0]), H: int32(x[1]), Width: int32(x[2]), C: int32(x[3]), Ld: int32(stemRow(o))})
	l.convForward(c, a, l.norm(c, 0, o.Affine, 2, l.f32(c.OutNorm), 0), []cuda.Part{{X: m}})
}

func (l *lowering) stemGrad(o Stem, c *Call) {
	a := l.stemArgs(o, c)
	a.Dz = l.normGrad(c, 0, o.Affine, 2, l.f32(c.OutNorm), l.act(c.DOut), a.Z, int(a.P))
	l.convBackward(a, l.f32(c.DIn[1]), []cuda.Part{{X: l.f32(c.Saved)}})
}
