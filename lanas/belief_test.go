package lanas

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestScaleGoesBothWays(t *testing.T) {
	scores := []float64{0.1, 0.8, 0.85, 0.9, 0.91}
	for _, bend := range []float64{0, 0.25, 1, 4} {
		s, logSlope := learnScale(scores, bend)
		var mean, sq, want float64
		last := math.Inf(-1)
		for _, y := range scores {
			v := s.at(y)
			mean, sq = mean+v/5, sq+v*v/5
			if !(v > last) {
				t.Errorf("bend %g: not ascending", bend)
			}
			last = v
			back, slope := s.score(v)
			if !(math.Abs(back-y) <= 1e-12) {
				t.Errorf("bend %g: %g comes back as %g", bend, y, back)
			}
			numeric := (s.at(y+1e-7) - s.at(y-1e-7)) / 2e-7
			if y < 0.9 && !(math.Abs(slope*numeric-1) <= 1e-5) {
				t.Errorf("bend %g: slope %g at %g, want %g", bend, slope, y, 1/numeric)
			}
			below := (s.at(y) - s.at(y-1e-9)) / 1e-9
			want += math.Log(below)
		}
		if !(math.Abs(mean) <= 1e-12) || !(math.Abs(sq-1) <= 1e-12) {
			t.Errorf("bend %g: mean %g, mean square %g", bend, mean, sq)
		}
		if !(math.Abs(logSlope-want) <= 1e-4) {
			t.Errorf("bend %g: log slope %g, want %g", bend, logSlope, want)
		}
	}
	if s, _ := learnScale([]float64{2, 2, 2}, 1); s.at(2) != 0 || s.at(3) != 1 {
		t.Error("equal scores are not on a scale of unit 1")
	}
	if s, _ := learnScale(slices.Repeat([]float64{0.7}, 12), 1); !(math.Abs(s.at(0.8)-0.1) <= 1e-12) {
		t.Errorf("equal scores whose mean is rounded: deviation %g, want 1", s.sd)
	}
	s, _ := learnScale(scores, 1)
	if up := s.at(1.0) - s.at(0.91); !(math.Abs(up*s.sd-0.09) <= 1e-12) {
		t.Error("the scale does not go on straight above the top")
	}
}

// A belief recognises what the scores were made of.
func TestBeliefIsLearnt(t *testing.T) {
	sp := choices{8, 3}
	r := rand.New(rand.NewPCG(1, 1))
	linear := additive(3, sp.Dim())
	learn := func(score func([]byte) float64) belief {
		var xs []packed
		var y []float64
		for range 120 {
			code := sp.Sample(r)
			xs, y = append(xs, pack(code)), append(y, score(code))
		}
		return learnBelief(xs, y, sp.Dim(), Default())
	}
	clean := learn(linear)
	noisy := learn(func(c []byte) float64 { return linear(c) + 0.05*r.NormFloat64() })
	rough := learn(func(c []byte) float64 { return r.NormFloat64() })
	skewed := learn(func(c []byte) float64 { return -math.Exp(-8 * linear(c)) })
	if !(clean.noise < noisy.noise) || !(noisy.noise < 1) {
		t.Errorf("noise: clean %g, noisy %g", clean.noise, noisy.noise)
	}
	if clean.linear == 0 && clean.length < 4 {
		t.Errorf("an additive landscape is believed to be %+v", clean)
	}
	if !(rough.noise >= 0.2) && !(rough.length <= 0.5) {
		t.Errorf("noise alone is believed to be %+v", rough)
	}
	// Of scores that no code explains only their distribution tells the bend.
	if tail := learn(func([]byte) float64 { return -math.Exp(2 * r.NormFloat64()) }); !(tail.bend > 0) {
		t.Errorf("a long tail is believed to be %+v", tail)
	}
	if !(skewed.bend > 0) || clean.bend != 0 {
		t.Errorf("skewed scores are believed to be %+v, straight ones %+v", skewed, clean)
	}
	if c := Default(); true {
		c.Warp, c.Linear = false, false
		b := learnBelief([]packed{pack([]byte{1, 0}), pack([]byte{0, 1}), pack([]byte{1, 1})}, []float64{0, 1, 50}, 2, c)
		if b.bend != 0 || b.linear != 0 {
			t.Errorf("without warp and linear part: %+v", b)
		}
	}
}

func TestThin(t *testing.T) {
	values := make([]float64, 100)
	for i := range values {
		values[i] = float64(i * 37 % 100)
	}
	all := make([]int, 100)
	for i := range all {
		all[i] = i
	}
	kept := thin(all, values, 20)
	best, seen := 0, map[int]bool{}
	for k, i := range kept {
		if values[i] >= 90 {
			best++
		}
		if seen[i] || k > 0 && i < kept[k-1] {
			t.Fatal("not ascending")
		}
		seen[i] = true
	}
	if len(kept) != 20 || best != 10 {
		t.Errorf("kept %d, %d of the best 10", len(kept), best)
	}
}
