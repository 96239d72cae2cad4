package gpu

import (
	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
)

// PlanStats describes the launches of one training step on a device.
type PlanStats struct {
	Tasks, Launches, Levels int
	ArenaBytes, TableBytes  int
}

// Profile takes a step, kernel by kernel, on whatever batch the device has, and
// returns what they took; see cuda.Loaded.Profile. The trainer must not be used
// for anything but that any more.
func (t *Trainer) Profile(g *engine.Graph, s engine.Step) ([]cuda.KernelTime, PlanStats, error) {
	sp := g.Lowered.(*stepPlan)
	p := sp.plan
	st := PlanStats{Launches: len(p.Launches), Levels: p.Levels, ArenaBytes: p.Arena, TableBytes: p.Table()}
	for _, l := range p.Launches {
		st.Tasks += l.Tasks
	}
	l, err := t.dev.cuda.Load(p)
	if err != nil {
		return nil, st, err
	}
	defer l.Release()
	var rows []cuda.KernelTime
	for _, x := range []int{sp.gather[0], sp.run, sp.grad, sp.update} {
		r, err := l.Profile(x, t.runOf(s))
		if err != nil {
			return nil, st, err
		}
		rows = append(rows, r...)
	}
	return rows, st, nil
}
