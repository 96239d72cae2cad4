package lanas

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestModelBruteForceTwin: on 81 codes a proposal is as good as the best of all
// new codes, judged by the textbook's formulas: in expected improvement, in
// expected score where that promises nothing, and inside its leaf while
// exploring.
func TestModelBruteForceTwin(t *testing.T) {
	sp := choices{4, 3}
	all := sp.all()
	sources := map[Source]int{}
	fell := 0
	for seed := range uint64(4) {
		c := Default()
		c.Seed, c.Budget, c.MinSplit = seed, 60, 8
		s, err := New(sp, c)
		if err != nil {
			t.Fatal(err)
		}
		smooth, rough := additive(seed, sp.Dim()), additive(seed+100, 1<<12)
		score := func(code []byte) float64 { // with an effect of its own for each code
			own := 0
			for _, b := range code {
				own = 2*own + int(b)
			}
			bit := make([]byte, 1<<12)
			bit[own%(1<<12)] = 1
			return smooth(code) + rough(bit)
		}
		for range 60 {
			var unseen [][]byte
			for _, code := range all {
				if s.isNew(code) {
					unseen = append(unseen, code)
				}
			}
			p, err := s.Propose()
			if err != nil {
				t.Fatal(err)
			}
			sources[p.Source]++
			if p.Source != FromWarmup {
				e := s.epoch
				d := newDense(e.shape, e.dim, e.distance, s.packed, e.values)
				leaf := e.regions[p.Leaf]
				target, in := math.Inf(-1), p.Source == FromExplore
				for i, x := range s.packed {
					if mean, _ := d.at(x); !in || leaf.contains(s.ones[i]) {
						target = max(target, mean)
					}
				}
				worth := func(code []byte) float64 {
					mean, sd := d.at(pack(code))
					if p.Source == FromHarvest {
						return mean
					}
					return improvement(mean-target, sd)
				}
				best := math.Inf(-1)
				for _, code := range unseen {
					if !in || leaf.contains(ones(code)) {
						best = max(best, worth(code))
					}
				}
				// Candidates are drawn, so now and then the best is not among them.
				if got := worth(p.Code); !(got >= best-1e-6*math.Abs(best)-1e-9) {
					fell++
				}
				if g := worth(p.Code); p.Source == FromImprove && e.noise < noisy && (s.asked()-1)%pursuit != 0 && !(g >= 0.99*c.Exploit) {
					t.Errorf("seed %d: an improvement of %g is pursued", seed, g)
				}
			}
			if err := s.Tell(p.Code, score(p.Code)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%v, %d not the best", sources, fell)
	if sources[FromImprove] < 10 || sources[FromHarvest] < 10 || sources[FromExplore] < 10 {
		t.Errorf("too few cases to mean anything: %v", sources)
	}
	if fell > 6 {
		t.Errorf("%d proposals are not the best of all codes", fell)
	}
}

// worthExploring is the leaf of the greatest UCB, as a part of the whole space,
// among the worst.
func worthExploring(e *epoch, c Config) (leaf *region) {
	var means []float64
	for _, g := range e.regions {
		if g.good == nil {
			means = append(means, g.mean())
		}
	}
	slices.Sort(means)
	most, best := means[int(c.ExploreShare*float64(len(means)-1))], math.Inf(-1)
	for _, g := range e.regions {
		ucb := g.mean() + 2*c.ExploreCp*math.Sqrt(2*math.Log(float64(e.root().visits()))/float64(g.visits()))
		if g.good == nil && g.mean() <= most && ucb > best {
			leaf, best = g, ucb
		}
	}
	return leaf
}

// TestModelExploresByTheBudget: never before ExploreFrom, nor after
// ExploreUntil, of it.
func TestModelExploresByTheBudget(t *testing.T) {
	sp := choices{8, 3}
	s, err := NewSearch("lanas", sp, Options{Seed: 1, Budget: 120})
	if err != nil {
		t.Fatal(err)
	}
	l := s.(*Searcher)
	l.cfg.MinSplit = 8
	score, explored := additive(1, sp.Dim()), 0
	for n := range 120 {
		p, err := l.Propose()
		if err != nil {
			t.Fatal(err)
		}
		if p.Source == FromExplore {
			explored++
			if n < 12 || n >= 80 {
				t.Errorf("sample %d explores", n)
			}
			if leaf := l.epoch.regions[p.Leaf]; !leaf.contains(ones(p.Code)) || p.Fallback != 0 {
				t.Errorf("sample %d explores outside its leaf", n)
			}
			if want := worthExploring(l.epoch, l.cfg); p.Leaf != want.id {
				t.Errorf("sample %d explores leaf %d, want %d", n, p.Leaf, want.id)
			}
		}
		if err := l.Tell(p.Code, score(p.Code)); err != nil {
			t.Fatal(err)
		}
	}
	if explored < 20 {
		t.Errorf("only %d samples explore", explored)
	}
}

// TestModelOfNoisyScores: where an improvement is never worth its name, noisy
// scores end the exploration and not the search for improvements; quiet ones do
// not, but for a pause. After the time to explore both are harvested.
func TestModelOfNoisyScores(t *testing.T) {
	sp := choices{8, 3}
	smooth := additive(1, sp.Dim())
	for name, c := range map[string]struct {
		noise float64
		want  Source // while exploring
	}{"quiet": {0, FromExplore}, "noisy": {0.5, FromImprove}} {
		cfg := Default()
		cfg.Seed, cfg.Budget, cfg.MinSplit, cfg.Exploit = 1, 120, 8, 100
		s, err := New(sp, cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		early := map[Source]int{}
		for n := range 120 {
			p, err := s.Propose()
			if err != nil {
				t.Fatal(err)
			}
			if n >= 80 && p.Source != FromHarvest {
				t.Errorf("%s: sample %d is to %s", name, n, p.Source)
			}
			switch {
			case n < 40 || n >= 80:
			case n%pursuit != 0:
				early[p.Source]++
			case p.Source != FromImprove:
				t.Errorf("%s: sample %d is to %s where exploration pauses", name, n, p.Source)
			}
			if err := s.Tell(p.Code, smooth(p.Code)+c.noise*r.NormFloat64()); err != nil {
				t.Fatal(err)
			}
		}
		// A leaf without new codes is harvested.
		if early[c.want] < 25 || early[c.want]+early[FromHarvest] != 33 {
			t.Errorf("%s: %v, want %s", name, early, c.want)
		}
	}
}

// TestExpertOfManySamples: above expertSamples the expert leaves samples out, for
// some leaves all. Exploring these still has something to improve on, and
// proposals still depend on the samples told alone, however they came.
func TestExpertOfManySamples(t *testing.T) {
	sp := choices{8, 4}
	score := additive(5, sp.Dim())
	c := Default()
	c.Seed, c.Budget = 5, 900
	live, err := New(sp, c)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	tell := func(until int) {
		for len(live.samples) < until {
			if code := sp.Sample(r); live.isNew(code) {
				if err := live.Tell(code, score(code)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	bare := 0
	for n := range 80 {
		switch n {
		case 0:
			tell(expertSamples - 20)
		case 40:
			tell(700)
		}
		if n%8 == 0 {
			again, err := New(sp, c)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Replay(live.Samples()); err != nil {
				t.Fatal(err)
			}
			e := live.current()
			for _, g := range e.regions {
				a := live.newAgenda(e, g, true, live.stream())
				in := func(sample int) bool { return g.contains(live.ones[sample]) }
				if !slices.ContainsFunc(a.x.samples, in) {
					bare++
				}
				if math.IsInf(a.target, 0) {
					t.Fatalf("%d samples: an improvement over %g is expected", len(live.samples), a.target)
				}
				a.end()
			}
			x, y := live.expert(e), again.expert(again.current())
			if !slices.Equal(x.samples, y.samples) || !slices.Equal(x.values, y.values) {
				t.Fatalf("%d samples: the expert differs after replay", len(live.samples))
			}
			if max := expertSamples + expertPeriod; x.len() > max {
				t.Fatalf("%d samples: %d of them in the expert, want at most %d", len(live.samples), x.len(), max)
			}
			p, err := again.Propose()
			if err != nil {
				t.Fatal(err)
			}
			q, err := live.Propose()
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(p, q) {
				t.Fatalf("%d samples: proposal %v after replay, %v live", len(live.samples), p, q)
			}
			if err := live.Tell(q.Code, score(q.Code)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		run(t, live, 1, score)
	}
	if bare == 0 {
		t.Error("the expert has samples of every region")
	}
}

// TestBatchOfPending: a batch asked before any score has no duplicate, is what a
// replayed search asks, and telling it in another order changes only what the
// order of samples means.
func TestBatchOfPending(t *testing.T) {
	sp := choices{6, 4}
	score := additive(2, sp.Dim())
	for name, s := range searches(t, sp, 9) {
		for round := range 6 {
			again := searches(t, sp, 9)[name]
			if err := again.Replay(s.Samples()); err != nil {
				t.Fatal(err)
			}
			a, err := AskBatch(s, 9)
			if err != nil {
				t.Fatal(err)
			}
			b, err := AskBatch(again, 9)
			if err != nil {
				t.Fatal(err)
			}
			for i := range a {
				if !bytes.Equal(a[i], b[i]) {
					t.Fatalf("%s: round %d, ask %d differs after replay", name, round, i)
				}
			}
			for i := range a {
				k := (i*4 + round) % len(a)
				if err := s.Tell(a[k], score(a[k])); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestBelieverSpreadsABatch: what is pending is not asked about again, so a
// batch is more diverse than nine greedy choices would be.
func TestBelieverSpreadsABatch(t *testing.T) {
	sp := choices{8, 4}
	c := Default()
	c.Seed = 3
	s, err := New(sp, c)
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, 30, additive(3, sp.Dim()))
	e := s.current()
	x := s.expert(e)
	x.observe(x.values)
	cov := make([]float64, x.len())
	first, err := s.Ask()
	if err != nil {
		t.Fatal(err)
	}
	x.expect(pack(first), cov)
	before := x.deviation(cov)
	s.Ask()
	// The pending code joins the expert while a choice is made, and leaves again.
	a := s.newAgenda(s.current(), e.root(), false, s.stream())
	a.x.expect(pack(first), a.cov)
	after := a.x.deviation(a.cov)
	if a.x.len() != len(s.samples)+2 || !(after < 0.7*before) {
		t.Errorf("deviation at a pending code %g, was %g, with %d codes", after, before, a.x.len())
	}
	a.end()
	if a.x.len() != len(s.samples) {
		t.Errorf("%d codes stay in the expert, want %d", a.x.len(), len(s.samples))
	}
}
