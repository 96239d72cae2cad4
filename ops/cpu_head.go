package ops

import (
	"fmt"

	"oneshot/ops/cpu"
)

func (b *CPU[T]) nodeSumForward(o NodeSum, c *Call) {
	x := c.InShape[0]
	ma, mb := o.masks(c.In)
	k := &b.nodeArgs
	*k = cpu.Node[T]{N: x[0], Px: x[1] * x[2], C: x[3], A: b.act(c, 0), B: b.act(c, 1),
		MaskA: b.at(ma), MaskB: b.at(mb), Y: b.at(c.Out)}
	b.eng.NodeForward(k)
}

// nodeSumBackward writes the gradients that are asked for: without a mask the
// executor passes that of the output on.
func (b *CPU[T]) nodeSumBackward(o NodeSum, c *Call) {
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
}

// linearInput is the input as the layer sees it: normalised, and through ReLU.
func (b *CPU[T]) linearInput(o Linear, c *Call) []T {
	x := b.act(c, 0)
	if !o.ReLU && x.Scale == nil {
		return x.X
	}
	y := b.scratch(len(x.X) + o.In*o.Out)[:len(x.X)]
	b.eng.Affine(o.In, y, x, o.ReLU)
	return y
}

func (b *CPU[T]) linearForward(o Linear, c *Call) {
	x, n := b.linearInput(o, c), c.InShape[0][0]
	cpu.Gemm(b.pool, n, o.In, o.Out, x, b.at(c.In[1]), b.at(c.Out), false)
	cpu.AddBias(b.pool, n, o.Out, b.at(c.Out), b.at(c.In[2]))
}

func (b *CPU[T]) linearBackward(o Linear, c *Call) {
	x, n := b.linearInput(o, c), c.InShape[0][0]
	dy, dx := b.at(c.DOut), b.at(c.DIn[0])
	size := max(cpu.GemmTAScratch(n, o.In, o.Out), cpu.GemmTBScratch(o.In, o.Out), cpu.ColumnSumsScratch(n, o.Out))
	scr := b.scratch(len(x) + size)[len(x):] // x may be the part before
	cpu.ColumnSums(b.pool, n, o.Out, dy, b.at(c.DIn[2]), scr)
	cpu.GemmTA(b.pool, n, o.In, o.Out, x, dy, b.at(c.DIn[1]), scr)
	cpu.GemmTB(b.pool, n, o.In, o.Out, dy, b.at(c.In[1]), dx, scr)
	if o.ReLU {
		b.eng.ReLUMask(dx, x)
	}
}

// Saved: the gradient of the logits for a loss gradient of 1.
func (b *CPU[T]) xentForward(o SoftmaxXent, c *Call) error {
	n, k := c.InShape[0][0], c.InShape[0][1]
	b.labels = b.labels[:0]
	for i, v := range b.at(c.In[1]) {
		l := int32(v)
		if l < 0 || int(l) >= k || T(l) != v {
			return fmt.Errorf("ops: label %v of image %d is not in [0,%d)", v, i, k)
		}
		b.labels = append(b.labels, l)
	}
	b.at(c.Out)[0] = cpu.SoftmaxXent(b.pool, n, k, b.at(c.In[0]), b.labels, o.Smoothing, b.at(c.Saved))
	return nil
}

func (b *CPU[T]) xentBackward(c *Call) {
	d := b.at(c.DOut)[0]
	dx := b.at(c.DIn[0])
	for i, v := range b.at(c.Saved) {
		dx[i] = d * v
	}
}
