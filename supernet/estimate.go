package supernet

import (
	"oneshot/ops"
	"oneshot/supernet/space"
)

// Estimate is about how much memory training with that batch needs, in bytes:
// parameters, gradients, momentum, and the arena of the architecture that uses
// the widest operation everywhere. It allocates none of it.
func Estimate(cfg NetConfig, arch *space.Arch, batch int) (int64, error) {
	if err := cfg.Check(); err != nil {
		return 0, err
	}
	l := newLayout(cfg, arch)
	n := &Net{cfg: cfg, arch: arch, layout: l}
	a := Widest(cfg.Space)
	if arch != nil {
		a = *arch
	}
	g, err := n.build(ops.NewCPU[float32](nil), a, graphSpec{batch: batch, train: true, dropPath: arch != nil})
	if err != nil {
		return 0, err
	}
	return 4 * (3*int64(l.nParam) + int64(l.nState) + int64(g.prog.ArenaLen()) + int64(g.inputLen())), nil
}

// Widest picks for every node the two latest edges with the operation that has
// the most stages and the largest kernel.
func Widest(s space.Space) space.Arch {
	best := 0
	for i, op := range s.Ops {
		k, b := kindOf(op), kindOf(s.Ops[best])
		if k.stages*100+k.kernel > b.stages*100+b.kernel {
			best = i
		}
	}
	var a space.Arch
	for i := range s.Nodes {
		n := space.Node{{Edge: i, Op: best}, {Edge: i + 1, Op: best}}
		a.Normal, a.Reduce = append(a.Normal, n), append(a.Reduce, n)
	}
	return a
}
