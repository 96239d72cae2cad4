package supernet

import (
	"context"
	"math"
	"time"
	"unsafe"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cuda"
)

// gpuAhead is how many steps may be under way on the device at a time: while one
// runs, the next one's launches are issued.
const gpuAhead = 2

// gpuTrainer holds what a Trainer keeps on a device. Parameters, momentum,
// statistics and averaged weights live there while it trains; pull copies them
// to the network.
type gpuTrainer struct {
	t         *Trainer
	dev       *device
	back      *ops.CUDA
	control   cuda.Addr
	stats     cuda.Addr
	recipesAt cuda.Addr
	px        *devicePixels // nil: batches are uploaded
	recipes   *data.Recipes
	emaAt     [2]cuda.Addr // averaged parameters and statistics
	emaPlan   *cuda.Loaded
	packets   [gpuAhead + 1]packet
	started   int // steps whose launches were issued
	graphs    [gpuAhead + 1]*graph
	keep      bool // plans stay loaded, so that what they computed can be read
}

// packet is what a step sends to the device and gets back, in pinned memory.
type packet struct {
	mem     []byte
	recipes []data.Placed
	masks   []float32
	batch   []float32 // images, then labels, of uploaded batches
	stats   *cuda.Stats
	began   cuda.Event
	done    cuda.Event
}

// newGPUTrainer moves the network to the device. train may be nil: then batches
// are uploaded.
func newGPUTrainer(t *Trainer, train *data.Train) (*gpuTrainer, error) {
	dev := t.net.rt.dev
	g := &gpuTrainer{t: t, dev: dev, back: ops.NewCUDA(dev.eng, dev.half), started: t.step}
	t.gpu = g
	if err := g.open(train); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *gpuTrainer) open(train *data.Train) error {
	n, c := g.t.net, g.t.cfg
	image := n.cfg.Image * n.cfg.Image * 3
	masks := 0
	if c.DropPath > 0 {
		masks = n.full.Masks()
	}
	sizes := map[ops.Region]int{ops.Params: len(n.params), ops.Grad: len(n.params), ops.Moment: len(n.params),
		ops.State: len(n.state), ops.Input: c.micro() * (image + 1 + masks)}
	if c.micro() < c.Batch {
		sizes[ops.GradSum] = len(n.params)
	}
	for r, size := range sizes {
		if err := g.back.Resize(r, size); err != nil {
			return err
		}
	}
	recipes := c.Batch * int(unsafe.Sizeof(data.Placed{}))
	for _, x := range []struct {
		at *cuda.Addr
		n  int
	}{{&g.control, int(unsafe.Sizeof(cuda.Control{}))}, {&g.stats, int(unsafe.Sizeof(cuda.Stats{}))}, {&g.recipesAt, recipes}} {
		at, err := g.dev.eng.Alloc(x.n)
		if err != nil {
			return err
		}
		*x.at = at
	}
	if err := g.dev.eng.Zero(g.control, int(unsafe.Sizeof(cuda.Control{}))); err != nil {
		return err
	}
	if train != nil {
		var err error
		if g.px, err = g.dev.resident(train.Pixels()); err != nil {
			return err
		}
		if g.recipes, err = train.Recipes(data.LoaderConfig{Batch: c.Batch, Seed: c.Seed, Augment: c.Augment}); err != nil {
			return err
		}
	}
	batch := 0
	if train == nil {
		batch = 4 * c.Batch * (image + 1)
	}
	stats := int(unsafe.Sizeof(cuda.Stats{}))
	for i := range g.packets {
		p := &g.packets[i]
		var err error
		if p.mem, err = g.dev.eng.Pinned(stats + recipes + 4*masks*c.Batch + batch); err != nil {
			return err
		}
		m := p.mem
		p.stats, m = &viewOf[cuda.Stats](m[:stats])[0], m[stats:]
		p.recipes, m = viewOf[data.Placed](m[:recipes]), m[recipes:]
		p.masks, m = viewOf[float32](m[:4*masks*c.Batch]), m[4*masks*c.Batch:]
		p.batch = viewOf[float32](m[:batch])
		if p.began, err = g.dev.eng.NewEvent(); err != nil {
			return err
		}
		if p.done, err = g.dev.eng.NewEvent(); err != nil {
			return err
		}
	}
	if c.EMA > 0 {
		if err := g.openEMA(); err != nil {
			return err
		}
	}
	return g.push()
}

// openEMA plans the average: two tasks over all values.
func (g *gpuTrainer) openEMA() error {
	n := g.t.net
	b := cuda.NewBuilder(g.dev.eng.SMs())
	for i, r := range []ops.Region{ops.Params, ops.State} {
		size := len(n.params)
		if r == ops.State {
			size = len(n.state)
		}
		at, err := g.dev.eng.Alloc(4 * size)
		if err != nil {
			return err
		}
		g.emaAt[i] = at
		cuda.Add(b, "axpby", false, &cuda.AxpbyArgs{X: g.back.Addr(ops.Mem{Region: r, Len: size}), Y: at,
			Blocks: int32(max(1, min((size+2047)/2048, 2*b.SMs))), N: int32(size)})
	}
	var err error
	g.emaPlan, err = g.dev.eng.Load(b.Plan())
	return err
}

