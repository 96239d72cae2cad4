package lanas

import (
	"slices"
	"testing"
)

// Each proposal of a local search is a neighbour of the best since the last
// start, or a new start where that has no new neighbour.
func TestLocalClimbs(t *testing.T) {
	sp := choices{3, 3}
	s, err := NewLocal(sp, 4)
	if err != nil {
		t.Fatal(err)
	}
	score := additive(4, sp.Dim())
	neighbours := func(code []byte) (out [][]byte) {
		for _, c := range sp.all() {
			if hamming(pack(c), pack(code)) == 2 {
				out = append(out, c)
			}
		}
		return out
	}
	var current []byte
	starts, moves := 0, 0
	for range 27 {
		code, err := s.Ask()
		if err != nil {
			t.Fatal(err)
		}
		open := false
		if current != nil {
			open = slices.ContainsFunc(neighbours(current), func(c []byte) bool {
				return slices.Equal(c, code) || s.isNew(c)
			})
		}
		near := current != nil && hamming(pack(code), pack(current)) == 2
		if open && !near {
			t.Fatalf("%v is no neighbour of %v, which has new ones", code, current)
		}
		if !near {
			starts++
		}
		if v := score(code); current == nil || !near || v > score(current) {
			current = code
			moves++
		}
		if err := s.Tell(code, score(code)); err != nil {
			t.Fatal(err)
		}
	}
	if starts < 2 || moves-starts < 2 {
		t.Errorf("%d starts and %d moves mean nothing", starts, moves-starts)
	}
}
