package search

import (
	"oneshot/internal/plan"
	"oneshot/lanas"
)

// searcher is a search with the name of its algorithm. Its first init
// architectures are uniformly random and a function of the seed alone, so all
// algorithms start from the same.
type searcher struct {
	lanas.Search
	algo string
	init int
}

func newSearcher(p *plan.Plan, algo string, within lanas.Space) (*searcher, error) {
	s, err := p.NewSearch(algo, within)
	return &searcher{s, algo, p.Config.Search.Init}, err
}

// propose is Ask with the proposal's origin, in a word.
func (s *searcher) propose() (code []byte, source string, err error) {
	if p, ok := s.Search.(interface {
		Propose() (lanas.Proposal, error)
	}); ok {
		p, err := p.Propose()
		return p.Code, string(p.Source), err
	}
	source = s.algo
	if len(s.Samples()) < s.init {
		source = string(lanas.FromWarmup)
	}
	code, err = s.Ask()
	return code, source, err
}

// tree lists the regions of the algorithm's tree; nil where it has none.
func (s *searcher) tree() []lanas.Region {
	if t, ok := s.Search.(interface{ Tree() []lanas.Region }); ok {
		return t.Tree()
	}
	return nil
}
