package supernet

import (
	"oneshot/data"
	"oneshot/ops"
	"oneshot/supernet/space"
)

// laneImages is how many images a lane takes through the whole network at a
// time: their activations then stay in the second level cache of its core, and
// running statistics, unlike a batch's, do not tie the images together.
const laneImages = 4

// lanes evaluates a batch with running statistics: every thread takes a few
// images at a time on a backend of its own. An image's logits depend on nothing
// else, so neither the threads nor the grouping change a bit.
type lanes struct {
	net    *Net
	lane   []*lane
	logits []float32 // of the last batch, (N,Classes)
	arch   string
	bySize map[int]*graph
	batch  *data.Batch
}

// lane is one thread's backend and its copies of the programs by batch size.
type lane struct {
	back   *ops.CPU[float32]
	bySize map[int]*ops.Program
	err    error
}

func newLanes(n *Net, state []float32) *lanes {
	l := &lanes{net: n}
	for range n.rt.Threads() {
		b := ops.NewCPU[float32](nil)
		b.Bind(ops.Params, n.params)
		b.Bind(ops.State, state)
		l.lane = append(l.lane, &lane{back: b})
	}
	return l
}

// close gives the memory of the lanes back.
func (l *lanes) close() {
	for _, w := range l.lane {
		w.back.Close()
	}
}

// run returns the logits (N,Classes) of a batch, valid until the next call.
func (l *lanes) run(arch space.Arch, b *data.Batch) ([]float32, error) {
	image := l.net.cfg.Image * l.net.cfg.Image * 3
	if err := checkBatch(b, b.N, image); err != nil {
		return nil, err
	}
	if text := l.net.cfg.Space.Format(arch); text != l.arch {
		l.arch, l.bySize = text, map[int]*graph{}
		for _, w := range l.lane {
			w.bySize = map[int]*ops.Program{}
		}
	}
	for _, size := range []int{min(laneImages, b.N), b.N % laneImages} {
		if err := l.build(arch, size); err != nil {
			return nil, err
		}
	}
	if n := b.N * l.net.cfg.Classes; len(l.logits) < n {
		l.logits = make([]float32, n)
	}
	l.batch = b
	for _, w := range l.lane {
		w.err = nil
	}
	l.net.rt.pool.Do((b.N+laneImages-1)/laneImages, l)
	for _, w := range l.lane {
		if w.err != nil {
			return nil, w.err
		}
	}
	return l.logits[:b.N*l.net.cfg.Classes], nil
}

// build makes the programs for a number of images, if they are not there yet.
func (l *lanes) build(arch space.Arch, size int) error {
	if size == 0 || l.bySize[size] != nil {
		return nil
	}
	g, err := l.net.build(l.lane[0].back, arch, graphSpec{batch: size})
	if err != nil {
		return err
	}
	l.bySize[size] = g
	for _, w := range l.lane {
		w.bySize[size] = g.prog.Clone()
	}
	return nil
}

// Chunk implements cpu.Job: it takes some images through the network.
func (l *lanes) Chunk(worker, chunk int) {
	w := l.lane[worker]
	lo := chunk * laneImages
	n := min(laneImages, l.batch.N-lo)
	image, classes := len(l.batch.X)/l.batch.N, l.net.cfg.Classes
	w.back.Bind(ops.Input, l.batch.X[lo*image:(lo+n)*image])
	p := w.bySize[n]
	if err := p.Run(w.back, ops.Eval, 0); err != nil {
		w.err = err
		return
	}
	copy(l.logits[lo*classes:(lo+n)*classes], w.back.At(l.bySize[n].logits))
}
