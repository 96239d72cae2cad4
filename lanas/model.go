package lanas

import (
	"math"
	"math/rand/v2"
	"slices"
)

// model proposes with the models of the regions; the code is nil when no
// candidate is found.
//
// The candidate with the greatest expected improvement over the best sample is
// taken where that is worth its name. Where it is not, the known part of the
// space is used up for now: until ExploreUntil of the budget a region that
// looked bad is given a chance, later the candidate with the best expected score
// is taken, as a score is noisy and the best may be among the good.
func (s *Searcher) model(e *epoch, r *rand.Rand) Proposal {
	a := s.newAgenda(e, e.descend(s.cfg.Cp), false, r)
	best, highest, gain := a.judge()
	a.end()
	switch {
	case best < 0:
		return Proposal{}
	case gain >= s.cfg.Exploit:
		return a.proposal(best, FromImprove)
	case s.exploring(e):
		if p := s.explore(e, r); p.Code != nil {
			return p
		}
	}
	return a.proposal(highest, FromHarvest)
}

// noisy is the part of the scores' variance from which they count as noisy. It
// lies between two values of noises.
const noisy = 0.1

// exploring says whether the budget leaves time for regions that looked bad.
// Where scores are noisy it does not: there is no best to be sure of, and samples
// among the good ones tell which it is.
func (s *Searcher) exploring(e *epoch) bool {
	n, b := float64(len(s.samples)+len(s.pending)), float64(s.cfg.Budget)
	return n >= s.cfg.ExploreFrom*b && n < s.cfg.ExploreUntil*b && e.noise < noisy
}

// explore proposes the candidate with the greatest expected improvement over
// the best sample of a leaf, inside that leaf. Of the worst leaves it takes the
// one with the greatest UCB.
func (s *Searcher) explore(e *epoch, r *rand.Rand) Proposal {
	var leaves []*region
	for _, g := range e.regions {
		if g.good == nil && g.parent != nil {
			leaves = append(leaves, g)
		}
	}
	if len(leaves) == 0 {
		return Proposal{}
	}
	slices.SortStableFunc(leaves, func(a, b *region) int { return descending(a.mean(), b.mean()) })
	var leaf *region
	for _, g := range leaves[len(leaves)-1-int(s.cfg.ExploreShare*float64(len(leaves)-1)):] {
		if leaf == nil || g.ucbOf(e.root(), s.cfg.ExploreCp) > leaf.ucbOf(e.root(), s.cfg.ExploreCp) {
			leaf = g
		}
	}
	a := s.newAgenda(e, leaf, true, r)
	defer a.end()
	best, _, gain := a.judge()
	if best < 0 || math.IsInf(gain, -1) {
		return Proposal{}
	}
	return a.proposal(best, FromExplore)
}
