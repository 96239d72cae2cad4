package report

import (
	"fmt"
	"math"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// quality says how good the network found is against random ones and each baseline, with intervals.
func quality(p RunParts) *Section {
	if p.Search == nil || len(p.Samples) == 0 {
		return nil
	}
	b, images := p.Search, p.Samples[0].Images
	s := &Section{Title: "How good it is", Lines: []string{
		fmt.Sprintf("Scores are "+scoresAre(b.ScoreBy)+" on the same %d search images, with weights inherited from one supernet. The best of many scores is the luckiest too: "+
			"it is mostly a little too high, for the search and for its baselines alike.", images)}}
	first := scores(p.Samples[:min(b.Random, len(p.Samples))])
	if b.ScoreBy != "" { // the intervals below are of shares of images
		if line := among(p, first); line != "" {
			s.Lines = append(s.Lines, line)
		}
		return s
	}
	t := Table{Head: []string{"against", "theirs", "the search", "difference", "95 % interval, points", "samples of each"}, Left: 1,
		Note: "Intervals are of 95 %. A score has Wilson's interval, a mean of scores that of Student's t. A difference has Newcombe's (1998, method 10), which combines the " +
			"two as if they were of different images. These are of the same images, so the true interval is narrower. None of them knows that the best was chosen by these scores."}
	row := func(name string, theirs, ours Estimate, n int) {
		d := ours.Minus(theirs)
		t.Rows = append(t.Rows, []string{name, theirs.percent(), ours.percent(), d.points(), d.between(), fmt.Sprint(n)})
	}
	found := Proportion(b.Score, images)
	if len(first) > 0 {
		row("a random network, mean", MeanOf(first), found, len(first))
	}
	for i, o := range b.Baselines {
		n := images
		if i < len(p.Others) && len(p.Others[i]) > 0 {
			n = p.Others[i][0].Images
		}
		row("the best of "+o.Algo, Proportion(o.BestScore, n), Proportion(b.HighestScore, images), o.Samples)
	}
	s.Tables = append(s.Tables, t)
	if line := among(p, first); line != "" {
		s.Lines = append(s.Lines, line)
	}
	if len(b.Baselines) == 0 {
		s.Lines = append(s.Lines, "No baseline was run: search.baselines names those that a search is compared with at equal budget.")
	}
	return s
}

// among says in words where the network found lies among random ones.
func among(p RunParts, random []float64) string {
	for i, b := range p.Search.Baselines { // that of random search has more of them, the first among these
		if b.Algo == "random" && i < len(p.Others) && len(scores(p.Others[i])) > len(random) {
			random = scores(p.Others[i])
		}
	}
	if len(random) == 0 {
		return ""
	}
	share := Proportion(below(random, p.Search.Score)/float64(len(random)), len(random))
	return fmt.Sprintf("Among %s the network found lies at percentile %.1f (95 %% interval %.1f to %.1f, Wilson's; equals count half).",
		ui.Plural(len(random), "random network", "random networks"), 100*share.Value, 100*share.Lo, 100*share.Hi)
}

// racer is an algorithm of a run with its samples.
type racer struct {
	Name  string
	Lines []rundir.Sample
}

// racers are the search and its baselines.
func racers(p RunParts) []racer {
	if p.Search == nil {
		return nil
	}
	out := []racer{{p.Search.Algo, p.Samples}}
	for i, b := range p.Search.Baselines {
		if i < len(p.Others) {
			out = append(out, racer{b.Algo, p.Others[i]})
		}
	}
	return out
}

// regret is how near the best score of the run each algorithm has come, and after how many samples.
func regret(p RunParts) *Section {
	all := racers(p)
	highest := 0.0
	for _, r := range all {
		for _, l := range r.Lines {
			highest = max(highest, l.Score)
		}
	}
	if highest == 0 {
		return nil
	}
	chart := Chart{Title: "Simple regret: what the best so far lacks to the best of the run", X: "samples", Y: "points", Log: true}
	for _, r := range all {
		y := BestSoFar(r.Lines)
		for i := range y {
			y[i] = 100*highest - y[i]
		}
		chart.Series = append(chart.Series, Series{Name: r.Name, Y: y, Steps: true})
	}
	s := &Section{Title: "How fast it is found", Charts: []Chart{chart}, Lines: []string{
		fmt.Sprintf("Regret is measured to the highest score that any algorithm saw in this run, %s: what the space holds beyond it is not known. "+
			"On the logarithmic axis a regret of 0 lies on the lower border. One run is one draw of luck; only many seeds tell algorithms apart.", Percent(highest))}}
	t := Table{Title: "Samples needed", Left: 1, Head: []string{"score of"}, Note: "The first sample that reaches the score; - is none of them."}
	for _, r := range all {
		t.Head = append(t.Head, r.Name)
	}
	random := scores(p.Samples[:min(p.Search.Random, len(p.Samples))])
	type goal struct {
		name  string
		score float64
	}
	goals := []goal{{"the median of the first random ones", quantile(random, 0.5)}, {"their best", quantile(random, 1)},
		{"5 points below the best", highest - 0.05}, {"2 points below the best", highest - 0.02}, {"1 point below the best", highest - 0.01}, {"the best of the run", highest}}
	for _, g := range goals {
		if math.IsNaN(g.score) || g.score <= 0 {
			continue
		}
		row := []string{fmt.Sprintf("%s (%s)", g.name, Percent(g.score))}
		for _, r := range all {
			row = append(row, reaches(r.Lines, g.score))
		}
		t.Rows = append(t.Rows, row)
	}
	s.Tables = append(s.Tables, t)
	return s
}

// reaches is the number, from 1, of the first sample with a score.
func reaches(lines []rundir.Sample, score float64) string {
	for i, l := range lines {
		if l.Score >= score-1e-12 {
			return fmt.Sprint(i + 1)
		}
	}
	return "-"
}
