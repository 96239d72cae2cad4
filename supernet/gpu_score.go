package supernet

import (
	"context"
	"errors"
	"iter"
	"unsafe"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cuda"
	"oneshot/supernet/space"
)

// gpuEvaluator is an evaluator on a device. The images that scores are taken on
// stay there after the first score; others are uploaded.
type gpuEvaluator struct {
	net     *Net
	dev     *device
	back    *ops.CUDA
	state   []float32 // of Evaluate; a Scorer re-estimates it on the device
	control cuda.Addr
	pinned  []byte // momenta on their way
	input   int
	calib   residentBatch
	search  residentBatch
}

// residentBatch is a number of images, normalised, and their labels on the device.
type residentBatch struct {
	key  any // what they are
	x, y cuda.Addr
	n    int
}

func newGPUEvaluator(n *Net, state []float32) (*gpuEvaluator, error) {
	dev := n.rt.dev
	e := &gpuEvaluator{net: n, dev: dev, back: ops.NewCUDA(dev.eng, dev.half), state: state}
	if err := e.open(); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *gpuEvaluator) open() error {
	if err := e.back.Resize(ops.Params, len(e.net.params)); err != nil {
		return err
	}
	if err := e.back.Resize(ops.State, len(e.net.state)); err != nil {
		return err
	}
	if err := e.back.Write(ops.Mem{Region: ops.Params, Len: len(e.net.params)}, e.net.params); err != nil {
		return err
	}
	var err error
	if e.control, err = e.dev.eng.Alloc(int(unsafe.Sizeof(cuda.Control{}))); err != nil {
		return err
	}
	e.pinned, err = e.dev.eng.Pinned(4 * momenta)
	return err
}

// momenta is more than a device is ever behind with.
const momenta = 1 << 14

func (e *gpuEvaluator) close() {
	for _, a := range []cuda.Addr{e.control, e.calib.x, e.calib.y, e.search.x, e.search.y} {
		e.dev.eng.Free(a)
	}
	if e.pinned != nil {
		e.dev.eng.FreePinned(e.pinned)
	}
	e.pinned, e.control, e.calib, e.search = nil, 0, residentBatch{}, residentBatch{}
	e.back.Close()
}

// reopen makes a closed evaluator usable again.
func (e *gpuEvaluator) reopen() error {
	if e.control != 0 {
		return nil
	}
	e.input = 0
	return e.open()
}

// stay uploads the images of batches, once for each key.
func (e *gpuEvaluator) stay(r *residentBatch, key any, batches iter.Seq[*data.Batch]) error {
	if r.n > 0 && r.key == key {
		return nil
	}
	var x, y []float32
	n := 0
	for b := range batches {
		x = append(x, b.X...)
		for _, v := range b.Y {
			y = append(y, float32(v))
		}
		n += b.N
	}
	eng := e.dev.eng
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
	r.key, r.n = key, n
	return nil
}

// evalImages is how many images an evaluation takes through the network at a
// time: results do not depend on it, and more would not be faster.
func (e *gpuEvaluator) evalImages() int {
	c := e.net.cfg
	const values = 1 << 27 // of the widest tensor, the stem's output
	return max(1, min(1000, values/(c.Image*c.Image*c.StemMultiplier*c.Channels)))
}

// evalPlan is a forward pass as a device runs it.
type evalPlan struct {
	g      *graph
	plan   *cuda.Plan
	logits cuda.Addr // virtual
}

// room makes the input region large enough. Plans made before are void then.
func (e *gpuEvaluator) room(n int) error {
	if n <= e.input {
		return nil
	}
	e.input = n
	return e.back.Resize(ops.Input, n)
}

// plan builds the forward pass of a number of images. Its section 1 counts them
// in Control.
func (e *gpuEvaluator) plan(arch space.Arch, size int, mode ops.Mode) (*evalPlan, error) {
	g, err := e.net.build(e.back, arch, graphSpec{batch: size})
	if err != nil {
		return nil, err
	}
	b := cuda.NewBuilder(e.dev.eng.SMs())
	l, err := e.back.Lower(b, g.prog, mode)
	if err != nil {
		return nil, err
	}
	b.Section()
	l.Count(g.logits, g.labels())
	return &evalPlan{g: g, plan: b.Plan(), logits: l.Kept(g.logits)}, nil
}

// score re-estimates the statistics and measures.
func (e *gpuEvaluator) score(ctx context.Context, arch space.Arch, train *data.Train, search *data.Search, c ScoreConfig) (Result, error) {
	if err := e.reopen(); err != nil {
		return Result{}, err
	}
	if err := e.stay(&e.calib, [2]any{train, c}, train.Calib(c.Seed, c.RecalImages, c.RecalBatch)); err != nil {
		return Result{}, err
	}
	if err := e.stay(&e.search, search, search.Batches(c.Batch)); err != nil {
		return Result{}, err
	}
	if e.calib.n < c.RecalBatch {
		return Result{}, fewImages(c.RecalBatch)
	}
	if e.search.n == 0 {
		return Result{}, errNoImages
	}
	image := e.net.cfg.Image * e.net.cfg.Image * 3
	size := min(e.evalImages(), e.search.n)
	if err := e.room(max(size, c.RecalBatch) * (image + 1)); err != nil {
		return Result{}, err
	}
	plans, err := e.plans(arch, []planSpec{{c.RecalBatch, ops.Recalibrate}, {size, ops.Eval}, {e.search.n % size, ops.Eval}})
	if err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	err = e.dev.eng.Do(func(s *cuda.Stream) error {
		if err := s.Zero(e.control, int(unsafe.Sizeof(cuda.Control{}))); err != nil {
			return err
		}
		if err := s.Zero(e.back.Addr(ops.Mem{Region: ops.State, Len: len(e.net.state)}), 4*len(e.net.state)); err != nil {
			return err
		}
		if err := e.sweep(s, plans[0], &e.calib, 0, e.calib.n/c.RecalBatch, 0); err != nil {
			return err
		}
		whole := e.search.n / size
		if err := e.sweep(s, plans[1], &e.search, 0, whole, 0, 1); err != nil || plans[2] == nil {
			return err
		}
		return e.sweep(s, plans[2], &e.search, whole*size, 1, 0, 1)
	})
	if err != nil {
		return Result{}, err
	}
	return e.result(e.search.n)
}

