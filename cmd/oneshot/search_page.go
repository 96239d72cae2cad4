package main

import (
	"fmt"
	"math/big"

	"oneshot/lanas"
)

// searchPage is search/report.html: the search, its baselines and its tree.
// others are the samples of the baselines, in the order of the summary.
func (s searchSummary) page(run string, lines []sampleLine, others [][]sampleLine, t regionTree) page {
	figures := section{
		Lines: []string{s.headline() + ".",
			fmt.Sprintf("Scores are top-1 on %d search images with inherited weights; the rechecked ones are on all search images, with more images for batch normalisation.", lines[0].Images)},
		Charts: []chart{
			{Title: "Best score so far", X: "samples", Y: "score, percent", Series: s.curves(lines, others, bestSoFar)},
			{Title: fmt.Sprintf("Mean score of the last %d samples", meanWindow), X: "samples", Y: "score, percent", Series: s.curves(lines, others, movingMean)},
		},
		Scatters: []scatter{s.costs(lines)},
		Tables:   []figureTable{s.topTable()},
	}
	if len(s.Baselines) > 0 {
		figures.Tables = append(figures.Tables, s.baselineTable())
	}
	if len(t.Regions) > 0 {
		figures.Trees = []regionTree{t}
	}
	return page{Title: "Search of " + run, Lines: []string{fmt.Sprintf("%s, %s", s.Algo, plural(s.Samples, "sample", "samples"))}, Sections: []section{figures}}
}

// curves is a series for each algorithm, in percent.
func (s searchSummary) curves(lines []sampleLine, others [][]sampleLine, f func([]sampleLine) []float64) []series {
	out := []series{{Name: s.Algo, Y: f(lines)}}
	for i, b := range s.Baselines {
		out = append(out, series{Name: b.Algo, Y: f(others[i])})
	}
	return out
}

func bestSoFar(lines []sampleLine) []float64 {
	y := make([]float64, len(lines))
	best := 0.0
	for i, l := range lines {
		best = max(best, l.Score)
		y[i] = 100 * best
	}
	return y
}

// meanWindow is how many samples a point of the curve of proposals averages.
const meanWindow = 20

func movingMean(lines []sampleLine) []float64 {
	y := make([]float64, len(lines))
	for i := range lines {
		of := lines[max(0, i+1-meanWindow) : i+1]
		for _, l := range of {
			y[i] += 100 * l.Score / float64(len(of))
		}
	}
	return y
}

func (s searchSummary) costs(lines []sampleLine) scatter {
	front := map[int]bool{}
	for _, p := range s.Pareto {
		front[p.Sample] = true
	}
	out := scatter{Title: "Score against multiply-adds, with the Pareto front", X: "multiply-adds of the retrained network, millions", Y: "score, percent"}
	for i, l := range lines {
		out.Points = append(out.Points, scatterPoint{
			X: float64(l.MAdds) / 1e6, Y: 100 * l.Score, Front: front[i],
			Label: fmt.Sprintf("%s: %.2f %%, %s multiply-adds, %s parameters", l.Hash, 100*l.Score, short(l.MAdds), short(l.Params)),
		})
	}
	return out
}

func (s searchSummary) topTable() figureTable {
	t := figureTable{Title: "The best", Left: 2, Head: []string{"rank", "hash", "score", "rechecked", "parameters", "multiply-adds"},
		Note: "The rank is that of the rechecked scores."}
	for _, e := range s.Top {
		again := "-"
		if e.RecheckScore != nil {
			again = scorePercent(*e.RecheckScore)
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(e.Rank), e.Hash, scorePercent(e.Score), again, short(e.Params), short(e.MAdds)})
	}
	return t
}

func (s searchSummary) baselineTable() figureTable {
	t := figureTable{Title: "At equal budget", Left: 1, Head: []string{"algorithm", "samples", "best", "last third, mean"},
		Note: "All on the same supernet and images, from the same random start."}
	row := func(algo string, samples int, best, last float64) {
		t.Rows = append(t.Rows, []string{algo, fmt.Sprint(samples), scorePercent(best), scorePercent(last)})
	}
	row(s.Algo, s.Samples, s.HighestScore, s.LastThirdMean)
	for _, b := range s.Baselines {
		row(b.Algo, b.Samples, b.BestScore, b.LastThirdMean)
	}
	return t
}

// tree is the tree of a search as the page shows it.
func (j *job) tree(regions []lanas.Region) regionTree {
	size, _ := new(big.Float).SetInt(j.space.Size()).Float64()
	if len(j.ceilings()) > 0 {
		size = 0 // shares are of the part within the limits
	}
	return regionTree{
		Title:   "The tree at the end",
		Note:    "A region is split by a model of its samples: what it predicts to reach the threshold goes to the better side. Named are the features that weigh most, with their weight in percent points.",
		Regions: regions, Feature: j.space.Feature, Size: size,
	}
}
