package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// FactorizedReduce halves the resolution: ReLU, then two 1x1 convolutions of
// stride 2, the second shifted by one pixel, side by side; then batch
// normalisation (DARTS, arXiv 1806.09055, operations).
//
// Activations: Parts tensors x (N,H,W,Cin/Parts) with H and W even, side by side.
// Parameters: conv1 and conv2 (Cin,Cout/2)[, gamma, beta (Cout)]. Output:
// (N,H/2,W/2,Cout).
type FactorizedReduce struct {
	Parts, Cin, Cout int
	Affine           bool
}

func (o FactorizedReduce) Name() string     { return "factorized_reduce" }
func (o FactorizedReduce) Norms() []Norm    { return []Norm{{"bn", o.Cout}} }
func (o FactorizedReduce) Diff(int) bool    { return true }
func (o FactorizedReduce) KeepsInput() bool { return true }
func (o FactorizedReduce) adds() bool       { return true }
func (o FactorizedReduce) Params() []Param {
	half := o.Cout / 2
	return withNorm([]Param{convParam("conv1.weight", half, o.Cin, 1), convParam("conv2.weight", half, o.Cin, 1)}, "bn", o.Cout, o.Affine)
}
func (o FactorizedReduce) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	if o.Parts*x[3] != o.Cin || o.Cout%2 != 0 {
		return nil, shapeErr(o, "%d inputs of shape %v, want %d channels, and an even output width, not %d", o.Parts, x, o.Cin, o.Cout)
	}
	if x[1]%2 != 0 || x[2]%2 != 0 {
		return nil, shapeErr(o, "input 0 has shape %v: height and width must be even to be halved", x)
	}
	return Shape{x[0], x[1] / 2, x[2] / 2, o.Cout}, nil
}

// Cost: only half of the pixels are read, but all have a gradient.
func (o FactorizedReduce) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	return Cost{MulAdds: int64(out.Size()) * int64(o.Cin), Moved: segment(x/2, x/2, x, out.Size())}
}

func init() {
	register(reduceHost[float32](), reduceHost[float64](), device[FactorizedReduce]{forward: (*lowering).factorizedReduce, backward: (*lowering).factorizedReduceGrad})
}

func reduceHost[T cpu.Float]() host[T, FactorizedReduce] {
	return host[T, FactorizedReduce]{
		forward:  (*CPU[T]).reduceForward,
		backward: (*CPU[T]).reduceBackward,
		scratch:  reduceScratch[T],
	}
}

func reduceScratch[T cpu.Float](o FactorizedReduce, in []Shape, _ Shape) cpu.Scratch {
	x := in[0]
	k := cpu.Reduce[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout}
	return k.Scratch(o.Parts)
}

func (b *CPU[T]) reduce(o FactorizedReduce, c *Call) *cpu.Reduce[T] {
	x := c.InShape[0]
	k := args[cpu.Reduce[T]](b)
	*k = cpu.Reduce[T]{
		N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout, Parts: b.acts(c, o.Parts),
		Weights: [2][]T{b.at(c.In[o.Parts]), b.at(c.In[o.Parts+1])}, Z: b.at(c.Out),
		Norm: b.outNorm(c, o.Affine, o.Parts+2),
	}
	return k
}

func (b *CPU[T]) reduceForward(o FactorizedReduce, c *Call) error {
	b.eng.ReduceForward(b.reduce(o, c))
	return nil
}

func (b *CPU[T]) reduceBackward(o FactorizedReduce, c *Call) error {
	k := b.reduce(o, c)
	k.DWeights = [2][]T{b.at(c.DIn[o.Parts]), b.at(c.DIn[o.Parts+1])}
	k.DParts = b.outs(c, o.Parts)
	b.eng.ReduceBackward(k, b.at(c.DOut))
	return nil
}

// reduceArgs is the product of half i of the output channels.
func (l *lowering) reduceArgs(o FactorizedReduce, c *Call, i int) cuda.ConvArgs {
	x, y := c.InShape[0], c.OutShape
	ch := o.Cin / o.Parts
	a := dense(o.Parts, ch, ch, y[0]*y[1]*y[2], o.Cin, o.Cout/2)
	a.Ldz, a.ReLU, a.Stride, a.Off = int32(o.Cout), 1, 2, int32(i)
	a.H, a.Width, a.OH, a.OW = int32(x[1]), int32(x[2]), int32(y[1]), int32(y[2])
	a.W = l.f32(c.In[o.Parts+i])
	a.Z = l.act(c.Out) + cuda.Addr(i*o.Cout/2*l.actSize())
	return a
}

func (l *lowering) factorizedReduce(o FactorizedReduce, c *Call) {
	l.b.Together(func() {
		for i := range 2 {
			l.convForward(c, l.reduceArgs(o, c, i), l.norm(c, 0, o.Affine, o.Parts+2, l.f32(c.OutNorm), i*o.Cout/2), l.parts(c, o.Parts))
		}
	})
}

func (l *lowering) factorizedReduceGrad(o FactorizedReduce, c *Call) {
	y := c.OutShape
	d := l.normGrad(c, 0, o.Affine, o.Parts+2, l.f32(c.OutNorm), l.act(c.DOut), l.act(c.Out), y[0]*y[1]*y[2])
	// The two products reach one pixel in four each; the others get what is to be
	// added, or nothing.
	for i := range o.Parts {
		switch dx, add := c.DIn[i], c.DAdd[i]; {
		case dx.Len == 0 || add == dx:
		case add.Len > 0:
			l.sum(dx, []Mem{add}, true)
		default:
			l.fill(dx, 0, true)
		}
	}
	parts := l.parts(c, o.Parts)
	for i := range parts {
		parts[i].Add = parts[i].DX
	}
	row := cuda.Addr(4 * o.Cout / 2)
	for i := range 2 {
		a := l.reduceArgs(o, c, i)
		col := cuda.Addr(i * o.Cout / 2 * l.actSize())
		n := cuda.Addr(i) * row
		a.Dz = cuda.Dz{DY: d.DY + col, Z: d.Z + col, A: d.A + n, B: d.B + n, D: d.D + n, Mean: d.Mean + n}
		l.convBackward(a, l.f32(c.DIn[o.Parts+i]), parts)
	}
}
