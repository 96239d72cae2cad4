package report

import (
	"fmt"
	"io"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// TopText writes how the best architectures of a search came out when they were retrained.
func TopText(w io.Writer, t rundir.Top) {
	fmt.Fprintf(w, "top      rank  hash          %s score     search images       test images\n", t.Score)
	for i, a := range t.Archs {
		fmt.Fprintf(w, "         %4d  %s  %*s  %16s  %16s\n", i+1, a.Hash, len(t.Score)+6, Percent(a.Score), searchSpread(a), spreadOf(a.Test))
	}
	fmt.Fprintf(w, "order    %s\n", order("test", t.Test, len(t.Archs)))
	if t.Search != nil {
		fmt.Fprintf(w, "         %s\n", order("search", t.Search, len(t.Archs)))
	}
	fmt.Fprintf(w, "         %s\n", looks(t))
}

// searchSpread is the accuracy of an architecture on the search images, as far as they were held out.
func searchSpread(a rundir.TopArch) string {
	if a.Search == nil {
		return "-"
	}
	return spreadOf(*a.Search)
}

// fewRanked architectures are the least of which an order can have a p below 0.05: the best of four has 2 of 24.
const fewRanked = 5

// order says how far the scores of n architectures have the order of the accuracies on images of a split.
func order(split string, k *rundir.Kendall, n int) string {
	switch {
	case k == nil:
		return fmt.Sprintf("nothing to correlate: %s; %d are the least", ui.Plural(n, "architecture", "architectures"), rundir.LeastRanked)
	case k.Tau == nil:
		return fmt.Sprintf("nothing to correlate: all scores, or all accuracies on the %s images, are equal", split)
	}
	how := "all orders"
	if k.Drawn > 0 {
		how = ui.Count(int64(k.Drawn)) + " orders drawn"
	}
	text := fmt.Sprintf("Kendall's tau-b of score and accuracy on the %s images %+.2f, p = %.2g (permutation test, %s)", split, *k.Tau, *k.P, how)
	switch {
	case n < fewRanked:
		text += fmt.Sprintf(": of fewer than %d no order says more than chance may", fewRanked)
	case !(*k.P < 0.05):
		text += ": chance may give as much"
	}
	return text
}

// looks says what the test images were for.
func looks(t rundir.Top) string {
	return fmt.Sprintf("the test images were classified %s, once by each of these networks after its last step, and nothing was chosen by that: the first, which is exported, is what the search has found",
		ui.Plural(t.Looks, "time", "times"))
}

// top is the section of several architectures that were retrained.
func top(p RunParts) *Section {
	if p.Top == nil {
		return nil
	}
	t := *p.Top
	s := &Section{Title: "Scores and what they are worth", Lines: []string{
		fmt.Sprintf("The best %s of the search, each retrained from scratch with %s.", ui.Plural(len(t.Archs), "architecture", "architectures"), ui.Plural(t.Seeds, "seed", "seeds")),
		sentence(order("test", t.Test, len(t.Archs)))}}
	if t.Search != nil {
		s.Lines = append(s.Lines, sentence(order("search", t.Search, len(t.Archs))))
	}
	s.Lines = append(s.Lines, "Only the best of a search are here, whose scores are close together: the order of all architectures may agree better.")
	table := Table{Head: []string{"rank", "hash", t.Score + " score", "search images", "test images", "parameters", "multiply-adds"}, Left: 2, Note: sentence(looks(t))}
	scatter := Scatter{Title: "Score and accuracy after retraining, by rank; the first is exported", X: t.Score + " score, percent", Y: "test images, percent"}
	for i, a := range t.Archs {
		table.Rows = append(table.Rows, []string{fmt.Sprint(i + 1), a.Hash, Percent(a.Score), searchSpread(a), spreadOf(a.Test), ui.Count(a.Params), ui.Count(a.MAdds)})
		scatter.Points = append(scatter.Points, ScatterPoint{X: 100 * a.Score, Y: 100 * a.Test.Mean, Marked: i == 0, Rank: i + 1,
			Label: fmt.Sprintf("%d: %s, score %s, test %s", i+1, a.Hash, Percent(a.Score), spreadOf(a.Test))})
	}
	s.Scatters = append(s.Scatters, scatter)
	s.Tables = append(s.Tables, table)
	return s
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text + "."
	}
	return string(text[0]-'a'+'A') + text[1:] + "."
}
