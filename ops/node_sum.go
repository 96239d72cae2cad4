package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// NodeSum adds the two results of a cell's node. With DropA or DropB that
// operand is first multiplied, image by image, by a drop-path mask: 0 or
// 1/(1-p) (FractalNet, arXiv 1605.07648, section 3.1).
//
// Activations: a, b (N,H,W,C)[, maskA (N)][, maskB (N)]; masks have no gradient.
// Output: (N,H,W,C).
type NodeSum struct{ DropA, DropB bool }

func (o NodeSum) Name() string     { return "node_sum" }
func (o NodeSum) Params() []Param  { return nil }
func (o NodeSum) Norms() []Norm    { return nil }
func (o NodeSum) Diff(i int) bool  { return i < 2 }
func (o NodeSum) KeepsInput() bool { return false }

// passes says that without a drop-path mask the gradient of an operand is that
// of the sum itself, which needs no copy.
func (o NodeSum) passes(i int) bool { return i == 0 && !o.DropA || i == 1 && !o.DropB }
func (o NodeSum) Shape(in []Shape) (Shape, error) {
	n := 2
	for _, d := range []bool{o.DropA, o.DropB} {
		if d {
			n++
		}
	}
	if err := wantInputs(o, in, n, 4); err != nil {
		return nil, err
	}
	if !in[0].Eq(in[1]) {
		return nil, shapeErr(o, "input 1 has shape %v, input 0 has %v", in[1], in[0])
	}
	for i := 2; i < n; i++ {
		if err := wantShape(o, in, i, in[0][0]); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

// Cost: both terms are read and their sum written; its gradient is that of both.
func (o NodeSum) Cost(_ []Shape, out Shape) Cost { return Cost{Moved: 3 * int64(out.Size())} }

// masks returns the drop-path inputs of a and b, absent ones with Len 0.
func (o NodeSum) masks(in []Mem) (a, b Mem) {
	i := 2
	if o.DropA {
		a = in[i]
		i++
	}
	if o.DropB {
		b = in[i]
	}
	return a, b
}

// WithDrop implements Dropper.
func (o NodeSum) WithDrop(drop []bool) Op { return NodeSum{DropA: drop[0], DropB: drop[1]} }

func init() {
	register(nodeSumHost[float32](), nodeSumHost[float64](), device[NodeSum]{forward: (*lowering).nodeSum, backward: (*lowering).nodeSumGrad})
}

func nodeSumHost[T cpu.Float]() host[T, NodeSum] {
	return host[T, NodeSum]{
		forward:  (*CPU[T]).nodeSumForward,
		backward: (*CPU[T]).nodeSumBackward,
		scratch:  nodeSumScratch[T],
	}
}

func nodeSumScratch[T cpu.Float](o NodeSum, in []Shape, _ Shape) cpu.Scratch {
	k := cpu.Node[T]{C: in[0][3]}
	if !o.DropA && !o.DropB {
		return cpu.Scratch{}
	}
	return k.Scratch()
}

func (b *CPU[T]) nodeSumForward(o NodeSum, c *Call) error {
	x := c.InShape[0]
	ma, mb := o.masks(c.In)
	k := args[cpu.Node[T]](b)
	*k = cpu.Node[T]{N: x[0], Px: x[1] * x[2], C: x[3], A: b.act(c, 0), B: b.act(c, 1),
		MaskA: b.at(ma), MaskB: b.at(mb), Y: b.at(c.Out)}
	b.eng.NodeForward(k)
	return nil
}

// nodeSumBackward writes the gradients that are asked for: without a mask the
// executor passes that of the output on.
func (b *CPU[T]) nodeSumBackward(o NodeSum, c *Call) error {
	ma, mb := o.masks(c.In)
	dy, n := b.at(c.DOut), c.OutShape[0]
	for i, m := range []Mem{ma, mb} {
		switch d := b.at(c.DIn[i]); {
		case d == nil:
		case m.Len == 0:
			copy(d, dy)
		default:
			b.eng.MaskImages(n, len(dy)/n, dy, b.at(m), d)
		}
	}
	return nil
}

func (l *lowering) nodeSum(o NodeSum, c *Call) {
	x := c.InShape[0]
	ma, mb := o.masks(c.In)
	a := cuda.NodeArgs{A: l.act(c.In[0]), B: l.act(c.In[1]), MaskA: l.f32(ma), MaskB: l.f32(mb), Y: l.act(c.Out),
		N: int32(x[0]), HW: int32(x[1] * x[2]), C: int32(x[3])}
	a.ScaleA, a.ShiftA = l.coef(c, 0)
	a.ScaleB, a.ShiftB = l.coef(c, 1)
	a.Blocks = int32(max(1, ceilDiv(x.Size(), 256*16)))
	cuda.Add(l.b, "node_fwd", l.half, &a)
}

// nodeSumGrad writes the gradients that are asked for: without a mask the executor
// passes that of the output on.
func (l *lowering) nodeSumGrad(o NodeSum, c *Call) {
	x := c.InShape[0]
	ma, mb := o.masks(c.In)
	for i, m := range []Mem{ma, mb} {
		if c.DIn[i].Len == 0 {
			continue
		}
		cuda.Add(l.b, "mask_images", l.half, &cuda.NodeArgs{A: l.act(c.DOut), MaskA: l.f32(m), Y: l.act(c.DIn[i]),
			N: int32(x[0]), HW: int32(x[1] * x[2]), C: int32(x[3]), Blocks: int32(max(1, ceilDiv(x.Size(), 256*16)))})
	}
}
