package host

import (
	"context"
	"math"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/engine"
)

// Trainer implements engine.Trainer on the values in the host's memory. A step is
// over when Issue returns.
type Trainer struct {
	m     engine.Model
	c     engine.TrainSpec
	pool  *cpu.Pool
	back  *ops.CPU[float32]
	grad  []float32
	input input
	sum   [2]ops.Mem
	feed  engine.Feed
	// outputs are the distributions (Batch,classes) of a step's first path, where the others learn
	// from them.
	outputs []float32
	idle    bool
	out     engine.Outcome
}

// Train implements engine.Engine.
func (e *Engine) Train(m engine.Model, c engine.TrainSpec) (engine.Trainer, error) {
	b := backend(e.pool, m)
	t := &Trainer{m: m, c: c, pool: e.pool, back: b, grad: make([]float32, len(m.Params)), input: input{back: b}, idle: true,
		feed: engine.Feed{Images: c.Images, Config: c.Data}}
	b.Bind(ops.Grad, t.grad)
	for i, s := range c.Slots {
		b.Bind(ops.Slot(i), s)
	}
	if c.Accumulates() {
		b.Bind(ops.GradSum, make([]float32, len(m.Params)))
	}
	if c.Rank {
		b.Bind(ops.GradHeld, make([]float32, len(m.Params)))
	}
	return t, nil
}

// Compile implements engine.Trainer.
func (t *Trainer) Compile(p engine.Path, beside ...engine.Path) (*engine.Graph, error) {
	var gs []*engine.Graph
	for k, p := range append([]engine.Path{p}, beside...) {
		g, err := p.Compile(t.back, t.c.Of(k))
		if err != nil {
			return nil, err
		}
		gs = append(gs, g)
	}
	return engine.Several(gs), nil
}

// Depth implements engine.Trainer.
func (t *Trainer) Depth() int { return 1 }

// Window implements engine.Trainer.
func (t *Trainer) Window() int { return 1 }

// Pull implements engine.Trainer: the values are the host's.
func (t *Trainer) Pull() error { return nil }

// Push implements engine.Trainer.
func (t *Trainer) Push() error {
	t.idle = true
	return nil
}

// Close implements engine.Trainer.
func (t *Trainer) Close() {
	t.feed.Close()
	t.back.Close()
}

// Issue implements engine.Trainer.
func (t *Trainer) Issue(ctx context.Context, g *engine.Graph, s engine.Step) error {
	if err := t.c.CheckStep(g, s); err != nil {
		return err
	}
	if s.Batch != nil {
		return t.take(g, s, s.Batch)
	}
	b, err := t.feed.Batch(ctx, s.Number)
	if err != nil {
		return err
	}
	if err := t.c.CheckBatch(g, b); err != nil {
		return err
	}
	if err := t.take(g, s, b); err != nil {
		return err
	}
	t.feed.Recycle(b)
	return nil
}

// Finish implements engine.Trainer.
func (t *Trainer) Finish() (engine.Outcome, error) {
	if t.idle {
		return engine.Outcome{}, engine.ErrIdle
	}
	t.idle = true
	return t.out, nil
}

// take takes a step on a batch.
func (t *Trainer) take(g *engine.Graph, s engine.Step, b *data.Batch) error {
	gradient := t.gradient
	if g.Union != nil {
		gradient = t.gradients
	}
	t.input.room(g)
	if err := gradient(g, s, b); err != nil {
		return err
	}
	t.idle = false
	if t.out.Bad {
		return nil
	}
	if err := t.update(g, s.LR); err != nil {
		return err
	}
	if a := t.c.Average; a != nil {
		cpu.Axpby(t.pool, 1-s.Decay, t.m.Params, s.Decay, a.Params)
		cpu.Axpby(t.pool, 1-s.Decay, t.m.State, s.Decay, a.State)
	}
	return nil
}

// update has the optimizer move the parameters in use along the clipped gradient:
// the gradients are sums over micro-batches, their mean is what counts.
func (t *Trainer) update(g *engine.Graph, lr float64) error {
	scale := 1.0
	if t.c.Clip > 0 {
		scale = min(1, t.c.Clip/(t.out.GradNorm+1e-6)) // as torch.nn.utils.clip_grad_norm_
	}
	decayed, spared, parts := g.Decayed, g.Spared, t.c.Parts()
	if g.Union != nil {
		decayed, spared, parts = g.Union.Decayed, g.Union.Spared, t.c.Divisor(g)
	}
	u := ops.Update{LR: lr, Decay: t.c.WeightDecay, Scale: scale / float64(parts)}
	if err := t.back.Update(t.c.Optimizer, decayed, u); err != nil {
		return err
	}
	u.Decay = 0
	return t.back.Update(t.c.Optimizer, spared, u)
}

