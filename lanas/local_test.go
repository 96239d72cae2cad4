package lanas

import (
	"math"
	"slices"
	"testing"
)

// Each proposal of a local search is a neighbour of the best since the last
// start, or a new start where that has no new neighbour.
func TestLocalClimbs(t *testing.T) {
	sp := choices{3, 3}
	s, err := NewLocal(sp, 4, 1)
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

// A sample that was asked for before the climb moved on does not take it back:
// in batches too, the place is left only for a better one or a new start.
func TestLocalClimbsInBatches(t *testing.T) {
	sp := choices{6, 4}
	s, err := NewLocal(sp, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	score := additive(4, sp.Dim())
	late, height := 0, math.Inf(-1)
	for range 20 {
		codes, err := AskBatch(s, 8)
		if err != nil {
			t.Fatal(err)
		}
		var from []byte // where the climb stood when the batch was asked for
		if len(s.path) > 0 {
			from = unpack(s.path[len(s.path)-1], sp.Dim())
		}
		for _, code := range codes {
			if err := s.Tell(code, score(code)); err != nil {
				t.Fatal(err)
			}
			was := height
			s.climb()
			height = s.score
			if from == nil || hamming(pack(code), pack(from)) > 2 {
				continue // a start
			}
			if want := max(was, score(code)); height != want {
				t.Fatalf("a neighbour of score %g takes the climb from %g to %g", score(code), was, height)
			}
			if score(code) < was && was > score(from) {
				late++
			}
		}
	}
	if late < 10 {
		t.Errorf("%d late neighbours mean nothing", late)
	}
}

// The climb begins at the best of the random ones.
func TestLocalStartsFromTheBest(t *testing.T) {
	sp := choices{6, 4}
	s, err := NewLocal(sp, 4, 10)
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, 10, additive(1, sp.Dim()))
	best, _ := s.Best()
	if last := s.Samples()[9]; last.Score == best.Score {
		t.Fatal("the last sample is the best: the test compares nothing")
	}
	code, err := s.Ask()
	if err != nil {
		t.Fatal(err)
	}
	if hamming(pack(code), pack(best.Code)) != 2 {
		t.Errorf("the first step %v is no neighbour of the best, %v", code, best.Code)
	}
}
