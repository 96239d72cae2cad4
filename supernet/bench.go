package supernet

import (
	"context"
	"errors"
	"slices"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

// Bench does the work of a training or of scoring on one batch of random
// images, for those who hold the clock. Nothing but the loader is left out.
type Bench struct {
	net   *Net
	archs []space.Arch
	batch *data.Batch
	train *Trainer
	eval  engine.Measurer
	ahead int // the path that is being built, -1 for none
}

// NewBench measures n on batches of that many images, which o trains. A supernet trains and
// evaluates the paths archs; a network of one architecture has only that, and
// archs may be nil.
func NewBench(n *Net, batch int, archs []space.Arch, o ops.Descent) (*Bench, error) {
	if n.arch != nil {
		archs = []space.Arch{n.arch}
	}
	if len(archs) == 0 {
		return nil, errors.New("supernet: bench: no architecture")
	}
	for _, a := range archs {
		if err := n.cfg.Space.Check(a); err != nil {
			return nil, err
		}
	}
	c := DefaultTrain()
	c.Batch, c.Descent = batch, o
	c.Steps = 1 << 30 // the schedule stays at its start
	if err := c.Check(); err != nil {
		return nil, err
	}
	train, err := newTrainer(n, nil, c)
	if err != nil {
		return nil, err
	}
	eval, err := n.rt.eng.Measure(n.model(n.state))
	if err != nil {
		return nil, err
	}
	b := &Bench{net: n, archs: archs, train: train, eval: eval, ahead: -1}
	b.batch = &data.Batch{N: batch, X: make([]float32, batch*n.cfg.Image*n.cfg.Image*3), Y: make([]int32, batch)}
	r := rng.New(1, "bench images")
	for i := range b.batch.X {
		b.batch.X[i] = float32(r.NormFloat64())
	}
	for i := range b.batch.Y {
		b.batch.Y[i] = int32(r.IntN(n.cfg.Classes))
	}
	return b, nil
}

// Step trains path i: forward, backward, clipped descent. As in a training, the
// graph was built while the step before ran, if that one named i as next; and
// the graph of path next is built beside this step, unless next is negative.
func (b *Bench) Step(i, next int) error {
	p, err := b.path(i, next)
	if err != nil {
		return err
	}
	_, err = b.train.take(p, b.batch)
	return err
}

func (b *Bench) path(i, next int) (path, error) {
	if b.net.arch != nil {
		return b.train.graph() // the only one, built once
	}
	if b.ahead != i {
		b.train.stop()
		b.train.prefetch(b.archs[i])
	}
	built := <-b.train.built[0]
	b.train.built, b.ahead = nil, -1
	if built.err == nil && next >= 0 {
		b.train.prefetch(b.archs[next])
		b.ahead = next
	}
	return built.path, built.err
}

// Eval runs path i forward with running statistics. As in scoring, its graph is
// built when the path changes.
func (b *Bench) Eval(i int) error {
	_, err := b.eval.Evaluate(context.Background(), b.net.path(b.archs[i]), slices.Values([]*data.Batch{b.batch}), func(int) {})
	return err
}

// Close waits for the graph that is being built and gives the memory back.
func (b *Bench) Close() {
	b.train.Close()
	b.eval.Close()
	b.ahead = -1
}
