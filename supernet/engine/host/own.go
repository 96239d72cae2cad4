package host

import (
	"context"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/engine"
)

// ownStatistics counts what images give when each batch is normalised by its own
// statistics, whose average goes to the state. It is a batch behind, as a last image by
// itself goes with the batch before.
func (e *measurer) ownStatistics(ctx context.Context, p engine.Path, images *engine.Images) (r engine.Tally, err error) {
	var held data.Batch
	k := 0
	run := func() error {
		if held.N == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.ownBatch(p, &held, k, &r); err != nil {
			return err
		}
		k++
		return nil
	}
	for b := range images.Batches() {
		if err := engine.Check(b, b.N, e.m.Image()); err != nil {
			return r, err
		}
		if b.N == 1 && held.N > 0 {
			held.X, held.Y, held.N = append(held.X, b.X...), append(held.Y, b.Y...), held.N+1
			continue
		}
		if err := run(); err != nil {
			return r, err
		}
		held.X, held.Y, held.N = append(held.X[:0], b.X...), append(held.Y[:0], b.Y...), b.N
	}
	if held.N == 1 {
		return r, engine.ErrOneImage
	}
	return r, run()
}

// ownBatch is batch k of that.
func (e *measurer) ownBatch(p engine.Path, b *data.Batch, k int, r *engine.Tally) error {
	if p.Name != e.own.path || e.own.graph == nil || e.own.graph.Batch != b.N {
		g, err := p.Compile(e.back, engine.Spec{Batch: b.N})
		if err != nil {
			return err
		}
		e.own.path, e.own.graph = p.Name, g
	}
	g := e.own.graph
	e.input.room(g)
	e.input.put(g, b.X, b.Y)
	if err := g.Prog.Run(e.back, ops.Recalibrate, engine.RecalWeight(k)); err != nil {
		return err
	}
	logits := e.back.At(g.Logits)
	r.Right += cpu.Correct(b.N, g.Classes, logits, b.Y)
	r.Loss += float64(b.N) * float64(e.loss.SoftmaxXent(b.N, g.Classes, logits, b.Y, 0, nil))
	r.Images += b.N
	r.BadState = r.BadState || !finiteState(e.back, g)
	return nil
}
