package report

import (
	"cmp"
	"slices"

	"oneshot/internal/rundir"
)

// OpShare is how much of what they use an operation is, in percent: of all samples of a search, of the best decile of
// them, and of the network that was found.
type OpShare struct {
	Op               string
	All, Best, Found float64
}

// BestDecile are the indices of the best tenth of samples by score, at least one; of equal ones the earlier.
func BestDecile(lines []rundir.Sample) []int {
	at := make([]int, 0, len(lines))
	for i, l := range lines {
		if l.Failed == "" {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(lines[b].Score, lines[a].Score) })
	return at[:max(1, len(at)/10)]
}

// operations compares what the best samples use with what all do.
func operations(p RunParts) *Section {
	if len(p.Operations) == 0 {
		return nil
	}
	b := Bars{Title: "Share of each operation", X: "percent of the operations used",
		Series: []string{"all samples", "the best tenth of them", "the network found"}}
	for _, o := range p.Operations {
		b.Groups = append(b.Groups, BarGroup{o.Op, []float64{o.All, o.Best, o.Found}})
	}
	return &Section{Title: "Which operations do well", Bars: []Bars{b}, Lines: []string{
		"An operation that the best use more often than all do is one that the scores favour. The search itself shifts what all samples use."}}
}
