package graph

import (
	"oneshot/internal/ranges"
	"oneshot/ops"
)

// arenaAlign is the alignment of arena pieces in elements: 64 bytes of float32.
const arenaAlign = 16

// planner hands out arena memory in program order and takes it back when a value
// dies.
type planner struct{ ranges.Ranges }

func arenaSize(n int) int { return (n + arenaAlign - 1) / arenaAlign * arenaAlign }

func (p *planner) alloc(n int) ops.Mem {
	if n == 0 {
		return ops.Mem{}
	}
	return ops.Mem{Region: ops.Arena, Off: p.Alloc(arenaSize(n)), Len: n}
}

func (p *planner) release(m ops.Mem) {
	if m.Len > 0 && m.Region == ops.Arena {
		p.Release(m.Off, arenaSize(m.Len))
	}
}
