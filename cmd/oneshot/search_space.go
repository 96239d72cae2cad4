package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"oneshot/lanas"
	"oneshot/supernet/space"
)

// codes shows a space to lanas as 0/1 codes.
type codes struct{ space.Space }

func (c codes) Sample(r *rand.Rand) []byte { return c.Encode(c.Space.Sample(r)) }

func (c codes) Mutate(code []byte, r *rand.Rand) []byte { return c.MutateMask(code, r) }

// arch is the architecture of a code that lanas got from us.
func (c codes) arch(code []byte) space.Arch {
	a, err := c.Decode(code)
	if err != nil {
		panic("search: " + err.Error())
	}
	return a
}

// limits are the ceilings of the configuration on the retrained network.
func (j *job) limits() []lanas.Limit {
	c, spec := codes{j.space}, j.finalConfig(false).Spec()
	var out []lanas.Limit
	if m := j.cfg.Search.MaxParams; m > 0 {
		out = append(out, lanas.Limit{Name: "search.max_params", Max: float64(m), Cost: func(code []byte) float64 {
			params, _ := c.Cost(c.arch(code), spec)
			return float64(params)
		}})
	}
	if m := j.cfg.Search.MaxMAdds; m > 0 {
		out = append(out, lanas.Limit{Name: "search.max_madds", Max: float64(m), Cost: func(code []byte) float64 {
			_, madds := c.Cost(c.arch(code), spec)
			return float64(madds)
		}})
	}
	return out
}

// checkLimit reports the first ceiling that an architecture exceeds.
func (j *job) checkLimit(arch space.Arch) error {
	for _, l := range j.limits() {
		if cost := l.Cost(j.space.Encode(arch)); cost > l.Max {
			return fmt.Errorf("%s is %.0f, but %s has %.0f", l.Name, l.Max, j.space.Hash(arch), cost)
		}
	}
	return nil
}

// searchSpace is what a search draws from: the space within the limits. Limits
// that no architecture keeps are a mistake of usage.
func (j *job) searchSpace() (lanas.Space, error) {
	s, err := lanas.WithLimits(codes{j.space}, j.limits()...)
	var none *lanas.LimitError
	if errors.As(err, &none) {
		return nil, usageError("raise the limit, or make the retrained network smaller (retrain.layers, retrain.channels)",
			"no architecture of %s was found within the limits: %s is %.0f, the smallest seen has %.0f",
			j.space.Name, none.Limit.Name, none.Limit.Max, none.Least)
	}
	return s, err
}

// searcher is a search with the name of its algorithm. Its first init
// architectures are uniformly random and a function of the seed alone, so all
// algorithms start from the same.
type searcher struct {
	lanas.Search
	algo string
	init int
}

// newSearcher is the only place that chooses an algorithm.
func (j *job) newSearcher(algo string) (*searcher, error) {
	init := j.cfg.Search.Init
	s, err := lanas.NewSearch(algo, j.within, lanas.Options{Seed: j.cfg.Seed, Budget: j.cfg.Search.Samples, Init: init})
	return &searcher{s, algo, init}, err
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

// baselines are the names of the list.
func (s SearchConfig) baselines() []string {
	var names []string
	for name := range strings.SplitSeq(s.Baselines, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
