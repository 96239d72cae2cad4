package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// ConvBN is an activation, 1x1 convolution, batch normalisation. With NoNorm the output is
// the product itself, as behind the second convolution of the auxiliary head of DARTS'
// networks for ImageNet (arXiv 1806.09055).
//
// Activations: Parts tensors x (N,H,W,Cin/Parts), side by side. Parameters:
// conv (Cin,Cout)[, gamma (Cout), beta (Cout)]. Output: (N,H,W,Cout).
//
// With Flatten the whole image is one pixel: x (N,F,F,C) with F = Flatten and
// F*F*C = Cin, output (N,1,1,Cout). This is a convolution whose kernel covers its
// input, as in the auxiliary head, and torch's file has it as (Cout,C,F,F).
type ConvBN struct {
	Act              Activation
	Flatten          int // side of the image; 0: off
	Parts, Cin, Cout int
	Affine           bool   // not with NoNorm
	Suffix           string // of the names of convolution and normalisation, such as 1
	Standard         bool   // the weights are standardised, see standard.go; not with Flatten
	NoNorm           bool   // no batch normalisation
}

func (o ConvBN) Name() string {
	if o.NoNorm {
		return "relu_conv"
	}
	return "relu_conv_bn"
}
func (o ConvBN) Norms() []Norm {
	if o.NoNorm {
		return nil
	}
	return []Norm{{"bn" + o.Suffix, o.Cout}}
}
func (o ConvBN) Diff(int) bool    { return true }
func (o ConvBN) KeepsInput() bool { return true }
func (o ConvBN) adds() bool       { return true }
func (o ConvBN) Params() []Param {
	w := convParam("conv"+o.Suffix+".weight", o.Cout, o.Cin, 1)
	if f := o.Flatten; f > 0 {
		w.File = Shape{o.Cout, o.Cin / (f * f), f, f}
	}
	return withNorm([]Param{w}, "bn"+o.Suffix, o.Cout, o.Affine && !o.NoNorm)
}
func (o ConvBN) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	if err := wantActivation(o, o.Act); err != nil {
		return nil, err
	}
	if o.Affine && o.NoNorm {
		return nil, shapeErr(o, "affine without a normalisation")
	}
	c, out := o.Parts*x[3], Shape{x[0], x[1], x[2], o.Cout}
	if f := o.Flatten; f > 0 {
		if o.Standard {
			return nil, shapeErr(o, "the weights of a kernel that covers the image are not standardised")
		}
		if o.Parts != 1 || x[1] != f || x[2] != f {
			return nil, shapeErr(o, "%d inputs of shape %v, want one image of %dx%d pixels", o.Parts, x, f, f)
		}
		c, out = f*f*x[3], Shape{x[0], 1, 1, o.Cout}
	}
	if c != o.Cin {
		return nil, shapeErr(o, "%d inputs of shape %v, want %d channels", o.Parts, x, o.Cin)
	}
	return out, nil
}

// Cost: without normalisation backward does not read the output.
func (o ConvBN) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	c := Cost{MulAdds: int64(out.Size()) * int64(o.Cin), Moved: segment(x, x, x, out.Size())}
	if o.NoNorm {
		c.Moved -= int64(out.Size())
	}
	return c
}

func init() {
	register(convHost[float32](), convHost[float64](), device[ConvBN]{forward: (*lowering).conv, backward: (*lowering).convGrad})
}

func convHost[T cpu.Float]() host[T, ConvBN] {
	return host[T, ConvBN]{
		forward:  (*CPU[T]).convForward,
		backward: (*CPU[T]).convBackward,
		saved:    convSaved,
		scratch:  convScratch[T],
		sums:     convSums,
	}
}

// convSums: only behind a depthwise convolution, whose channels are many. In cells it would change the order of
// sums, and so the bytes of every run.
func convSums(o ConvBN, of Op) bool {
	_, ok := of.(Depthwise)
	return ok && o.Act == ReLU && o.Parts == 1 && o.Flatten == 0
}

