package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Linear is an activation, a fully connected layer. Input: x (N,1,1,In). Parameters:
// w (In,Out), b (Out). Output: (N,Out).
type Linear struct {
	Act     Activation
	In, Out int
}

func (o Linear) Name() string     { return "linear" }
func (o Linear) Norms() []Norm    { return nil }
func (o Linear) Diff(int) bool    { return true }
func (o Linear) KeepsInput() bool { return true }
func (o Linear) Params() []Param {
	return []Param{
		{Name: "weight", File: Shape{o.Out, o.In}, Shape: Shape{o.In, o.Out}, Fan: o.In},
		{Name: "bias", File: Shape{o.Out}, Shape: Shape{o.Out}, Fan: o.In},
	}
}
func (o Linear) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 1, 4); err != nil {
		return nil, err
	}
	if err := wantActivation(o, o.Act); err != nil {
		return nil, err
	}
	n := in[0][0]
	return Shape{n, o.Out}, wantShape(o, in, 0, n, 1, 1, o.In)
}

// Cost: one pixel an image is too little to count as moved.
func (o Linear) Cost(in []Shape, out Shape) Cost {
	return Cost{MulAdds: int64(out.Size()) * int64(o.In)}
}

func init() {
	register(linearHost[float32](), linearHost[float64](), device[Linear]{forward: (*lowering).linear, backward: (*lowering).linearGrad})
}

func linearHost[T cpu.Float]() host[T, Linear] {
	return host[T, Linear]{
		forward:  (*CPU[T]).linearForward,
		backward: (*CPU[T]).linearBackward,
		scratch:  linearScratch[T],
	}
}

func linearScratch[T cpu.Float](o Linear, in []Shape, _ Shape) cpu.Scratch {
	k := cpu.Linear[T]{N: in[0][0], In: o.In, Out: o.Out}
	return k.Scratch()
}

func (b *CPU[T]) linear(o Linear, c *Call) *cpu.Linear[T] {
	k := args[cpu.Linear[T]](b)
	*k = cpu.Linear[T]{N: c.InShape[0][0], In: o.In, Out: o.Out, F: o.Act, X: b.act(c, 0),
		W: b.at(c.In[1]), Bias: b.at(c.In[2]), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) linearForward(o Linear, c *Call) error {
	b.eng.LinearForward(b.linear(o, c))
	return nil
}

func (b *CPU[T]) linearBackward(o Linear, c *Call) error {
	k := b.linear(o, c)
	k.DX, k.DW, k.DBias = b.at(c.DIn[0]), b.at(c.DIn[1]), b.at(c.DIn[2])
	b.eng.LinearBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) linearArgs(o Linear, c *Call) cuda.LinearArgs {
	a := cuda.LinearArgs{X: l.act(c.In[0]), W: l.f32(c.In[1]), Bias: l.f32(c.In[2]), ReLU: l.activation(o.Act),
		N: int32(c.InShape[0][0]), In: int32(o.In), Out: int32(o.Out)}
	a.Scale, a.Shift = l.coef(c, 0)
	return a
}

func (l *lowering) linear(o Linear, c *Call) {
	a := l.linearArgs(o, c)
	a.Y, a.Blocks = l.f32(c.Out), int32(max(1, ceilDiv(c.OutShape.Size(), 8))) // a warp for every output
	cuda.Add(l.b, "linear_fwd", l.half, &a)
}

func (l *lowering) linearGrad(o Linear, c *Call) {
	a := l.linearArgs(o, c)
	a.DY, a.Bias = l.f32(c.DOut), 0
	if c.DIn[0].Len > 0 {
		dx := a
		dx.DX, dx.Blocks = l.act(c.DIn[0]), l.share(c.InShape[0].Size(), 256)
		cuda.Add(l.b, "linear_dx", l.half, &dx)
	}
	a.W = 0
	a.DW, a.DBias, a.Blocks = l.f32(c.DIn[1]), l.f32(c.DIn[2]), l.share(o.In*o.Out, 256)
	cuda.Add(l.b, "linear_dw", l.half, &a)
}