type planSpec struct {
	size int
	mode ops.Mode
}

// plans builds several at a time; those of no images are nil.
func (e *gpuEvaluator) plans(arch space.Arch, specs []planSpec) ([]*evalPlan, error) {
	plans, errs := make([]*evalPlan, len(specs)), make([]error, len(specs))
	done := make(chan struct{})
	for i, s := range specs {
		go func() {
			if s.size > 0 {
				plans[i], errs[i] = e.plan(arch, s.size, s.mode)
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
// first-th on. Statistics move by 1/(k+1) in the k-th, which averages them.
func (e *gpuEvaluator) sweep(s *cuda.Stream, p *evalPlan, r *residentBatch, first, n int, sections ...int) error {
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
	x, y := g.images(), g.labels()
	for k := range n {
		at := cuda.Addr(first + k*g.batch)
		if err := s.Copy(e.back.Addr(x), r.x+at*cuda.Addr(4*g.image), 4*x.Len); err != nil {
			return err
		}
		if err := s.Copy(e.back.Addr(y), r.y+4*at, 4*y.Len); err != nil {
			return err
		}
		momentum[k%len(momentum)] = 1 / float32(k+1)
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
func (e *gpuEvaluator) result(n int) (Result, error) {
	var c [1]cuda.Control
	if err := e.dev.eng.Read(bytesOf(c[:]), e.control); err != nil {
		return Result{}, err
	}
	return Result{Top1: c[0].Right / float64(n), Loss: c[0].LossSum / float64(n), Images: n}, nil
}

// run measures accuracy and loss on batches that are uploaded one by one.
func (e *gpuEvaluator) run(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int)) (Result, error) {
	if err := e.reopen(); err != nil {
		return Result{}, err
	}
	eng := e.dev.eng
	if err := eng.Zero(e.control, int(unsafe.Sizeof(cuda.Control{}))); err != nil {
		return Result{}, err
	}
	n := 0
	err := e.each(ctx, arch, batches, []int{0, 1}, func(*evalPlan, *cuda.Loaded) error { return nil }, func(done int) {
		n = done
		if progress != nil {
			progress(done)
		}
	})
	if err != nil {
		return Result{}, err
	}
	if n == 0 {
		return Result{}, errNoImages
	}
	return e.result(n)
}

// each runs the sections of the forward pass on every batch; after says what to
// do with it then.
func (e *gpuEvaluator) each(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], sections []int, after func(*evalPlan, *cuda.Loaded) error, progress func(done int)) error {
	if err := e.reopen(); err != nil {
		return err
	}
	state := ops.Mem{Region: ops.State, Len: len(e.state)}
	if err := e.back.Write(state, e.state); err != nil {
		return err
	}
	var p *evalPlan
	done := 0
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := checkBatch(b, b.N, e.net.cfg.Image*e.net.cfg.Image*3); err != nil {
			return err
		}
		if p == nil || p.g.batch != b.N {
			if err := e.room(len(b.X) + b.N); err != nil {
				return err
			}
			var err error
			if p, err = e.plan(arch, b.N, ops.Eval); err != nil {
				return err
			}
		}
		if err := e.one(p, b, sections, after); err != nil {
			return err
		}
		done += b.N
		progress(done)
	}
	return nil
}

func (e *gpuEvaluator) one(p *evalPlan, b *data.Batch, sections []int, after func(*evalPlan, *cuda.Loaded) error) error {
	if err := e.back.Write(p.g.images(), b.X); err != nil {
		return err
	}
	y := make([]float32, b.N)
	for i, v := range b.Y {
		y[i] = float32(v)
	}
	if err := e.back.Write(p.g.labels(), y); err != nil {
		return err
	}
	l, err := e.dev.eng.Load(p.plan)
	if err != nil {
		return err
	}
	defer l.Release()
	for _, s := range sections {
		if err := l.Launch(s, cuda.Run{Control: e.control}); err != nil {
			return err
		}
	}
	return after(p, l)
}

// logits are the network's outputs for a batch.
func (e *gpuEvaluator) logits(arch space.Arch, b *data.Batch) ([]float32, error) {
	out := make([]float32, b.N*e.net.cfg.Classes)
	one := func(yield func(*data.Batch) bool) { yield(b) }
	err := e.each(context.Background(), arch, one, []int{0}, func(p *evalPlan, l *cuda.Loaded) error {
		return e.dev.eng.Read(bytesOf(out), l.At(p.logits))
	}, func(int) {})
	return out, err
}
