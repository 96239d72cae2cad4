package graph

import (
	"oneshot/internal/ranges"
	"oneshot/ops"
)

// planner hands out arena memory in program order and takes it back when a value
// dies.
type planner struct{ ranges.Ranges }

func (p *planner) alloc(n int) ops.Mem {
	if n == 0 {
		return ops.Mem{}
	}
	return ops.Mem{Region: ops.Arena, Off: p.Alloc(ops.ArenaSize(n)), Len: n}
}

func (p *planner) release(m ops.Mem) {
	if m.Len > 0 && m.Region == ops.Arena {
		p.Release(m.Off, ops.ArenaSize(m.Len))
	}
}
