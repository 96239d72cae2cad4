package host

import (
	"context"
	"iter"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/engine"
)

// measurer takes whole batches through a network where they give statistics, and
// lanes elsewhere.
type measurer struct {
	m     engine.Model
	back  *ops.CPU[float32]
	lanes *lanes
	input input
	loss  *cpu.Engine[float32]
	own   struct { // of the last batch with statistics of its own
		path  string
		graph *engine.Graph
	}
}

// Measure implements engine.Engine.
func (e *Engine) Measure(m engine.Model) (engine.Measurer, error) {
	b := backend(e.pool, m)
	return &measurer{m: m, back: b, lanes: newLanes(e.pool, m), input: input{back: b}, loss: cpu.NewEngine[float32](nil)}, nil
}

// Close implements engine.Measurer.
func (e *measurer) Close() {
	e.back.Close()
	e.lanes.close()
}

// Score implements engine.Measurer.
func (e *measurer) Score(ctx context.Context, p engine.Path, recal, search *engine.Images) (engine.Tally, error) {
	clear(e.m.State)
	if recal == nil {
		return e.ownStatistics(ctx, p, search)
	}
	g, err := e.recalibrate(ctx, p, recal)
	if err != nil {
		return engine.Tally{}, err
	}
	r, err := e.Evaluate(ctx, p, search.Batches(), func(int) {})
	r.BadState = !finiteState(e.back, g)
	return r, err
}

// Statistics implements engine.Measurer. They are there already.
func (e *measurer) Statistics() error { return nil }

// Logits implements engine.Measurer.
func (e *measurer) Logits(p engine.Path, b *data.Batch) ([]float32, error) {
	return e.lanes.run(context.Background(), forward{path: p}, b)
}

// recalibrate averages the batch statistics of full batches into the state. It returns the
// graph that it ran.
func (e *measurer) recalibrate(ctx context.Context, p engine.Path, images *engine.Images) (*engine.Graph, error) {
	g, err := p.Compile(e.back, engine.Spec{Batch: images.Batch})
	if err != nil {
		return nil, err
	}
	e.input.room(g)
	return g, fullBatches(ctx, images, func(b *data.Batch, k int) error {
		if err := engine.Check(b, g.Batch, g.Image); err != nil {
			return err
		}
		e.input.put(g, b.X, b.Y)
		return g.Prog.Run(e.back, ops.Recalibrate, engine.RecalWeight(k))
	})
}

// fullBatches calls run with the batches that statistics are re-estimated by, the whole ones, and their numbers.
func fullBatches(ctx context.Context, images *engine.Images, run func(b *data.Batch, k int) error) error {
	k := 0
	for b := range images.Batches() {
		if b.N < images.Batch && b.Err == nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := run(b, k); err != nil {
			return err
		}
		k++
	}
	if k == 0 {
		return engine.FewImages(images.Batch)
	}
	return nil
}

// Evaluate implements engine.Measurer.
func (e *measurer) Evaluate(ctx context.Context, p engine.Path, batches iter.Seq[*data.Batch], progress func(done int)) (engine.Tally, error) {
	var r engine.Tally
	f := forward{path: p}
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		logits, err := e.lanes.run(ctx, f, b)
		if err != nil {
			return r, err
		}
		e.count(&r, logits, b)
		progress(r.Images)
	}
	return r, nil
}

// count counts a batch with those logits (N,Classes).
func (e *measurer) count(r *engine.Tally, logits []float32, b *data.Batch) {
	r.Right += cpu.Correct(b.N, e.m.Classes, logits, b.Y)
	r.Loss += float64(b.N) * float64(e.loss.SoftmaxXent(b.N, e.m.Classes, logits, b.Y, 0, nil))
	r.Images += b.N
}
