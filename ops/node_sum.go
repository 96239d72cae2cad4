package ops

import (
	"math/bits"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// NodeSum adds the results of a cell's node, or of a block and its residual. A term in
// Drop is first multiplied, image by image, by a drop-path mask: 0 or 1/(1-p)
// (FractalNet, arXiv 1605.07648, section 3.1).
//
// Activations: the terms (N,H,W,C), then a mask (N) for each term in Drop, in their order;
// masks have no gradient. Output: (N,H,W,C).
type NodeSum struct {
	Terms int   // from 2 to MaxTerms; 0: 2
	Drop  uint8 // bit i: term i has a mask
}

// MaxTerms is the most terms of a NodeSum.
const MaxTerms = 8

func (o NodeSum) Name() string     { return "node_sum" }
func (o NodeSum) Params() []Param  { return nil }
func (o NodeSum) Norms() []Norm    { return nil }
func (o NodeSum) Diff(i int) bool  { return i < o.terms() }
func (o NodeSum) KeepsInput() bool { return false }

// passes says that without a drop-path mask the gradient of a term is that of the sum
// itself, which needs no copy.
func (o NodeSum) passes(i int) bool { return o.Diff(i) && !o.drops(i) }

func (o NodeSum) terms() int {
	if o.Terms == 0 {
		return 2
	}
	return o.Terms
}

func (o NodeSum) drops(i int) bool { return o.Drop>>i&1 == 1 }

func (o NodeSum) Shape(in []Shape) (Shape, error) {
	n := o.terms()
	if n < 2 || n > MaxTerms {
		return nil, shapeErr(o, "%d terms, want 2 to %d", n, MaxTerms)
	}
	if o.Drop>>n != 0 {
		return nil, shapeErr(o, "a mask for a term behind the %d there are", n)
	}
	if err := wantInputs(o, in, n+bits.OnesCount8(o.Drop), 4); err != nil {
		return nil, err
	}
	for i := 1; i < n; i++ {
		if !in[i].Eq(in[0]) {
			return nil, shapeErr(o, "input %d has shape %v, input 0 has %v", i, in[i], in[0])
		}
	}
	for i := n; i < len(in); i++ {
		if err := wantShape(o, in, i, in[0][0]); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

// Cost: the terms are read and their sum written; its gradient is that of all.
func (o NodeSum) Cost(_ []Shape, out Shape) Cost {
	return Cost{Moved: int64(o.terms()+1) * int64(out.Size())}
}

// mask returns the drop-path input of term i, Len 0 where there is none.
func (o NodeSum) mask(in []Mem, i int) Mem {
	if !o.drops(i) {
		return Mem{}
	}
	return in[o.terms()+bits.OnesCount8(o.Drop&(1<<i-1))]
}

// WithDrop implements Dropper.
func (o NodeSum) WithDrop(drop []bool) Op {
	o.Drop = 0
	for i, d := range drop {
		if d {
			o.Drop |= 1 << i
		}
	}
	return o
}

// WithTerms implements Adder. The sum of two is that of the zero value, so that equal sums
// are equal values.
func (o NodeSum) WithTerms(n int) Op {
	if n == 2 {
		n = 0
	}
	return NodeSum{Terms: n}
}

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
	return k.Scratch(o.terms(), o.Drop != 0)
}

func (b *CPU[T]) nodeSumForward(o NodeSum, c *Call) error {
	x := c.InShape[0]
	k := args[cpu.Node[T]](b)
	*k = cpu.Node[T]{N: x[0], Px: x[1] * x[2], C: x[3], Terms: b.acts(c, o.terms()), Y: b.at(c.Out)}
	for i := range o.terms() {
		k.Masks[i] = b.at(o.mask(c.In, i))
	}
	b.eng.NodeForward(k)
	return nil
}

// nodeSumBackward writes the gradients that are asked for: without a mask the
// executor passes that of the output on.
func (b *CPU[T]) nodeSumBackward(o NodeSum, c *Call) error {
	dy, n := b.at(c.DOut), c.OutShape[0]
	for i := range o.terms() {
		switch d, m := b.at(c.DIn[i]), o.mask(c.In, i); {
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
	blocks := int32(max(1, ceilDiv(x.Size(), 256*16)))
	if o.terms() > 2 {
		a := cuda.NodesArgs{Y: l.act(c.Out), Blocks: blocks, NParts: int32(o.terms()), N: int32(x[0]), HW: int32(x[1] * x[2]), C: int32(x[3])}
		for i := range o.terms() {
			a.Masks[i] = l.f32(o.mask(c.In, i))
		}
		cuda.Add(l.b, "nodes_fwd", l.half, &a, l.parts(c, o.terms())...)
		return
	}
	a := cuda.NodeArgs{A: l.act(c.In[0]), B: l.act(c.In[1]), MaskA: l.f32(o.mask(c.In, 0)), MaskB: l.f32(o.mask(c.In, 1)), Y: l.act(c.Out),
		Blocks: blocks, N: int32(x[0]), HW: int32(x[1] * x[2]), C: int32(x[3])}
	a.ScaleA, a.ShiftA = l.coef(c, 0)
	a.ScaleB, a.ShiftB = l.coef(c, 1)
	cuda.Add(l.b, "node_fwd", l.half, &a)
}

// nodeSumGrad writes the gradients that are asked for: without a mask the executor
// passes that of the output on.
func (l *lowering) nodeSumGrad(o NodeSum, c *Call) {
	x := c.InShape[0]
	for i := range o.terms() {
		if c.DIn[i].Len == 0 {
			continue
		}
		cuda.Add(l.b, "mask_images", l.half, &cuda.NodeArgs{A: l.act(c.DOut), MaskA: l.f32(o.mask(c.In, i)), Y: l.act(c.DIn[i]),
			N: int32(x[0]), HW: int32(x[1] * x[2]), C: int32(x[3]), Blocks: int32(max(1, ceilDiv(x.Size(), 256*16)))})
	}
}
