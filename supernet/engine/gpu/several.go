package gpu

import (
	"oneshot/ops"
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// A step on several paths launches their plans one after the other, and sections of a plan
// of its own around them. It waits for the device where a path's outputs or the losses of a pair
// decide what comes next.

// endPlan is what a step on several paths runs beside the paths.
type endPlan struct {
	plan                  *cuda.Plan
	clear, clearHeld, add int
	collect, grad, update int
	loaded                *cuda.Loaded
}

// compileSeveral plans a step on several paths.
func (t *Trainer) compileSeveral(ps []engine.Path) (*engine.Graph, error) {
	var gs []*engine.Graph
	weight := 1.0
	if t.c.Sum { // the divisor is that of the gradients then, and the loss is a mean all the same
		weight = 1 / float64(len(ps))
	}
	for k, p := range ps {
		g, err := p.Compile(t.back, t.c.Of(k))
		if err != nil {
			return nil, err
		}
		if g.Lowered, err = t.planPath(g, weight); err != nil {
			return nil, err
		}
		gs = append(gs, g)
	}
	first := engine.Several(gs)
	var err error
	first.Lowered.(*stepPlan).end, err = t.planEnd(first)
	return first, err
}

// planPath plans a path of a step: its gradients are added to the sum.
func (t *Trainer) planPath(g *engine.Graph, weight float64) (*stepPlan, error) {
	b := cuda.NewBuilder(t.dev.cuda.SMs())
	s := &stepPlan{}
	for i := range t.c.Parts() {
		if i > 0 {
			b.Section()
		}
		s.gather = append(s.gather, i)
		if t.px != nil {
			t.gather(b, g, i)
		}
	}
	s.run = b.Section()
	l, err := t.back.Lower(b, g.Prog, ops.Train)
	if err != nil {
		return nil, err
	}
	s.tally = b.Section()
	l.Tally(g.Loss, g.Logits, g.Labels(), weight)
	s.acc[1] = b.Section()
	l.Accumulate(g.Grads, false, false)
	if t.c.Rank {
		s.hold = b.Section()
		l.Weigh(ops.GradHeld, ops.Grad, g.Grads)
	}
	s.plan = b.Plan()
	s.kept = map[ops.Mem]cuda.Addr{}
	for _, m := range []ops.Mem{g.Logits, g.Aux, g.Loss} {
		s.kept[m] = l.Kept(m)
	}
	return s, nil
}

// planEnd plans what stands around the paths of a step.
func (t *Trainer) planEnd(g *engine.Graph) (*endPlan, error) {
	b, u := cuda.NewBuilder(t.dev.cuda.SMs()), g.Union
	l, err := t.back.Lower(b, &ops.Program{}, ops.Train)
	if err != nil {
		return nil, err
	}
	e := &endPlan{}
	l.Clear(ops.GradSum, u.Grads)
	if t.c.Rank {
		e.clearHeld = b.Section()
		l.Clear(ops.GradHeld, u.Grads)
		e.add = b.Section()
		l.Weigh(ops.GradSum, ops.GradHeld, u.Grads)
	}
	e.collect = b.Section()
	l.Collect(u.Grads)
	e.grad = b.Section()
	partial, n := l.Squares(u.Grads)
	l.End(partial, n, t.c.Divisor(g), t.c.Clip, t.stats)
	e.update = b.Section()
	if err := l.Update(t.c.Optimizer, u.Decayed, t.c.WeightDecay); err != nil {
		return nil, err
	}
	if err := l.Update(t.c.Optimizer, u.Spared, 0); err != nil {
		return nil, err
	}
	e.plan = b.Plan()
	return e, nil
}

// launchSeveral issues a step on several paths.
func (t *Trainer) launchSeveral(g *engine.Graph, p *packet, s engine.Step) error {
	e, run := g.Lowered.(*stepPlan).end, t.runOf(s)
	err := t.dev.cuda.Do(func(st *cuda.Stream) (err error) {
		if err := st.Record(p.began); err != nil {
			return err
		}
		if e.loaded, err = st.Load(e.plan); err != nil {
			return err
		}
		if t.px != nil {
			if err := st.ToDevice(t.recipesAt, bytesOf(p.recipes)); err != nil {
				return err
			}
		}
		return st.Launch(e.loaded, e.clear, run)
	})
	if err != nil {
		return err
	}
	var sums [3]float64 // of the losses before a pair, after its first and after its second
	for k, x := range g.Paths() {
		pair, second := s.PairAt(k)
		sign := float32(0)
		if pair >= 0 {
			sign = 1
			if second == s.Pairs[pair].First {
				sign = -1
			}
		}
		if pair >= 0 && !second {
			if sums[0], err = t.lossSum(); err != nil {
				return err
			}
			if err := e.loaded.Launch(e.clearHeld, run); err != nil {
				return err
			}
		}
		if err := t.launchPath(x, p, run, k, sign); err != nil {
			return err
		}
		if pair < 0 {
			continue
		}
		at := 1
		if second {
			at = 2
		}
		if sums[at], err = t.lossSum(); err != nil {
			return err
		}
		scale := float64(t.c.Parts())
		if t.c.Sum {
			scale /= float64(1 + len(g.Beside))
		}
		if second && s.Pairs[pair].Wrong((sums[1]-sums[0])/scale, (sums[2]-sums[1])/scale, s.Margin) {
			add := run
			add.A, add.B = float32(s.Weight), 1
			if err := e.loaded.Launch(e.add, add); err != nil {
				return err
			}
		}
	}
	return t.dev.cuda.Do(func(st *cuda.Stream) error { return t.finishSeveral(st, e, p, s, run) })
}

// lossSum waits for the losses so far.
func (t *Trainer) lossSum() (float64, error) {
	var c [1]cuda.Control
	err := t.dev.cuda.Read(bytesOf(c[:]), t.control)
	return c[0].LossSum, err
}

// finishSeveral issues the update and asks for what the step did.
func (t *Trainer) finishSeveral(st *cuda.Stream, e *endPlan, p *packet, s engine.Step, run cuda.Run) error {
	for _, x := range []int{e.collect, e.grad, e.update} {
		if err := st.Launch(e.loaded, x, run); err != nil {
			return err
		}
	}
	if t.average != nil {
		if err := st.Launch(t.average, 0, cuda.Run{Control: t.control, A: 1 - s.Decay, B: s.Decay}); err != nil {
			return err
		}
	}
	if err := st.ToHost(p.mem[:statsBytes], t.stats); err != nil {
		return err
	}
	if err := st.Record(p.done); err != nil {
		return err
	}
	l := e.loaded
	e.loaded = nil
	return st.Release(l)
}

// launchPath issues path k of a step; its gradient, sign times, is also added to what is held.
func (t *Trainer) launchPath(g *engine.Graph, p *packet, run cuda.Run, k int, sign float32) error {
	sp, parts := g.Lowered.(*stepPlan), t.c.Parts()
	l, err := t.dev.cuda.Load(sp.plan)
	if err != nil {
		return err
	}
	sp.loaded, t.last = l, l
	for i := range parts {
		lo, hi := i*g.Batch, (i+1)*g.Batch
		err := t.dev.cuda.Do(func(st *cuda.Stream) error {
			switch {
			case k > 0 && parts == 1: // the images are there
			case t.px == nil:
				if err := t.upload(st, g, p, lo, hi); err != nil {
					return err
				}
			default:
				if err := st.Launch(l, sp.gather[i], run); err != nil {
					return err
				}
			}
			if k > 0 && t.c.InPlace {
				if err := st.ToDevice(t.back.Addr(g.Targets()), bytesOf(p.targets[lo*g.Classes:hi*g.Classes])); err != nil {
					return err
				}
			}
			for _, x := range []int{sp.run, sp.tally, sp.acc[1]} {
				if err := st.Launch(l, x, run); err != nil {
					return err
				}
			}
			if sign == 0 {
				return nil
			}
			hold := run
			hold.A, hold.B = sign, 1
			return st.Launch(l, sp.hold, hold)
		})
		if err != nil {
			return err
		}
		if k == 0 && t.c.InPlace {
			if err := t.keepOutputs(l.At(sp.kept[g.Logits]), p.targets[lo*g.Classes:hi*g.Classes], g.Classes); err != nil {
				return err
			}
		}
	}
	sp.loaded = nil
	l.Release()
	return nil
}

// keepOutputs makes the targets of the other paths of the first one's outputs. Those that are no numbers show in
// the loss.
func (t *Trainer) keepOutputs(at cuda.Addr, targets []float32, classes int) error {
	logits := make([]float32, len(targets))
	if err := t.dev.cuda.Read(bytesOf(logits), at); err != nil {
		return err
	}
	for i := 0; i < len(logits); i += classes {
		engine.Softmax(targets[i:i+classes], logits[i:i+classes], 1)
	}
	return nil
}
