package ops

import (
	"gorgonia.org/tensor"

	"oneshot/ops/cpu"
)

// convRows is the GEMM height of a ConvBN: pixels, or images when it flattens.
func convRows(o ConvBN, x tensor.Shape) int {
	if o.Flatten {
		return x[0]
	}
	return x[0] * x[1] * x[2]
}

// Saved: convolution output z, BN statistics.
func convBNWorkspace(o ConvBN, in []tensor.Shape, out tensor.Shape) Workspace {
	rows, x := convRows(o, in[0]), in[0].TotalSize()
	bn := cpu.BNScratch(rows, o.Cout)
	return Workspace{
		Saved:    out.TotalSize() + 2*o.Cout,
		Forward:  x + bn,
		Backward: x + out.TotalSize() + max(bn, cpu.GemmTAScratch(rows, o.Cin, o.Cout), cpu.GemmTBScratch(o.Cin, o.Cout)),
	}
}

func (b *CPU[T]) convBNForward(o ConvBN, c *Call) {
	rows := convRows(o, c.InShape[0])
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	z, stats := saved.take(rows*o.Cout), saved.take(2*o.Cout)
	x := b.relu(o.ReLU, b.at(c.In[0]), &scr)
	cpu.Gemm(b.pool, rows, o.Cin, o.Cout, x, b.at(c.In[1]), z, false)
	gamma, beta := b.affine(o.Affine, c.In, 2)
	b.bnForward(c, c.State[0], rows, o.Cout, z, gamma, beta, b.at(c.Out), stats, scr)
}

func (b *CPU[T]) convBNBackward(o ConvBN, c *Call) {
	rows := convRows(o, c.InShape[0])
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	z, stats := saved.take(rows*o.Cout), saved.take(2*o.Cout)
	x := b.relu(o.ReLU, b.at(c.In[0]), &scr)
	dz := scr.take(rows * o.Cout)
	gamma, _ := b.affine(o.Affine, c.In, 2)
	dgamma, dbeta := b.affine(o.Affine, c.DIn, 2)
	b.bnBackward(rows, o.Cout, z, b.at(c.DOut), gamma, stats, dz, dgamma, dbeta, scr)
	cpu.GemmTA(b.pool, rows, o.Cin, o.Cout, x, dz, b.at(c.DIn[1]), scr)
	dx := b.at(c.DIn[0])
	cpu.GemmTB(b.pool, rows, o.Cin, o.Cout, dz, b.at(c.In[1]), dx, scr)
	if o.ReLU {
		cpu.ReLUBackward(b.pool, x, dx, dx)
	}
}

// relu returns max(x, 0) in scratch memory, or x itself when off. ReLUBackward
// may be given either, since both are positive at the same places.
func (b *CPU[T]) relu(on bool, x []T, scr *pieces[T]) []T {
	if !on {
		return x
	}
	r := scr.take(len(x))
	cpu.ReLU(b.pool, x, r)
	return r
}

// Saved: convolution outputs z, BN statistics.
func reduceWorkspace(o FactorizedReduce, in []tensor.Shape, out tensor.Shape) Workspace {
	rows, half := out[0]*out[1]*out[2], o.Cout/2
	bn := cpu.BNScratch(rows, o.Cout)
	return Workspace{
		Saved:    out.TotalSize() + 2*o.Cout,
		Forward:  in[0].TotalSize() + rows*o.Cin + rows*half + bn,
		Backward: in[0].TotalSize() + out.TotalSize() + rows*o.Cin + rows*half + max(bn, cpu.GemmTAScratch(rows, o.Cin, half), cpu.GemmTBScratch(o.Cin, half)),
	}
}

