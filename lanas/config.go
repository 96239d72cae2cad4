package lanas

import (
	"fmt"
	"math"
)

// Config are the settings of a Searcher. Default and Paper are the two that are
// meant to be used; the fields that are false in Paper are the ingredients of
// Default that can be removed one by one.
type Config struct {
	// Seed chooses every random draw.
	Seed uint64
	// Init is the number of uniformly random architectures before the first
	// tree; 1 or more.
	Init int
	// Height is the most splits between the root and a leaf; 0 to 16.
	Height int
	// MinSplit is the number of samples below which a region stays a leaf; 2 or
	// more. With Model it is at least a 64th of all samples.
	MinSplit int
	// Cp weighs exploration in the UCB; 0 or more. It is in units of the scores'
	// standard deviation where Warp or Model is set, else of the score.
	Cp float64
	// SelectPerTree is the least number of architectures told before the tree is
	// learnt anew; 1 or more. From 48 samples on Default waits longer; see period.
	SelectPerTree int
	// Ridge is the penalty on the squared weights of a region's linear model, in
	// samples: a feature seen in that many samples keeps half its effect. 0
	// chooses it by generalized cross-validation at the root.
	Ridge float64
	// RejectTries bounds the uniform draws, MutateTries the steps of a walk, that
	// are tried for a region before its parent is; 0 or more.
	RejectTries, MutateTries int

	// Model lets a Gaussian process choose among candidates of the region by
	// expected improvement; false draws from the region at random.
	Model bool
	// Warp learns how skewed the scores are and straightens them; see scale.
	Warp bool
	// Linear lets the process have a linear part; see shape.
	Linear bool
	// Exploit is the expected improvement, in standard deviations of the scores,
	// below which the search does not try to improve on the best; 0 or more.
	Exploit float64
	// Budget is the number of samples that are planned; 0 is unknown. Between the
	// parts ExploreFrom and ExploreUntil of it, both 0..1, a search with Model that
	// expects no improvement explores; otherwise it takes the best expected score.
	Budget                    int
	ExploreFrom, ExploreUntil float64
	// ExploreShare is the part of the leaves, the worst by their mean, that
	// exploration chooses from; 0 to 1. ExploreCp is Cp while exploring; 0 or more.
	ExploreShare, ExploreCp float64
}

// Default returns the settings of lanas, the search that oneshot uses. They have
// no unit and were chosen by experiment on generated landscapes; see the tuning log
// in bench/search.md.
func Default() Config {
	return Config{
		Init: 12, Height: 12, MinSplit: 20, Cp: 0.2, SelectPerTree: 5,
		RejectTries: 20, MutateTries: 200,
		Model: true, Warp: true, Linear: true,
		Exploit: 0.03, ExploreFrom: 0.1, ExploreUntil: 2.0 / 3, ExploreShare: 0.2, ExploreCp: 1,
	}
}

// Paper returns the settings of the paper's algorithm for scores in 0..1, with
// its linear models in closed form. Init and SelectPerTree are those that suit a
// budget of a few hundred; the paper's are for thousands.
func Paper() Config {
	return Config{
		Init: 30, Height: 5, MinSplit: 6, Cp: 0.1, SelectPerTree: 5, Ridge: 1e-6,
		RejectTries: 200, MutateTries: 200,
	}
}

// Check reports the first setting out of range.
func (c Config) Check() error {
	bad := func(field string, got any, want string) error {
		return fmt.Errorf("lanas: %s is %v, want %s", field, got, want)
	}
	finite := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	switch {
	case c.Init < 1:
		return bad("init", c.Init, "1 or more")
	case c.Height < 0 || c.Height > 16:
		return bad("height", c.Height, "0 to 16")
	case !finite(c.Cp):
		return bad("cp", c.Cp, "0 or more")
	case c.SelectPerTree < 1:
		return bad("select_per_tree", c.SelectPerTree, "1 or more")
	case !finite(c.Ridge):
		return bad("ridge", c.Ridge, "0 or more")
	case c.MinSplit < 2:
		return bad("min_split", c.MinSplit, "2 or more")
	case c.RejectTries < 0:
		return bad("reject_tries", c.RejectTries, "0 or more")
	case c.MutateTries < 0:
		return bad("mutate_tries", c.MutateTries, "0 or more")
	case !finite(c.Exploit):
		return bad("exploit", c.Exploit, "0 or more")
	case c.Budget < 0:
		return bad("budget", c.Budget, "0 or more")
	case !(c.ExploreFrom >= 0 && c.ExploreFrom <= 1):
		return bad("explore_from", c.ExploreFrom, "0 to 1")
	case !(c.ExploreUntil >= 0 && c.ExploreUntil <= 1):
		return bad("explore_until", c.ExploreUntil, "0 to 1")
	case !(c.ExploreShare >= 0 && c.ExploreShare <= 1):
		return bad("explore_share", c.ExploreShare, "0 to 1")
	case !finite(c.ExploreCp):
		return bad("explore_cp", c.ExploreCp, "0 or more")
	}
	return nil
}
