package supernet

import (
	"unsafe"

	"oneshot/ops"
	"oneshot/ops/cuda"
)

// stepPlan is a graph as a device runs it. A training step launches the sections
// gather[i], run, tally for each micro-batch i, with acc between them where there
// are several, then grad and sgd.
type stepPlan struct {
	plan                *cuda.Plan
	gather              []int
	run, tally          int
	acc                 [3]int // first, middle, last micro-batch
	grad, sgd           int
	logits, aux, lossAt cuda.Addr // virtual
	loaded              *cuda.Loaded
}

// lower plans the training step of g.
func (t *gpuTrainer) lower(g *graph) error {
	b := cuda.NewBuilder(t.dev.eng.SMs())
	s := &stepPlan{}
	parts := t.t.parts()
	for i := range parts {
		if i > 0 {
			b.Section()
		}
		s.gather = append(s.gather, i)
		if t.px == nil {
			continue // batches are uploaded
		}
		image := g.images()
		cuda.Add(b, "gather", false, &cuda.GatherArgs{
			Pixels: t.px.pix, Labels: t.px.labels, Table: t.px.table,
			Recipes: t.recipesAt + cuda.Addr(i*g.batch)*cuda.Addr(unsafe.Sizeof(cuda.Recipe{})),
			X:       t.back.Addr(image), Y: t.back.Addr(g.labels()),
			Blocks: int32(max(1, min((image.Len+2047)/2048, 4*b.SMs))), N: int32(g.batch), Side: int32(t.t.net.cfg.Image)})
	}
	s.run = b.Section()
	l, err := t.back.Lower(b, g.prog, ops.Train)
	if err != nil {
		return err
	}
	s.tally = b.Section()
	l.Tally(g.loss, g.logits, g.labels(), 1)
	if parts > 1 {
		for i := range s.acc {
			s.acc[i] = b.Section()
			l.Accumulate(g.grads, i == 0, i == 2)
		}
	}
	s.grad = b.Section()
	partial, n := l.Squares(g.grads)
	l.End(partial, n, parts, t.t.cfg.Clip, t.stats)
	s.sgd = b.Section()
	l.SGD(g.params)
	s.plan = b.Plan()
	s.logits, s.lossAt = l.Kept(g.logits), l.Kept(g.loss)
	s.aux = l.Kept(g.aux)
	g.step = s
	return nil
}
