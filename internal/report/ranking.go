package report

import (
	"fmt"
	"io"
	"math"

	"oneshot/internal/rank"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// figure is a correlation, such as 0.812; nil is none.
func figure(v *float64) string {
	if v == nil {
		return "-"
	}
	return correlation(*v)
}

// correlation has three decimals, and no -0.000.
func correlation(v float64) string { return fmt.Sprintf("%.3f", math.Round(1000*v)/1000+0) }

// within is a correlation with its interval.
func within(v *float64, i *rank.Interval) string {
	if v == nil || i == nil {
		return figure(v)
	}
	return fmt.Sprintf("%s (%s to %s)", figure(v), correlation(i[0]), correlation(i[1]))
}

// RankText writes how well scores order networks whose truth is known.
func RankText(w io.Writer, r rundir.Ranking) {
	fmt.Fprintf(w, "truths   %s\n", Truths(r))
	fmt.Fprintf(w, "rank     tau %s, Spearman's rho %s\n", within(r.Tau, r.TauCI), within(r.Spearman, r.SpearmanCI))
	fmt.Fprintf(w, "         tau %s of the top half, %s\n", within(r.TopHalfTau, r.TopHalfCI), ui.Plural(r.TopHalfN, "network", "networks"))
	fmt.Fprintf(w, "         tau %s is left when multiply-adds are held\n", within(r.Partial, r.PartialCI))
	fmt.Fprintf(w, "alone    multiply-adds give tau %s, in the top half %s; parameters %s and %s\n", figure(r.TauMAdds), figure(r.TopHalfMAdds), figure(r.TauParams), figure(r.TopHalfParams))
	if r.Ceiling != nil {
		fmt.Fprintf(w, "ceiling  tau %s, in the top half %s: one training of each network against another\n", figure(r.Ceiling), figure(r.TopHalfCeiling))
	}
	if r.TauCI != nil {
		fmt.Fprintf(w, "         (intervals hold 95 %% of %s draws of the networks)\n", fmt.Sprint(r.Resamples))
	}
	if r.Failed > 0 {
		fmt.Fprintf(w, "failed   %s without a score, which count as the worst\n", ui.Plural(r.Failed, "network", "networks"))
	}
}

// Truths says what the scores are compared with.
func Truths(r rundir.Ranking) string {
	t := r.Truths
	if t.From == rundir.FromRetraining {
		drawn := "drawn with seed " + fmt.Sprint(t.SampleSeed)
		if t.File != "" {
			drawn = "of " + t.File
		}
		how := "for " + ui.Plural(t.Steps, "step", "steps")
		if t.Seeds > 1 {
			how += fmt.Sprintf(" with each of %d seeds", t.Seeds)
		}
		return fmt.Sprintf("%s %s, each retrained %s and classified on %d search images", ui.Plural(r.N, "network", "networks"), drawn, how, t.Images)
	}
	what := "fractions"
	if t.Percent {
		what = "percent"
	}
	text := fmt.Sprintf("%s: %s of %s, in %s", t.File, ui.Plural(t.Texts, "text", "texts"), ui.Plural(t.Networks, "network", "networks"), what)
	if t.Sample > 0 {
		text += fmt.Sprintf("; of them %d, drawn with seed %d", t.Sample, t.SampleSeed)
	}
	if t.LeftOut > 0 {
		text += fmt.Sprintf("; %s left out, which cannot be scored", ui.Plural(t.LeftOut, "text is", "texts are"))
	}
	if t.Costs == rundir.CostsCounted {
		return text + "; costs are counted"
	}
	return text + "; costs are the table's"
}

// mostDrawn is how many networks a picture shows: more would make the page large. They come sorted by hash, so the first are
// as good as any.
const mostDrawn = 1200

const topHalf = "the top half by truth"

// besides is a tau beside that of the baseline.
func besides(tau, madds *float64) string {
	return fmt.Sprintf("tau %s, multiply-adds by themselves %s", figure(tau), figure(madds))
}

// ranking is the section of networks whose truth is known.
func ranking(p RunParts) *Section {
	if p.Rank == nil {
		return nil
	}
	r := *p.Rank
	s := &Section{Title: "How well scores rank", Lines: []string{
		"Truths: " + Truths(r) + ".",
		"Kendall's tau-b is the share of pairs of networks that scores and truths order alike, less the share that they order differently. Larger networks are mostly better, so a score is worth what it says beyond a count of multiply-adds: in the top half, and in what is left when these are held.",
	}}
	for _, w := range r.Warnings {
		s.Warnings = append(s.Warnings, w+".")
	}
	if r.Failed > 0 {
		s.Lines = append(s.Lines, sentence(ui.Plural(r.Failed, "network has", "networks have")+" no score, and count as the worst"))
	}
	all := Scatter{Title: "Score and truth: " + besides(r.Tau, r.TauMAdds), X: "score, percent", Y: "truth, percent", Upper: topHalf}
	top := Scatter{Title: "The top half alone: " + besides(r.TopHalfTau, r.TopHalfMAdds), X: all.X, Y: all.Y, Upper: topHalf}
	truths := make([]float64, len(r.Points))
	for i, n := range r.Points {
		truths[i] = n.Truth
	}
	middle := rank.Median(truths)
	if len(r.Points) > mostDrawn {
		s.Lines = append(s.Lines, fmt.Sprintf("The pictures show %d of the networks, drawn by chance.", mostDrawn))
	}
	for _, n := range r.Points[:min(mostDrawn, len(r.Points))] {
		at := ScatterPoint{X: 100 * n.Score, Y: 100 * n.Truth, Upper: n.Truth > middle,
			Label: fmt.Sprintf("%s: score %s, truth %s, %s multiply-adds", n.Hash, Percent(n.Score), Percent(n.Truth), ui.Count(n.MAdds))}
		if all.Points = append(all.Points, at); at.Upper {
			top.Points = append(top.Points, at)
		}
	}
	if s.Scatters = append(s.Scatters, all); r.TopHalfTau != nil {
		s.Scatters = append(s.Scatters, top)
	}
	t := Table{Title: "Beside what counts give", Head: []string{"what orders them", fmt.Sprintf("tau, all %d", r.N), fmt.Sprintf("tau, top half, %d", r.TopHalfN), "Spearman's rho"}, Left: 1,
		Note: fmt.Sprintf("In brackets: 95 %% intervals, from the percentiles of %s draws of the networks. The top half are the networks whose truth is above the median.", fmt.Sprint(r.Resamples))}
	row := func(name, all, top, rho string) { t.Rows = append(t.Rows, []string{name, all, top, rho}) }
	row("the scores", within(r.Tau, r.TauCI), within(r.TopHalfTau, r.TopHalfCI), within(r.Spearman, r.SpearmanCI))
	row("the scores, multiply-adds held", within(r.Partial, r.PartialCI), "", "")
	row("multiply-adds alone", figure(r.TauMAdds), figure(r.TopHalfMAdds), figure(r.SpearmanMAdds))
	row("parameters alone", figure(r.TauParams), figure(r.TopHalfParams), "")
	if r.Ceiling != nil {
		row("ceiling: another training of each", figure(r.Ceiling), figure(r.TopHalfCeiling), "")
	}
	s.Tables = append(s.Tables, t)
	return s
}
