package supernet

import (
	"errors"

	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
	"oneshot/supernet/engine/gpu"
)

// PlanStats describes the launches of one training step on a device.
type PlanStats = gpu.PlanStats

// profiler is a trainer whose steps are made of kernels.
type profiler interface {
	Profile(g *engine.Graph, s engine.Step) ([]cuda.KernelTime, PlanStats, error)
}

// Profile takes one more step, kernel by kernel, and returns what they took; see
// cuda.Loaded.Profile. The trainer must not be used for anything but that any more.
func (t *Trainer) Profile() ([]cuda.KernelTime, PlanStats, error) {
	p, ok := t.eng.(profiler)
	if !ok {
		return nil, PlanStats{}, errors.New("supernet: profile: the trainer does not run on a GPU")
	}
	g, err := t.graph()
	if err != nil {
		return nil, PlanStats{}, err
	}
	return p.Profile(g.Graph, t.describe(g.Graph, t.step))
}
