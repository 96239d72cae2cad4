package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// ReLUAvgPool is ReLU, then average pooling KxK without padding, as at the
// start of the auxiliary head.
//
// Activations: Parts tensors x (N,H,W,C), side by side. Output:
// (N,(H-K)/Stride+1,(W-K)/Stride+1,Parts*C).
type ReLUAvgPool struct{ Parts, K, Stride int }

func (o ReLUAvgPool) Name() string     { return "relu_avg_pool" }
func (o ReLUAvgPool) Params() []Param  { return nil }
func (o ReLUAvgPool) Norms() []Norm    { return nil }
func (o ReLUAvgPool) Diff(int) bool    { return true }
func (o ReLUAvgPool) KeepsInput() bool { return true }
func (o ReLUAvgPool) adds() bool       { return true }
func (o ReLUAvgPool) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	if x[1] < o.K || x[2] < o.K {
		return nil, shapeErr(o, "input 0 has shape %v, smaller than the %dx%d window", x, o.K, o.K)
	}
	return Shape{x[0], (x[1]-o.K)/o.Stride + 1, (x[2]-o.K)/o.Stride + 1, o.Parts * x[3]}, nil
}

// Cost: nothing is counted of the auxiliary head.
func (o ReLUAvgPool) Cost([]Shape, Shape) Cost { return Cost{} }

func init() {
	register(reluPoolHost[float32](), reluPoolHost[float64](), device[ReLUAvgPool]{forward: (*lowering).reluPool, backward: (*lowering).reluPoolGrad})
}

func reluPoolHost[T cpu.Float]() host[T, ReLUAvgPool] {
	return host[T, ReLUAvgPool]{
		forward:  (*CPU[T]).reluPoolForward,
		backward: (*CPU[T]).reluPoolBackward,
		scratch:  reluPoolScratch,
	}
}

func reluPoolScratch(_ ReLUAvgPool, in []Shape, _ Shape) cpu.Scratch {
	return cpu.Scratch{Worker: in[0][3]}
}

func (b *CPU[T]) reluPool(o ReLUAvgPool, c *Call) *cpu.ReLUPool[T] {
	x := c.InShape[0]
	k := args[cpu.ReLUPool[T]](b)
	*k = cpu.ReLUPool[T]{N: x[0], H: x[1], W: x[2], C: x[3], K: o.K, Stride: o.Stride,
		Parts: b.acts(c, o.Parts), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) reluPoolForward(o ReLUAvgPool, c *Call) error {
	b.eng.ReLUPoolForward(b.reluPool(o, c))
	return nil
}

func (b *CPU[T]) reluPoolBackward(o ReLUAvgPool, c *Call) error {
	k := b.reluPool(o, c)
	k.DParts = b.outs(c, o.Parts)
	b.eng.ReLUPoolBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) reluPoolArgs(o ReLUAvgPool, c *Call) cuda.ReLUPoolArgs {
	x, y := c.InShape[0], c.OutShape
	return cuda.ReLUPoolArgs{NParts: int32(o.Parts), N: int32(x[0]), H: int32(x[1]), Width: int32(x[2]), C: int32(x[3]),
		K: int32(o.K), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
}

func (l *lowering) reluPool(o ReLUAvgPool, c *Call) {
	a := l.reluPoolArgs(o, c)
	a.Y, a.Blocks = l.act(c.Out), l.share(c.OutShape.Size(), 256)
	cuda.Add(l.b, "relu_pool_fwd", l.half, &a, l.parts(c, o.Parts)...)
}

func (l *lowering) reluPoolGrad(o ReLUAvgPool, c *Call) {
	a := l.reluPoolArgs(o, c)
	a.DY, a.Blocks = l.act(c.DOut), l.share(o.Parts*c.InShape[0].Size(), 2048)
	cuda.Add(l.b, "relu_pool_bwd", l.half, &a, l.parts(c, o.Parts)...)
}
