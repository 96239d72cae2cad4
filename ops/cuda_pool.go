package ops

import "oneshot/ops/cuda"

func (l *lowering) poolArgs(o PoolBN, c *Call) cuda.PoolArgs {
	x, y := c.InShape[0], c.OutShape
	a := cuda.PoolArgs{X: l.act(c.In[0]), Z: l.act(c.Out), Max: b32(o.Max), N: int32(x[0]), H: int32(x[1]), W2: int32(x[2]),
		C: int32(o.C), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
	a.Scale, a.Shift = l.coef(c, 0)
	if o.Max {
		a.Tap = l.f32(c.Saved)
	}
	a.Blocks = l.share(y.Size(), 2*1024)
	return a
}

func (l *lowering) pool(o PoolBN, c *Call) {
	a := l.poolArgs(o, c)
	n := l.norm(c, 0, o.Affine, 1, l.f32(c.OutNorm), 0)
	l.stats(c, &n, int(a.Blocks), o.C)
	if c.Mode != Eval {
		a.Norm = n
	}
	cuda.Add(l.b, "pool_fwd", l.half, &a)
}

func (l *lowering) poolGrad(o PoolBN, c *Call) {
	y := c.OutShape
	a := l.poolArgs(o, c)
	a.Dz = l.normGrad(c, 0, o.Affine, 1, l.f32(c.OutNorm), l.act(c.DOut), a.Z, y[0]*y[1]*y[2])
	if c.DIn[0].Len == 0 {
		return
	}
	a.X, a.Scale, a.Shift, a.Z = 0, 0, 0, 0
	a.DX, a.Add = l.act(c.DIn[0]), l.act(c.DAdd[0])
	a.Blocks = int32(max(1, ceilDiv(c.InShape[0].Size(), 256*4)))
	cuda.Add(l.b, "pool_bwd", l.half, &a)
}

func (l *lowering) reluPoolArgs(o ReLUAvgPool, c *Call) cuda.ReLUPoolArgs {
	x, y := c.InShape[0], c.OutShape
	return cuda.ReLUPoolArgs{NParts: int32(o.Parts), N: int32(x[0]), H: int32(x[1]), W2: int32(x[2]), C: int32(x[3]),
		K: int32(o.K), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
}

func (l *lowering) reluPool(o ReLUAvgPool, c *Call) {
	a := l.reluPoolArgs(o, c)
	a.Y, a.Blocks = l.act(c.Out), l.share(c.OutShape.Size(), 256)
	cuda.Add(l.b, "relu_pool_fwd", l.half, &a, l.parts(c, o.Parts)...)
}

func (l *lowering) reluPoolGrad(o ReLUAvgPool, c *Call) {
	a := l.reluPoolArgs(o, c)
	a.DY, a.Blocks = l.act(c.DOut), l.share(o.Parts*c.InShape[0].Size(), 2048)
	cuda.Add(l.b, "relu_pool_bwd", l.half, &a, l.parts(c, o.Parts)...)
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
