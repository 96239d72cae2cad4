package main

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"oneshot/internal/fault"
	"oneshot/lanas"
	"oneshot/supernet/space"
)

// codes shows a space to lanas as 0/1 codes.
type codes struct{ space.Space }

func (c codes) Sample(r *rand.Rand) []byte { return c.Encode(c.Space.Sample(r)) }

func (c codes) Mutate(code []byte, r *rand.Rand) []byte { return c.MutateCode(code, r) }

// arch is the architecture of a code that lanas got from us.
func (c codes) arch(code []byte) space.Arch {
	a, err := c.Decode(code)
	if err != nil {
		panic("search: " + err.Error())
	}
	return a
}

// ceiling is a limit of the configuration on the retrained network.
type ceiling struct {
	name string
	max  int64
	of   func(params, madds int64) int64
}

func (j *job) ceilings() []ceiling {
	var out []ceiling
	if m := j.cfg.Search.MaxParams; m > 0 {
		out = append(out, ceiling{"search.max_params", m, func(params, _ int64) int64 { return params }})
	}
	if m := j.cfg.Search.MaxMAdds; m > 0 {
		out = append(out, ceiling{"search.max_madds", m, func(_, madds int64) int64 { return madds }})
	}
	return out
}

// costs is supernet.NetConfig.Costs of the retrained network, made once.
func (j *job) costs() (func(space.Arch) (params, madds int64, err error), error) {
	if j.costOf == nil {
		var err error
		if j.costOf, err = j.finalConfig(false).Costs(); err != nil {
			return nil, err
		}
	}
	return j.costOf, nil
}

// cost is what an architecture has when it is retrained.
func (j *job) cost(a space.Arch) (params, madds int64, err error) {
	costs, err := j.costs()
	if err != nil {
		return 0, 0, err
	}
	return costs(a)
}

// limits are the ceilings as a search sees them.
func (j *job) limits() ([]lanas.Limit, error) {
	ceilings := j.ceilings()
	if len(ceilings) == 0 {
		return nil, nil
	}
	c := codes{j.space}
	if _, err := j.costs(); err != nil {
		return nil, fault.WithCode(err, fault.ExitUsage, "")
	}
	var out []lanas.Limit
	for _, l := range ceilings {
		out = append(out, lanas.Limit{Name: l.name, Max: float64(l.max), Cost: func(code []byte) float64 {
			params, madds, err := j.cost(c.arch(code))
			if err != nil {
				panic("search: " + err.Error()) // of a path of the supernet: cannot fail
			}
			return float64(l.of(params, madds))
		}})
	}
	return out, nil
}

// checkLimit reports the first ceiling that an architecture exceeds.
func (j *job) checkLimit(arch space.Arch) error {
	ceilings := j.ceilings()
	if len(ceilings) == 0 {
		return nil
	}
	params, madds, err := j.cost(arch)
	if err != nil {
		return err
	}
	for _, l := range ceilings {
		if cost := l.of(params, madds); cost > l.max {
			return fmt.Errorf("%s is %d, but %s has %d", l.name, l.max, space.Hash(j.space, arch), cost)
		}
	}
	return nil
}

// searchSpace is what a search draws from: the space within the limits. Limits
// that no architecture keeps are a mistake of usage.
func (j *job) searchSpace() (lanas.Space, error) {
	limits, err := j.limits()
	if err != nil {
		return nil, err
	}
	s, err := lanas.WithLimits(codes{j.space}, limits...)
	var none *lanas.LimitError
	if errors.As(err, &none) {
		return nil, fault.Usage("raise the limit, or make the retrained network smaller (retrain.layers, retrain.channels)",
			"no architecture of %s was found within the limits: %s is %.0f, the smallest seen has %.0f",
			j.space.Name(), none.Limit.Name, none.Limit.Max, none.Least)
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
