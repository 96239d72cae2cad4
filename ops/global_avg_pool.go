package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// GlobalAvgPool averages over the pixels: Parts tensors (N,H,W,C), side by
// side -> (N,1,1,Parts*C).
type GlobalAvgPool struct{ Parts int }

func (o GlobalAvgPool) Name() string     { return "global_avg_pool" }
func (o GlobalAvgPool) Params() []Param  { return nil }
func (o GlobalAvgPool) Norms() []Norm    { return nil }
func (o GlobalAvgPool) Diff(int) bool    { return true }
func (o GlobalAvgPool) KeepsInput() bool { return false }
func (o GlobalAvgPool) adds() bool       { return true }
func (o GlobalAvgPool) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], 1, 1, o.Parts * x[3]}, nil
}

// Cost: the last cell is read and its gradient written.
func (o GlobalAvgPool) Cost(in []Shape, _ Shape) Cost { return Cost{Moved: 2 * int64(sizes(in))} }

func init() {
	register(meanHost[float32](), meanHost[float64](), device[GlobalAvgPool]{forward: (*lowering).mean, backward: (*lowering).meanGrad})
}

func meanHost[T cpu.Float]() host[T, GlobalAvgPool] {
	return host[T, GlobalAvgPool]{
		forward:  (*CPU[T]).meanForward,
		backward: (*CPU[T]).meanBackward,
		scratch:  meanScratch[T],
	}
}

func meanScratch[T cpu.Float](_ GlobalAvgPool, in []Shape, _ Shape) cpu.Scratch {
	k := cpu.Mean[T]{C: in[0][3]}
	return k.Scratch()
}

func (b *CPU[T]) mean(o GlobalAvgPool, c *Call) *cpu.Mean[T] {
	x := c.InShape[0]
	k := args[cpu.Mean[T]](b)
	*k = cpu.Mean[T]{N: x[0], Px: x[1] * x[2], C: x[3], Parts: b.acts(c, o.Parts), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) meanForward(o GlobalAvgPool, c *Call) error {
	b.eng.MeanForward(b.mean(o, c))
	return nil
}

func (b *CPU[T]) meanBackward(o GlobalAvgPool, c *Call) error {
	k := b.mean(o, c)
	k.DParts = b.outs(c, o.Parts)
	b.eng.MeanBackward(k, b.at(c.DOut))
	return nil
}

func (l *lowering) meanArgs(o GlobalAvgPool, c *Call) cuda.MeanArgs {
	x := c.InShape[0]
	return cuda.MeanArgs{NParts: int32(o.Parts), N: int32(x[0]), HW: int32(x[1] * x[2]), C: int32(x[3])}
}

func (l *lowering) mean(o GlobalAvgPool, c *Call) {
	a := l.meanArgs(o, c)
	a.Y, a.Blocks = l.act(c.Out), l.share(o.Parts*c.InShape[0].Size(), 2048)
	cuda.Add(l.b, "mean_fwd", l.half, &a, l.parts(c, o.Parts)...)
}

func (l *lowering) meanGrad(o GlobalAvgPool, c *Call) {
	a := l.meanArgs(o, c)
	a.DY, a.Blocks = l.act(c.DOut), l.share(o.Parts*c.InShape[0].Size(), 2048)
	parts := l.parts(c, o.Parts)
	for i := range parts { // the gradient of a mean needs no activation
		parts[i].X, parts[i].Scale, parts[i].Shift = 0, 0, 0
	}
	cuda.Add(l.b, "mean_bwd", l.half, &a, parts...)
}
