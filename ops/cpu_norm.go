package ops

import "oneshot/ops/cpu"

// act is input i as the kernels read it.
func (b *CPU[T]) act(c *Call, i int) cpu.Act[T] {
	a := cpu.Act[T]{X: b.at(c.In[i])}
	if n := b.at(c.InNorm[i]); n != nil {
		ch := len(n) / NormLen(1)
		a.Scale, a.Shift = n[:ch], n[ch:2*ch]
	}
	return a
}

// acts appends inputs 0 to n-1 to a buffer of the backend.
func (b *CPU[T]) acts(c *Call, n int) []cpu.Act[T] {
	b.parts = b.parts[:0]
	for i := range n {
		b.parts = append(b.parts, b.act(c, i))
	}
	return b.parts
}

// out is where the gradient of input i goes.
func (b *CPU[T]) out(c *Call, i int) cpu.Out[T] {
	o := cpu.Out[T]{DX: b.at(c.DIn[i]), Add: b.at(c.DAdd[i])}
	if c.DInSum.Len > 0 && i == 0 {
		ch := c.DInSum.Len / 2
		o.Sums, o.Mean = b.at(c.DInSum), b.at(c.InNorm[0])[2*ch:3*ch]
	}
	return o
}

// SumsGradient says whether Backward of op writes Call.DInSum where its input is the normalised
// output of of, and nothing is added to the input's gradient.
func (b *CPU[T]) SumsGradient(op, of Op) bool {
	k := hostOf[T](op)
	return k != nil && k.Sums(op, of)
}

// outNorm is the normalisation of an op's output: gamma and beta are inputs i and i+1 if affine.
func (b *CPU[T]) outNorm(c *Call, affine bool, i int) cpu.Norm[T] {
	n := b.norm(c, 0, affine, i, b.at(c.OutNorm))
	n.Sums = b.at(c.DOutSum)
	return n
}

// outs are those of inputs 0 to n-1, in a buffer of the backend.
func (b *CPU[T]) outs(c *Call, n int) []cpu.Out[T] {
	b.dparts = b.dparts[:0]
	for i := range n {
		b.dparts = append(b.dparts, b.out(c, i))
	}
	return b.dparts
}

// norm is batch normalisation k of an op: gamma and beta are inputs i and i+1
// if affine, coef its coefficients.
func (b *CPU[T]) norm(c *Call, k int, affine bool, i int, coef []T) cpu.Norm[T] {
	ch := c.State[k].Len / 2
	run := b.at(c.State[k])
	n := cpu.Norm[T]{
		Scale: coef[:ch], Shift: coef[ch : 2*ch], Mean: coef[2*ch : 3*ch], Inv: coef[3*ch : 4*ch],
		RunMean: run[:ch], RunVar: run[ch:], Batch: c.Mode != Eval, Momentum: c.Momentum,
	}
	if affine {
		n.Gamma, n.Beta = b.at(c.In[i]), b.at(c.In[i+1])
		if c.DIn != nil {
			n.DGamma, n.DBeta = b.at(c.DIn[i]), b.at(c.DIn[i+1])
		}
	}
	return n
}
