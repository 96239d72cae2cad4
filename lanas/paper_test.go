package lanas

// One test for each statement of the algorithm in arXiv 1906.06832, section 3
// (learning phase, search phase), in its order. The statements are in our words.

import (
	"math"
	"reflect"
	"slices"
	"testing"
)

// searched is a search of the small cell space with n samples told.
func searched(t testing.TB, n int, change func(*Config)) *Searcher {
	t.Helper()
	sp := newCells(t, 3)
	c := Paper()
	c.Init, c.Seed = 40, 11
	if change != nil {
		change(&c)
	}
	s, err := New(sp, c)
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, n, additive(4, sp.Dim()))
	return s
}

// The root of the tree represents the entire search space.
func TestPaperRootIsTheWholeSpace(t *testing.T) {
	s := searched(t, 100, nil)
	root := s.current().root()
	if len(root.members) != 100 {
		t.Errorf("the root holds %d samples of 100", len(root.members))
	}
	r := s.stream()
	for range 100 {
		if !root.contains(ones(s.space.Sample(r))) {
			t.Fatal("the root does not contain an architecture of the space")
		}
	}
}

// Each internal node learns a linear model of its samples' scores and splits
// them at their mean into a good and a bad half.
func TestPaperNodesSplitTheirSamplesAtTheMean(t *testing.T) {
	s := searched(t, 100, nil)
	tree, splits := s.current(), 0
	for _, g := range tree.regions {
		if g.good == nil {
			continue
		}
		splits++
		var x [][]int32
		var y []float64
		for _, i := range g.members {
			x, y = append(x, s.ones[i]), append(y, s.samples[i].Score)
		}
		m, _ := fit(x, y, s.space.Dim(), s.cfg.Ridge)
		var good, bad []int
		for k, i := range g.members {
			if m.predict(x[k]) >= mean(y) {
				good = append(good, i)
			} else {
				bad = append(bad, i)
			}
		}
		if !slices.Equal(good, g.good.members) || !slices.Equal(bad, g.bad.members) {
			t.Errorf("region %d splits %v and %v, want %v and %v", g.id, g.good.members, g.bad.members, good, bad)
		}
	}
	if splits < 5 {
		t.Errorf("only %d splits", splits)
	}
	if root := tree.root(); !(root.good.mean() > root.bad.mean()) {
		t.Errorf("on an additive landscape the good side has mean %g, the bad side %g", root.good.mean(), root.bad.mean())
	}
}

// The leaves partition the space: every architecture is in exactly one.
func TestPaperLeavesPartitionTheSpace(t *testing.T) {
	s := searched(t, 100, nil)
	r := s.stream()
	for range 500 {
		on, in := ones(s.space.Sample(r)), 0
		for _, g := range s.current().regions {
			if g.good == nil && g.contains(on) {
				in++
			}
		}
		if in != 1 {
			t.Fatalf("an architecture is in %d leaves", in)
		}
	}
}

// A tree of height h has 2^h leaves (ours at most: few samples, fewer splits).
func TestPaperTreeHeight(t *testing.T) {
	for _, h := range []int{1, 2, 3, 16} {
		s := searched(t, 100, func(c *Config) { c.Height, c.MinSplit = h, 4 })
		leaves, deepest := 0, 0
		for _, g := range s.current().regions {
			if g.good == nil {
				leaves++
				deepest = max(deepest, g.depth)
				if g.depth < h && len(g.members) >= 20 {
					t.Errorf("height %d: region of %d samples at depth %d is not split", h, len(g.members), g.depth)
				}
			}
		}
		if deepest > h || leaves > 1<<min(h, 10) {
			t.Errorf("height %d: depth %d, %d leaves", h, deepest, leaves)
		}
		if h <= 2 && leaves != 1<<h {
			t.Errorf("height %d: %d leaves, want %d", h, leaves, 1<<h)
		}
	}
}

// The search starts from random samples.
func TestPaperSearchStartsWithRandomSamples(t *testing.T) {
	sp := newCells(t, 3)
	c := Paper()
	a, _ := New(sp, c)
	b, _ := NewRandom(sp, c.Seed)
	score := additive(1, sp.Dim())
	for i := range c.Init {
		p, err := a.Propose()
		if err != nil || p.Source != FromWarmup {
			t.Fatalf("sample %d: source %q, error %v", i, p.Source, err)
		}
		code, _ := b.Ask()
		if !slices.Equal(code, p.Code) {
			t.Fatalf("sample %d differs from random search's", i)
		}
		a.Tell(code, score(code))
		b.Tell(code, score(code))
	}
	if p, _ := a.Propose(); p.Source == FromWarmup {
		t.Error("the warm-up does not end")
	}
}

// UCB = mean + 2 Cp sqrt(2 ln n(parent) / n), by hand: means 0.5 and 0.4 of
// 8 and 2 visits.
func TestPaperUCB(t *testing.T) {
	root := &region{}
	root.good, root.bad = &region{id: 1, parent: root, depth: 1}, &region{id: 2, parent: root, depth: 1}
	for i := range 10 {
		g, v := root.good, 0.5
		if i >= 8 {
			g, v = root.bad, 0.4
		}
		root.count(i, v)
		g.count(i, v)
	}
	tr := &tree{regions: []*region{root, root.good, root.bad}}
	// 2*0.1*sqrt(2 ln 10 / 8) = 0.151743, 2*0.1*sqrt(2 ln 10 / 2) = 0.303485.
	if got := root.good.ucb(0.1); !(math.Abs(got-0.651743) <= 1e-6) {
		t.Errorf("UCB of the good side %g", got)
	}
	if got := root.bad.ucb(0.1); !(math.Abs(got-0.703485) <= 1e-6) {
		t.Errorf("UCB of the bad side %g", got)
	}
	if tr.descend(0.1) != root.bad {
		t.Error("the greater UCB is not followed")
	}
	if tr.descend(0) != root.good {
		t.Error("without exploration the greater mean is not followed")
	}
	root.bad.pending, root.pending = 6, 6
	if tr.descend(0.1) != root.good {
		t.Error("pending proposals do not count as visits")
	}
}

