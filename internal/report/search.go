package report

import (
	"fmt"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/lanas"
)

// Search is search/report.html: the search of a run, its baselines and its tree.
// others are the samples of the baselines, in the order of the summary.
func Search(run string, s rundir.SearchSummary, lines []rundir.Sample, others [][]rundir.Sample, t Tree) Page {
	figures := Section{
		Lines: []string{Headline(s) + ".",
			fmt.Sprintf("Scores are "+scoresAre(s.ScoreBy)+" on %d search images with inherited weights; the rechecked ones are on all search images, with more images for batch normalisation.", lines[0].Images)},
		Charts: []Chart{
			{Title: "Best score so far", X: "samples", Y: "score, percent", Series: steps(curves(s, lines, others, BestSoFar))},
			{Title: fmt.Sprintf("Mean score of the last %d samples", meanWindow), X: "samples", Y: "score, percent", Series: curves(s, lines, others, movingMean)},
		},
		Scatters: []Scatter{ScoreByMAdds(lines, s.Hash)},
		Tables:   []Table{topTable(s)},
	}
	if s.Failed > 0 {
		figures.Lines = append(figures.Lines, failedLine(s.Failed, s.Samples)+".")
	}
	if len(s.Baselines) > 0 {
		figures.Tables = append(figures.Tables, baselineTable(s))
	}
	if len(t.Regions) > 0 {
		figures.Trees = []Tree{t}
	}
	return Page{Title: "Search of " + run, Lines: []string{fmt.Sprintf("%s, %s", s.Algo, ui.Plural(s.Samples, "sample", "samples"))}, Sections: []Section{figures}}
}

// curves is a series for each algorithm, in percent.
func curves(s rundir.SearchSummary, lines []rundir.Sample, others [][]rundir.Sample, f func([]rundir.Sample) []float64) []Series {
	out := []Series{{Name: s.Algo, Y: f(lines)}}
	for i, b := range s.Baselines {
		out = append(out, Series{Name: b.Algo, Y: f(others[i])})
	}
	return out
}

// steps are series drawn as steps.
func steps(all []Series) []Series {
	for i := range all {
		all[i].Steps = true
	}
	return all
}

// BestSoFar is the highest score up to each sample, in percent.
func BestSoFar(lines []rundir.Sample) []float64 {
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

func movingMean(lines []rundir.Sample) []float64 {
	y := make([]float64, len(lines))
	for i := range lines {
		of := lines[max(0, i+1-meanWindow) : i+1]
		for _, l := range of {
			y[i] += 100 * l.Score / float64(len(of))
		}
	}
	return y
}

func topTable(s rundir.SearchSummary) Table {
	t := Table{Title: "The best", Left: 2, Head: []string{"rank", "hash", "score", "rechecked", "parameters", "multiply-adds"},
		Note: "The rank is that of the rechecked scores."}
	for _, e := range s.Top {
		again := "-"
		if e.RecheckScore != nil {
			again = Percent(*e.RecheckScore)
		}
		if e.Failed != "" {
			again = "none"
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(e.Rank), e.Hash, Percent(e.Score), again, ui.Count(e.Params), ui.Count(e.MAdds)})
	}
	return t
}

func baselineTable(s rundir.SearchSummary) Table {
	t := Table{Title: "At equal budget", Left: 1, Head: []string{"algorithm", "samples", "best", "last third, mean"},
		Note: "All on the same supernet and images, from the same random start."}
	row := func(algo string, samples int, best, last float64) {
		t.Rows = append(t.Rows, []string{algo, fmt.Sprint(samples), Percent(best), Percent(last)})
	}
	row(s.Algo, s.Samples, s.HighestScore, s.LastThirdMean)
	for _, b := range s.Baselines {
		row(b.Algo, b.Samples, b.BestScore, b.LastThirdMean)
	}
	return t
}

// SearchTree is the tree of a search as its page shows it: feature names an entry of
// the code, size is how many architectures there are, 0 where they are not counted.
func SearchTree(regions []lanas.Region, feature func(int) string, size float64) Tree {
	return Tree{
		Title:   "The tree at the end",
		Note:    "A region is split by a model of its samples: what it predicts to reach the threshold goes to the better side. Named are the features that weigh most, with their weight in percent points.",
		Regions: regions, Feature: feature, Size: size,
	}
}
