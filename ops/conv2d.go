package ops

import (
	"fmt"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Conv2D is an activation, RxS convolution, batch normalisation. R and S are odd; the
// padding of (R-1)/2 rows and (S-1)/2 columns on each side is zero behind the
// activation. So are the stem of networks on ImageNet, two of them with stride 2
// (DARTS, arXiv 1806.09055, section 3.3), and, one behind the other, the 1x7 and the
// 7x1 convolution of NASNet (1707.07012, section 3).
//
// Activation: x (N,H,W,Cin). Parameters: conv (R,S,Cin,Cout)[, gamma, beta (Cout)].
// Output: (N,ceil(H/StrideH),ceil(W/StrideW),Cout).
type Conv2D struct {
	Act              Activation
	Cin, Cout, R, S  int
	StrideH, StrideW int
	Images           bool   // x are images, which have no gradient
	Affine           bool   // not with NoNorm
	NoNorm           bool   // no batch normalisation: the output is the convolution itself
	Suffix           string // of the names of convolution and normalisation, such as 1
}

func (o Conv2D) Name() string     { return fmt.Sprintf("conv_%dx%d", o.R, o.S) }
func (o Conv2D) Diff(int) bool    { return !o.Images }
func (o Conv2D) KeepsInput() bool { return true }
func (o Conv2D) adds() bool       { return !o.Images }
func (o Conv2D) Norms() []Norm {
	if o.NoNorm {
		return nil
	}
	return []Norm{{"bn" + o.Suffix, o.Cout}}
}
func (o Conv2D) Params() []Param {
	w := Param{Name: "conv" + o.Suffix + ".weight", File: Shape{o.Cout, o.Cin, o.R, o.S}, Shape: Shape{o.R, o.S, o.Cin, o.Cout}, Fan: o.depth()}
	return withNorm([]Param{w}, "bn"+o.Suffix, o.Cout, o.Affine && !o.NoNorm)
}
func (o Conv2D) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.Cin)
	if err != nil {
		return nil, err
	}
	if err := wantActivation(o, o.Act); err != nil {
		return nil, err
	}
	switch {
	case o.R < 1 || o.S < 1 || o.R%2 == 0 || o.S%2 == 0:
		return nil, shapeErr(o, "a kernel of %dx%d, want odd sizes", o.R, o.S)
	case o.StrideH < 1 || o.StrideW < 1:
		return nil, shapeErr(o, "strides %d and %d, want at least 1", o.StrideH, o.StrideW)
	case o.Affine && o.NoNorm:
		return nil, shapeErr(o, "affine without a normalisation")
	}
	return Shape{x[0], ceilDiv(x[1], o.StrideH), ceilDiv(x[2], o.StrideW), o.Cout}, nil
}

// Cost: without normalisation backward does not read the output.
func (o Conv2D) Cost(in []Shape, out Shape) Cost {
	x, y := sizes(in), out.Size()
	dx := x
	if o.Images {
		dx = 0
	}
	c := Cost{MulAdds: int64(y) * int64(o.depth()), Moved: segment(x, x, dx, y)}
	if o.NoNorm {
		c.Moved -= int64(y)
	}
	return c
}

// depth is how many inputs an output has.
func (o Conv2D) depth() int { return o.R * o.S * o.Cin }

func init() {
	register(conv2DHost[float32](), conv2DHost[float64](), device[Conv2D]{forward: (*lowering).conv2D, backward: (*lowering).conv2DGrad})
}

func conv2DHost[T cpu.Float]() host[T, Conv2D] {
	return host[T, Conv2D]{
		forward:  (*CPU[T]).conv2DForward,
		backward: (*CPU[T]).conv2DBackward,
		scratch:  conv2DScratch[T],
	}
}

// conv2DPass is the pass without its memory.
func conv2DPass[T cpu.Float](o Conv2D, x Shape) cpu.Conv2D[T] {
	return cpu.Conv2D[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout, R: o.R, S: o.S,
		StrideH: o.StrideH, StrideW: o.StrideW, F: o.Act, NoNorm: o.NoNorm}
}

func conv2DScratch[T cpu.Float](o Conv2D, in []Shape, _ Shape) cpu.Scratch {
	k := conv2DPass[T](o, in[0])
	return k.Scratch(!o.Images)
}

