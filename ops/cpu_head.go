package ops

import (
	"fmt"

	"gorgonia.org/tensor"

	"oneshot/ops/cpu"
)

func (b *CPU[T]) nodeSumForward(o NodeSum, c *Call) {
	x, y, out := b.at(c.In[0]), b.at(c.In[1]), b.at(c.Out)
	ma, mb := o.masks(c.In)
	n := c.OutShape[0]
	switch {
	case o.DropA && o.DropB:
		cpu.ScaleRowsAdd(b.pool, n, len(out)/n, x, b.at(ma), y, b.at(mb), out)
	case o.DropA:
		cpu.ScaleRowsAdd(b.pool, n, len(out)/n, x, b.at(ma), nil, nil, out)
		cpu.Add(b.pool, out, out, y)
	case o.DropB:
		cpu.ScaleRowsAdd(b.pool, n, len(out)/n, y, b.at(mb), nil, nil, out)
		cpu.Add(b.pool, out, x, out)
	default:
		cpu.Add(b.pool, out, x, y)
	}
}

func (b *CPU[T]) nodeSumBackward(o NodeSum, c *Call) {
	ma, mb := o.masks(c.In)
	dy, n := b.at(c.DOut), c.OutShape[0]
	for i, m := range []Mem{ma, mb} {
		if m.Len == 0 {
			copy(b.at(c.DIn[i]), dy)
			continue
		}
		cpu.ScaleRowsAdd(b.pool, n, len(dy)/n, dy, b.at(m), nil, nil, b.at(c.DIn[i]))
	}
}

func (b *CPU[T]) concatForward(c *Call) {
	s := c.OutShape
	off := 0
	for i, in := range c.InShape {
		cpu.ConcatC(b.pool, s[0]*s[1]*s[2], in[3], s[3], off, b.at(c.In[i]), b.at(c.Out))
		off += in[3]
	}
}

func (b *CPU[T]) concatBackward(c *Call) {
	s := c.OutShape
	off := 0
	for i, in := range c.InShape {
		cpu.SplitC(b.pool, s[0]*s[1]*s[2], in[3], s[3], off, b.at(c.DOut), b.at(c.DIn[i]), false)
		off += in[3]
	}
}

func linearWorkspace(o Linear, in []tensor.Shape) Workspace {
	n := in[0][0]
	return Workspace{
		Forward:  n * o.In,
		Backward: n*o.In + max(cpu.GemmTAScratch(n, o.In, o.Out), cpu.GemmTBScratch(o.In, o.Out), cpu.ColumnSumsScratch(n, o.Out)),
	}
}

func (b *CPU[T]) linearForward(o Linear, c *Call) {
	scr := pieces[T](b.at(c.Scratch))
	x := b.relu(o.ReLU, b.at(c.In[0]), &scr)
	n := c.InShape[0][0]
	cpu.Gemm(b.pool, n, o.In, o.Out, x, b.at(c.In[1]), b.at(c.Out), false)
	cpu.AddBias(b.pool, n, o.Out, b.at(c.Out), b.at(c.In[2]))
}

func (b *CPU[T]) linearBackward(o Linear, c *Call) {
	scr := pieces[T](b.at(c.Scratch))
	x := b.relu(o.ReLU, b.at(c.In[0]), &scr)
	n, dy, dx := c.InShape[0][0], b.at(c.DOut), b.at(c.DIn[0])
	cpu.ColumnSums(b.pool, n, o.Out, dy, b.at(c.DIn[2]), scr)
	cpu.GemmTA(b.pool, n, o.In, o.Out, x, dy, b.at(c.DIn[1]), scr)
	cpu.GemmTB(b.pool, n, o.In, o.Out, dy, b.at(c.In[1]), dx, scr)
	if o.ReLU {
		cpu.ReLUBackward(b.pool, x, dx, dx)
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
