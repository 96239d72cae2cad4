package ops

import "oneshot/internal/ranges"

// arenaAlign is the alignment of arena pieces in elements: 64 bytes of float32.
const arenaAlign = 16

// planner hands out arena memory in program order and takes it back when a value
// dies.
type planner struct{ ranges.Ranges }

func arenaSize(n int) int { return ceilDiv(n, arenaAlign) * arenaAlign }

func (p *planner) alloc(n int) Mem {
	if n == 0 {
		return Mem{}
	}
	return Mem{Region: Arena, Off: p.Alloc(arenaSize(n)), Len: n}
}

func (p *planner) release(m Mem) {
	if m.Len > 0 && m.Region == Arena {
		p.Release(m.Off, arenaSize(m.Len))
	}
}
