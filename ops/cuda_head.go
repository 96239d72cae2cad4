package ops

import "oneshot/ops/cuda"

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

func (l *lowering) linearArgs(o Linear, c *Call) cuda.LinearArgs {
	a := cuda.LinearArgs{X: l.act(c.In[0]), W: l.f32(c.In[1]), Bias: l.f32(c.In[2]), ReLU: b32(o.ReLU),
		N: int32(c.InShape[0][0]), In: int32(o.In), Out: int32(o.Out)}
	a.Scale, a.Shift = l.coef(c, 0)
	return a
}

func (l *lowering) linear(o Linear, c *Call) {
	a := l.linearArgs(o, c)
	a.Y, a.Blocks = l.f32(c.Out), int32(max(1, ceilDiv(c.OutShape.Size(), 8))) // a warp for every output
	cuda.Add(l.b, "linear_fwd", l.half, &a)
}

func (l *lowering) linearGrad(o Linear, c *Call) {
	a := l.linearArgs(o, c)
	a.DY, a.Bias = l.f32(c.DOut), 0
	if c.DIn[0].Len > 0 {
		dx := a
		dx.DX, dx.Blocks = l.act(c.DIn[0]), l.share(c.InShape[0].Size(), 256)
		cuda.Add(l.b, "linear_dx", l.half, &dx)
	}
	a.W = 0
	a.DW, a.DBias, a.Blocks = l.f32(c.DIn[1]), l.f32(c.DIn[2]), l.share(o.In*o.Out, 256)
	cuda.Add(l.b, "linear_dw", l.half, &a)
}

func (l *lowering) xent(o SoftmaxXent, c *Call) {
	cuda.Add(l.b, "xent_fwd", false, &cuda.XentArgs{Logits: l.f32(c.In[0]), Labels: l.f32(c.In[1]), Loss: l.f32(c.Out), DLogits: l.f32(c.Saved),
		Blocks: 1, N: int32(c.InShape[0][0]), K: int32(c.InShape[0][1]), Smoothing: float32(o.Smoothing)})
}

func (l *lowering) xentGrad(c *Call) {
	cuda.Add(l.b, "xent_bwd", false, &cuda.XentArgs{DLogits: l.f32(c.Saved), DLoss: l.f32(c.DOut), DX: l.f32(c.DIn[0]),
		Blocks: 1, N: int32(c.InShape[0][0]), K: int32(c.InShape[0][1])})
}