func (b *CPU[T]) conv2D(o Conv2D, c *Call) *cpu.Conv2D[T] {
	k := args[cpu.Conv2D[T]](b)
	*k = conv2DPass[T](o, c.InShape[0])
	k.X, k.Weights, k.Z = b.act(c, 0), b.at(c.In[1]), b.at(c.Out)
	if !o.NoNorm {
		k.Norm = b.outNorm(c, o.Affine, 2)
	}
	return k
}

func (b *CPU[T]) conv2DForward(o Conv2D, c *Call) error {
	b.eng.Conv2DForward(b.conv2D(o, c))
	return nil
}

func (b *CPU[T]) conv2DBackward(o Conv2D, c *Call) error {
	k := b.conv2D(o, c)
	k.DWeights = b.at(c.DIn[1])
	if !o.Images {
		k.DX = b.out(c, 0)
	}
	b.eng.Conv2DBackward(k, b.at(c.DOut))
	return nil
}

// A device convolves by a matrix product: both passes write the window of every output
// pixel as a row, and the gradient of these rows is gathered for every input pixel.

// conv2DRow is the length of a row in activations, a multiple of 8 with zeros at the
// end.
func conv2DRow(o Conv2D) int { return ceilDiv(o.depth(), 8) * 8 }

// windowArgs describes the rows of a call, at a new address.
func (l *lowering) windowArgs(o Conv2D, c *Call) cuda.WindowArgs {
	x, y := c.InShape[0], c.OutShape
	a := cuda.WindowArgs{ReLU: l.activation(o.Act), N: int32(x[0]), H: int32(x[1]), Width: int32(x[2]), C: int32(x[3]),
		R: int32(o.R), S: int32(o.S), StrideH: int32(o.StrideH), StrideW: int32(o.StrideW), OH: int32(y[1]), OW: int32(y[2]), Ld: int32(conv2DRow(o))}
	a.X = l.at(c.In[0], !o.Images)
	a.Scale, a.Shift = l.coef(c, 0)
	return a
}

// windows adds the rows of a call, and returns them with the product that takes them.
func (l *lowering) windows(o Conv2D, c *Call) (cuda.ConvArgs, cuda.Part) {
	y, ld := c.OutShape, conv2DRow(o)
	p := y[0] * y[1] * y[2]
	w := l.windowArgs(o, c)
	w.Out, w.Blocks = l.b.Temp(p*ld*l.actSize()), l.share(p*ld, 8*1024)
	kernel := "windows"
	if o.Images {
		kernel = "windows_images"
	}
	cuda.Add(l.b, kernel, l.half, &w)
	a := dense(1, ld, ld, p, o.depth(), o.Cout)
	a.W, a.Z = l.f32(c.In[1]), l.act(c.Out)
	return a, cuda.Part{X: w.Out}
}

func (l *lowering) conv2D(o Conv2D, c *Call) {
	a, rows := l.windows(o, c)
	if o.NoNorm {
		l.convPlain(a, []cuda.Part{rows})
		return
	}
	l.convForward(c, a, l.norm(c, 0, o.Affine, 2, l.f32(c.OutNorm), 0), []cuda.Part{rows})
}

func (l *lowering) conv2DGrad(o Conv2D, c *Call) {
	a, rows := l.windows(o, c)
	if o.NoNorm {
		a.Dz.DY = l.act(c.DOut)
	} else {
		a.Dz = l.normGrad(c, 0, o.Affine, 2, l.f32(c.OutNorm), l.act(c.DOut), a.Z, int(a.P))
	}
	if !o.Images {
		rows.DX = l.b.Temp(int(a.P) * conv2DRow(o) * l.actSize())
	}
	l.convBackward(a, l.f32(c.DIn[1]), []cuda.Part{rows})
	if o.Images {
		return
	}
	w := l.windowArgs(o, c)
	w.DOut, w.DX, w.Add = rows.DX, l.act(c.DIn[0]), l.act(c.DAdd[0])
	w.Blocks = l.share(c.InShape[0].Size(), 2*1024)
	cuda.Add(l.b, "windows_dx", l.half, &w)
}
