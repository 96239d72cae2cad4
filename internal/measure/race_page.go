package measure

import (
	"fmt"
	"slices"

	"oneshot/internal/report"
	"oneshot/lanas"
	"oneshot/lanas/landscape"
)

// racePage shows the results: for each table the curves of regret, the figures,
// and the tree of the first algorithm that has one.
func racePage(f Races, tables []*landscape.Table, results []raceResult) report.Page {
	p := report.Page{
		Title: "Search algorithms on tables of known scores",
		Lines: []string{
			fmt.Sprintf("%d seeds from %d, budget %d, batch %d. Curves are means with 95 %% intervals (Student), figures are medians.", f.Seeds, f.FirstSeed, f.Budget, f.Batch),
			"Regret is the table's best score less the score of the best sample so far; in noisy tables, the true score of the sample that looked best. A regret of 0 lies on the lower border of its chart.",
		},
	}
	if f.LimitParams > 0 || f.LimitFlops > 0 {
		p.Lines = append(p.Lines, fmt.Sprintf("Within at most %g weights and %g multiply-adds (0: any).", f.LimitParams, f.LimitFlops))
	}
	for _, t := range tables {
		of := slices.DeleteFunc(slices.Clone(results), func(r raceResult) bool { return r.table != t })
		p.Sections = append(p.Sections, raceSection(f, t, of))
	}
	return p
}

func raceSection(f Races, t *landscape.Table, results []raceResult) report.Section {
	s := report.Section{Title: t.Name(), Lines: []string{raceHead(f, results[0])}}
	c := report.Chart{Title: "Regret against samples", X: "samples", Y: "regret, percent points (log scale)", Log: true}
	figures := report.Table{
		Title: "Figures", Left: 1, Head: append([]string{"algorithm"}, raceColumns(results[0].summary)...),
		Note: `"best@N" and "last 100" in percent; "to top 0.1 %" in samples, with the quartiles of the seeds and how many got there.`,
	}
	for _, r := range results {
		line := report.Series{Name: r.algo, Y: r.summary.Regret}
		for _, ci := range r.summary.RegretCI {
			line.Lo, line.Hi = append(line.Lo, ci.Lo), append(line.Hi, ci.Hi)
		}
		c.Series = append(c.Series, line)
		figures.Rows = append(figures.Rows, append([]string{r.algo}, raceFigures(r.summary)...))
	}
	s.Charts, s.Tables = []report.Chart{c}, []report.Table{figures}
	if i := slices.IndexFunc(results, func(r raceResult) bool { return len(r.tree) > 0 }); i >= 0 {
		size := t.Choices().Size()
		if t.Space() != lanas.Space(t.Choices()) { // a limited table is complete
			size = float64(t.Len())
		}
		s.Trees = []report.Tree{{
			Title:   fmt.Sprintf("The final tree of %s, seed %d", results[i].algo, f.FirstSeed),
			Note:    "A region is split by a linear model of its samples: what the model predicts to reach the threshold goes to the better side. The features are those that weigh most, with their weight in percent points.",
			Regions: results[i].tree, Feature: t.Choices().Feature, Size: size,
		}}
	}
	return s
}
