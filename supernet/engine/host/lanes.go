package host

import (
	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/engine"
)

// LaneImages is how many images a lane takes through the whole network at a time: so
// many that their largest activation, of widest values an image, fits the second level
// cache of a core, and at most 4. Running statistics, unlike a batch's, do not tie the
// images together, so the number changes no bit. In the form for ImageNet it is 1, by
// which a forward pass is about 1.2 times as fast as by 4.
func LaneImages(widest int) int { return min(4, max(1, laneCache/(4*max(1, widest)))) }

// laneCache is a usual size of such a cache, in bytes.
const laneCache = 2 << 20

// lanes evaluates a batch with running statistics: every thread takes a few
// images at a time on a backend of its own. An image's logits depend on nothing
// else, so neither the threads nor the grouping change a bit.
type lanes struct {
	m      engine.Model
	pool   *cpu.Pool
	lane   []*lane
	logits []float32 // of the last batch, (N,Classes)
	path   string
	bySize map[int]*engine.Graph
	batch  *data.Batch
}

// lane is one thread's backend and its copies of the programs by batch size.
type lane struct {
	back   *ops.CPU[float32]
	bySize map[int]*ops.Program
	err    error
}

func newLanes(pool *cpu.Pool, m engine.Model) *lanes {
	l := &lanes{m: m, pool: pool}
	for range pool.Threads() {
		l.lane = append(l.lane, &lane{back: backend(nil, m)})
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
func (l *lanes) run(p engine.Path, b *data.Batch) ([]float32, error) {
	if err := engine.Check(b, b.N, l.m.Image()); err != nil {
		return nil, err
	}
	if p.Name != l.path {
		l.path, l.bySize = p.Name, map[int]*engine.Graph{}
		for _, w := range l.lane {
			w.bySize = map[int]*ops.Program{}
		}
	}
	most := LaneImages(l.m.Widest)
	for _, size := range []int{min(most, b.N), b.N % most} {
		if err := l.build(p, size); err != nil {
			return nil, err
		}
	}
	if n := b.N * l.m.Classes; len(l.logits) < n {
		l.logits = make([]float32, n)
	}
	l.batch = b
	for _, w := range l.lane {
		w.err = nil
	}
	l.pool.Do((b.N+most-1)/most, l)
	for _, w := range l.lane {
		if w.err != nil {
			return nil, w.err
		}
	}
	return l.logits[:b.N*l.m.Classes], nil
}

// build makes the programs for a number of images, if they are not there yet.
func (l *lanes) build(p engine.Path, size int) error {
	if size == 0 || l.bySize[size] != nil {
		return nil
	}
	g, err := p.Compile(l.lane[0].back, engine.Spec{Batch: size})
	if err != nil {
		return err
	}
	l.bySize[size] = g
	for _, w := range l.lane {
		w.bySize[size] = g.Prog.Clone()
	}
	return nil
}

// Chunk implements cpu.Job: it takes some images through the network.
func (l *lanes) Chunk(worker, chunk int) {
	w := l.lane[worker]
	most := LaneImages(l.m.Widest)
	lo := chunk * most
	n := min(most, l.batch.N-lo)
	image, classes := len(l.batch.X)/l.batch.N, l.m.Classes
	w.back.Bind(ops.Input, l.batch.X[lo*image:(lo+n)*image])
	p := w.bySize[n]
	if err := p.Run(w.back, ops.Eval, 0); err != nil {
		w.err = err
		return
	}
	copy(l.logits[lo*classes:(lo+n)*classes], w.back.At(l.bySize[n].Logits))
}
