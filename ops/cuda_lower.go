package ops

import "oneshot/ops/cuda"

// lowering turns operations into tasks of a device's plan.
type lowering struct {
	b     *cuda.Builder
	half  bool // activations are bfloat16
	train bool // a backward pass follows
	arena func(m Mem, activation bool) cuda.Addr
	base  [numRegions]cuda.Addr // of the regions other than the arena

	standards map[Mem]standardAddrs // by the weight
}

// f32 is the address of memory that holds float32.
func (l *lowering) f32(m Mem) cuda.Addr { return l.at(m, false) }

// act is the address of an activation or its gradient.
func (l *lowering) act(m Mem) cuda.Addr { return l.at(m, true) }

func (l *lowering) at(m Mem, activation bool) cuda.Addr {
	switch {
	case m.Len == 0:
		return 0
	case m.Region == Arena:
		return l.arena(m, activation)
	}
	return l.base[m.Region] + cuda.Addr(4*m.Off)
}

// actSize is the size of an activation in bytes.
func (l *lowering) actSize() int { return actSize(l.half) }

func actSize(half bool) int {
	if half {
		return 2
	}
	return 4
}

// coef are the scale and shift of an input; absent where it is not normalised.
func (l *lowering) coef(c *Call, i int) (scale, shift cuda.Addr) {
	n := c.InNorm[i]
	if n.Len == 0 {
		return 0, 0
	}
	scale = l.f32(n)
	return scale, scale + cuda.Addr(n.Len)
}

// parts are inputs 0 to n-1, with their gradients where c is a backward call.
func (l *lowering) parts(c *Call, n int) []cuda.Part {
	parts := make([]cuda.Part, n)
	for i := range parts {
		p := &parts[i]
		p.X = l.act(c.In[i])
		p.Scale, p.Shift = l.coef(c, i)
		if c.DIn != nil {
			p.DX, p.Add = l.act(c.DIn[i]), l.act(c.DAdd[i])
		}
	}
	return parts
}

// norm is batch normalisation k of an op: gamma and beta are inputs i and i+1 if
// affine, coef its 4*ch coefficients, of which it has those of channels from to
// from+n.
func (l *lowering) norm(c *Call, k int, affine bool, i int, coef cuda.Addr, from int) cuda.Norm {
	ch := c.State[k].Len / 2
	at := func(a cuda.Addr, row int) cuda.Addr { return a + cuda.Addr(4*(row*ch+from)) }
	state := l.f32(c.State[k])
	n := cuda.Norm{RunMean: at(state, 0), RunVar: at(state, 1),
		Scale: at(coef, 0), Shift: at(coef, 1), Mean: at(coef, 2), Inv: at(coef, 3)}
	if affine {
		n.Gamma, n.Beta = at(l.f32(c.In[i]), 0), at(l.f32(c.In[i+1]), 0)
	}
	return n
}

// stats makes n take the statistics of the batch, from partial sums of rowBlocks
// blocks; in evaluation they come from the running ones instead.
func (l *lowering) stats(c *Call, n *cuda.Norm, rowBlocks, ch int) {
	if c.Mode == Eval {
		cuda.Add(l.b, "norm_eval", false, &cuda.NormEvalArgs{Norm: *n, Blocks: int32(ceilDiv(ch, 256)), C: int32(ch)})
		return
	}
	n.Partial, n.Ticket = l.b.Temp(4*rowBlocks*2*ch), cuda.NeedsTicket
}

// normGrad prepares the gradient behind batch normalisation k of an op, of rows
// rows: dy is that of its normalised output, z its raw one.
func (l *lowering) normGrad(c *Call, k int, affine bool, i int, coef, dy, z cuda.Addr, rows int) cuda.Dz {
	ch := c.State[k].Len / 2
	row := cuda.Addr(4 * ch)
	d := l.b.Temp(3 * int(row))
	a := cuda.NormGradArgs{DY: dy, Z: z, Scale: coef, Mean: coef + 2*row, Inv: coef + 3*row,
		A: d, B: d + row, D: d + 2*row, Ticket: cuda.NeedsTicket, P: int32(rows), C: int32(ch)}
	if affine {
		a.DGamma, a.DBeta = l.f32(c.DIn[i]), l.f32(c.DIn[i+1])
	}
	a.Blocks = l.share(rows*ch, 4*1024)
	a.Partial = l.b.Temp(4 * int(a.Blocks) * 2 * ch)
	cuda.Add(l.b, "norm_bwd", l.half, &a)
	return cuda.Dz{DY: dy, Z: z, A: a.A, B: a.B, D: a.D, Mean: a.Mean}
}

// share is how many blocks share n elements of work, so that each has about per
// of them and there are no more than three for every multiprocessor.
func (l *lowering) share(n, per int) int32 {
	return int32(max(1, min(ceilDiv(n, per), 3*l.b.SMs)))
}

// reduce adds up the partial sums of n values over splits. It is for the gradients of
// parameters only: it comes last in its section (cuda.Builder), so nothing there may
// read its result.
func (l *lowering) reduce(out, partial cuda.Addr, n, splits int) {
	cuda.Add(l.b, "reduce", false, &cuda.ReduceArgs{Out: out, Partial: partial,
		Blocks: int32(max(1, min(ceilDiv(n, 256), 2*l.b.SMs))), N: int32(n), Splits: int32(splits)})
}

// add adds the tasks of a call of an op, forward or backward.
func (l *lowering) add(op Op, c *Call, backward bool) error {
	k := deviceOf(op)
	switch {
	case k == nil:
		return unknownOp("cuda", op)
	case backward:
		k.Backward(l, op, c)
	default:
		k.Forward(l, op, c)
	}
	return nil
}

func b32(v bool) int32 {
	if v {
		return 1
	}
	return 0
}

// sum adds up values of the same kind.
func (l *lowering) sum(dst Mem, src []Mem, activation bool) {
	const most = 4 // sources of a task
	out := l.at(dst, activation)
	for i := 0; i < len(src); {
		a := cuda.SumArgs{Dst: out, N: int32(dst.Len), Blocks: l.share(dst.Len, 2048)}
		if i > 0 {
			a.Src[0], a.NSrc = out, 1
		}
		for ; i < len(src) && a.NSrc < most; i++ {
			a.Src[a.NSrc] = l.at(src[i], activation)
			a.NSrc++
		}
		cuda.Add(l.b, "sum", l.half && activation, &a)
	}
}

// fill sets every element.
func (l *lowering) fill(m Mem, v float64, activation bool) {
	cuda.Add(l.b, "fill", l.half && activation, &cuda.FillArgs{Dst: l.at(m, activation), N: int32(m.Len), Value: float32(v), Blocks: l.share(m.Len, 4096)})
}