// push copies the host's values to the device.
func (g *gpuTrainer) push() error {
	n := g.t.net
	for _, x := range []struct {
		r ops.Region
		v []float32
	}{{ops.Params, n.params}, {ops.State, n.state}, {ops.Moment, g.t.moment}} {
		if err := g.back.Write(ops.Mem{Region: x.r, Len: len(x.v)}, x.v); err != nil {
			return err
		}
	}
	if g.t.ema == nil {
		return nil
	}
	if err := g.dev.eng.Write(g.emaAt[0], bytesOf(g.t.ema.params)); err != nil {
		return err
	}
	return g.dev.eng.Write(g.emaAt[1], bytesOf(g.t.ema.state))
}

// pull copies the device's values to the host.
func (g *gpuTrainer) pull() error {
	n := g.t.net
	for _, x := range []struct {
		r ops.Region
		v []float32
	}{{ops.Params, n.params}, {ops.State, n.state}, {ops.Moment, g.t.moment}} {
		if err := g.back.Read(ops.Mem{Region: x.r, Len: len(x.v)}, x.v); err != nil {
			return err
		}
	}
	if g.t.ema == nil {
		return nil
	}
	if err := g.dev.eng.Read(bytesOf(g.t.ema.params), g.emaAt[0]); err != nil {
		return err
	}
	copy(g.t.ema.tracked, n.tracked)
	return g.dev.eng.Read(bytesOf(g.t.ema.state), g.emaAt[1])
}

// close gives the device's memory back. Errors of a lost device do not matter
// any more.
func (g *gpuTrainer) close() {
	e := g.dev.eng
	if g.emaPlan != nil {
		g.emaPlan.Release()
	}
	if f := g.t.fixed; f != nil && f.step != nil && f.step.loaded != nil {
		f.step.loaded.Release()
		f.step.loaded = nil
	}
	for _, a := range []cuda.Addr{g.control, g.stats, g.recipesAt, g.emaAt[0], g.emaAt[1]} {
		e.Free(a)
	}
	for _, p := range g.packets {
		if p.mem != nil {
			e.FreePinned(p.mem)
		}
	}
	g.back.Close()
}

// ahead is the number of steps under way.
func (g *gpuTrainer) ahead() int { return g.started - g.t.step }

// step is Trainer.Step. It issues the step, and the one after it unless the
// trainer holds, and waits for the first.
func (g *gpuTrainer) step(ctx context.Context) (StepStats, error) {
	want := 1
	if !g.t.hold {
		want = gpuAhead
	}
	for g.ahead() < want && g.started < g.t.cfg.Steps {
		if err := ctx.Err(); err != nil {
			return StepStats{}, err
		}
		gr, err := g.t.graph()
		if err != nil {
			return StepStats{}, err
		}
		if err := g.issue(gr, nil); err != nil {
			return StepStats{}, err
		}
	}
	return g.finish()
}

// take trains the path of gr on a batch.
func (g *gpuTrainer) take(gr *graph, b *data.Batch) (StepStats, error) {
	if err := checkBatch(b, g.t.cfg.Batch, gr.image); err != nil {
		return StepStats{}, err
	}
	if err := g.issue(gr, b); err != nil {
		return StepStats{}, err
	}
	return g.finish()
}

// issue starts a step: on the batch of its number, or on b.
func (g *gpuTrainer) issue(gr *graph, b *data.Batch) error {
	step := g.started
	p := &g.packets[step%len(g.packets)]
	switch {
	case b != nil:
		copy(p.batch, b.X)
		y := p.batch[len(b.X):]
		for i, v := range b.Y {
			y[i] = float32(v)
		}
	case g.recipes != nil:
		g.recipes.Step(step, p.recipes)
	}
	g.drawMasks(gr, p, step)
	err := g.dev.eng.Do(func(s *cuda.Stream) error { return g.launch(s, gr, p, step, b != nil) })
	if err != nil {
		return err
	}
	g.graphs[step%len(g.graphs)] = gr
	g.started++
	return nil
}

// drawMasks draws the drop-path masks of a step and lays them out micro-batch by
// micro-batch.
func (g *gpuTrainer) drawMasks(gr *graph, p *packet, step int) {
	if gr.masks == 0 {
		return
	}
	batch := g.t.cfg.Batch
	drawn := make([]float32, gr.masks*batch)
	g.t.cfg.drawMasks(step, drawn)
	for k, v := range drawn {
		m, i := k/batch, k%batch
		p.masks[(i/gr.batch*gr.masks+m)*gr.batch+i%gr.batch] = v
	}
}

