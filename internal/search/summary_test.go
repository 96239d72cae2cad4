package search

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oneshot/internal/rundir"
)

func TestRankingBreaksTiesByLossThenOrder(t *testing.T) {
	lines := []rundir.Sample{
		{Score: 0.5, Loss: 1}, {Score: 0.7, Loss: 2}, {Score: 0.7, Loss: 1}, {Score: 0.5, Loss: 1}, {Score: 0.9, Loss: 9},
	}
	if got, want := ranking(lines), []int{4, 2, 1, 0, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// Equal second scores: the lower loss of the second, then the better first.
	again := []rundir.Recheck{{Score: 0.6, Loss: 3}, {Score: 0.6, Loss: 2}, {Score: 0.6, Loss: 3}}
	for i := range lines {
		lines[i].Index = i
	}
	var order []int
	for _, e := range topOf(lines, []int{4, 2, 1, 0, 3}, again) {
		order = append(order, e.Sample)
	}
	if want := []int{2, 4, 1}; !slices.Equal(order, want) {
		t.Errorf("second scores order %v, want %v", order, want)
	}
}

// The front is what brute force finds: a sample is on it when every other that
// is as cheap or cheaper has a lower score. One stands for equals.
func TestParetoFront(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	long := 0
	for range 200 {
		lines := make([]rundir.Sample, 1+r.IntN(30))
		for i := range lines {
			lines[i] = rundir.Sample{Index: i, Score: float64(r.IntN(12)) / 12, MAdds: int64(1 + r.IntN(12))}
		}
		type point struct {
			score float64
			madds int64
		}
		want := map[point]bool{}
		for _, a := range lines {
			beaten := slices.ContainsFunc(lines, func(b rundir.Sample) bool {
				return b.MAdds <= a.MAdds && b.Score >= a.Score && (b.MAdds < a.MAdds || b.Score > a.Score)
			})
			if !beaten {
				want[point{a.Score, a.MAdds}] = true
			}
		}
		front := paretoFront(lines)
		for i, p := range front {
			if !want[point{p.Score, p.MAdds}] || lines[p.Sample].Score != p.Score {
				t.Errorf("%+v is on the front of %+v", p, lines)
			}
			if i > 0 && p.MAdds <= front[i-1].MAdds {
				t.Errorf("the front does not ascend: %+v", front)
			}
		}
		if len(front) != len(want) {
			t.Errorf("%d points, want %d", len(front), len(want))
		}
		if len(front) > 2 {
			long++
		}
	}
	if long < 50 {
		t.Errorf("only %d fronts of some length", long)
	}
}

func TestLastThird(t *testing.T) {
	lines := []rundir.Sample{{Score: 0.1}, {Score: 0.2}, {Score: 0.3}, {Score: 0.4}, {Score: 0.5}, {Score: 0.75}, {Score: 0.25}}
	for n, want := range map[int]float64{1: 0.1, 2: 0.2, 3: 0.3, 6: 0.625, 7: 0.5} {
		if got := lastThird(lines[:n]); !(math.Abs(got-want) < 1e-12) {
			t.Errorf("of %d: %v, want %v", n, got, want)
		}
	}
}
