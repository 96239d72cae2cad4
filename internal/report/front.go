package report

import (
	"cmp"
	"fmt"
	"slices"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// front is what networks cost beside their score: nothing on the front is beaten at as little cost.
func front(p RunParts) *Section {
	if p.Search == nil || len(p.Samples) == 0 {
		return nil
	}
	cheap, small := paretoOf(p.Samples, byMAdds), paretoOf(p.Samples, byParams)
	s := &Section{Title: "Score and cost", Lines: []string{
		"Costs are those of the network as it would be retrained; scores have the intervals of the section above, so neighbours on the front may change places."},
		Scatters: []Scatter{
			costs(p.Samples, p.Search.Hash, "multiply-adds", cheap, byMAdds),
			costs(p.Samples, p.Search.Hash, "parameters", small, byParams),
		}}
	t := Table{Title: "The networks of the fronts", Left: 2, Text: 6, Head: []string{"hash", "front of", "score", "parameters", "multiply-adds", "text"},
		Note: "oneshot retrain --arch TEXT trains one of them."}
	at := slices.Concat(cheap, small)
	slices.Sort(at)
	at = slices.Compact(at)
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(p.Samples[a].MAdds, p.Samples[b].MAdds) })
	for _, i := range at {
		l := p.Samples[i]
		of := "multiply-adds"
		switch m, n := slices.Contains(cheap, i), slices.Contains(small, i); {
		case m && n:
			of = "both"
		case n:
			of = "parameters"
		}
		hash := l.Hash
		if l.Hash == p.Search.Hash {
			hash += " (found)"
		}
		t.Rows = append(t.Rows, []string{hash, of, Percent(l.Score), ui.Count(l.Params), ui.Count(l.MAdds), l.Arch})
	}
	s.Tables = append(s.Tables, t)
	return s
}

func byMAdds(l rundir.Sample) int64  { return l.MAdds }
func byParams(l rundir.Sample) int64 { return l.Params }

// paretoOf are the samples that no other beats in score at as little cost, from the cheapest.
func paretoOf(lines []rundir.Sample, cost func(rundir.Sample) int64) (at []int) {
	var all []int
	for i, l := range lines {
		if l.Failed == "" {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b int) int {
		return cmp.Or(cmp.Compare(cost(lines[a]), cost(lines[b])), cmp.Compare(lines[b].Score, lines[a].Score))
	})
	best := -1.0
	for _, i := range all {
		if lines[i].Score > best {
			at, best = append(at, i), lines[i].Score
		}
	}
	return at
}

// ScoreByMAdds draws the samples by their multiply-adds, with their front; found is the hash of the network that is
// marked, "" for none.
func ScoreByMAdds(lines []rundir.Sample, found string) Scatter {
	return costs(lines, found, "multiply-adds", paretoOf(lines, byMAdds), byMAdds)
}

// costs draws the samples by a cost.
func costs(lines []rundir.Sample, found, name string, front []int, cost func(rundir.Sample) int64) Scatter {
	most := int64(0)
	for _, l := range lines {
		most = max(most, cost(l))
	}
	unit, of := 1.0, ""
	switch {
	case most >= 2e6:
		unit, of = 1e6, ", millions"
	case most >= 2e3:
		unit, of = 1e3, ", thousands"
	}
	out := Scatter{Title: "Score against " + name, X: name + of, Y: "score, percent"}
	for i, l := range lines {
		if l.Failed != "" {
			continue
		}
		out.Points = append(out.Points, ScatterPoint{
			X: float64(cost(l)) / unit, Y: 100 * l.Score, Front: slices.Contains(front, i), Marked: l.Hash == found,
			Label: fmt.Sprintf("%s: %.2f %%, %s multiply-adds, %s parameters", l.Hash, 100*l.Score, ui.Count(l.MAdds), ui.Count(l.Params)),
		})
	}
	return out
}
