package gpu

import (
	"context"
	"fmt"
	"math"
	"time"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// depth is how many steps may be under way on the device at a time: while one
// runs, the next one's launches are issued.
const depth = 2

// Trainer implements engine.Trainer. Parameters, slots, statistics and averages
// live on the device while it trains.
type Trainer struct {
	m         engine.Model
	c         engine.TrainSpec
	dev       *Engine
	back      *ops.CUDA
	control   cuda.Addr
	stats     cuda.Addr
	recipesAt cuda.Addr
	px        *pixels // nil: batches are uploaded
	feed      engine.Feed
	recipes   *data.Recipes
	averageAt [2]cuda.Addr // parameters and statistics
	average   *cuda.Loaded
	packets   [depth]packet
	issued    int          // steps, since the last Push
	finished  int          // of them
	last      *cuda.Loaded // what the last step launched
}

// Train implements engine.Engine: it moves the network to the device.
func (e *Engine) Train(m engine.Model, c engine.TrainSpec) (engine.Trainer, error) {
	t := &Trainer{m: m, c: c, dev: e, back: ops.NewCUDA(e.cuda, e.half)}
	if err := t.open(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Trainer) open() error {
	for r, size := range trainRegions(engine.Sizes{Params: len(t.m.Params), State: len(t.m.State), Image: t.m.Image(), Classes: t.m.Classes}, t.c) {
		if err := t.back.Resize(r, size); err != nil {
			return err
		}
	}
	e := t.dev.cuda
	for _, x := range []struct {
		at *cuda.Addr
		n  int
	}{{&t.control, controlBytes}, {&t.stats, statsBytes}, {&t.recipesAt, t.recipeBytes()}} {
		at, err := e.Alloc(x.n)
		if err != nil {
			return err
		}
		*x.at = at
	}
	t.feed = engine.Feed{Images: t.c.Images, Config: t.c.Data}
	if fromPixels(t.c) {
		var err error
		if t.px, err = t.dev.resident(t.c.Images.Pixels()); err != nil {
			return err
		}
		if t.recipes, err = t.c.Images.Recipes(t.c.Data); err != nil {
			return err
		}
	}
	for i := range t.packets {
		if err := t.openPacket(&t.packets[i]); err != nil {
			return err
		}
	}
	if t.c.Average != nil {
		if err := t.openAverage(); err != nil {
			return err
		}
	}
	return t.Push()
}

// fromPixels says whether the device makes the batches of a training. What it cannot do
// itself is prepared beside it, a batch ahead: such are images with distributions.
func fromPixels(c engine.TrainSpec) bool {
	return c.Images != nil && c.Images.Resident() && c.Data.Augment.Plain() && !c.Graph.Soft
}

func (t *Trainer) openAverage() error {
	e := t.dev.cuda
	for i, n := range []int{len(t.m.Params), len(t.m.State)} {
		var err error
		if t.averageAt[i], err = e.Alloc(4 * n); err != nil {
			return err
		}
	}
	var err error
	t.average, err = e.Load(t.averagePlan(len(t.m.Params), len(t.m.State)))
	return err
}

// averagePlan plans the average: two tasks over all values.
func (t *Trainer) averagePlan(params, state int) *cuda.Plan {
	b := cuda.NewBuilder(t.dev.cuda.SMs())
	for i, m := range []ops.Mem{{Region: ops.Params, Len: params}, {Region: ops.State, Len: state}} {
		cuda.Add(b, "axpby", false, &cuda.AxpbyArgs{X: t.back.Addr(m), Y: t.averageAt[i],
			Blocks: int32(max(1, min((m.Len+2047)/2048, 2*b.SMs))), N: int32(m.Len)})
	}
	return b.Plan()
}

// held is an array of the host and its place on the device.
type held struct {
	v  []float32
	at cuda.Addr
}

// all lists what the device holds for the host.
func (t *Trainer) all() []held {
	whole := func(r ops.Region, v []float32) held { return held{v, t.back.Addr(ops.Mem{Region: r, Len: len(v)})} }
	hs := []held{whole(ops.Params, t.m.Params), whole(ops.State, t.m.State)}
	for i, s := range t.c.Slots {
		hs = append(hs, whole(ops.Slot(i), s))
	}
	if a := t.c.Average; a != nil {
		hs = append(hs, held{a.Params, t.averageAt[0]}, held{a.State, t.averageAt[1]})
	}
	return hs
}

// Push implements engine.Trainer.
func (t *Trainer) Push() error {
	e := t.dev.cuda
	if err := e.Wait(); err != nil {
		return err
	}
	t.issued, t.finished = 0, 0
	if err := e.Zero(t.control, controlBytes); err != nil {
		return err
	}
	for _, h := range t.all() {
		if err := e.Write(h.at, bytesOf(h.v)); err != nil {
			return err
		}
	}
	return nil
}

// Pull implements engine.Trainer.
func (t *Trainer) Pull() error {
	for _, h := range t.all() {
		if err := t.dev.cuda.Read(bytesOf(h.v), h.at); err != nil {
			return err
		}
	}
	return nil
}

// Close implements engine.Trainer. Errors of a lost device do not matter any more.
func (t *Trainer) Close() {
	e := t.dev.cuda
	t.feed.Close()
	if t.average != nil {
		t.average.Release()
	}
	if t.c.Fixed && t.last != nil {
		t.last.Release()
	}
	for _, a := range []cuda.Addr{t.control, t.stats, t.recipesAt, t.averageAt[0], t.averageAt[1]} {
		e.Free(a)
	}
	for _, p := range t.packets {
		if p.mem != nil {
			e.FreePinned(p.mem)
		}
	}
	t.back.Close()
}

// Depth implements engine.Trainer.
func (t *Trainer) Depth() int { return depth }

// Window implements engine.Trainer.
func (t *Trainer) Window() int { return min(16, 2*t.dev.threads) }

// Issue implements engine.Trainer.
func (t *Trainer) Issue(ctx context.Context, g *engine.Graph, s engine.Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.issued-t.finished == depth {
		return fmt.Errorf("engine: %d steps are under way already", depth)
	}
	if err := t.c.CheckStep(g, s); err != nil {
		return err
	}
	p := &t.packets[t.issued%depth]
	if err := t.fill(ctx, g, p, s); err != nil {
		return err
	}
	copy(p.masks, s.Masks)
	p.path = 0
	if g.Union != nil {
		p.path = -1
		if err := t.launchSeveral(g, p, s); err != nil {
			return err
		}
	} else if err := t.dev.cuda.Do(func(st *cuda.Stream) error { return t.launch(st, g, p, s) }); err != nil {
		return err
	}
	t.issued++
	return nil
}

// fill puts the batch of a step, or how to make it, into a packet.
func (t *Trainer) fill(ctx context.Context, g *engine.Graph, p *packet, s engine.Step) error {
	b := s.Batch
	p.lost = 0
	switch {
	case b == nil && t.px != nil:
		p.lost = t.recipes.Step(s.Number, p.recipes)
		return nil
	case b == nil:
		var err error
		if b, err = t.feed.Batch(ctx, s.Number); err != nil {
			return err
		}
		defer t.feed.Recycle(b)
		if err := t.c.CheckBatch(g, b); err != nil {
			return err
		}
	}
	p.lost = b.Replaced
	copy(p.images, b.X)
	engine.PutLabels(p.labels, b.Y)
	if g.Distributions > 0 {
		engine.PutTargets(p.targets, b.Y, b.T, g.Classes, t.c.Graph.Smoothing)
		copy(p.teacher, s.Teacher)
	}
	return nil
}

// Finish implements engine.Trainer.
func (t *Trainer) Finish() (engine.Outcome, error) {
	if t.issued == t.finished {
		return engine.Outcome{}, engine.ErrIdle
	}
	p := &t.packets[t.finished%depth]
	ms, err := t.dev.cuda.Took(p.began, p.done)
	if err != nil {
		return engine.Outcome{}, err
	}
	t.finished++
	return engine.Outcome{Loss: p.stats.Loss, Right: int(p.stats.Right), Path: p.path, GradNorm: math.Sqrt(p.stats.Norm2), Replaced: p.lost,
		Bad: p.stats.Bad != 0, Device: time.Duration(ms * float64(time.Millisecond))}, nil
}

// Read copies what the last step left at m, when none is under way: a gradient, or
// a value that its graph g keeps.
func (t *Trainer) Read(g *engine.Graph, m ops.Mem, v []float32) error {
	if m.Region != ops.Arena {
		return t.back.Read(m, v)
	}
	return t.dev.cuda.Read(bytesOf(v), t.last.At(g.Lowered.(*stepPlan).kept[m]))
}
