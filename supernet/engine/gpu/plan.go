package gpu

import (
	"unsafe"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// stepPlan is a graph as a device runs it. A training step launches the sections
// gather[i], run, tally for each micro-batch i, with acc between them where there
// are several, then grad and update.
type stepPlan struct {
	plan         *cuda.Plan
	gather       []int
	run, tally   int
	acc          [3]int // first, middle, last micro-batch
	grad, update int
	kept         map[ops.Mem]cuda.Addr // virtual, of what the graph keeps
	loaded       *cuda.Loaded          // nil: it is loaded for a step only
	hold         int                   // of a path that is compared
	end          *endPlan              // of the first of several paths
}

// Compile implements engine.Trainer: it plans a training step.
func (t *Trainer) Compile(p engine.Path, beside ...engine.Path) (*engine.Graph, error) {
	if len(beside) > 0 {
		return t.compileSeveral(append([]engine.Path{p}, beside...))
	}
	g, err := p.Compile(t.back, t.c.Graph)
	if err != nil {
		return nil, err
	}
	b := cuda.NewBuilder(t.dev.cuda.SMs())
	s := &stepPlan{}
	parts := t.c.Parts()
	for i := range parts {
		if i > 0 {
			b.Section()
		}
		s.gather = append(s.gather, i)
		if t.px != nil { // else batches are uploaded
			t.gather(b, g, i)
		}
	}
	s.run = b.Section()
	l, err := t.back.Lower(b, g.Prog, ops.Train)
	if err != nil {
		return nil, err
	}
	s.tally = b.Section()
	l.Tally(g.Loss, g.Logits, g.Labels(), 1)
	if parts > 1 {
		for i := range s.acc {
			s.acc[i] = b.Section()
			l.Accumulate(g.Grads, i == 0, i == 2)
		}
	}
	s.grad = b.Section()
	partial, n := l.Squares(g.Grads)
	l.End(partial, n, parts, t.c.Clip, t.stats)
	s.update = b.Section()
	if err := l.Update(t.c.Optimizer, g.Decayed, t.c.WeightDecay); err != nil {
		return nil, err
	}
	if err := l.Update(t.c.Optimizer, g.Spared, 0); err != nil {
		return nil, err
	}
	s.plan = b.Plan()
	s.kept = map[ops.Mem]cuda.Addr{}
	for _, m := range []ops.Mem{g.Logits, g.Aux, g.Loss} {
		s.kept[m] = l.Kept(m)
	}
	g.Lowered = s
	return g, nil
}

// gather makes micro-batch i of the batch that the recipes describe.
func (t *Trainer) gather(b *cuda.Builder, g *engine.Graph, i int) {
	x := g.Images()
	cuda.Add(b, "gather", false, &cuda.GatherArgs{
		Pixels: t.px.pix, Labels: t.px.labels, Table: t.px.table,
		Recipes: t.recipesAt + cuda.Addr(i*g.Batch)*cuda.Addr(unsafe.Sizeof(data.Placed{})),
		X:       t.back.Addr(x), Y: t.back.Addr(g.Labels()),
		Blocks: int32(max(1, min((x.Len+2047)/2048, 4*b.SMs))), N: int32(g.Batch), Side: int32(t.m.Side)})
}

// runOf is what changes from launch to launch of a step.
func (t *Trainer) runOf(s engine.Step) cuda.Run {
	return cuda.Run{Control: t.control, Momentum: engine.NormMomentum, LR: float32(s.LR)}
}

// launch issues a step and asks for what it did.
func (t *Trainer) launch(st *cuda.Stream, g *engine.Graph, p *packet, s engine.Step) error {
	sp := g.Lowered.(*stepPlan)
	if err := st.Record(p.began); err != nil {
		return err
	}
	if err := t.load(st, sp); err != nil {
		return err
	}
	l, run := sp.loaded, t.runOf(s)
	if t.px != nil {
		if err := st.ToDevice(t.recipesAt, bytesOf(p.recipes)); err != nil {
			return err
		}
	}
	for i := range t.c.Parts() {
		if err := t.launchPart(st, g, p, run, i, t.px == nil); err != nil {
			return err
		}
	}
	for _, x := range []int{sp.grad, sp.update} {
		if err := st.Launch(l, x, run); err != nil {
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
	if t.c.Fixed {
		return nil
	}
	sp.loaded = nil
	return st.Release(l)
}

// load sends a plan to the device. One that serves all steps stays there, as a
// graph, which takes longer to make than a step without one.
func (t *Trainer) load(st *cuda.Stream, sp *stepPlan) error {
	if sp.loaded == nil {
		l, err := st.Load(sp.plan)
		if err != nil {
			return err
		}
		sp.loaded, t.last = l, l
		if t.c.Fixed {
			return st.Graph(l, sp.run, cuda.Run{Control: t.control, Momentum: engine.NormMomentum})
		}
	}
	return nil
}

// launchPart issues micro-batch i.
func (t *Trainer) launchPart(st *cuda.Stream, g *engine.Graph, p *packet, run cuda.Run, i int, upload bool) error {
	sp := g.Lowered.(*stepPlan)
	lo, hi := i*g.Batch, (i+1)*g.Batch
	if g.Masks > 0 {
		if err := st.ToDevice(t.back.Addr(g.AllMasks()), bytesOf(p.masks[lo*g.Masks:hi*g.Masks])); err != nil {
			return err
		}
	}
	if upload {
		if err := t.upload(st, g, p, lo, hi); err != nil {
			return err
		}
	} else if err := st.Launch(sp.loaded, sp.gather[i], run); err != nil {
		return err
	}
	sections := []int{sp.run, sp.tally}
	if parts := t.c.Parts(); parts > 1 {
		sections = append(sections, sp.acc[accOf(i, parts)])
	}
	for _, x := range sections {
		if err := st.Launch(sp.loaded, x, run); err != nil {
			return err
		}
	}
	return nil
}

// upload sends images lo to hi of a batch to the device.
func (t *Trainer) upload(st *cuda.Stream, g *engine.Graph, p *packet, lo, hi int) error {
	for _, x := range [...]struct {
		to   ops.Mem
		from []float32
		n    int // values of an image
	}{{g.Images(), p.images, g.Image}, {g.Labels(), p.labels, 1}, {g.Targets(), p.targets, g.Classes}, {g.Teacher(), p.teacher, g.Classes}} {
		if x.to.Len == 0 {
			continue
		}
		if err := st.ToDevice(t.back.Addr(x.to), bytesOf(x.from[lo*x.n:hi*x.n])); err != nil {
			return err
		}
	}
	return nil
}

// accOf is the section that adds the gradients of micro-batch i.
func accOf(i, parts int) int {
	switch i {
	case 0:
		return 0
	case parts - 1:
		return 2
	}
	return 1
}
