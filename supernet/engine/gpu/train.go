package gpu

import (
	"context"
	"fmt"
	"math"
	"time"
	"unsafe"

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
	sizes := map[ops.Region]int{ops.Params: len(t.m.Params), ops.Grad: len(t.m.Params),
		ops.State: len(t.m.State), ops.Input: t.c.Graph.Batch * (t.m.Image() + 1 + t.c.Masks)}
	for i, s := range t.c.Slots {
		sizes[ops.Slot(i)] = len(s)
	}
	if t.c.Parts() > 1 {
		sizes[ops.GradSum] = len(t.m.Params)
	}
	for r, size := range sizes {
		if err := t.back.Resize(r, size); err != nil {
			return err
		}
	}
	e := t.dev.cuda
	for _, x := range []struct {
		at *cuda.Addr
		n  int
	}{{&t.control, int(unsafe.Sizeof(cuda.Control{}))}, {&t.stats, int(unsafe.Sizeof(cuda.Stats{}))}, {&t.recipesAt, t.recipeBytes()}} {
		at, err := e.Alloc(x.n)
		if err != nil {
			return err
		}
		*x.at = at
	}
	if t.c.Images != nil {
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

// openAverage plans the average: two tasks over all values.
func (t *Trainer) openAverage() error {
	e := t.dev.cuda
	b := cuda.NewBuilder(e.SMs())
	for i, m := range []ops.Mem{{Region: ops.Params, Len: len(t.m.Params)}, {Region: ops.State, Len: len(t.m.State)}} {
		at, err := e.Alloc(4 * m.Len)
		if err != nil {
			return err
		}
		t.averageAt[i] = at
		cuda.Add(b, "axpby", false, &cuda.AxpbyArgs{X: t.back.Addr(m), Y: at,
			Blocks: int32(max(1, min((m.Len+2047)/2048, 2*b.SMs))), N: int32(m.Len)})
	}
	var err error
	t.average, err = e.Load(b.Plan())
	return err
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
	if err := e.Zero(t.control, int(unsafe.Sizeof(cuda.Control{}))); err != nil {
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
	if b := s.Batch; b != nil {
		copy(p.batch, b.X)
		engine.PutLabels(p.batch[len(b.X):], b.Y)
	} else {
		t.recipes.Step(s.Number, p.recipes)
	}
	copy(p.masks, s.Masks)
	if err := t.dev.cuda.Do(func(st *cuda.Stream) error { return t.launch(st, g, p, s) }); err != nil {
		return err
	}
	t.issued++
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
	return engine.Outcome{Loss: p.stats.Loss, Right: int(p.stats.Right), GradNorm: math.Sqrt(p.stats.Norm2),
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
