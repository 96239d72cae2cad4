package host

import (
	"math"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/engine"
)

// gradients is gradient of a step on several paths, one after the other: the sum of
// their gradients, and what is added where a pair is in the wrong order.
func (t *Trainer) gradients(first *engine.Graph, s engine.Step, b *data.Batch) error {
	t.out = engine.Outcome{Replaced: b.Replaced, Path: -1}
	out, paths, all := &t.out, first.Paths(), first.Union.Grads
	if err := t.zero(ops.GradSum, all); err != nil {
		return err
	}
	for _, g := range paths { // before the images are there
		t.input.room(g)
	}
	losses := make([]float64, len(paths))
	for k, g := range paths {
		pair, second := s.PairAt(k)
		if pair >= 0 && !second {
			if err := t.zero(ops.GradHeld, all); err != nil {
				return err
			}
		}
		sign := float32(0)
		if pair >= 0 {
			sign = 1
			if second == s.Pairs[pair].First {
				sign = -1
			}
		}
		var err error
		if losses[k], err = t.path(g, s, b, k, sign); err != nil {
			return err
		}
		out.Loss += losses[k] / float64(len(paths))
		if out.Path < 0 && (bad(losses[k]) || !finiteState(t.back, g)) {
			out.Path = k
		}
		if second && s.Pairs[pair].Wrong(losses[k-1], losses[k], s.Margin) {
			for _, m := range all {
				cpu.Axpby(t.pool, float32(s.Weight), t.in(ops.GradHeld, m), 1, t.in(ops.GradSum, m))
			}
		}
	}
	for _, m := range all {
		copy(t.back.At(m), t.in(ops.GradSum, m))
	}
	norm2, err := t.back.SumSquares(all)
	if err != nil {
		return err
	}
	out.GradNorm = math.Sqrt(norm2) / float64(t.c.Divisor(first))
	out.Bad = out.Path >= 0 || bad(out.GradNorm)
	return nil
}

// path computes path k of a step on the batch, adds its gradient to the sum and, sign times, to what is held,
// and returns its loss.
func (t *Trainer) path(g *engine.Graph, s engine.Step, b *data.Batch, k int, sign float32) (loss float64, err error) {
	parts := t.c.Parts()
	for i := range parts {
		lo, hi := i*g.Batch, (i+1)*g.Batch
		x, y := b.X[lo*g.Image:hi*g.Image], b.Y[lo:hi]
		if k == 0 || parts > 1 {
			t.input.put(g, x, y)
		}
		switch {
		case k > 0 && t.c.InPlace:
			copy(t.back.At(g.Targets()), t.outputs[lo*g.Classes:hi*g.Classes])
		case g.Distributions > 0 && (k == 0 || parts > 1):
			t.putDistributions(g, s, b, lo, hi)
		}
		if err := g.Prog.Run(t.back, ops.Train, engine.NormMomentum); err != nil {
			return 0, err
		}
		loss += float64(t.back.At(g.Loss)[0]) / float64(parts)
		logits := t.back.At(g.Logits)
		t.out.Right += cpu.Correct(g.Batch, t.m.Classes, logits, y)
		if k == 0 && t.c.InPlace {
			t.keepOutputs(logits, lo, g.Classes)
		}
		for _, m := range g.Grads {
			sum := m
			sum.Region = ops.GradSum
			t.sum = [2]ops.Mem{sum, m}
			if err := t.back.Sum(sum, t.sum[:]); err != nil {
				return 0, err
			}
			if sign != 0 {
				cpu.Axpby(t.pool, sign, t.back.At(m), 1, t.in(ops.GradHeld, m))
			}
		}
	}
	return loss, nil
}

// keepOutputs keeps the distributions of images from lo on. Outputs that are no numbers show in the loss.
func (t *Trainer) keepOutputs(logits []float32, lo, classes int) {
	if t.outputs == nil {
		t.outputs = make([]float32, t.c.Batch*classes)
	}
	for i := 0; i < len(logits); i += classes {
		engine.Softmax(t.outputs[lo*classes+i:][:classes], logits[i:i+classes], 1)
	}
}

// in is the piece of a region that lies where the gradient m does.
func (t *Trainer) in(r ops.Region, m ops.Mem) []float32 {
	m.Region = r
	return t.back.At(m)
}

// zero empties the pieces of a region where the gradients lie.
func (t *Trainer) zero(r ops.Region, grads []ops.Mem) error {
	for _, m := range grads {
		m.Region = r
		if err := t.back.Fill(m, 0); err != nil {
			return err
		}
	}
	return nil
}