// gradient computes the loss of the batch and the sum of its micro-batches'
// gradients.
func (t *Trainer) gradient(g *engine.Graph, s engine.Step, b *data.Batch) error {
	t.out = engine.Outcome{Replaced: b.Replaced}
	out, parts := &t.out, t.c.Parts()
	for i := range parts {
		lo, hi := i*g.Batch, (i+1)*g.Batch
		x, y := b.X[lo*g.Image:hi*g.Image], b.Y[lo:hi]
		t.input.put(g, x, y)
		copy(t.back.At(g.AllMasks()), s.Masks[lo*g.Masks:hi*g.Masks])
		if g.Distributions > 0 {
			t.putDistributions(g, s, b, lo, hi)
		}
		if err := g.Prog.Run(t.back, ops.Train, engine.NormMomentum); err != nil {
			return err
		}
		out.Loss += float64(t.back.At(g.Loss)[0])
		out.Right += cpu.Correct(g.Batch, t.m.Classes, t.back.At(g.Logits), y)
		if err := t.accumulate(g, i == 0, i == parts-1); err != nil {
			return err
		}
	}
	norm2, err := t.back.SumSquares(g.Grads)
	if err != nil {
		return err
	}
	out.Loss /= float64(parts)
	out.GradNorm = math.Sqrt(norm2) / float64(parts)
	out.Bad = bad(out.Loss) || bad(out.GradNorm) || !finiteState(t.back, g)
	return nil
}

// putDistributions copies the targets of images lo to hi, and the teacher's distributions.
func (t *Trainer) putDistributions(g *engine.Graph, s engine.Step, b *data.Batch, lo, hi int) {
	k := g.Classes
	var mixed []float32
	if len(b.T) > 0 {
		mixed = b.T[lo*k : hi*k]
	}
	engine.PutTargets(t.back.At(g.Targets()), b.Y[lo:hi], mixed, k, t.c.Graph.Smoothing)
	if g.Distributions > 1 {
		copy(t.back.At(g.Teacher()), s.Teacher[lo*k:hi*k])
	}
}

// accumulate adds the gradients of a micro-batch to the sum of those before it.
// After the last one the sum lies where the gradients do.
func (t *Trainer) accumulate(g *engine.Graph, first, last bool) error {
	if first && last {
		return nil
	}
	for _, grad := range g.Grads {
		sum := grad
		sum.Region = ops.GradSum
		var err error
		switch {
		case first:
			t.sum[0] = grad
			err = t.back.Sum(sum, t.sum[:1])
		case last:
			t.sum = [2]ops.Mem{grad, sum}
			err = t.back.Sum(grad, t.sum[:])
		default:
			t.sum = [2]ops.Mem{sum, grad}
			err = t.back.Sum(sum, t.sum[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finiteState says whether the running statistics that a graph moved are finite:
// a variance can overflow while loss and gradients still look sound.
func finiteState(b *ops.CPU[float32], g *engine.Graph) bool {
	for _, m := range g.States {
		if !finite(b.At(m)) {
			return false
		}
	}
	return true
}

// finite says whether all values are.
func finite(values []float32) bool {
	for _, v := range values {
		if bad(float64(v)) {
			return false
		}
	}
	return true
}

func bad(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// Read copies what the last step left at m: a gradient, or a value that its graph
// keeps.
func (t *Trainer) Read(_ *engine.Graph, m ops.Mem, v []float32) error {
	copy(v, t.back.At(m))
	return nil
}

// Memory is what a trainer holds beside the values that it was given, in elements
// of 4 bytes.
type Memory struct {
	Arena, Scratch int
	Input          int // images, labels, distributions and masks
	Gradients      int // of all parameters, their sums and what is held of a pair
}

// Memory counts what the steps so far have needed.
func (t *Trainer) Memory() Memory {
	n := len(t.grad)
	if t.c.Accumulates() {
		n += len(t.grad)
	}
	if t.c.Rank {
		n += len(t.grad)
	}
	return Memory{Arena: t.back.ArenaLen(), Scratch: t.back.ScratchLen(), Input: len(t.input.mem) + len(t.outputs), Gradients: n}
}
