package lanas

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// model proposes with the model of the scores; the code is nil when no
// candidate is found.
//
// The candidate with the greatest expected improvement over the best sample is
// taken where that is worth its name. Where it is not, what is known of the
// space is used up for now. Until ExploreUntil of the budget a region that looked
// bad is given a chance, except every pursuit-th time and unless scores are
// noisy: then there is no best to be sure of, and the greatest improvement is
// taken, however small. Later the candidate with the best expected score is taken.
func (s *Searcher) model(e *epoch, r *rand.Rand) Proposal {
	a := s.newAgenda(e, e.descend(s.cfg.Cp), false, r)
	best, highest, gain := a.judge()
	a.end()
	switch {
	case best < 0:
		return Proposal{}
	case gain >= s.cfg.Exploit, s.exploring() && (e.noise >= noisy || s.asked()%pursuit == 0):
		return a.proposal(best, FromImprove)
	case s.exploring():
		if p := s.explore(e, r); p.Code != nil {
			return p
		}
	}
	return a.proposal(highest, FromHarvest)
}

// noisy is the part of the scores' variance from which they count as noisy. It
// lies between two values of noises.
const noisy = 0.1

// pursuit is how often exploration pauses for a small improvement: seldom enough
// to leave the good architectures for the end, often enough to find the last
// hundredths of a point early. Chosen among 3, 4, 6 and 10.
const pursuit = 6

// exploring says whether it is not yet the time to harvest.
func (s *Searcher) exploring() bool {
	n, b := float64(s.asked()), float64(s.cfg.Budget)
	return n >= s.cfg.ExploreFrom*b && n < s.cfg.ExploreUntil*b
}

// explore proposes the candidate with the greatest expected improvement over
// the best sample of a leaf, inside that leaf. Of the worst leaves it takes the
// one with the greatest UCB.
func (s *Searcher) explore(e *epoch, r *rand.Rand) Proposal {
	var leaves []*region
	for _, reg := range e.regions {
		if reg.good == nil && reg.parent != nil {
			leaves = append(leaves, reg)
		}
	}
	if len(leaves) == 0 {
		return Proposal{}
	}
	slices.SortStableFunc(leaves, func(a, b *region) int { return cmp.Compare(b.mean(), a.mean()) })
	var leaf *region
	for _, reg := range leaves[len(leaves)-1-int(s.cfg.ExploreShare*float64(len(leaves)-1)):] {
		if leaf == nil || reg.ucbOf(e.root(), s.cfg.ExploreCp) > leaf.ucbOf(e.root(), s.cfg.ExploreCp) {
			leaf = reg
		}
	}
	a := s.newAgenda(e, leaf, true, r)
	defer a.end()
	best, _, _ := a.judge()
	if best < 0 {
		return Proposal{}
	}
	return a.proposal(best, FromExplore)
}
