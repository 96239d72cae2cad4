package lanas

import (
	"math"
	"slices"
	"testing"
)

// A tree is shown in scores, whatever scale its models were learnt on: each
// threshold lies between the scores of its region, and the leaves share the space.
func TestTreeIsInScores(t *testing.T) {
	sp := choices{8, 3}
	for _, name := range []string{"lanas", "lanas-paper"} {
		s, err := NewSearch(name, sp, Options{Seed: 2, Budget: 200})
		if err != nil {
			t.Fatal(err)
		}
		score := additive(2, sp.Dim())
		run(t, s, 100, func(code []byte) float64 { return -math.Exp(-20 * score(code)) }) // skewed
		l := s.(*Searcher)
		splits, share := 0, 0.0
		for _, g := range l.Tree() {
			var scores []float64
			for _, i := range l.epoch.regions[g.ID].members {
				scores = append(scores, l.samples[i].Score)
			}
			if g.Samples != len(scores) || g.Best != slices.Max(scores) || !(math.Abs(g.Mean-mean(scores)) <= 1e-15) {
				t.Errorf("%s: region %d: %d samples, best %g, mean %g of %v", name, g.ID, g.Samples, g.Best, g.Mean, scores)
			}
			if g.Leaf {
				share += g.Share
				continue
			}
			splits++
			if !(g.Threshold > slices.Min(scores) && g.Threshold < g.Best) {
				t.Errorf("%s: region %d: threshold %g between scores %g and %g", name, g.ID, g.Threshold, slices.Min(scores), g.Best)
			}
		}
		if splits < 3 || !(math.Abs(share-1) <= 1e-9) {
			t.Errorf("%s: %d splits, leaves of %g of the space", name, splits, share)
		}
	}
}

// Of many samples a region is split only if it has a 64th of them.
func TestTreeOfManySamples(t *testing.T) {
	sp := choices{8, 4}
	const n = 6400
	c := Default()
	c.Init = n
	s, err := New(sp, c)
	if err != nil {
		t.Fatal(err)
	}
	score := additive(3, sp.Dim())
	r := s.stream()
	for len(s.samples) < n {
		code, err := s.uniform(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Tell(code, score(code)); err != nil {
			t.Fatal(err)
		}
	}
	e, small := s.current(), 0
	for _, g := range e.regions {
		switch {
		case g.good != nil && len(g.members) < n/64:
			t.Errorf("a region of %d samples is split", len(g.members))
		case g.good == nil && len(g.members) >= c.MinSplit:
			small++
		}
	}
	if small == 0 {
		t.Error("no leaf is larger than MinSplit")
	}
}

// An epoch is a fixed number of samples at first, an eighth more of some
// hundreds, and a 32th more of thousands; a belief is a sixth more.
func TestPeriods(t *testing.T) {
	c := Default()
	for _, want := range []struct{ n, epoch, belief int }{{12, 5, 5}, {40, 5, 6}, {80, 10, 13}, {512, 64, 85}, {2048, 64, 341}, {6400, 200, 1066}} {
		if e, b := c.period(want.n), beliefPeriod(want.n); e != want.epoch || b != want.belief {
			t.Errorf("from %d samples: an epoch of %d and a belief of %d, want %d and %d", want.n, e, b, want.epoch, want.belief)
		}
	}
	if e := Paper().period(2560); e != 10 {
		t.Errorf("the paper's epoch from 2560 samples has %d, want 10", e)
	}
}
