package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// table writes what the end of a search has to say to people.
func (s searchSummary) table(w io.Writer) {
	fmt.Fprintf(w, "top      rank  hash          score  rechecked  parameters  multiply-adds\n")
	for _, e := range s.Top {
		again := "-"
		if e.RecheckScore != nil {
			again = fmt.Sprintf("%.2f %%", 100**e.RecheckScore)
		}
		fmt.Fprintf(w, "         %4d  %-12s%7.2f %% %9s %11s  %13s\n", e.Rank, e.Hash, 100*e.Score, again, short(e.Params), short(e.MAdds))
	}
	head := "pareto"
	for _, p := range spread(s.Pareto, paretoLines) {
		fmt.Fprintf(w, "%-8s %s multiply-adds: %.2f %%  (%s)\n", head, short(p.MAdds), 100*p.Score, p.Hash)
		head = ""
	}
	if t := s.Tree; t != nil {
		fmt.Fprintf(w, "tree     %s, %d deep; the best has %s\n", plural(t.Leaves, "leaf", "leaves"), t.Depth, t.Best.figures(s.Samples))
		for _, rule := range t.Best.Rule {
			fmt.Fprintf(w, "         %s\n", rule)
		}
	}
	for _, b := range s.Baselines {
		fmt.Fprintf(w, "%-8s %s at %d samples: best %.2f %%, last third %.2f %% on average; %s %.2f and %.2f %%: %s and %s points\n",
			"baseline", b.Algo, b.Samples, 100*b.BestScore, 100*b.LastThirdMean, s.Algo, 100*s.HighestScore, 100*s.LastThirdMean,
			points(s.HighestScore-b.BestScore), points(s.LastThirdMean-b.LastThirdMean))
	}
}

// figures is "12 of 60 samples, mean 75.10 %, best 80.90 %, about 3 % of the space".
func (r treeRegion) figures(samples int) string {
	parts := []string{fmt.Sprintf("%d of %d samples", r.Samples, samples)}
	if r.Mean != nil {
		parts = append(parts, fmt.Sprintf("mean %.2f %%", 100**r.Mean))
	}
	if r.Best != nil {
		parts = append(parts, fmt.Sprintf("best %.2f %%", 100**r.Best))
	}
	if r.Share > 0 {
		digits := 2
		if r.Share > 0.99 { // not 1e+02
			digits = 3
		}
		parts = append(parts, fmt.Sprintf("about %.*g %% of the space", digits, 100*r.Share))
	}
	return strings.Join(parts, ", ")
}

// headline is the search in one line.
func (s searchSummary) headline() string {
	again := ""
	if s.RecheckScore != nil {
		again = fmt.Sprintf(" (%.2f %% rechecked)", 100**s.RecheckScore)
	}
	return fmt.Sprintf("%.2f %% with inherited weights%s, best of %d; random ones have %.2f %% on average: %s points",
		100*s.Score, again, s.Samples, 100*s.RandomScore, points(s.Score-s.RandomScore))
}

// points is a difference of scores in percent points, with its sign; rounding
// makes no -0.00 of it.
func points(difference float64) string {
	return fmt.Sprintf("%+.2f", math.Round(1e4*difference)/100+0)
}

// paretoLines is how many points of the front are printed; the files have all.
const paretoLines = 6

// spread takes at most n of the entries, evenly, the first and the last among them.
func spread[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	out := make([]T, n)
	for i := range out {
		out[i] = all[i*(len(all)-1)/(n-1)]
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
