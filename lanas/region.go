package lanas

import (
	"cmp"
	"math"
	"slices"

	"oneshot/internal/rng"
)

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
	// UCB is on the scale that the models learn: standard deviations of the
	// scores, which may be bent (see Config.Warp), or the scores themselves.
	UCB float64
	// Terms are the entries of the code that weigh most in the split's model, the
	// heaviest first; empty for a leaf.
	Terms []Term
	// Share is the estimated part of the space that the region holds, 0..1.
	Share float64
}

// Term is an entry of the code in a linear model.
type Term struct {
	Feature int // index into the code
	// Weight is what the entry adds to the predicted score, near the threshold.
	Weight float64
}

const (
	regionTerms = 8
	shareDraws  = 2000 // a share is known to about a hundredth
)

// Tree lists the regions of the current tree, parents before children, the
// root first; nil before the first sample.
func (s *Searcher) Tree() []Region {
	if len(s.samples) == 0 {
		return nil
	}
	e := s.current()
	out := make([]Region, len(e.regions))
	for i, reg := range e.regions {
		out[i] = Region{ID: i, Parent: -1, Depth: reg.depth, Leaf: reg.good == nil, Best: math.Inf(-1),
			Samples: len(reg.members), Visits: reg.visits(), UCB: reg.ucb(s.cfg.Cp)}
		for _, k := range reg.members {
			out[i].Mean += s.scores[k] / float64(len(reg.members))
			out[i].Best = max(out[i].Best, s.scores[k])
		}
		if reg.parent != nil {
			out[i].Parent, out[i].Good = reg.parent.id, reg.parent.good == reg
		}
		if reg.good != nil {
			var slope float64
			out[i].Threshold, slope = e.score(reg.threshold)
			out[i].Terms = s.terms(reg, slope)
		}
	}
	r := rng.New(s.seed, "shares")
	for range shareDraws {
		e.route(ones(s.space.Sample(r)), func(reg *region) { out[reg.id].Share += 1.0 / shareDraws })
	}
	return out
}

// terms are the entries whose weight times deviation among the members is
// greatest. slope turns weights into scores.
func (s *Searcher) terms(reg *region, slope float64) []Term {
	count := make([]float64, s.space.Dim())
	for _, k := range reg.members {
		for _, f := range s.ones[k] {
			count[f] += 1 / float64(len(reg.members))
		}
	}
	effect := func(f int) float64 { return math.Abs(reg.model.weight[f]) * math.Sqrt(count[f]*(1-count[f])) }
	var all []Term
	for f, w := range reg.model.weight {
		if effect(f) > 0 {
			all = append(all, Term{f, w * slope})
		}
	}
	slices.SortStableFunc(all, func(a, b Term) int { return cmp.Compare(effect(b.Feature), effect(a.Feature)) })
	return all[:min(len(all), regionTerms)]
}
