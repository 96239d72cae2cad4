package rundir

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestStepsThere: what is missing, in any order of the lines, as counting one by one has it.
func TestStepsThere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	holes := 0
	for round := range 300 {
		s := &Steps{beyond: map[int]bool{}, sum: sha256.New()}
		there, twice, last := map[int]bool{}, 0, 0
		for range rnd.IntN(30) {
			step := 1 + rnd.IntN(20)
			if round%2 == 0 { // mostly in order
				step = len(there) + 1 + rnd.IntN(2)
			}
			if there[step] {
				twice++
			}
			there[step], last = true, max(last, step)
			s.add(step, []byte(fmt.Sprint(step)))
		}
		for to := range 25 {
			missing, first := 0, 0
			for step := 1; step <= to; step++ {
				if !there[step] {
					if missing++; first == 0 {
						first = step
					}
				}
			}
			if got, at := s.Missing(to); got != missing || at != first {
				t.Fatalf("%v: %d missing up to %d, the first %d; want %d and %d", there, got, to, at, missing, first)
			}
			holes += missing
		}
		if s.Twice != twice || s.Last != last {
			t.Fatalf("%v: %d twice, the last %d; want %d and %d", there, s.Twice, s.Last, twice, last)
		}
	}
	if n, first := (*Steps)(nil).Missing(3); n != 3 || first != 1 || holes == 0 {
		t.Errorf("without a line %d are missing from %d; %d holes", n, first, holes)
	}
}