// Select from the root to a leaf: every step takes the greater UCB.
func TestPaperSelectionFollowsTheGreaterUCB(t *testing.T) {
	s := searched(t, 100, nil)
	for range 20 {
		regions := s.Tree()
		at := 0
		for !regions[at].Leaf {
			next := -1
			for _, g := range regions {
				if g.Parent == at && (next < 0 || g.UCB > regions[next].UCB) {
					next = g.ID
				}
			}
			at = next
		}
		p, err := s.Propose()
		if err != nil {
			t.Fatal(err)
		}
		if p.Leaf != at {
			t.Errorf("proposal from leaf %d, the greater UCBs lead to %d", p.Leaf, at)
		}
	}
}

// A new sample meets all the constraints on the path: the conditions are
// evaluated here from the models, root to region. The release accepts when any
// holds; the count of such codes shows that the test would notice.
func TestPaperSamplesMeetAllConstraints(t *testing.T) {
	sources, anyOnly := map[Source]int{}, 0
	for _, reject := range []int{0, 20, 500} {
		s := searched(t, 40, func(c *Config) { c.RejectTries, c.Height = reject, 4 })
		score := additive(4, s.space.Dim())
		for range 150 {
			p, err := s.Propose()
			if err != nil {
				t.Fatal(err)
			}
			tree := s.epoch.tree
			met, conditions := meets(tree.regions[p.Region], p.Code)
			if met != conditions {
				t.Fatalf("%s from region %d meets %d of %d conditions", p.Source, p.Region, met, conditions)
			}
			if want := tree.regions[p.Leaf].depth - conditions; p.Fallback != want {
				t.Fatalf("fallback %d, want %d", p.Fallback, want)
			}
			if p.Fallback == 0 && p.Leaf != p.Region {
				t.Fatalf("leaf %d, region %d, and no fallback", p.Leaf, p.Region)
			}
			sources[p.Source]++
			if met, n := meets(tree.regions[p.Leaf], s.space.Sample(s.stream())); met > 0 && met < n {
				anyOnly++
			}
			if err := s.Tell(p.Code, score(p.Code)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if sources[FromReject] < 20 || sources[FromMutate] < 20 || anyOnly < 20 {
		t.Errorf("too few cases to mean anything: %v, %d random codes meet some conditions only", sources, anyOnly)
	}
}

// meets counts the conditions on the path to g, and those that code meets.
func meets(g *region, code []byte) (met, conditions int) {
	for ; g.parent != nil; g = g.parent {
		f := g.parent.model.bias
		for i, v := range code {
			if v == 1 {
				f += g.parent.model.weight[i]
			}
		}
		conditions++
		if (f >= g.parent.threshold) == (g == g.parent.good) {
			met++
		}
	}
	return met, conditions
}

// The score is propagated back to the root: it changes the statistics of the
// regions on its path and of no other.
func TestPaperScoresPropagateToTheRoot(t *testing.T) {
	s := searched(t, 40, func(c *Config) { c.SelectPerTree = 1000 })
	before := s.Tree()
	p, err := s.Propose()
	if err != nil {
		t.Fatal(err)
	}
	if p.Fallback != 0 {
		t.Fatal("the seed gives a fallback, take another")
	}
	if asked := s.Tree(); asked[p.Leaf].Visits != before[p.Leaf].Visits+1 || asked[p.Leaf].Samples != before[p.Leaf].Samples {
		t.Errorf("after Ask the leaf is %+v, was %+v", asked[p.Leaf], before[p.Leaf])
	}
	if err := s.Tell(p.Code, 9); err != nil {
		t.Fatal(err)
	}
	path := map[int]bool{}
	for g := p.Leaf; g >= 0; g = before[g].Parent {
		path[g] = true
	}
	for i, g := range s.Tree() {
		b := before[i]
		if path[i] {
			want := (b.Mean*float64(b.Samples) + 9) / float64(b.Samples+1)
			if g.Samples != b.Samples+1 || g.Visits != g.Samples || g.Best != 9 || !(math.Abs(g.Mean-want) <= 1e-12) {
				t.Errorf("region %d on the path: %+v, was %+v", i, g, b)
			}
		} else if g.Samples != b.Samples || g.Mean != b.Mean || g.Best != b.Best {
			t.Errorf("region %d off the path: %+v, was %+v", i, g, b)
		}
	}
	if len(path) < 2 {
		t.Error("the tree has no splits")
	}
}

// The tree is learnt anew after a number of samples, and only then.
func TestPaperTreeIsLearntAnew(t *testing.T) {
	s := searched(t, 40, func(c *Config) { c.SelectPerTree = 7 })
	score := additive(4, s.space.Dim())
	thresholds := func() (out []float64) {
		for _, g := range s.Tree() {
			out = append(out, g.Threshold)
		}
		return out
	}
	last := thresholds()
	for i := 1; i <= 21; i++ {
		run(t, s, 1, score)
		now := thresholds()
		if changed := !reflect.DeepEqual(now, last); changed != (i%7 == 0) {
			t.Errorf("after %d samples: tree changed is %v", i, changed)
		}
		last = now
	}
}
