package lanas

import "math/rand/v2"

// Source says how a proposal was found.
type Source string

const (
	FromWarmup  Source = "warm-up" // uniformly random, before the first tree
	FromReject  Source = "reject"  // uniform draws, the first new one inside the region
	FromMutate  Source = "mutate"  // a walk of mutations from a member of the region
	FromImprove Source = "improve" // the greatest expected improvement
	FromExplore Source = "explore" // the same inside a region that looked bad
	FromHarvest Source = "harvest" // the best expected score, where no improvement is expected
)

// Proposal is an architecture and where it comes from.
type Proposal struct {
	Code   []byte
	Source Source
	// Leaf is the leaf that the UCB chose and Region the region the code was
	// drawn from, as places in Tree; both 0 in the warm-up. Region is Leaf or,
	// when no new code was found there, the nearest region above that had one.
	Leaf, Region int
	// Fallback counts the splits between the two: 0 when the code meets every
	// condition of the leaf's path.
	Fallback int
}

// draw finds a new code in the leaf's region (paper, section 3: it must meet all
// the conditions on the leaf's path). A region deep in the tree may be
// too small to be hit by chance, or used up. Its bounded draws are first
// uniform, which is exact, then by mutation, which stays near what is known;
// then the region above is tried, with one condition less. The root is the
// whole space.
func (s *Searcher) draw(leaf *region, r *rand.Rand) (Proposal, error) {
	p := Proposal{Leaf: leaf.id}
	for reg := leaf; reg.parent != nil; reg = reg.parent {
		p.Region, p.Fallback = reg.id, leaf.depth-reg.depth
		if p.Code, p.Source = s.reject(reg, r), FromReject; p.Code != nil {
			return p, nil
		}
		if p.Code, p.Source = s.mutate(reg, r), FromMutate; p.Code != nil {
			return p, nil
		}
	}
	var err error
	p.Region, p.Fallback, p.Source = 0, leaf.depth, FromReject
	p.Code, err = s.uniform(r)
	return p, err
}

// reject draws uniformly until a code is new and inside reg; nil when it gives up.
func (s *Searcher) reject(reg *region, r *rand.Rand) []byte {
	for range s.cfg.RejectTries {
		if code := s.space.Sample(r); reg.contains(ones(code)) && s.isNew(code) {
			return code
		}
	}
	return nil
}

// mutate walks from a random member of reg to a new code inside reg; nil when it
// gives up. The walk goes on through codes that are known, and starts again
// when it would leave the region.
func (s *Searcher) mutate(reg *region, r *rand.Rand) []byte {
	member := func() []byte { return s.samples[reg.members[r.IntN(len(reg.members))]].Code }
	at := member()
	for range s.cfg.MutateTries {
		next := s.space.Mutate(at, r)
		switch {
		case !reg.contains(ones(next)):
			at = member()
		case s.isNew(next):
			return next
		default:
			at = next
		}
	}
	return nil
}
