package ops

import (
	"gorgonia.org/tensor"

	"oneshot/ops/cpu"
)

// sepStage is the geometry of one stage of a Separable.
func sepStage(o Separable, x tensor.Shape, stage int) cpu.DW {
	d := cpu.DW{N: x[0], H: x[1], W: x[2], C: o.C, K: o.K, Stride: o.Stride, Pad: o.pad(), Dil: o.Dil}
	if stage > 0 {
		d.H, d.W, d.Stride = ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), 1
	}
	return d
}

// Saved, for each stage: depthwise output t, pointwise output z, BN statistics.
func separableWorkspace(o Separable, in []tensor.Shape, out tensor.Shape) Workspace {
	n, x := out.TotalSize(), in[0].TotalSize()
	rows := n / o.C
	bn := cpu.BNScratch(rows, o.C)
	dw := cpu.DepthwiseScratch(sepStage(o, in[0], 0))
	if o.Stages > 1 {
		dw = max(dw, cpu.DepthwiseScratch(sepStage(o, in[0], 1)))
	}
	return Workspace{
		Saved:    o.Stages * (2*n + 2*o.C),
		Forward:  x + bn,
		Backward: 3*max(x, n) + max(bn, dw, cpu.GemmTAScratch(rows, o.C, o.C), cpu.GemmTBScratch(o.C, o.C)),
	}
}

func (b *CPU[T]) separableForward(o Separable, c *Call) {
	n := c.OutShape.TotalSize()
	rows, per := n/o.C, 2+bnInputs(o.Affine)
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	r := scr.take(c.InShape[0].TotalSize())
	x := b.at(c.In[0])
	for s := range o.Stages {
		w := c.In[1+s*per:]
		t, z, stats := saved.take(n), saved.take(n), saved.take(2*o.C)
		r := r[:len(x)]
		cpu.ReLU(b.pool, x, r)
		cpu.DepthwiseForward(b.pool, sepStage(o, c.InShape[0], s), r, b.at(w[0]), t)
		cpu.Gemm(b.pool, rows, o.C, o.C, t, b.at(w[1]), z, false)
		y := b.at(c.Out)
		if s+1 < o.Stages {
			y = r[:n]
		}
		gamma, beta := b.affine(o.Affine, w, 2)
		b.bnForward(c, c.State[s], rows, o.C, z, gamma, beta, y, stats, scr)
		x = y
	}
}

func (b *CPU[T]) separableBackward(o Separable, c *Call) {
	n := c.OutShape.TotalSize()
	rows, per := n/o.C, 2+bnInputs(o.Affine)
	scr := pieces[T](b.at(c.Scratch))
	m := max(n, c.InShape[0].TotalSize())
	r, dz, dt := scr.take(m), scr.take(m), scr.take(m)
	saved := make([]pieces[T], o.Stages)
	all := pieces[T](b.at(c.Saved))
	for s := range saved {
		saved[s] = all.take(2*n + 2*o.C)
	}
	dy := b.at(c.DOut)
	for s := o.Stages - 1; s >= 0; s-- {
		w, dw := c.In[1+s*per:], c.DIn[1+s*per:]
		p := saved[s]
		t, z, stats := p.take(n), p.take(n), p.take(2*o.C)
		gamma, _ := b.affine(o.Affine, w, 2)
		dgamma, dbeta := b.affine(o.Affine, dw, 2)
		dz := dz[:n]
		b.bnBackward(rows, o.C, z, dy, gamma, stats, dz, dgamma, dbeta, scr)
		cpu.GemmTA(b.pool, rows, o.C, o.C, t, dz, b.at(dw[1]), scr)
		dt := dt[:n]
		cpu.GemmTB(b.pool, rows, o.C, o.C, dz, b.at(w[1]), dt, scr)
		x := b.stageInput(o, c, s, saved, r)
		g := sepStage(o, c.InShape[0], s)
		cpu.DepthwiseBackwardWeights(b.pool, g, x, dt, b.at(dw[0]), scr)
		dx := b.at(c.DIn[0])
		if s > 0 {
			dx = dz[:n] // dz is used up; its place takes the next dy
		}
		cpu.DepthwiseBackwardData(b.pool, g, dt, b.at(w[0]), dx)
		cpu.ReLUBackward(b.pool, x, dx, dx)
		dy = dx
	}
}

// stageInput recomputes what entered the depthwise convolution of a stage:
// ReLU of the op's input, or of the previous stage's normalised output.
func (b *CPU[T]) stageInput(o Separable, c *Call, s int, saved []pieces[T], r []T) []T {
	if s == 0 {
		x := b.at(c.In[0])
		cpu.ReLU(b.pool, x, r[:len(x)])
		return r[:len(x)]
	}
	n := c.OutShape.TotalSize()
	p := saved[s-1]
	_, z, stats := p.take(n), p.take(n), p.take(2*o.C)
	gamma, beta := b.affine(o.Affine, c.In, 1+(s-1)*(2+bnInputs(o.Affine))+2)
	r = r[:n]
	cpu.BNApply(b.pool, n/o.C, o.C, z, stats[:o.C], stats[o.C:], gamma, beta, r, o.C)
	cpu.ReLU(b.pool, r, r)
	return r
}
