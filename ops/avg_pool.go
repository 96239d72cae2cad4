package ops

import (
	"fmt"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// AvgPool is an activation, then the average over windows of KxK pixels without padding,
// which has no normalisation. With ReLU it begins the auxiliary head; with K the side of
// the image it is ReLU and the global average of MobileNetV2 (arXiv 1801.04381); without
// activation, 2x2 and stride 2 it halves the shortcut of NAS-Bench-201's residual block
// (2001.00326).
//
// Activations: Parts tensors x (N,H,W,C), side by side. Output:
// (N,(H-K)/Stride+1,(W-K)/Stride+1,Parts*C).
type AvgPool struct {
	Act              Activation
	Parts, K, Stride int
}

func (o AvgPool) Name() string {
	if o.Act == Identity {
		return fmt.Sprintf("avg_pool_%dx%d", o.K, o.K)
	}
	return fmt.Sprintf("%v_avg_pool_%dx%d", o.Act, o.K, o.K)
}
func (o AvgPool) Params() []Param  { return nil }
func (o AvgPool) Norms() []Norm    { return nil }
func (o AvgPool) Diff(int) bool    { return true }
func (o AvgPool) KeepsInput() bool { return o.Act != Identity }
func (o AvgPool) adds() bool       { return true }
func (o AvgPool) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	if err := wantActivation(o, o.Act); err != nil {
		return nil, err
	}
	if o.K < 1 || o.Stride < 1 {
		return nil, shapeErr(o, "a %dx%d window with stride %d, want at least 1", o.K, o.K, o.Stride)
	}
	if x[1] < o.K || x[2] < o.K {
		return nil, shapeErr(o, "input 0 has shape %v, smaller than the %dx%d window", x, o.K, o.K)
	}
	return Shape{x[0], (x[1]-o.K)/o.Stride + 1, (x[2]-o.K)/o.Stride + 1, o.Parts * x[3]}, nil
}

// Cost: x is read and the average written; then the average's gradient is read, x again
// for an activation's derivative, and the gradient of x written.
func (o AvgPool) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	again := 0
	if o.KeepsInput() {
		again = x
	}
	return Cost{Moved: int64(x + again + x + 2*out.Size())}
}

func init() {
	register(avgPoolHost[float32](), avgPoolHost[float64](), device[AvgPool]{forward: (*lowering).avgPool, backward: (*lowering).avgPoolGrad})
}

func avgPoolHost[T cpu.Float]() host[T, AvgPool] {
	return host[T, AvgPool]{
		forward:  (*CPU[T]).avgPoolForward,
		backward: (*CPU[T]).avgPoolBackward,
		scratch:  avgPoolScratch[T],
	}
}

func avgPoolScratch[T cpu.Float](o AvgPool, in []Shape, _ Shape) cpu.Scratch {
	x := in[0]
	k := cpu.AvgPool[T]{H: x[1], W: x[2], C: x[3], K: o.K, Stride: o.Stride}
	return k.Scratch()
}

func (b *CPU[T]) avgPool(o AvgPool, c *Call) *cpu.AvgPool[T] {
	x := c.InShape[0]
	k := args[cpu.AvgPool[T]](b)
	*k = cpu.AvgPool[T]{F: o.Act, N: x[0], H: x[1], W: x[2], C: x[3], K: o.K, Stride: o.Stride,
		Parts: b.acts(c, o.Parts), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) avgPoolForward(o AvgPool, c *Call) error {
	b.eng.AvgPoolForward(b.avgPool(o, c))
	return nil
}

func (b *CPU[T]) avgPoolBackward(o AvgPool, c *Call) error {
	k := b.avgPool(o, c)
	k.DParts = b.outs(c, o.Parts)
	b.eng.AvgPoolBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) avgPoolArgs(o AvgPool, c *Call) cuda.AvgPoolArgs {
	x, y := c.InShape[0], c.OutShape
	return cuda.AvgPoolArgs{ReLU: l.activation(o.Act), NParts: int32(o.Parts), N: int32(x[0]), H: int32(x[1]), Width: int32(x[2]), C: int32(x[3]),
		K: int32(o.K), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
}

func (l *lowering) avgPool(o AvgPool, c *Call) {
	a := l.avgPoolArgs(o, c)
	a.Y, a.Blocks = l.act(c.Out), l.share(c.OutShape.Size(), 256)
	cuda.Add(l.b, "avg_pool_fwd", l.half, &a, l.parts(c, o.Parts)...)
}

func (l *lowering) avgPoolGrad(o AvgPool, c *Call) {
	a := l.avgPoolArgs(o, c)
	a.DY, a.Blocks = l.act(c.DOut), l.share(o.Parts*c.InShape[0].Size(), 2048)
	parts := l.parts(c, o.Parts)
	if !o.KeepsInput() {
		for i := range parts {
			parts[i].X, parts[i].Scale, parts[i].Shift = 0, 0, 0
		}
	}
	cuda.Add(l.b, "avg_pool_bwd", l.half, &a, parts...)
}
