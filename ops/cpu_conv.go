package ops

import "oneshot/ops/cpu"

func (b *CPU[T]) conv(o ConvBN, c *Call) *cpu.Conv[T] {
	x := c.InShape[0]
	k := &b.convArgs
	*k = cpu.Conv[T]{
		N: x[0], Px: x[1] * x[2], Cin: o.Cin, Cout: o.Cout, ReLU: o.ReLU,
		Parts: b.acts(c, o.Parts), W: b.at(c.In[o.Parts]), Z: b.at(c.Out),
		Norm: b.norm(c, 0, o.Affine, o.Parts+1, b.at(c.OutNorm)),
	}
	if o.Flatten > 0 {
		k.Px, k.Spread = 1, x[3]
	}
	return k
}

func (b *CPU[T]) convBackward(o ConvBN, c *Call) {
	k := b.conv(o, c)
	k.DW, k.DParts = b.at(c.DIn[o.Parts]), b.outs(c, o.Parts)
	b.eng.ConvBackward(k, b.at(c.DOut))
}

func (b *CPU[T]) reduce(o FactorizedReduce, c *Call) *cpu.Reduce[T] {
	x := c.InShape[0]
	k := &b.reduceArgs
	*k = cpu.Reduce[T]{
		N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout, Parts: b.acts(c, o.Parts),
		Weights: [2][]T{b.at(c.In[o.Parts]), b.at(c.In[o.Parts+1])}, Z: b.at(c.Out),
		Norm: b.norm(c, 0, o.Affine, o.Parts+2, b.at(c.OutNorm)),
	}
	return k
}

func (b *CPU[T]) reduceBackward(o FactorizedReduce, c *Call) {
	k := b.reduce(o, c)
	k.DWeights = [2][]T{b.at(c.DIn[o.Parts]), b.at(c.DIn[o.Parts+1])}
	k.DParts = b.outs(c, o.Parts)
	b.eng.ReduceBackward(k, b.at(c.DOut))
}

func (b *CPU[T]) stem(o Stem, c *Call) *cpu.Stem[T] {
	x := c.InShape[0]
	k := &b.stemArgs
	*k = cpu.Stem[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout, X: b.at(c.In[0]),
		Weights: b.at(c.In[1]), Z: b.at(c.Out), Norm: b.norm(c, 0, o.Affine, 2, b.at(c.OutNorm))}
	return k
}

func (b *CPU[T]) stemBackward(o Stem, c *Call) {
	k := b.stem(o, c)
	k.DWeights = b.at(c.DIn[1])
	b.eng.StemBackward(k, b.at(c.DOut))
}
