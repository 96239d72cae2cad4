package gpu

import (
	"oneshot/ops"
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// What is estimated here follows from the plans that a training or a score would load:
// they are made on memory that does not exist.

// trainRegions are the values of a training on the device, by region.
func trainRegions(s engine.Sizes, c engine.TrainSpec) map[ops.Region]int {
	sizes := map[ops.Region]int{ops.Params: s.Params, ops.Grad: s.Params, ops.State: s.State,
		ops.Input: c.Graph.Batch * (engine.ImageInput(s.Image, s.Classes, c.Distributions()) + c.Masks)}
	for i := range c.Slots {
		sizes[ops.Slot(i)] = s.Params
	}
	if c.Accumulates() {
		sizes[ops.GradSum] = s.Params
	}
	if c.Rank {
		sizes[ops.GradHeld] = s.Params
	}
	return sizes
}

// TrainMemory implements engine.Engine.
func (e *Engine) TrainMemory(s engine.Sizes, c engine.TrainSpec, p engine.Path) (engine.Memory, error) {
	t := &Trainer{c: c, dev: e, back: ops.NewDryCUDA(e.cuda, e.half)}
	var m engine.Memory
	var room cuda.Room
	for r, n := range trainRegions(s, c) {
		if err := t.back.Resize(r, n); err != nil {
			return m, err
		}
		if r == ops.Input {
			m.Input += 4 * int64(n)
		} else {
			m.Weights += 4 * int64(n)
		}
	}
	m.Input += int64(controlBytes + statsBytes + t.recipeBytes())
	if c.Average != nil {
		m.Weights += 4 * int64(s.Params+s.State)
		room.Hold(t.averagePlan(s.Params, s.State))
	}
	if fromPixels(c) {
		t.px = &pixels{}
		for _, x := range pixelBytes(c.Images.Pixels()) {
			m.Pixels += int64(len(x))
		}
	}
	var beside []engine.Path
	for range c.Paths - 1 {
		beside = append(beside, p)
	}
	g, err := t.Compile(p, beside...)
	if err != nil {
		return m, err
	}
	if end := g.Lowered.(*stepPlan).end; end != nil {
		room.Hold(end.plan) // until the paths of the step are through
	}
	for _, x := range g.Paths() {
		room.Load(x.Lowered.(*stepPlan).plan)
	}
	m.Arena, m.Tables = int64(room.Arena), int64(room.Tables)
	return m, nil
}

// ScoreMemory implements engine.Engine.
func (e *Engine) ScoreMemory(s engine.Sizes, c engine.ScoreSizes, p engine.Path) (engine.Memory, error) {
	r := &measurer{dev: e, back: ops.NewDryCUDA(e.cuda, e.half)}
	plans := scorePlans(c, s.Widest)
	input := scoreInput(plans, s.Image)
	m := engine.Memory{
		Weights: 4 * int64(s.Params+s.State),
		Input:   4*int64(input+(c.Recal+c.Search)*(s.Image+1)) + int64(controlBytes),
	}
	for region, n := range map[ops.Region]int{ops.Params: s.Params, ops.State: s.State, ops.Input: input} {
		if err := r.back.Resize(region, n); err != nil {
			return m, err
		}
	}
	made, err := r.plans(p, plans)
	if err != nil {
		return m, err
	}
	var room cuda.Room
	for _, x := range made {
		if x != nil {
			room.Load(x.plan)
		}
	}
	m.Arena, m.Tables = int64(room.Arena), int64(room.Tables)
	return m, nil
}

// LogitsMemory implements engine.Engine.
func (e *Engine) LogitsMemory(s engine.Sizes, images int, p engine.Path) (engine.Memory, error) {
	r := &measurer{dev: e, back: ops.NewDryCUDA(e.cuda, e.half)}
	input := images * (s.Image + 1)
	m := engine.Memory{Weights: 4 * int64(s.Params+s.State), Input: 4*int64(input) + int64(controlBytes)}
	for region, n := range map[ops.Region]int{ops.Params: s.Params, ops.State: s.State, ops.Input: input} {
		if err := r.back.Resize(region, n); err != nil {
			return m, err
		}
	}
	x, err := r.plan(p, images, ops.Eval)
	if err != nil {
		return m, err
	}
	var room cuda.Room
	room.Load(x.plan)
	m.Arena, m.Tables = int64(room.Arena), int64(room.Tables)
	return m, nil
}

// Free implements engine.Engine.
func (e *Engine) Free() (int64, error) {
	n, err := e.cuda.FreeMemory()
	return int64(n), err
}
