package host

import (
	"context"

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
	logits []float32 // of the last batch, (outputs,N,Classes)
	name   string
	bySize map[int]*pass
	batch  *data.Batch
	ctx    context.Context // of the batch
}

// forward is what lanes compute: a path, or those of a group.
type forward struct {
	path  engine.Path
	group *group
}

// pass is a compiled forward.
type pass struct {
	prog   *ops.Program
	logits []ops.Mem // (size,Classes) of each of its outputs
}

// build compiles it for a number of images.
func (f forward) build(back ops.Backend, size int) (*pass, error) {
	if f.group == nil {
		g, err := f.path.Compile(back, engine.Spec{Batch: size})
		if err != nil {
			return nil, err
		}
		return &pass{g.Prog, []ops.Mem{g.Logits}}, nil
	}
	s, err := f.group.pass(back, size)
	if err != nil {
		return nil, err
	}
	p := &pass{prog: s.Prog}
	for _, x := range s.Paths {
		p.logits = append(p.logits, x.Logits)
	}
	return p, nil
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

// bind has the lanes normalise by other statistics. They compile anew then.
func (l *lanes) bind(state []float32) {
	l.name, l.bySize = "", nil
	for _, w := range l.lane {
		w.back.Bind(ops.State, state)
	}
}

// run returns the logits (N,Classes) of a batch for each output of f, one after the other. They are valid until the
// next call.
func (l *lanes) run(ctx context.Context, f forward, b *data.Batch) ([]float32, error) {
	if err := engine.Check(b, b.N, l.m.Image()); err != nil {
		return nil, err
	}
	if f.path.Name != l.name || l.bySize == nil {
		l.name, l.bySize = f.path.Name, map[int]*pass{}
		for _, w := range l.lane {
			w.bySize = map[int]*ops.Program{}
		}
	}
	most := LaneImages(l.m.Widest)
	outputs := 0
	for _, size := range []int{min(most, b.N), b.N % most} {
		if size == 0 {
			continue
		}
		p, err := l.build(f, size)
		if err != nil {
			return nil, err
		}
		outputs = len(p.logits)
	}
	n := outputs * b.N * l.m.Classes
	if len(l.logits) < n {
		l.logits = make([]float32, n)
	}
	l.batch, l.ctx = b, ctx
	for _, w := range l.lane {
		w.err = nil
	}
	l.pool.Do((b.N+most-1)/most, l)
	for _, w := range l.lane {
		if w.err != nil {
			return nil, w.err
		}
	}
	return l.logits[:n], nil
}

// build makes the programs for a number of images, if they are not there yet.
func (l *lanes) build(f forward, size int) (*pass, error) {
	if p := l.bySize[size]; p != nil {
		return p, nil
	}
	p, err := f.build(l.lane[0].back, size)
	if err != nil {
		return nil, err
	}
	l.bySize[size] = p
	for _, w := range l.lane {
		w.bySize[size] = p.prog.Clone()
	}
	return p, nil
}

// Chunk implements cpu.Job: it takes some images through the network.
func (l *lanes) Chunk(worker, chunk int) {
	w := l.lane[worker]
	if err := l.ctx.Err(); err != nil {
		w.err = err
		return
	}
	most := LaneImages(l.m.Widest)
	lo := chunk * most
	n := min(most, l.batch.N-lo)
	image, classes := len(l.batch.X)/l.batch.N, l.m.Classes
	w.back.Bind(ops.Input, l.batch.X[lo*image:(lo+n)*image])
	if err := w.bySize[n].Run(w.back, ops.Eval, 0); err != nil {
		w.err = err
		return
	}
	for k, m := range l.bySize[n].logits {
		at := (k*l.batch.N + lo) * classes
		copy(l.logits[at:at+n*classes], w.back.At(m))
	}
}
