package ops

import (
	"fmt"
	"math"
	"slices"

	"oneshot/ops/cuda"
)

// Lowered is a Program among the tasks of a builder.
type Lowered struct {
	low  *lowering
	kept map[Mem]cuda.Addr
}

// Lower adds the tasks of a program in a mode of batch normalisation to bld. The
// regions must have their final size.
func (b *CUDA) Lower(bld *cuda.Builder, p *Program, mode Mode) (*Lowered, error) {
	l := &lowering{b: bld, half: b.half}
	for r := range b.mem {
		l.base[r] = b.mem[r].at
	}
	for i := range p.Instrs {
		l.train = l.train || p.Instrs[i].Kind == Backward
	}
	out := &Lowered{low: l, kept: map[Mem]cuda.Addr{}}
	keep := map[Mem]bool{}
	for _, m := range p.Kept {
		keep[m] = true
	}
	type place struct {
		at         cuda.Addr
		activation bool
	}
	places := map[int]place{}
	l.arena = func(m Mem, activation bool) cuda.Addr {
		pl, ok := places[m.Off]
		if !ok {
			n := 4 * m.Len
			if activation {
				n = m.Len * l.actSize()
			}
			pl = place{activation: activation}
			if keep[m] {
				pl.at = bld.Keep(n)
				out.kept[m] = pl.at
			} else {
				pl.at = bld.Temp(n)
			}
			places[m.Off] = pl
		}
		if pl.activation != activation {
			panic("ops: a value is read as another type than it was written")
		}
		return pl.at
	}
	for i := range p.Instrs {
		in := &p.Instrs[i]
		c := in.Call
		c.Mode = mode
		if err := indexable(in, c.InShape, c.OutShape); err != nil {
			return nil, err
		}
		var err error
		switch in.Kind {
		case Forward:
			c.DIn, c.DAdd = nil, nil
			err = l.add(in.Op, &c, false)
		case Backward:
			err = l.add(in.Op, &c, true)
		case Sum:
			l.sum(c.Out, c.In, c.In[0].Region == Arena && places[c.In[0].Off].activation)
		case Fill:
			l.fill(c.Out, 1, false)
		}
		if err != nil {
			return nil, fmt.Errorf("ops: instruction %d: %w", i, err)
		}
	}
	return out, nil
}

// indexable wants tensors that the kernels' 32-bit indices reach.
func indexable(in *Instr, shapes []Shape, out Shape) error {
	if in.Kind == Sum || in.Kind == Fill {
		return nil // of the shapes of others
	}
	for _, s := range append(slices.Clone(shapes), out) {
		if s.Size() > math.MaxInt32 {
			return fmt.Errorf("ops: %s: a tensor of shape %v has more than %d values: a smaller batch or micro-batch is needed on a GPU", in.Op.Name(), s, math.MaxInt32)
		}
	}
	return nil
}

// Kept is the virtual address of a kept value, see Program.Kept.
func (l *Lowered) Kept(m Mem) cuda.Addr { return l.kept[m] }

// Tally adds a section that counts a batch in the device's Control: loss, times
// weight, and images classified right.
func (l *Lowered) Tally(loss, logits, labels Mem, weight float64) {
	n := labels.Len
	cuda.Add(l.low.b, "tally", false, &cuda.TallyArgs{Loss: l.kept[loss], Logits: l.kept[logits], Labels: l.low.f32(labels),
		Blocks: 1, N: int32(n), K: int32(logits.Len / n), Weight: float32(weight)})
}

// Accumulate adds the sum of the gradients grads to that of the micro-batches
// before, as Trainer's accumulate does on the processor: the first only copies,
// the last leaves the sum where the gradients are.
func (l *Lowered) Accumulate(grads []Mem, first, last bool) {
	for _, g := range grads {
		sum := g
		sum.Region = GradSum
		switch {
		case first:
			l.low.sum(sum, []Mem{g}, false)
		case last:
			l.low.sum(g, []Mem{g, sum}, false)
		default:
			l.low.sum(sum, []Mem{sum, g}, false)
		}
	}
}

// Clear sets the pieces of a region that lie where the gradients do to 0.
func (l *Lowered) Clear(r Region, grads []Mem) {
	for _, g := range grads {
		g.Region = r
		l.low.fill(g, 0, false)
	}
}

// Weigh makes of such pieces cuda.Run's B times themselves and A times those of another region.
func (l *Lowered) Weigh(to, from Region, grads []Mem) {
	for _, g := range grads {
		x, y := g, g
		x.Region, y.Region = from, to
		cuda.Add(l.low.b, "axpby", false, &cuda.AxpbyArgs{X: l.low.f32(x), Y: l.low.f32(y), Blocks: l.low.share(g.Len, 2048), N: int32(g.Len)})
	}
}

// Collect copies the sums of the gradients to where those are.
func (l *Lowered) Collect(grads []Mem) {
	for _, g := range grads {
		sum := g
		sum.Region = GradSum
		l.low.sum(g, []Mem{sum}, false)
	}
}

// Squares adds the squares of the gradients to a buffer and returns it with the
// number of partial sums in it.
func (l *Lowered) Squares(grads []Mem) (partial cuda.Addr, n int) {
	for _, g := range grads {
		n += int(squareBlocks(g.Len))
	}
	partial = l.low.b.Temp(8 * max(1, n))
	l.low.squares(grads, partial)
	return partial, n
}

// End adds the end of a step's gradient, see cuda.EndArgs.
func (l *Lowered) End(partial cuda.Addr, n, parts int, clip float64, stats cuda.Addr) {
	cuda.Add(l.low.b, "end", false, &cuda.EndArgs{Partial: partial, Stats: stats, Blocks: 1, NPartial: int32(n), Parts: int32(parts), Clip: float32(clip)})
}

// Count adds the cross-entropy of a batch, without smoothing, and its sum and the
// images classified right to the device's Control.
func (l *Lowered) Count(logits, labels Mem) {
	n := labels.Len
	loss := l.low.b.Temp(4)
	cuda.Add(l.low.b, "xent_fwd", false, &cuda.XentArgs{Logits: l.kept[logits], Labels: l.low.f32(labels), Loss: loss,
		Blocks: 1, N: int32(n), K: int32(logits.Len / n)})
	cuda.Add(l.low.b, "tally", false, &cuda.TallyArgs{Loss: loss, Logits: l.kept[logits], Labels: l.low.f32(labels),
		Blocks: 1, N: int32(n), K: int32(logits.Len / n), Weight: float32(n)})
}
