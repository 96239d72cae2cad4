package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// SearchText writes what the end of a search has to say to people.
func SearchText(w io.Writer, s rundir.SearchSummary) {
	fmt.Fprintf(w, "top      rank  hash          score  rechecked  parameters  multiply-adds\n")
	for _, e := range s.Top {
		again := "-"
		if e.RecheckScore != nil {
			again = fmt.Sprintf("%.2f %%", 100**e.RecheckScore)
		}
		if e.Failed != "" {
			again = "none"
		}
		fmt.Fprintf(w, "         %4d  %-12s%7.2f %% %9s %11s  %13s\n", e.Rank, e.Hash, 100*e.Score, again, ui.Count(e.Params), ui.Count(e.MAdds))
	}
	failedText(w, s.SearchDetail, s.Samples)
	head := "pareto"
	for _, p := range spread(s.Pareto, paretoLines) {
		fmt.Fprintf(w, "%-8s %s multiply-adds: %.2f %%  (%s)\n", head, ui.Count(p.MAdds), 100*p.Score, p.Hash)
		head = ""
	}
	if t := s.Tree; t != nil {
		fmt.Fprintf(w, "tree     %s, %d deep; the best has %s\n", ui.Plural(t.Leaves, "leaf", "leaves"), t.Depth, figures(t.Best, s.Samples))
		for _, rule := range t.Best.Rule {
			fmt.Fprintf(w, "         %s\n", rule)
		}
	}
	for _, b := range s.Baselines {
		fmt.Fprintf(w, "%-8s %s at %d samples: best %.2f %%, last third %.2f %% on average; %s %.2f and %.2f %%: %s and %s points\n",
			"baseline", b.Algo, b.Samples, 100*b.BestScore, 100*b.LastThirdMean, s.Algo, 100*s.HighestScore, 100*s.LastThirdMean,
			ui.Points(s.HighestScore-b.BestScore), ui.Points(s.LastThirdMean-b.LastThirdMean))
	}
}

// failedText says how many samples and second scores there are none of.
func failedText(w io.Writer, s rundir.SearchDetail, samples int) {
	if s.Failed > 0 {
		fmt.Fprintf(w, "failed   %s\n", failedLine(s.Failed, samples))
	}
	for _, e := range s.Top {
		if e.Failed != "" {
			fmt.Fprintf(w, "failed   %s has no second score: %s\n", e.Hash, e.Failed)
		}
	}
	for _, b := range s.Baselines {
		if b.Failed > 0 {
			fmt.Fprintf(w, "failed   baseline %s: %s\n", b.Algo, failedLine(b.Failed, b.Samples))
		}
	}
}

// failedLine counts the samples without a score.
func failedLine(failed, samples int) string {
	return fmt.Sprintf("%d of %d subnetworks have no score, as their numbers are none; they count as 0 %%", failed, samples)
}

// figures is "12 of 60 samples, mean 75.10 %, best 80.90 %, about 3 % of the space".
func figures(r rundir.Region, samples int) string {
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

// scoresAre says what scores are.
func scoresAre(by string) string {
	if by != "" { // by loss
		return "the probability given to the right class, in the geometric mean (e to the power of minus the loss),"
	}
	return "top-1"
}

// ofLoss stands behind a percentage that is no accuracy.
func ofLoss(by string) string {
	if by != "" { // by loss
		return "probability of the right class "
	}
	return ""
}

// Headline is the search in one line.
func Headline(s rundir.SearchSummary) string {
	again := ""
	if s.RecheckScore != nil {
		again = fmt.Sprintf(" (%.2f %% rechecked)", 100**s.RecheckScore)
	}
	return fmt.Sprintf("%.2f %% "+ofLoss(s.ScoreBy)+"with inherited weights%s, best of %d; random ones have %.2f %% on average: %s points",
		100*s.Score, again, s.Samples, 100*s.RandomScore, ui.Points(s.Score-s.RandomScore))
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

// ResultText writes the result of a run in folder d, whose networks were tested so often; 0 is not known.
func ResultText(w io.Writer, d rundir.Folder, r rundir.Result, tests int) {
	s := rundir.SearchSummary{Samples: r.Search.Samples, Score: r.Search.BestScore, RandomScore: r.Search.RandomScore, RecheckScore: r.Search.RecheckScore, SearchDetail: r.Search.SearchDetail}
	fmt.Fprintf(w, "found    %s  (%s)\n", r.Arch.Text, r.Arch.Hash)
	fmt.Fprintf(w, "size     %s parameters, %s multiply-adds\n", ui.Count(r.Arch.Params), ui.Count(r.Arch.MAdds))
	fmt.Fprintf(w, "search   %s\n", Headline(s))
	failedText(w, r.Search.SearchDetail, r.Search.Samples)
	if t := r.Retrain.SearchTop1; t != nil {
		fmt.Fprintf(w, "retrain  %.2f %% on the search images after %.4g epochs\n", 100**t, r.Retrain.Epochs)
	}
	RetrainText(w, r.Retrain)
	looked := ""
	switch {
	case tests == 1:
		looked = ", looked at once"
	case tests > 1:
		looked = fmt.Sprintf(", looked at %d times in this folder", tests)
	}
	fmt.Fprintf(w, "test     %.2f %% on %d images%s\n", 100*r.TestTop1, r.TestCount, looked)
	fmt.Fprintf(w, "files    %s: export/model.safetensors, export/arch.json, result.json\n", d)
}

// classLines is how many classes are printed; --json has all.
const classLines = 25

// ClassText writes the accuracy by class, of many classes the worst.
func ClassText(w io.Writer, classes []rundir.Class) {
	sorted := slices.Clone(classes)
	if len(sorted) > classLines {
		slices.SortStableFunc(sorted, func(a, b rundir.Class) int { return cmp.Compare(rate(a), rate(b)) })
		sorted = sorted[:classLines]
		fmt.Fprintf(w, "classes  the %d worst of %d\n", classLines, len(classes))
	}
	width := 5
	for _, c := range sorted {
		width = max(width, min(32, utf8.RuneCountInString(c.Name)))
	}
	for _, c := range sorted {
		share := "-"
		if c.Images > 0 {
			share = fmt.Sprintf("%.2f %%", 100*rate(c))
		}
		fmt.Fprintf(w, "         %-*s  %8s  %d of %d\n", width, c.Name, share, c.Right, c.Images)
	}
}

// rate is the accuracy of a class, 1 where it has no images.
func rate(c rundir.Class) float64 {
	if c.Images == 0 {
		return 1
	}
	return float64(c.Right) / float64(c.Images)
}

// Loss is a mean loss in words; nil is one that is not known any more.
func Loss(l *float64) string {
	if l == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.4f", *l)
}
