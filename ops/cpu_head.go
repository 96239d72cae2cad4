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

func (b *CPU[T]) linear(o Linear, c *Call) *cpu.Linear[T] {
	k := &b.linearArgs
	*k = cpu.Linear[T]{N: c.InShape[0][0], In: o.In, Out: o.Out, ReLU: o.ReLU, X: b.act(c, 0),
		W: b.at(c.In[1]), Bias: b.at(c.In[2]), Y: b.at(c.Out)}
	return k
}

func (b *CPU[T]) linearBackward(o Linear, c *Call) {
	k := b.linear(o, c)
	k.DX, k.DW, k.DBias = b.at(c.DIn[0]), b.at(c.DIn[1]), b.at(c.DIn[2])
	b.eng.LinearBackward(k, b.at(c.DOut))
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
	b.at(c.Out)[0] = b.eng.SoftmaxXent(n, k, b.at(c.In[0]), b.labels, o.Smoothing, b.at(c.Saved))
	return nil
}

func (b *CPU[T]) xentBackward(c *Call) {
	d := b.at(c.DOut)[0]
	dx := b.at(c.DIn[0])
	for i, v := range b.at(c.Saved) {
		dx[i] = d * v
	}
}