func (g *gpuTrainer) launch(s *cuda.Stream, gr *graph, p *packet, step int, upload bool) error {
	c, sp := g.t.cfg, gr.step
	if err := s.Record(p.began); err != nil {
		return err
	}
	if sp.loaded == nil {
		var err error
		if sp.loaded, err = s.Load(sp.plan); err != nil {
			return err
		}
		if g.t.fixed != nil { // a graph takes longer to make than a step without one
			if err := s.Graph(sp.loaded, sp.run, cuda.Run{Control: g.control, Momentum: bnMomentum}); err != nil {
				return err
			}
		}
	}
	l := sp.loaded
	run := cuda.Run{Control: g.control, Momentum: bnMomentum, LR: float32(c.rate(step)), Mu: float32(c.Momentum), WD: float32(c.WeightDecay)}
	if g.px != nil && !upload {
		if err := s.ToDevice(g.recipesAt, bytesOf(p.recipes)); err != nil {
			return err
		}
	}
	parts := g.t.parts()
	for i := range parts {
		if gr.masks > 0 {
			n := gr.masks * gr.batch
			m := ops.Mem{Region: ops.Input, Off: gr.mask(0).Off, Len: n}
			if err := s.ToDevice(g.back.Addr(m), bytesOf(p.masks[i*n:(i+1)*n])); err != nil {
				return err
			}
		}
		sections := []int{sp.gather[i], sp.run, sp.tally}
		if upload {
			sections = sections[1:]
			if err := g.upload(s, gr, p, i); err != nil {
				return err
			}
		}
		if parts > 1 {
			sections = append(sections, sp.acc[accOf(i, parts)])
		}
		for _, x := range sections {
			if err := s.Launch(l, x, run); err != nil {
				return err
			}
		}
	}
	for _, x := range []int{sp.grad, sp.sgd} {
		if err := s.Launch(l, x, run); err != nil {
			return err
		}
	}
	if err := g.average(s, step); err != nil {
		return err
	}
	if err := s.ToHost(p.mem[:unsafe.Sizeof(cuda.Stats{})], g.stats); err != nil {
		return err
	}
	if err := s.Record(p.done); err != nil {
		return err
	}
	if g.t.fixed == nil && !g.keep {
		sp.loaded = nil
		return s.Release(l)
	}
	return nil
}

// accOf is the section that adds the gradients of micro-batch i.
func accOf(i, parts int) int {
	switch i {
	case 0:
		return 0
	case parts - 1:
		return 2
	}
	return 1
}

// upload sends the images and labels of micro-batch i.
func (g *gpuTrainer) upload(s *cuda.Stream, gr *graph, p *packet, i int) error {
	n := gr.batch * gr.image
	if err := s.ToDevice(g.back.Addr(gr.images()), bytesOf(p.batch[i*n:(i+1)*n])); err != nil {
		return err
	}
	y := p.batch[g.t.cfg.Batch*gr.image:]
	return s.ToDevice(g.back.Addr(gr.labels()), bytesOf(y[i*gr.batch:(i+1)*gr.batch]))
}

// average moves the averaged weights, see Trainer.average.
func (g *gpuTrainer) average(s *cuda.Stream, step int) error {
	if g.emaPlan == nil {
		return nil
	}
	d := g.t.emaDecay(step + 1)
	return s.Launch(g.emaPlan, 0, cuda.Run{Control: g.control, A: 1 - d, B: d})
}

// finish waits for the first step under way and returns what it did.
func (g *gpuTrainer) finish() (StepStats, error) {
	t := g.t
	gr, p := g.graphs[t.step%len(g.graphs)], &g.packets[t.step%len(g.packets)]
	ms, err := g.dev.eng.Took(p.began, p.done)
	if err != nil {
		return StepStats{}, err
	}
	st := StepStats{Step: t.step + 1, Steps: t.cfg.Steps, LR: t.cfg.rate(t.step), Images: t.cfg.Batch, Arch: gr.arch,
		Loss: p.stats.Loss, Top1: p.stats.Right / float64(t.cfg.Batch), GradNorm: math.Sqrt(p.stats.Norm2), Device: time.Duration(ms * float64(time.Millisecond))}
	if p.stats.Bad != 0 {
		return st, &DivergedError{Step: st.Step, Loss: st.Loss, LR: st.LR, GradNorm: st.GradNorm, Arch: t.net.cfg.Space.Format(gr.arch)}
	}
	for _, i := range gr.norms {
		t.net.tracked[i] += int64(t.parts())
	}
	t.step++
	return st, nil
}

// reset forgets steps under way, for another starting point.
func (g *gpuTrainer) reset() error {
	if err := g.dev.eng.Wait(); err != nil {
		return err
	}
	g.started = g.t.step
	if err := g.dev.eng.Zero(g.control, int(unsafe.Sizeof(cuda.Control{}))); err != nil {
		return err
	}
	return g.push()
}
