// Package ranges hands out ranges of a memory that is as long as it has to be.
package ranges

import "slices"

// Ranges hands out ranges and takes them back, in whatever unit the caller counts.
// The best fitting gap wins, the lowest of equals; the same sequence of calls gives
// the same ranges. The zero value is empty.
type Ranges struct {
	free []gap // below top, by offset, never adjacent
	top  int
}

type gap struct{ at, n int }

// Top is the length of the memory: beyond it nothing was handed out.
func (s *Ranges) Top() int { return s.top }

// Alloc returns the start of n units.
func (s *Ranges) Alloc(n int) int {
	best := -1
	for i, g := range s.free {
		if g.n >= n && (best < 0 || g.n < s.free[best].n) {
			best = i
		}
	}
	if best < 0 {
		at := s.top
		if k := len(s.free) - 1; k >= 0 && s.free[k].at+s.free[k].n == s.top {
			at = s.free[k].at
			s.free = s.free[:k]
		}
		s.top = at + n
		return at
	}
	g := &s.free[best]
	at := g.at
	g.at += n
	g.n -= n
	if g.n == 0 {
		s.free = slices.Delete(s.free, best, best+1)
	}
	return at
}

// Release takes back the n units at at, which Alloc returned for as many.
func (s *Ranges) Release(at, n int) {
	i, _ := slices.BinarySearchFunc(s.free, at, func(g gap, at int) int { return g.at - at })
	s.free = slices.Insert(s.free, i, gap{at, n})
	if i+1 < len(s.free) && s.free[i].at+s.free[i].n == s.free[i+1].at {
		s.free[i].n += s.free[i+1].n
		s.free = slices.Delete(s.free, i+1, i+2)
	}
	if i > 0 && s.free[i-1].at+s.free[i-1].n == s.free[i].at {
		s.free[i-1].n += s.free[i].n
		s.free = slices.Delete(s.free, i, i+1)
	}
}
