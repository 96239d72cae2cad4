package report

import (
	"fmt"
	"math"
	"strings"

	"oneshot/internal/rundir"
	"oneshot/lanas"
)

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Regions puts a tree in words; words names an entry of the code.
func Regions(regions []lanas.Region, words func(feature int) string) []rundir.Region {
	out := make([]rundir.Region, len(regions))
	for i, reg := range regions {
		r := rundir.Region{
			ID: reg.ID, Parent: reg.Parent, Depth: reg.Depth, Good: reg.Good, Leaf: reg.Leaf, Threshold: reg.Threshold,
			Samples: reg.Samples, Visits: reg.Visits, Mean: finite(reg.Mean), Best: finite(reg.Best), UCB: finite(reg.UCB),
			Share: reg.Share, Terms: []rundir.Term{}, Rule: []string{},
		}
		for _, t := range reg.Terms {
			r.Terms = append(r.Terms, rundir.Term{Feature: t.Feature, Words: words(t.Feature), Weight: t.Weight})
		}
		if reg.Parent >= 0 { // parents come first
			r.Rule = append(append(r.Rule, out[reg.Parent].Rule...), split(regions[reg.Parent], reg.Good, words))
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
func split(reg lanas.Region, good bool, words func(feature int) string) string {
	rule := fmt.Sprintf("predicted below %.4g %%", 100*reg.Threshold)
	if good {
		rule = fmt.Sprintf("predicted %.4g %% or more", 100*reg.Threshold)
	}
	with, without := sides(reg.Terms, good, func(t lanas.Term) string { return words(t.Feature) })
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

// Summary picks the leaf of the highest mean, among those with samples
// enough if there are any. It is nil without regions.
func Summary(regions []rundir.Region) *rundir.TreeSummary {
	if len(regions) == 0 {
		return nil
	}
	t := &rundir.TreeSummary{Regions: len(regions)}
	best := -1
	better := func(a, b rundir.Region) bool {
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
