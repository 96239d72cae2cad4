package lanas

import "math"

// region is a node of the tree: the part of the space that meets the
// conditions of all splits above it.
type region struct {
	id        int     // place in Tree
	parent    *region // nil for the root, which is the whole space
	good, bad *region // nil for a leaf
	depth     int
	model     model   // of the split, unless a leaf
	threshold float64 // predictions of at least this are good
	members   []int   // the samples inside, by index
	sum, best float64 // of their scores
	pending   int     // codes inside that are asked for and not told
}

// tree is the outcome of a learning phase (paper, section 3).
type tree struct {
	regions []*region // parents before children
	learnt  int       // samples the models were learnt from
	routed  int       // samples counted: the later ones only count
}

func (t *tree) root() *region { return t.regions[0] }

// learn builds the tree from the ones of n codes and their scores.
//
// From the root down, a ridge model is fitted to the scores of a region's
// samples, and splits the region at their mean score: what the model predicts
// to reach the mean becomes the good child, the rest the bad one. Unlike the paper's, the tree is not complete: a region with
// fewer than MinSplit samples, or whose samples all look alike to the model,
// stays a leaf.
func learn(xs [][]int32, scores []float64, dim int, c Config) *tree {
	t := &tree{learnt: len(xs), routed: len(xs)}
	all := make([]int, len(xs))
	for i := range all {
		all[i] = i
	}
	t.grow(nil, all, xs, scores, dim, c)
	return t
}

func (t *tree) grow(parent *region, members []int, xs [][]int32, scores []float64, dim int, c Config) *region {
	g := &region{id: len(t.regions), parent: parent, best: math.Inf(-1)}
	if parent != nil {
		g.depth = parent.depth + 1
	}
	t.regions = append(t.regions, g)
	for _, i := range members {
		g.count(i, scores[i])
	}
	if g.depth == c.Height || len(members) < c.MinSplit {
		return g
	}
	x, y := make([][]int32, len(members)), make([]float64, len(members))
	for k, i := range members {
		x[k], y[k] = xs[i], scores[i]
	}
	m, ok := fit(x, y, dim, c.Ridge)
	if !ok {
		return g
	}
	g.threshold = g.mean()
	var good, bad []int
	for k, i := range members {
		if m.predict(x[k]) >= g.threshold {
			good = append(good, i)
		} else {
			bad = append(bad, i)
		}
	}
	if len(good) == 0 || len(bad) == 0 {
		return g
	}
	g.model = m
	g.good = t.grow(g, good, xs, scores, dim, c)
	g.bad = t.grow(g, bad, xs, scores, dim, c)
	return g
}

func (g *region) count(sample int, score float64) {
	g.members = append(g.members, sample)
	g.sum += score
	g.best = max(g.best, score)
}

func (g *region) mean() float64 { return g.sum / float64(len(g.members)) }

// visits counts what was proposed inside, so that asking twice before telling
// does not look as promising the second time.
func (g *region) visits() int { return len(g.members) + g.pending }

// child is the side of the split that a code falls on.
func (g *region) child(on []int32) *region {
	if g.model.predict(on) >= g.threshold {
		return g.good
	}
	return g.bad
}

// contains says whether a code meets the conditions of every split above.
func (g *region) contains(on []int32) bool {
	for ; g.parent != nil; g = g.parent {
		if g.parent.child(on) != g {
			return false
		}
	}
	return true
}

// route calls visit for the regions from the root to the leaf that hold a code.
func (t *tree) route(on []int32, visit func(*region)) {
	for g := t.root(); ; g = g.child(on) {
		visit(g)
		if g.good == nil {
			return
		}
	}
}

// ucb is the upper confidence bound of a region (paper, section 3):
// mean + 2 Cp sqrt(2 ln n(parent) / n). A region holds at least one sample.
func (g *region) ucb(cp float64) float64 {
	if g.parent == nil {
		return g.mean()
	}
	n := math.Log(float64(g.parent.visits()))
	return g.mean() + 2*cp*math.Sqrt(2*n/float64(g.visits()))
}

// descend goes from the root to a leaf by the greater UCB, the good side first
// among equals.
func (t *tree) descend(cp float64) *region {
	g := t.root()
	for g.good != nil {
		if g.bad.ucb(cp) > g.good.ucb(cp) {
			g = g.bad
		} else {
			g = g.good
		}
	}
	return g
}

// Region describes a node of the tree for display.
type Region struct {
	ID, Parent int     // places in the list; -1 is the root's parent
	Depth      int     // splits above
	Good       bool    // the better side of its parent's split
	Leaf       bool    // not split
	Threshold  float64 // predicted score that splits it; 0 for a leaf
	Samples    int     // scored architectures inside
	Visits     int     // and those asked for
	Mean, Best float64 // of the scores
	UCB        float64
	// Terms are the entries of the code that weigh most in the split's model, the
	// heaviest first; empty for a leaf. A code that has them predicts a higher
	// (Weight above 0) or lower score.
	Terms []Term
	// Share is the estimated part of the space that the region holds, 0..1.
	Share float64
}

// Term is an entry of the code in a linear model.
type Term struct {
	Feature int     // index into the code
	Weight  float64 // in units of the score
}

func (t *tree) list(cp float64) []Region {
	out := make([]Region, len(t.regions))
	for i, g := range t.regions {
		out[i] = Region{ID: i, Parent: -1, Depth: g.depth, Leaf: g.good == nil,
			Samples: len(g.members), Visits: g.visits(), Mean: g.mean(), Best: g.best, UCB: g.ucb(cp)}
		if g.parent != nil {
			out[i].Parent, out[i].Good = g.parent.id, g.parent.good == g
		}
		if g.good != nil {
			out[i].Threshold = g.threshold
		}
	}
	return out
}
