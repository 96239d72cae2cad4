package supernet

import (
	"fmt"
	"math/rand/v2"

	"oneshot/internal/rng"
	"oneshot/internal/setting"
	"oneshot/supernet/engine"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Sampling is what a configuration says about the paths that a step of a supernet's training
// takes. All of them see the batch of the step, and one update follows from their gradients:
// from the mean of those that are drawn uniformly, from the sum of those of the other
// samplers, as their papers have it. Each moves the running statistics that it uses.
type Sampling struct {
	Sampler string `yaml:"sampler" json:"sampler" default:"uniform" want:"uniform|fair|sandwich" doc:"the paths of a step: uniform draws as many as paths says; fair draws as many as the widest choice has candidates, each of which is in one of them; sandwich takes the largest path, the smallest, and as many drawn ones as paths says"`
	Paths   int    `yaml:"paths" json:"paths" default:"1" want:"1..64" doc:"paths that a step draws on the same batch; with fair 1, as that sampler knows the number itself"`
	// Distill: in-place distillation, arXiv 1903.05134.
	Distill bool `yaml:"distill" json:"distill" rule:"true needs the sampler sandwich" doc:"with sandwich all paths but the largest learn from its outputs for the batch instead of from the labels"`
	// RankWeight bakes the prior in: judge what it gives by a correlation without multiply-adds.
	RankWeight float64 `yaml:"rank_weight" json:"rank_weight" want:"[0,100]" doc:"weight of the ranking loss between two paths of a step, of which the one with more multiply-adds should have the lower loss; 0 is off"`
	RankRamp   float64 `yaml:"rank_ramp" json:"rank_ramp" want:"[0,1]" doc:"share of the steps in which that weight grows from 0"`
	RankMargin float64 `yaml:"rank_margin" json:"rank_margin" want:"[0,10]" doc:"difference of the two losses, in nats, up to which a wrong order costs nothing"`
}

const fair, sandwich = "fair", "sandwich"

// Rules implements setting.Ruled.
func (c Sampling) Rules() []setting.Rule {
	return []setting.Rule{
		{Name: "paths", OK: c.Sampler != fair || c.Paths == 1, Want: "1 with @sampler = fair"},
		{Name: "distill", OK: !c.Distill || c.Sampler == sandwich, Want: "@sampler = sandwich"},
		{Name: "rank_weight", OK: c.RankWeight == 0 || c.Sampler != "uniform" || c.Paths > 1, Want: "@paths above 1, of which two are compared"},
	}
}

// single says that a step has one path that is drawn uniformly.
func (c Sampling) single() bool { return c.Sampler != fair && c.Sampler != sandwich && c.Paths <= 1 }

// rankWeight is the weight of the ranking loss in a step (from 0) of so many.
func (c Sampling) rankWeight(step, steps int) float64 {
	if ramp := c.RankRamp * float64(steps); float64(step) < ramp {
		return c.RankWeight * float64(step) / ramp
	}
	return c.RankWeight
}

// course draws the paths of a supernet's steps.
type course struct {
	c                 TrainConfig
	space             space.Space
	candidates        []int // of each choice; nil where the sampler does not need them
	number            int   // paths of a step
	largest, smallest space.Arch
	full              *net.Network // the supernet
	costs             func(space.Arch) (params, madds int64, err error)
}

// course is that of a training of n; it is an error where the space has not what the sampler needs.
func (c TrainConfig) course(cfg NetConfig) (*course, error) {
	x := &course{c: c, space: cfg.Space, number: max(1, c.Paths)}
	if c.single() {
		return x, nil
	}
	var err error
	if x.costs, err = cfg.Costs(); err != nil {
		return nil, err
	}
	if c.Sampler != fair && c.Sampler != sandwich {
		return x, nil
	}
	s, ok := cfg.Space.(space.Independent)
	if !ok {
		return nil, fmt.Errorf("supernet: the sampler %s needs a space whose choices do not depend on each other, and in %s they do", c.Sampler, cfg.Space.Name())
	}
	x.candidates = s.Candidates()
	if x.full, err = cfg.Space.Describe(cfg.Size, nil); err != nil {
		return nil, err
	}
	if c.Sampler == fair {
		for _, n := range x.candidates {
			x.number = max(x.number, n)
		}
		return x, nil
	}
	x.number += 2
	byMAdds := func(a space.Arch) ([2]int64, error) {
		params, madds, err := x.costs(a)
		return [2]int64{madds, params}, err
	}
	if x.largest, x.smallest, err = space.Extremes(x.candidates, byMAdds); err != nil {
		return nil, err
	}
	if _, err := x.full.Select(x.smallest); err != nil {
		return nil, fmt.Errorf("supernet: the sampler %s trains the smallest path, and %s is none of %s: %w", c.Sampler, cfg.Space.Format(x.smallest), cfg.Space.Name(), err)
	}
	return x, nil
}

// CheckSampling says why a supernet cannot be trained as c has it.
func CheckSampling(cfg NetConfig, c TrainConfig) error {
	_, err := c.course(cfg)
	return err
}

// paths are those of a step (from 0), a function of the seed and the step.
func (x *course) paths(step int) []space.Arch {
	r := rng.New(x.c.Seed, "arch", uint64(step))
	as := make([]space.Arch, 0, x.number)
	switch x.c.Sampler {
	case fair:
		// In NAS-Bench-201, whose edges may all be nothing, 89 % of 20,000 draws served, and no five in
		// a row did not.
		const tries = 1000
		for range tries {
			if as = x.fair(r); x.connected(as) {
				break
			}
		}
		return as
	case sandwich:
		as = append(as, x.largest, x.smallest)
	}
	for len(as) < x.number {
		as = append(as, x.space.Sample(r))
	}
	return as
}

// fair draws paths with each candidate of every choice in one of them: strict fairness, arXiv
// 1907.01845.
func (x *course) fair(r *rand.Rand) (as []space.Arch) {
	for range x.number {
		as = append(as, make(space.Arch, len(x.candidates)))
	}
	for i, n := range x.candidates {
		order := r.Perm(n)
		for k, a := range as {
			a[i] = order[k%n]
		}
	}
	return as
}

// connected says whether the images reach the classifier in every path.
func (x *course) connected(as []space.Arch) bool {
	for _, a := range as {
		if _, err := x.full.Select(a); err != nil {
			return false
		}
	}
	return true
}

// pairs are the paths that are compared: neighbours of unequal cost that learn from the same.
func (x *course) pairs(as []space.Arch) (ps []engine.Pair, err error) {
	if x.c.RankWeight == 0 {
		return nil, nil
	}
	first := 0
	if x.c.Distill {
		first = 1
	}
	for k := first; k+1 < len(as); k += 2 {
		_, a, err := x.costs(as[k])
		if err != nil {
			return nil, err
		}
		_, b, err := x.costs(as[k+1])
		if err != nil {
			return nil, err
		}
		if a != b {
			ps = append(ps, engine.Pair{At: k, First: a > b})
		}
	}
	return ps, nil
}

// spec completes what an engine is told of a training with these paths.
func (x *course) spec(s *engine.TrainSpec) {
	s.Paths, s.Sum = x.number, x.candidates != nil
	s.InPlace, s.Rank = x.c.Distill, x.c.RankWeight > 0
}
