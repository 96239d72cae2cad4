package ranges

import (
	"math/rand/v2"
	"testing"
)

// TestNothingOverlaps takes and gives back at random and keeps its own account.
func TestNothingOverlaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s Ranges
	type piece struct{ at, n int }
	var live []piece
	used := map[int]bool{}
	total := 0
	for range 2000 {
		if len(live) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(live))
			p := live[i]
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
			for k := range p.n {
				delete(used, p.at+k)
			}
			s.Release(p.at, p.n)
			continue
		}
		p := piece{n: 1 + r.IntN(20)}
		p.at = s.Alloc(p.n)
		total += p.n
		for k := range p.n {
			if used[p.at+k] || p.at+k >= s.Top() {
				t.Fatalf("unit %d of a new range is in use or beyond the top %d", p.at+k, s.Top())
			}
			used[p.at+k] = true
		}
		live = append(live, p)
	}
	if s.Top() > total/4 {
		t.Errorf("%d units for %d handed out in turn: nothing is used again", s.Top(), total)
	}
	for _, p := range live {
		s.Release(p.at, p.n)
	}
	if top := s.Top(); s.Alloc(top) != 0 || s.Top() != top {
		t.Error("gaps that touch are not joined")
	}
}