func (b *CPU[T]) reduceForward(o FactorizedReduce, c *Call) {
	s, out := c.InShape[0], c.OutShape
	rows, half := out[0]*out[1]*out[2], o.Cout/2
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	z, stats := saved.take(rows*o.Cout), saved.take(2*o.Cout)
	x := b.relu(true, b.at(c.In[0]), &scr)
	sub, part := scr.take(rows*o.Cin), scr.take(rows*half)
	for i := range 2 {
		cpu.Subsample(b.pool, s[0], s[1], s[2], s[3], i, i, x, sub)
		cpu.Gemm(b.pool, rows, o.Cin, half, sub, b.at(c.In[1+i]), part, false)
		cpu.ConcatC(b.pool, rows, half, o.Cout, i*half, part, z)
	}
	gamma, beta := b.affine(o.Affine, c.In, 3)
	b.bnForward(c, c.State[0], rows, o.Cout, z, gamma, beta, b.at(c.Out), stats, scr)
}

func (b *CPU[T]) reduceBackward(o FactorizedReduce, c *Call) {
	s, out := c.InShape[0], c.OutShape
	rows, half := out[0]*out[1]*out[2], o.Cout/2
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	z, stats := saved.take(rows*o.Cout), saved.take(2*o.Cout)
	x := b.relu(true, b.at(c.In[0]), &scr)
	dz, sub, part := scr.take(rows*o.Cout), scr.take(rows*o.Cin), scr.take(rows*half)
	gamma, _ := b.affine(o.Affine, c.In, 3)
	dgamma, dbeta := b.affine(o.Affine, c.DIn, 3)
	b.bnBackward(rows, o.Cout, z, b.at(c.DOut), gamma, stats, dz, dgamma, dbeta, scr)
	dx := b.at(c.DIn[0])
	clear(dx)
	for i := range 2 {
		cpu.SplitC(b.pool, rows, half, o.Cout, i*half, dz, part, false)
		cpu.Subsample(b.pool, s[0], s[1], s[2], s[3], i, i, x, sub)
		cpu.GemmTA(b.pool, rows, o.Cin, half, sub, part, b.at(c.DIn[1+i]), scr)
		cpu.GemmTB(b.pool, rows, o.Cin, half, part, b.at(c.In[1+i]), sub, scr)
		cpu.SubsampleBackward(b.pool, s[0], s[1], s[2], s[3], i, i, sub, dx)
	}
	cpu.ReLUBackward(b.pool, x, dx, dx)
}

// Saved: convolution output z, BN statistics.
func stemWorkspace(o Stem, in []tensor.Shape, out tensor.Shape) Workspace {
	x := in[0]
	rows := out[0] * out[1] * out[2]
	bn := cpu.BNScratch(rows, o.Cout)
	k := cpu.StemScratch(x[0], x[1], x[2], o.Cin, o.Cout)
	return Workspace{
		Saved:    out.TotalSize() + 2*o.Cout,
		Forward:  max(bn, k),
		Backward: out.TotalSize() + max(bn, k),
	}
}

func (b *CPU[T]) stemForward(o Stem, c *Call) {
	s := c.InShape[0]
	rows := s[0] * s[1] * s[2]
	saved, scr := pieces[T](b.at(c.Saved)), b.at(c.Scratch)
	z, stats := saved.take(rows*o.Cout), saved.take(2*o.Cout)
	cpu.StemForward(b.pool, s[0], s[1], s[2], o.Cin, o.Cout, b.at(c.In[0]), b.at(c.In[1]), z, scr)
	gamma, beta := b.affine(o.Affine, c.In, 2)
	b.bnForward(c, c.State[0], rows, o.Cout, z, gamma, beta, b.at(c.Out), stats, scr)
}

func (b *CPU[T]) stemBackward(o Stem, c *Call) {
	s := c.InShape[0]
	rows := s[0] * s[1] * s[2]
	saved, scr := pieces[T](b.at(c.Saved)), pieces[T](b.at(c.Scratch))
	z, stats := saved.take(rows*o.Cout), saved.take(2*o.Cout)
	dz := scr.take(rows * o.Cout)
	gamma, _ := b.affine(o.Affine, c.In, 2)
	dgamma, dbeta := b.affine(o.Affine, c.DIn, 2)
	b.bnBackward(rows, o.Cout, z, b.at(c.DOut), gamma, stats, dz, dgamma, dbeta, scr)
	cpu.StemBackwardWeights(b.pool, s[0], s[1], s[2], o.Cin, o.Cout, b.at(c.In[0]), dz, b.at(c.DIn[1]), scr)
}
