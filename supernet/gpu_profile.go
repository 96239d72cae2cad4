package supernet

import (
	"errors"

	"oneshot/ops/cuda"
)

// PlanStats describes the launches of one training step on a device.
type PlanStats struct {
	Tasks, Launches, Levels int
	ArenaBytes, TableBytes  int
}

// Profile takes one more step, kernel by kernel, and returns what they took; see
// cuda.Loaded.Profile. The trainer must not be used for anything but that any more.
func (t *Trainer) Profile() ([]cuda.KernelTime, PlanStats, error) {
	if t.gpu == nil {
		return nil, PlanStats{}, errors.New("supernet: profile: the trainer does not run on a GPU")
	}
	g, err := t.graph()
	if err != nil {
		return nil, PlanStats{}, err
	}
	p := g.step.plan
	st := PlanStats{Launches: len(p.Launches), Levels: p.Levels, ArenaBytes: p.Arena, TableBytes: p.Table()}
	for _, l := range p.Launches {
		st.Tasks += l.Tasks
	}
	l, err := t.gpu.dev.eng.Load(p)
	if err != nil {
		return nil, st, err
	}
	defer l.Release()
	var rows []cuda.KernelTime
	run := cuda.Run{Control: t.gpu.control, Momentum: bnMomentum, LR: float32(t.cfg.rate(t.step))}
	for _, s := range []int{g.step.gather[0], g.step.run, g.step.grad, g.step.sgd} {
		r, err := l.Profile(s, run)
		if err != nil {
			return nil, st, err
		}
		rows = append(rows, r...)
	}
	return rows, st, nil
}
