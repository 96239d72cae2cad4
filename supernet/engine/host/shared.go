package host

import (
	"context"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/supernet/engine"
)

// together scores the paths of a group: each batch goes through all of them before the next one does.
func (e *measurer) together(ctx context.Context, g *group, recal, search *engine.Images, each engine.Told) error {
	first, err := g.pass(e.back, g.size)
	if err != nil {
		return err
	}
	state := make([]float32, first.State)
	e.bind(state)
	defer e.bind(e.m.State)
	tallies := make([]engine.Tally, len(g.paths))
	if recal == nil {
		err = e.ownBatches(ctx, search, func(b *data.Batch, k int) error {
			s, err := e.batch(ctx, g, b, k)
			if err != nil {
				return err
			}
			for i, p := range s.Paths {
				e.count(&tallies[i], e.back.At(p.Logits), b)
			}
			return nil
		})
	} else if err = fullBatches(ctx, recal, func(b *data.Batch, k int) error {
		_, err := e.batch(ctx, g, b, k)
		return err
	}); err == nil {
		err = e.evaluateAll(ctx, g, search, tallies)
	}
	if err != nil {
		return err
	}
	for i, t := range tallies {
		first.Statistics(i, state, e.m.State)
		t.BadState = !finite(e.m.State)
		if err := each(i, t, i+1 < len(tallies)); err != nil {
			return err
		}
	}
	return nil
}

// bind has everything normalise by other statistics.
func (e *measurer) bind(state []float32) {
	e.back.Bind(ops.State, state)
	e.lanes.bind(state)
}

// batch takes batch k through all paths of a group, whose statistics it moves.
func (e *measurer) batch(ctx context.Context, g *group, b *data.Batch, k int) (*engine.Shared, error) {
	if err := engine.Check(b, b.N, e.m.Image()); err != nil {
		return nil, err
	}
	s, err := g.pass(e.back, b.N)
	if err != nil {
		return nil, err
	}
	in := &engine.Graph{Batch: b.N, Image: e.m.Image(), Classes: e.m.Classes}
	e.input.room(in)
	e.input.put(in, b.X, b.Y)
	from := 0
	for _, p := range s.Paths {
		if err := ctx.Err(); err != nil { // a batch of a whole group takes a while
			return nil, err
		}
		part := ops.Program{Instrs: s.Prog.Instrs[from:p.End], Arena: s.Prog.Arena}
		if err := part.Run(e.back, ops.Recalibrate, engine.RecalWeight(k)); err != nil {
			return nil, err
		}
		from = p.End
	}
	return s, nil
}

// evaluateAll counts images for all paths of a group with their statistics.
func (e *measurer) evaluateAll(ctx context.Context, g *group, images *engine.Images, tallies []engine.Tally) error {
	f := forward{group: g}
	for b := range images.Batches() {
		if err := ctx.Err(); err != nil {
			return err
		}
		logits, err := e.lanes.run(ctx, f, b)
		if err != nil {
			return err
		}
		n := b.N * e.m.Classes
		for i := range tallies {
			e.count(&tallies[i], logits[i*n:(i+1)*n], b)
		}
	}
	return nil
}
