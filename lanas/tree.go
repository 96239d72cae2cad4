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
	sum, best float64 // of their values
	pending   int     // codes inside that are asked for and not told
}

// tree is the outcome of a learning phase (paper, section 3).
type tree struct {
	regions []*region // parents before children
	ridge   float64   // penalty of the models
}

func (t *tree) root() *region { return t.regions[0] }

// learn builds the tree from the ones of n codes and the values of their scores.
//
// From the root down, a ridge model is fitted to the values of a region's
// samples and splits the region at the mean of the values: what the model
// predicts to reach it becomes the good child, the rest the bad one. Unlike the
// paper's, the tree is not complete: a region with fewer than MinSplit samples,
// or whose samples all look alike to the model, stays a leaf.
func learn(xs [][]int32, values []float64, dim int, c Config) *tree {
	t := &tree{ridge: c.Ridge}
	if t.ridge == 0 {
		t.ridge = crossValidate(xs, values, dim)
	}
	if c.Model {
		c.MinSplit = max(c.MinSplit, len(xs)/64)
	}
	all := make([]int, len(xs))
	for i := range all {
		all[i] = i
	}
	t.grow(nil, all, xs, values, dim, c)
	return t
}

// fitSamples bounds the samples that a region's model is fitted to: a regular
// selection of more tells as much about some hundred weights.
const fitSamples = 4096

func (t *tree) grow(parent *region, members []int, xs [][]int32, values []float64, dim int, c Config) *region {
	reg := &region{id: len(t.regions), parent: parent, best: math.Inf(-1)}
	if parent != nil {
		reg.depth = parent.depth + 1
	}
	t.regions = append(t.regions, reg)
	for _, i := range members {
		reg.count(i, values[i])
	}
	if reg.depth == c.Height || len(members) < c.MinSplit {
		return reg
	}
	n := min(len(members), fitSamples)
	x, y := make([][]int32, n), make([]float64, n, len(members))
	for k := range n {
		i := members[k*len(members)/n]
		x[k], y[k] = xs[i], values[i]
	}
	m, ok := fit(x, y, dim, t.ridge)
	if !ok {
		return reg
	}
	y = y[:len(members)]
	for k, i := range members {
		y[k] = m.predict(xs[i])
	}
	reg.threshold = reg.mean()
	var good, bad []int
	for k, i := range members {
		if y[k] >= reg.threshold {
			good = append(good, i)
		} else {
			bad = append(bad, i)
		}
	}
	if len(good) == 0 || len(bad) == 0 {
		return reg
	}
	reg.model = m
	reg.good = t.grow(reg, good, xs, values, dim, c)
	reg.bad = t.grow(reg, bad, xs, values, dim, c)
	return reg
}

func (reg *region) count(sample int, value float64) {
	reg.members = append(reg.members, sample)
	reg.sum += value
	reg.best = max(reg.best, value)
}

func (reg *region) mean() float64 { return reg.sum / float64(len(reg.members)) }

// visits counts what was proposed inside, so that asking twice before telling
// does not look as promising the second time.
func (reg *region) visits() int { return len(reg.members) + reg.pending }

// child is the side of the split that a code falls on.
func (reg *region) child(on []int32) *region {
	if reg.model.predict(on) >= reg.threshold {
		return reg.good
	}
	return reg.bad
}

// contains says whether a code meets the conditions of every split above.
func (reg *region) contains(on []int32) bool {
	for ; reg.parent != nil; reg = reg.parent {
		if reg.parent.child(on) != reg {
			return false
		}
	}
	return true
}

// route calls visit for the regions from the root to the leaf that hold a code.
func (t *tree) route(on []int32, visit func(*region)) {
	for reg := t.root(); ; reg = reg.child(on) {
		visit(reg)
		if reg.good == nil {
			return
		}
	}
}

// ucb is the upper confidence bound of a region (paper, section 3):
// mean + 2 Cp sqrt(2 ln n(parent) / n). A region holds at least one sample.
func (reg *region) ucb(cp float64) float64 {
	if reg.parent == nil {
		return reg.mean()
	}
	return reg.ucbOf(reg.parent, cp)
}

// ucbOf is the bound of a region as if it were a child of another above it.
func (reg *region) ucbOf(above *region, cp float64) float64 {
	n := math.Log(float64(above.visits()))
	return reg.mean() + 2*cp*math.Sqrt(2*n/float64(reg.visits()))
}

// descend goes from the root to a leaf by the greater UCB, the good side first
// among equals.
func (t *tree) descend(cp float64) *region {
	reg := t.root()
	for reg.good != nil {
		if reg.bad.ucb(cp) > reg.good.ucb(cp) {
			reg = reg.bad
		} else {
			reg = reg.good
		}
	}
	return reg
}
