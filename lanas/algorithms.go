package lanas

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/internal/setting"
)

// Settings are what a configuration says about a search.
type Settings struct {
	Algo    string `yaml:"algo" json:"algo" default:"lanas" want:"choice" doc:"who proposes subnetworks"`
	Samples int    `yaml:"samples" json:"samples" default:"100" want:"1.." doc:"subnetworks to score in all, init included"`
	// Init: the mean of their scores is what the winner is compared with.
	Init int `yaml:"init" json:"init" default:"20" rule:"1..samples" doc:"uniformly random subnetworks that are scored first, whatever the algorithm"`
}

// Choices implements setting.Chooser.
func (Settings) Choices(string) []string { return Algorithms() }

// Rules implements setting.Ruled.
func (s Settings) Rules() []setting.Rule {
	most := max(1, s.Samples)
	return []setting.Rule{{Name: "init", OK: s.Init >= 1 && s.Init <= most, Want: fmt.Sprintf("1..%d", most)}}
}

// Options are what NewSearch is told besides the name.
type Options struct {
	// Seed chooses every random draw.
	Seed uint64
	// Budget is the number of samples that are planned; 0 is unknown.
	Budget int
	// Init is the number of uniformly random architectures to start with, the same
	// for every algorithm; 0 leaves it to the algorithm. Evolution starts with its
	// population at least.
	Init int
}

// ablations are the ingredients of lanas that can be removed.
var ablations = []struct {
	name   string
	remove func(*Config)
}{
	{"lanas-no-model", func(c *Config) { c.Model = false }},
	{"lanas-no-tree", func(c *Config) { c.Height = 0 }},
	{"lanas-no-warp", func(c *Config) { c.Warp = false }},
	{"lanas-no-linear", func(c *Config) { c.Linear = false }},
	{"lanas-no-explore", func(c *Config) { c.Budget = 0 }},
	{"lanas-no-harvest", func(c *Config) { c.Exploit = 0 }},
}

// Algorithms are the names that NewSearch knows: lanas (Default), lanas-paper
// (Paper), regularized evolution, local search, Bayesian optimization and random
// search.
func Algorithms() []string {
	return []string{"lanas", "lanas-paper", "evolution", "local", "bo", "random"}
}

// Ablations are names that NewSearch knows too: lanas with one ingredient
// removed.
func Ablations() (names []string) {
	for _, a := range ablations {
		names = append(names, a.name)
	}
	return names
}

// NewSearch returns the search of that name.
func NewSearch(name string, s Space, o Options) (Search, error) {
	if o.Budget < 0 || o.Init < 0 {
		return nil, fmt.Errorf("lanas: budget %d and init %d, want 0 or more", o.Budget, o.Init)
	}
	searcher := func(c Config) (Search, error) {
		c.Seed, c.Budget = o.Seed, o.Budget
		if o.Init > 0 {
			c.Init = o.Init
		}
		for _, a := range ablations {
			if a.name == name {
				a.remove(&c)
			}
		}
		return New(s, c)
	}
	switch {
	case name == "lanas", slices.Contains(Ablations(), name):
		return searcher(Default())
	case name == "lanas-paper":
		return searcher(Paper())
	case name == "bo":
		return searcher(bayesian())
	case name == "evolution":
		e, err := NewEvolution(s, o.Seed, DefaultPopulation, DefaultTournament)
		if err != nil {
			return nil, err
		}
		e.init = max(e.init, o.Init)
		return e, nil
	case name == "local":
		return NewLocal(s, o.Seed, max(1, o.Init))
	case name == "random":
		return NewRandom(s, o.Seed)
	}
	return nil, fmt.Errorf("lanas: unknown algorithm %q, want one of %s", name, strings.Join(Algorithms(), ", "))
}

// bayesian are the settings of the Bayesian optimizer: one Gaussian process
// with an exponential kernel of the Hamming distance on the scores as they are,
// and the greatest expected improvement among mutations of the best and random
// architectures. That is what lanas is without its tree, its scale, its linear
// part and its plan for the budget; it shares their code.
func bayesian() Config {
	c := Default()
	c.Height, c.Warp, c.Linear, c.Exploit = 0, false, false, 0
	return c
}

// AskBatch asks for k architectures at once; fewer, with ErrExhausted, when the
// space ends before.
func AskBatch(s Search, k int) ([][]byte, error) {
	var codes [][]byte
	for range k {
		code, err := s.Ask()
		if err != nil {
			return codes, err
		}
		codes = append(codes, code)
	}
	return codes, nil
}
