package main

import (
	"fmt"
	"math"
	"strings"

	"oneshot/lanas"
)

// treeFile is search/tree.json: the regions at the end of the search, parents
// before children.
type treeFile struct {
	Schema  int          `json:"schema"`
	Algo    string       `json:"algo"`
	Samples int          `json:"samples"`
	Regions []treeRegion `json:"regions"` // empty where the algorithm has no tree
}

const treeSchema = 1

// treeRegion is lanas.Region with words; null stands for what is not finite.
type treeRegion struct {
	ID        int        `json:"id"`
	Parent    int        `json:"parent"` // -1 for the root
	Depth     int        `json:"depth"`
	Good      bool       `json:"good"` // the better side of its parent's split
	Leaf      bool       `json:"leaf"`
	Threshold float64    `json:"threshold"` // predicted score that splits it
	Samples   int        `json:"samples"`
	Visits    int        `json:"visits"`
	Mean      *float64   `json:"mean"`
	Best      *float64   `json:"best"`
	UCB       *float64   `json:"ucb"`
	Share     float64    `json:"share"` // of the space, 0..1; 0 = not estimated
	Terms     []treeTerm `json:"terms"`
	Rule      []string   `json:"rule"` // what holds inside, one line for each split above
}

type treeTerm struct {
	Feature int     `json:"feature"`
	Words   string  `json:"words"`
	Weight  float64 `json:"weight"` // in units of the score
}

// treeSummary is a tree in a few figures.
type treeSummary struct {
	Regions int        `json:"regions"`
	Leaves  int        `json:"leaves"`
	Depth   int        `json:"depth"`
	Best    treeRegion `json:"best_leaf"`
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// describeTree puts a tree in words; words names an entry of the code.
func describeTree(regions []lanas.Region, words func(feature int) string) []treeRegion {
	out := make([]treeRegion, len(regions))
	for i, g := range regions {
		r := treeRegion{
			ID: g.ID, Parent: g.Parent, Depth: g.Depth, Good: g.Good, Leaf: g.Leaf, Threshold: g.Threshold,
			Samples: g.Samples, Visits: g.Visits, Mean: finite(g.Mean), Best: finite(g.Best), UCB: finite(g.UCB),
			Share: g.Share, Terms: []treeTerm{}, Rule: []string{},
		}
		for _, t := range g.Terms {
			r.Terms = append(r.Terms, treeTerm{t.Feature, words(t.Feature), t.Weight})
		}
		if g.Parent >= 0 { // parents come first
			r.Rule = append(append(r.Rule, out[g.Parent].Rule...), split(regions[g.Parent], g.Good, words))
		}
		out[i] = r
	}
	return out
}

// mostTerms is how many terms of a split a rule names.
const mostTerms = 4

// sides sorts the terms of a split that weigh most by what an architecture on
// one side mostly has and mostly lacks; words names a term.
func sides(terms []lanas.Term, good bool, words func(lanas.Term) string) (with, without []string) {
	for _, t := range terms[:min(mostTerms, len(terms))] {
		if t.Weight > 0 == good {
			with = append(with, words(t))
		} else {
			without = append(without, words(t))
		}
	}
	return with, without
}

// split says what one side of a region's split has, such as
//
//	predicted 61.2 % or more: with normal node 1: sep_conv_5x5 of input 0; without ...
func split(g lanas.Region, good bool, words func(feature int) string) string {
	rule := fmt.Sprintf("predicted below %.4g %%", 100*g.Threshold)
	if good {
		rule = fmt.Sprintf("predicted %.4g %% or more", 100*g.Threshold)
	}
	with, without := sides(g.Terms, good, func(t lanas.Term) string { return words(t.Feature) })
	sep := ": "
	if len(with) > 0 {
		rule, sep = rule+sep+"with "+strings.Join(with, ", "), "; "
	}
	if len(without) > 0 {
		rule += sep + "without " + strings.Join(without, ", ")
	}
	return rule
}

// fewSamples is the number below which a leaf's mean says little.
const fewSamples = 3

// summariseTree picks the leaf of the highest mean, among those with samples
// enough if there are any. It is nil without regions.
func summariseTree(regions []treeRegion) *treeSummary {
	if len(regions) == 0 {
		return nil
	}
	t := &treeSummary{Regions: len(regions)}
	best := -1
	better := func(a, b treeRegion) bool {
		if enough := a.Samples >= fewSamples; enough != (b.Samples >= fewSamples) {
			return enough
		}
		if a.Mean == nil || b.Mean == nil {
			return a.Mean != nil
		}
		return *a.Mean > *b.Mean
	}
	for i, r := range regions {
		t.Depth = max(t.Depth, r.Depth)
		if !r.Leaf {
			continue
		}
		t.Leaves++
		if best < 0 || better(r, regions[best]) {
			best = i
		}
	}
	t.Best = regions[max(best, 0)]
	return t
}
