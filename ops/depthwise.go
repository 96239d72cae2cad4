package ops

import (
	"fmt"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Depthwise is an activation, depthwise KxK convolution, batch normalisation: the middle
// of MobileNetV2's block (arXiv 1801.04381). The padding of K/2 on each side is zero behind
// the activation.
//
// Activation: x (N,H,W,C). Parameters: conv (K,K,C)[, gamma, beta (C)]. Output:
// (N,ceil(H/Stride),ceil(W/Stride),C).
type Depthwise struct {
	Act          Activation
	C, K, Stride int // K is 3, 5 or 7, Stride 1 or 2
	Affine       bool
	Suffix       string // of the names of convolution and normalisation, such as 1
}

func (o Depthwise) Name() string     { return fmt.Sprintf("depthwise_%dx%d", o.K, o.K) }
func (o Depthwise) Norms() []Norm    { return []Norm{{"bn" + o.Suffix, o.C}} }
func (o Depthwise) Diff(int) bool    { return true }
func (o Depthwise) KeepsInput() bool { return true }
func (o Depthwise) adds() bool       { return true }
func (o Depthwise) Params() []Param {
	return withNorm([]Param{depthwiseParam("conv"+o.Suffix+".weight", o.C, o.K)}, "bn"+o.Suffix, o.C, o.Affine)
}
func (o Depthwise) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.C)
	if err != nil {
		return nil, err
	}
	if err := wantActivation(o, o.Act); err != nil {
		return nil, err
	}
	if o.K != 3 && o.K != 5 && o.K != 7 {
		return nil, shapeErr(o, "a kernel of %dx%d, want 3x3, 5x5 or 7x7", o.K, o.K)
	}
	if o.Stride != 1 && o.Stride != 2 {
		return nil, shapeErr(o, "stride %d, want 1 or 2", o.Stride)
	}
	return Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, nil
}
func (o Depthwise) Cost(in []Shape, out Shape) Cost {
	x, y := sizes(in), out.Size()
	return Cost{MulAdds: int64(y) * int64(o.K*o.K), Moved: segment(x, x, x, y)}
}

func init() {
	register(depthwiseHost[float32](), depthwiseHost[float64](), device[Depthwise]{forward: (*lowering).depthwise, backward: (*lowering).depthwiseGrad})
}

func depthwiseHost[T cpu.Float]() host[T, Depthwise] {
	return host[T, Depthwise]{
		forward:  (*CPU[T]).depthwiseForward,
		backward: (*CPU[T]).depthwiseBackward,
		scratch:  depthwiseScratch[T],
		sums:     func(o Depthwise, _ Op) bool { return o.Act == ReLU },
	}
}

// depthwisePass is the pass without its memory.
func depthwisePass[T cpu.Float](o Depthwise, x Shape) cpu.Depthwise[T] {
	return cpu.Depthwise[T]{F: o.Act, N: x[0], H: x[1], W: x[2], C: o.C, K: o.K, Stride: o.Stride}
}

func depthwiseScratch[T cpu.Float](o Depthwise, in []Shape, _ Shape) cpu.Scratch {
	k := depthwisePass[T](o, in[0])
	return k.Scratch()
}

func (b *CPU[T]) depthwise(o Depthwise, c *Call) *cpu.Depthwise[T] {
	k := args[cpu.Depthwise[T]](b)
	*k = depthwisePass[T](o, c.InShape[0])
	k.X, k.Weights, k.Z = b.act(c, 0), b.at(c.In[1]), b.at(c.Out)
	k.Norm = b.outNorm(c, o.Affine, 2)
	return k
}

func (b *CPU[T]) depthwiseForward(o Depthwise, c *Call) error {
	b.eng.DepthwiseForward(b.depthwise(o, c))
	return nil
}

func (b *CPU[T]) depthwiseBackward(o Depthwise, c *Call) error {
	k := b.depthwise(o, c)
	k.DWeights, k.DX = b.at(c.DIn[1]), b.out(c, 0)
	b.eng.DepthwiseBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) depthwiseArgs(o Depthwise, c *Call) cuda.DwArgs {
	x, y := c.InShape[0], c.OutShape
	a := cuda.DwArgs{ReLU: l.activation(o.Act), X: l.act(c.In[0]), W: l.f32(c.In[1]), N: int32(x[0]), C: int32(o.C), K: int32(o.K), Dil: 1,
		H: int32(x[1]), Width: int32(x[2]), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
	a.Scale, a.Shift = l.coef(c, 0)
	return a
}

// raw is the raw output of a call as the input of a pass over it.
func (l *lowering) raw(c *Call) cuda.ActArgs {
	y := c.OutShape
	return cuda.ActArgs{X: l.act(c.Out), P: int32(y[0] * y[1] * y[2]), C: int32(y[3])}
}

// depthwise convolves; the statistics are those of what it wrote, which another task
// reads again.
func (l *lowering) depthwise(o Depthwise, c *Call) {
	a := l.depthwiseArgs(o, c)
	a.T, a.Blocks = l.act(c.Out), l.dwBlocks(a)
	cuda.Add(l.b, "dw_fwd", l.half, &a)
	l.normForward(c, l.raw(c), l.norm(c, 0, o.Affine, 2, l.f32(c.OutNorm), 0))
}

// depthwiseGrad writes the gradient of the raw output once: every value of it is read
// for each tap of the window, twice.
func (l *lowering) depthwiseGrad(o Depthwise, c *Call) {
	raw := l.raw(c)
	size := int(raw.P) * o.C * l.actSize()
	dz := cuda.ActArgs{P: raw.P, C: raw.C, DX: l.b.Temp(size)}
	dz.Dz = l.normGrad(c, 0, o.Affine, 2, l.f32(c.OutNorm), l.act(c.DOut), raw.X, int(raw.P))
	l.actBackward(dz)
	a := l.depthwiseArgs(o, c)
	a.DT, a.DX, a.Add = dz.DX, l.act(c.DIn[0]), l.act(c.DAdd[0])
	if a.DX != 0 {
		a.Blocks = l.dwBlocks(a)
		cuda.Add(l.b, "dw_dx", l.half, &a)
	}
	const most = 256 // of the values of a row of the window that a block takes at a time
	l.dwWeights(a, l.f32(c.DIn[1]), min(ceilDiv(o.K*ceilDiv(o.C, 4), most), 8))
}
