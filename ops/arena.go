package ops

import "slices"

// arenaAlign is the alignment of arena pieces in elements: 64 bytes of float32.
const arenaAlign = 16

// planner hands out arena offsets in program order and takes them back when a
// value dies. First fit over a sorted free list; the same sequence of calls
// gives the same offsets.
type planner struct {
	free []Mem // gaps below top, by offset, never adjacent
	top  int
}

func (p *planner) alloc(n int) Mem {
	if n == 0 {
		return Mem{}
	}
	size := (n + arenaAlign - 1) / arenaAlign * arenaAlign
	best := -1
	for i, f := range p.free {
		if f.Len >= size && (best < 0 || f.Len < p.free[best].Len) {
			best = i
		}
	}
	if best < 0 {
		off := p.top
		if k := len(p.free) - 1; k >= 0 && p.free[k].Off+p.free[k].Len == p.top {
			off = p.free[k].Off
			p.free = p.free[:k]
		}
		p.top = off + size
		return Mem{Region: Arena, Off: off, Len: n}
	}
	f := &p.free[best]
	m := Mem{Region: Arena, Off: f.Off, Len: n}
	f.Off += size
	f.Len -= size
	if f.Len == 0 {
		p.free = slices.Delete(p.free, best, best+1)
	}
	return m
}

func (p *planner) release(m Mem) {
	if m.Len == 0 || m.Region != Arena {
		return
	}
	size := (m.Len + arenaAlign - 1) / arenaAlign * arenaAlign
	i, _ := slices.BinarySearchFunc(p.free, m.Off, func(f Mem, off int) int { return f.Off - off })
	p.free = slices.Insert(p.free, i, Mem{Region: Arena, Off: m.Off, Len: size})
	if i+1 < len(p.free) && p.free[i].Off+p.free[i].Len == p.free[i+1].Off {
		p.free[i].Len += p.free[i+1].Len
		p.free = slices.Delete(p.free, i+1, i+2)
	}
	if i > 0 && p.free[i-1].Off+p.free[i-1].Len == p.free[i].Off {
		p.free[i-1].Len += p.free[i].Len
		p.free = slices.Delete(p.free, i, i+1)
	}
}
