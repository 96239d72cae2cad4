package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/lanas"
	"oneshot/supernet/space"
)

// DescribeArch says what an architecture is, and what cost says of it.
func DescribeArch(s space.Space, a space.Arch, cost func(space.Arch) (params, madds int64, err error)) (rundir.Arch, error) {
	params, madds, err := cost(a)
	return rundir.Arch{Hash: space.Hash(s, a), Text: s.Format(a), Params: params, MAdds: madds}, err
}

// DescribeArch is what an architecture is and costs when it is retrained.
func (p *Plan) DescribeArch(a space.Arch) (rundir.Arch, error) {
	return DescribeArch(p.Space, a, p.cost)
}

// costs is supernet.NetConfig.Costs of the retrained network, made once.
func (p *Plan) costs() (func(space.Arch) (params, madds int64, err error), error) {
	if p.costOf == nil {
		var err error
		if p.costOf, err = p.Final(false).Costs(); err != nil {
			return nil, err
		}
	}
	return p.costOf, nil
}

// cost is what an architecture has when it is retrained.
func (p *Plan) cost(a space.Arch) (params, madds int64, err error) {
	costs, err := p.costs()
	if err != nil {
		return 0, 0, err
	}
	return costs(a)
}

// ceiling is a limit of the configuration on the retrained network.
type ceiling struct {
	key string
	max int64
	of  func(params, madds int64) int64
}

func (p *Plan) ceilings() []ceiling {
	var out []ceiling
	if m := p.Config.Search.MaxParams; m > 0 {
		out = append(out, ceiling{"search.max_params", int64(m), func(params, _ int64) int64 { return params }})
	}
	if m := p.Config.Search.MaxMAdds; m > 0 {
		out = append(out, ceiling{"search.max_madds", int64(m), func(_, madds int64) int64 { return madds }})
	}
	return out
}

// Limited says whether the configuration has a ceiling.
func (p *Plan) Limited() bool { return len(p.ceilings()) > 0 }

// CheckCeilings reports the first ceiling that an architecture exceeds.
func (p *Plan) CheckCeilings(a space.Arch) error {
	ceilings := p.ceilings()
	if len(ceilings) == 0 {
		return nil
	}
	params, madds, err := p.cost(a)
	if err != nil {
		return err
	}
	for _, l := range ceilings {
		if cost := l.of(params, madds); cost > l.max {
			return fmt.Errorf("%s is %d, but %s has %d", l.key, l.max, space.Hash(p.Space, a), cost)
		}
	}
	return nil
}

// codes shows a space to lanas as 0/1 codes.
type codes struct{ space.Space }

func (c codes) Sample(r *rand.Rand) []byte { return c.Encode(c.Space.Sample(r)) }

func (c codes) Mutate(code []byte, r *rand.Rand) []byte { return c.MutateCode(code, r) }

// arch is the architecture of a code that lanas got from us.
func (c codes) arch(code []byte) space.Arch {
	a, err := c.Decode(code)
	if err != nil {
		panic("plan: " + err.Error())
	}
	return a
}

// limits are the ceilings as a search sees them.
func (p *Plan) limits() ([]lanas.Limit, error) {
	ceilings := p.ceilings()
	if len(ceilings) == 0 {
		return nil, nil
	}
	c := codes{p.Space}
	if _, err := p.costs(); err != nil {
		return nil, fault.WithCode(err, fault.ExitUsage, "")
	}
	var out []lanas.Limit
	for _, l := range ceilings {
		out = append(out, lanas.Limit{Name: l.key, Max: float64(l.max), Cost: func(code []byte) float64 {
			params, madds, err := p.cost(c.arch(code))
			if err != nil {
				panic("plan: " + err.Error()) // of a path of the supernet: cannot fail
			}
			return float64(l.of(params, madds))
		}})
	}
	return out, nil
}

// SearchSpace is what a search draws from: the space below the ceilings. Ceilings
// that no architecture keeps are a mistake of usage.
func (p *Plan) SearchSpace() (lanas.Space, error) {
	limits, err := p.limits()
	if err != nil {
		return nil, err
	}
	s, err := lanas.WithLimits(codes{p.Space}, limits...)
	var none *lanas.LimitError
	if errors.As(err, &none) {
		return nil, fault.Usage("raise the limit, or make the retrained network smaller ("+p.smaller()+")",
			"no architecture of %s was found within the limits: %s is %.0f, the smallest seen has %.0f",
			p.Space.Name(), none.Limit.Name, none.Limit.Max, none.Least)
	}
	return s, err
}

// smaller names the settings that make the retrained network smaller: the number of layers is not one where the space
// fits no other.
func (p *Plan) smaller() string {
	for other := p.Final(false).Size; other.Layers > 1; {
		if other.Layers--; p.Space.Fits(other) == nil {
			return "retrain.layers, retrain.channels"
		}
	}
	return "retrain.channels"
}

// NewSearch is a search within a space by an algorithm, as the configuration has it: the only place that makes one.
func (p *Plan) NewSearch(algo string, within lanas.Space) (lanas.Search, error) {
	c := p.Config
	return lanas.NewSearch(algo, within, lanas.Options{Seed: c.Seed, Budget: c.Search.Samples, Init: c.Search.Init})
}
