package host

import (
	"context"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/supernet/engine"
)

// ownStatistics counts what images give when each batch is normalised by its own
// statistics, whose average goes to the state.
func (e *measurer) ownStatistics(ctx context.Context, p engine.Path, images *engine.Images) (r engine.Tally, err error) {
	err = e.ownBatches(ctx, images, func(b *data.Batch, k int) error { return e.ownBatch(p, b, k, &r) })
	return r, err
}

// ownBatches calls run with the batches that have statistics of their own, and their numbers. It is a batch behind, as a last image by
// itself goes with the batch before.
func (e *measurer) ownBatches(ctx context.Context, images *engine.Images, run func(b *data.Batch, k int) error) error {
	var held data.Batch
	k := 0
	runHeld := func() error {
		if held.N == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		k++
		return run(&held, k-1)
	}
	for b := range images.Batches() {
		if err := engine.Check(b, b.N, e.m.Image()); err != nil {
			return err
		}
		if b.N == 1 && held.N > 0 {
			held.X, held.Y, held.N = append(held.X, b.X...), append(held.Y, b.Y...), held.N+1
			continue
		}
		if err := runHeld(); err != nil {
			return err
		}
		held.X, held.Y, held.N = append(held.X[:0], b.X...), append(held.Y[:0], b.Y...), b.N
	}
	if held.N == 1 {
		return engine.ErrOneImage
	}
	return runHeld()
}

// ownBatch is batch k of ownStatistics.
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
	e.count(r, e.back.At(g.Logits), b)
	r.BadState = r.BadState || !finiteState(e.back, g)
	return nil
}