// convSaved is the room for standardised weights.
func convSaved(o ConvBN, _ []Shape, _ Shape) int {
	if !o.Standard {
		return 0
	}
	return standardLen(o.Cin, o.Cout)
}

func (o ConvBN) standard() standardWeight {
	return standardWeight{input: o.Parts, cin: o.Cin, cout: o.Cout}
}

func convScratch[T cpu.Float](o ConvBN, in []Shape, _ Shape) cpu.Scratch {
	x := in[0]
	k := cpu.Conv[T]{N: x[0], Px: x[1] * x[2], Cin: o.Cin, Cout: o.Cout, NoNorm: o.NoNorm}
	if o.Flatten > 0 {
		k.Px = 1
	}
	return withStandard(o.Standard, k.Scratch(o.Parts), o.Cout)
}

func (b *CPU[T]) conv(o ConvBN, c *Call) *cpu.Conv[T] {
	x := c.InShape[0]
	k := args[cpu.Conv[T]](b)
	*k = cpu.Conv[T]{
		N: x[0], Px: x[1] * x[2], Cin: o.Cin, Cout: o.Cout, F: o.Act, NoNorm: o.NoNorm,
		Parts: b.acts(c, o.Parts), W: b.at(c.In[o.Parts]), Z: b.at(c.Out),
	}
	if !o.NoNorm {
		k.Norm = b.outNorm(c, o.Affine, o.Parts+1)
	}
	if o.Standard {
		k.W, _ = b.standardSaved(o.standard(), c)
	}
	if o.Flatten > 0 {
		k.Px, k.Spread = 1, x[3]
	}
	return k
}

func (b *CPU[T]) convForward(o ConvBN, c *Call) error {
	if o.Standard {
		b.standardise(o.standard(), c)
	}
	b.eng.ConvForward(b.conv(o, c))
	return nil
}

func (b *CPU[T]) convBackward(o ConvBN, c *Call) error {
	k := b.conv(o, c)
	k.DW, k.DParts = b.at(c.DIn[o.Parts]), b.outs(c, o.Parts)
	b.eng.ConvBackward(k, b.at(c.DOut))
	if o.Standard {
		b.standardiseGrad(o.standard(), c)
	}
	return nil
}

func (l *lowering) convArgs(o ConvBN, c *Call) cuda.ConvArgs {
	x := c.InShape[0]
	ch := o.Cin / o.Parts
	a := dense(o.Parts, ch, ch, x[0]*x[1]*x[2], o.Cin, o.Cout)
	if o.Flatten > 0 {
		a = dense(1, o.Cin, x[3], x[0], o.Cin, o.Cout)
	}
	a.ReLU, a.W, a.Z = l.activation(o.Act), l.f32(c.In[o.Parts]), l.act(c.Out)
	if o.Standard {
		a.W = l.standard(o.standard(), c).u
	}
	return a
}

func (l *lowering) conv(o ConvBN, c *Call) {
	a := l.convArgs(o, c)
	if o.NoNorm {
		l.convPlain(a, l.parts(c, o.Parts))
		return
	}
	l.convForward(c, a, l.norm(c, 0, o.Affine, o.Parts+1, l.f32(c.OutNorm), 0), l.parts(c, o.Parts))
}

func (l *lowering) convGrad(o ConvBN, c *Call) {
	a := l.convArgs(o, c)
	if o.NoNorm {
		a.Dz.DY = l.act(c.DOut)
	} else {
		a.Dz = l.normGrad(c, 0, o.Affine, o.Parts+1, l.f32(c.OutNorm), l.act(c.DOut), a.Z, int(a.P))
	}
	if !o.Standard {
		l.convBackward(a, l.f32(c.DIn[o.Parts]), l.parts(c, o.Parts))
		return
	}
	partial, splits := l.convGrads(a, l.parts(c, o.Parts))
	l.standardGrad(o.standard(), c, partial, splits)
}
