package search

import (
	"cmp"
	"slices"

	"oneshot/internal/config"
	"oneshot/internal/rundir"
)

// summarise tells what the samples and the second scores of the best say. There
// is at least one sample with a score and, where there are second ones, one with such.
func summarise(lines []rundir.Sample, again []rundir.Recheck, c config.Search) rundir.SearchSummary {
	order := ranking(lines)
	out := rundir.SearchSummary{
		Algo: c.Algo, Samples: len(lines), Random: min(c.Init, len(lines)),
		HighestScore: lines[order[0]].Score, LastThirdMean: lastThird(lines),
	}
	for _, l := range lines[:out.Random] {
		out.RandomScore += l.Score / float64(out.Random)
	}
	out.Top, out.Pareto, out.Baselines = topOf(lines, order, again), paretoFront(lines), []rundir.Baseline{}
	out.Failed = failures(lines)
	for _, l := range again {
		if l.Failed != "" {
			out.FailedRechecks++
		}
	}
	w := out.Top[0]
	out.Arch, out.Hash, out.Score, out.RecheckScore, out.Params, out.MAdds = w.Arch, w.Hash, w.Score, w.RecheckScore, w.Params, w.MAdds
	return out
}

// topOf orders the best samples by the second score, those of equal second
// score by its loss, then by the first. Without second scores only the best
// sample is there.
func topOf(lines []rundir.Sample, order []int, again []rundir.Recheck) []rundir.TopEntry {
	byScore := rank(len(again), func(i int) scored { return secondScore(again[i]) })
	if len(again) == 0 {
		byScore = []int{0}
	}
	var top []rundir.TopEntry
	for rank, i := range byScore {
		l := lines[order[i]]
		e := rundir.TopEntry{Rank: rank + 1, Sample: l.Index, Arch: l.Arch, Hash: l.Hash, Score: l.Score, Params: l.Params, MAdds: l.MAdds}
		if len(again) > 0 {
			e.RecheckScore, e.Failed = &again[i].Score, again[i].Failed
		}
		top = append(top, e)
	}
	return top
}

// paretoFront finds the samples that matter when multiply-adds count too:
// each has a score, and a higher one than all that are as cheap or cheaper.
func paretoFront(lines []rundir.Sample) []rundir.ParetoEntry {
	order := ranking(lines)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lines[a].MAdds, lines[b].MAdds) })
	var front []rundir.ParetoEntry
	for _, i := range order {
		l := lines[i]
		if l.Failed == "" && (len(front) == 0 || l.Score > front[len(front)-1].Score) {
			front = append(front, rundir.ParetoEntry{Sample: l.Index, Arch: l.Arch, Hash: l.Hash, Score: l.Score, Params: l.Params, MAdds: l.MAdds})
		}
	}
	return front
}
