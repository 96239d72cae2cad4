package gpu

import (
	"context"
	"errors"
	"iter"
	"unsafe"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// measurer is an engine.Measurer. The images that scores are taken on stay on the
// device after the first score; others are uploaded.
type measurer struct {
	m       engine.Model
	dev     *Engine
	back    *ops.CUDA
	control cuda.Addr
	pinned  []byte // momenta on their way
	input   int
	recal   residentBatch
	search  residentBatch
	path    string    // that last was planned
	last    *evalPlan // nil: there is none
	logits  []float32 // of the last batch
}

// residentBatch is a number of images, normalised, and their labels on the device.
type residentBatch struct {
	of   *engine.Images
	x, y cuda.Addr
	n    int
}

// Measure implements engine.Engine.
func (e *Engine) Measure(m engine.Model) (engine.Measurer, error) {
	r := &measurer{m: m, dev: e, back: ops.NewCUDA(e.cuda, e.half)}
	if err := r.open(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (e *measurer) open() error {
	if err := e.back.Resize(ops.Params, len(e.m.Params)); err != nil {
		return err
	}
	if err := e.back.Resize(ops.State, len(e.m.State)); err != nil {
		return err
	}
	if err := e.back.Write(ops.Mem{Region: ops.Params, Len: len(e.m.Params)}, e.m.Params); err != nil {
		return err
	}
	var err error
	if e.control, err = e.dev.cuda.Alloc(controlBytes); err != nil {
		return err
	}
	e.pinned, err = e.dev.cuda.Pinned(4 * momenta)
	return err
}

// momenta is more than a device is ever behind with.
const momenta = 1 << 14

// Close implements engine.Measurer.
func (e *measurer) Close() {
	for _, a := range []cuda.Addr{e.control, e.recal.x, e.recal.y, e.search.x, e.search.y} {
		e.dev.cuda.Free(a)
	}
	if e.pinned != nil {
		e.dev.cuda.FreePinned(e.pinned)
	}
	e.pinned, e.control, e.recal, e.search = nil, 0, residentBatch{}, residentBatch{}
	e.back.Close()
}

// reopen makes a closed evaluator usable again.
func (e *measurer) reopen() error {
	if e.control != 0 {
		return nil
	}
	e.input, e.last = 0, nil
	return e.open()
}

// stay uploads images, if they are others than those that are there.
func (e *measurer) stay(r *residentBatch, images *engine.Images) error {
	if r.n > 0 && r.of == images {
		return nil
	}
	var x, y []float32
	n := 0
	for b := range images.Batches() {
		if b.Err != nil {
			return b.Err
		}
		x = append(x, b.X...)
		y = append(y, make([]float32, b.N)...)
		engine.PutLabels(y[n:], b.Y)
		n += b.N
	}
	eng := e.dev.cuda
	eng.Free(r.x)
	eng.Free(r.y)
	*r = residentBatch{}
	for _, p := range []struct {
		at *cuda.Addr
		v  []float32
	}{{&r.x, x}, {&r.y, y}} {
		at, err := eng.Alloc(4 * len(p.v))
		if err != nil {
			return err
		}
		*p.at = at
		if err := eng.Write(at, bytesOf(p.v)); err != nil {
			return err
		}
	}
	r.of, r.n = images, n
	return nil
}

// evalImages is how many images an evaluation takes through the network at a
// time: results do not depend on it, and more would not be faster.
func evalImages(widest int) int {
	const values = 1 << 27 // of the widest tensor
	return max(1, min(1000, values/widest))
}

// scorePlans are the plans of a score: the statistics, the batches of search images, the
// rest of these.
func scorePlans(c engine.ScoreSizes, widest int) []planSpec {
	if c.SearchBatch > 0 {
		whole, rest := engine.OwnBatches(c.Search, c.SearchBatch)
		specs := []planSpec{{}, {}, {rest, ops.Recalibrate}}
		if whole > 0 {
			specs[1] = planSpec{c.SearchBatch, ops.Recalibrate}
		}
		return specs
	}
	size := max(1, min(evalImages(widest), c.Search))
	return []planSpec{{c.RecalBatch, ops.Recalibrate}, {size, ops.Eval}, {c.Search % size, ops.Eval}}
}

// scoreInput is how many values the input of the largest of them has.
func scoreInput(plans []planSpec, image int) (n int) {
	for _, p := range plans {
		n = max(n, p.size*(image+1))
	}
	return n
}

// evalPlan is a forward pass as a device runs it.
type evalPlan struct {
	g      *engine.Graph
	plan   *cuda.Plan
	logits cuda.Addr // virtual
}

// room makes the input region large enough. Plans made before are void then.
func (e *measurer) room(n int) error {
	if n <= e.input {
		return nil
	}
	e.input, e.last = n, nil
	return e.back.Resize(ops.Input, n)
}

// plan builds the forward pass of a number of images. Its section 1 counts them
// in Control.
func (e *measurer) plan(p engine.Path, size int, mode ops.Mode) (*evalPlan, error) {
	g, err := p.Compile(e.back, engine.Spec{Batch: size})
	if err != nil {
		return nil, err
	}
	b := cuda.NewBuilder(e.dev.cuda.SMs())
	l, err := e.back.Lower(b, g.Prog, mode)
	if err != nil {
		return nil, err
	}
	b.Section()
	l.Count(g.Logits, g.Labels())
	return &evalPlan{g: g, plan: b.Plan(), logits: l.Kept(g.Logits)}, nil
}

// Score implements engine.Measurer.
func (e *measurer) Score(ctx context.Context, p engine.Path, recal, search *engine.Images) (engine.Tally, error) {
	if err := e.reopen(); err != nil {
		return engine.Tally{}, err
	}
	if err := e.stay(&e.search, search); err != nil {
		return engine.Tally{}, err
	}
	sizes, recals := engine.ScoreSizes{Search: e.search.n}, 0
	if recal == nil {
		if sizes.SearchBatch = search.Batch; e.search.n == 1 {
			return engine.Tally{}, engine.ErrOneImage
		}
	} else {
		if err := e.stay(&e.recal, recal); err != nil {
			return engine.Tally{}, err
		}
		if e.recal.n < recal.Batch {
			return engine.Tally{}, engine.FewImages(recal.Batch)
		}
		sizes.Recal, sizes.RecalBatch, recals = e.recal.n, recal.Batch, e.recal.n/recal.Batch
	}
	specs := scorePlans(sizes, e.m.Widest)
	if err := e.room(scoreInput(specs, e.m.Image())); err != nil {
		return engine.Tally{}, err
	}
	plans, err := e.plans(p, specs)
	if err != nil {
		return engine.Tally{}, err
	}
	if err := ctx.Err(); err != nil {
		return engine.Tally{}, err
	}
	err = e.dev.cuda.Do(func(s *cuda.Stream) error {
		if err := s.Zero(e.control, controlBytes); err != nil {
			return err
		}
		if err := s.Zero(e.back.Addr(ops.Mem{Region: ops.State, Len: len(e.m.State)}), 4*len(e.m.State)); err != nil {
			return err
		}
		if err := e.sweep(s, plans[0], &e.recal, 0, recals, 0, 0); err != nil {
			return err
		}
		size, whole := specs[1].size, 0
		if size > 0 {
			whole = (e.search.n - specs[2].size) / size
		}
		if err := e.sweep(s, plans[1], &e.search, 0, whole, 0, 0, 1); err != nil || plans[2] == nil {
			return err
		}
		return e.sweep(s, plans[2], &e.search, whole*size, 1, whole, 0, 1)
	})
	if err != nil {
		return engine.Tally{}, err
	}
	r, err := e.result(e.search.n)
	if err == nil && r.BadState {
		err = e.Statistics()
	}
	return r, err
}

// Scores implements engine.Measurer.
func (e *measurer) Scores(ctx context.Context, ps []engine.Path, recal, search *engine.Images, each engine.Told) error {
	return engine.OneByOne(ctx, e, ps, recal, search, each)
}

// Statistics implements engine.Measurer.
func (e *measurer) Statistics() error {
	return e.back.Read(ops.Mem{Region: ops.State, Len: len(e.m.State)}, e.m.State)
}

// planSpec is a forward pass of so many images.
type planSpec struct {
	size int
	mode ops.Mode
}

// plans builds several at a time; those of no images are nil.
func (e *measurer) plans(p engine.Path, specs []planSpec) ([]*evalPlan, error) {
	plans, errs := make([]*evalPlan, len(specs)), make([]error, len(specs))
	done := make(chan struct{})
	for i, s := range specs {
		go func() {
			if s.size > 0 {
				plans[i], errs[i] = e.plan(p, s.size, s.mode)
			}
			done <- struct{}{}
		}()
	}
	for range specs {
		<-done
	}
	return plans, errors.Join(errs...)
}

// sweep runs the sections of a plan on n batches of resident images from the
// first-th on. Statistics move by 1/(before+k+1) in the k-th, which averages them with those of so
// many batches before.
func (e *measurer) sweep(s *cuda.Stream, p *evalPlan, r *residentBatch, first, n, before int, sections ...int) error {
	if n == 0 {
		return nil
	}
	l, err := s.Load(p.plan)
	if err != nil {
		return err
	}
	run := cuda.Run{Control: e.control}
	if n > 1 {
		if err := s.Graph(l, 0, run); err != nil {
			return err
		}
	}
	momentum := viewOf[float32](e.pinned)
	g := p.g
	x, y := g.Images(), g.Labels()
	for k := range n {
		at := cuda.Addr(first + k*g.Batch)
		if err := s.Copy(e.back.Addr(x), r.x+at*cuda.Addr(4*g.Image), 4*x.Len); err != nil {
			return err
		}
		if err := s.Copy(e.back.Addr(y), r.y+4*at, 4*y.Len); err != nil {
			return err
		}
		momentum[k%len(momentum)] = float32(engine.RecalWeight(before + k))
		if err := s.ToDevice(e.control+cuda.Addr(unsafe.Offsetof(cuda.Control{}.Momentum)), e.pinned[4*(k%len(momentum)):][:4]); err != nil {
			return err
		}
		for _, sec := range sections {
			if err := s.Launch(l, sec, run); err != nil {
				return err
			}
		}
	}
	return s.Release(l)
}

// result reads what the launches counted on n images.
func (e *measurer) result(n int) (engine.Tally, error) {
	var c [1]cuda.Control
	if err := e.dev.cuda.Read(bytesOf(c[:]), e.control); err != nil {
		return engine.Tally{}, err
	}
	return engine.Tally{Images: n, Right: int(c[0].Right), Loss: c[0].LossSum, BadState: c[0].BadState != 0}, nil
}

// Evaluate implements engine.Measurer, on batches that are uploaded one by one.
func (e *measurer) Evaluate(ctx context.Context, p engine.Path, batches iter.Seq[*data.Batch], progress func(done int)) (engine.Tally, error) {
	if err := e.reopen(); err != nil {
		return engine.Tally{}, err
	}
	if err := e.dev.cuda.Zero(e.control, controlBytes); err != nil {
		return engine.Tally{}, err
	}
	n := 0
	err := e.each(ctx, p, batches, []int{0, 1}, func(_ *evalPlan, _ *cuda.Loaded, images int) error {
		n += images
		progress(n)
		return nil
	})
	if err != nil {
		return engine.Tally{}, err
	}
	return e.result(n)
}

// Logits implements engine.Measurer.
func (e *measurer) Logits(p engine.Path, b *data.Batch) ([]float32, error) {
	if err := e.reopen(); err != nil {
		return nil, err
	}
	if n := b.N * e.m.Classes; len(e.logits) < n {
		e.logits = make([]float32, n)
	}
	out := e.logits[:b.N*e.m.Classes]
	one := func(yield func(*data.Batch) bool) { yield(b) }
	err := e.each(context.Background(), p, one, []int{0}, func(x *evalPlan, l *cuda.Loaded, _ int) error {
		return e.dev.cuda.Read(bytesOf(out), l.At(x.logits))
	})
	return out, err
}

// each runs the sections of the forward pass on every batch; after says what to
// do with the images of one then.
func (e *measurer) each(ctx context.Context, p engine.Path, batches iter.Seq[*data.Batch], sections []int, after func(x *evalPlan, l *cuda.Loaded, images int) error) error {
	if err := e.back.Write(ops.Mem{Region: ops.State, Len: len(e.m.State)}, e.m.State); err != nil {
		return err
	}
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := engine.Check(b, b.N, e.m.Image()); err != nil {
			return err
		}
		if e.last == nil || e.path != p.Name || e.last.g.Batch != b.N {
			if err := e.room(len(b.X) + b.N); err != nil {
				return err
			}
			x, err := e.plan(p, b.N, ops.Eval)
			if err != nil {
				return err
			}
			e.path, e.last = p.Name, x
		}
		if err := e.one(e.last, b, sections, after); err != nil {
			return err
		}
	}
	return nil
}

func (e *measurer) one(x *evalPlan, b *data.Batch, sections []int, after func(x *evalPlan, l *cuda.Loaded, images int) error) error {
	if err := e.back.Write(x.g.Images(), b.X); err != nil {
		return err
	}
	y := make([]float32, b.N)
	engine.PutLabels(y, b.Y)
	if err := e.back.Write(x.g.Labels(), y); err != nil {
		return err
	}
	l, err := e.dev.cuda.Load(x.plan)
	if err != nil {
		return err
	}
	defer l.Release()
	for _, s := range sections {
		if err := l.Launch(s, cuda.Run{Control: e.control}); err != nil {
			return err
		}
	}
	return after(x, l, b.N)
}
