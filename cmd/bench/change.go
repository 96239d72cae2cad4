package main

import (
	"fmt"
	"math"
	"slices"
)

// smallest is the smallest difference that counts, as a fraction. Rounds may agree by
// chance, and who would act on less.
const smallest = 0.02

// change is what became of a figure.
type change struct {
	ratio     float64 // median over the rounds; above 1 is better
	low, high float64 // the smallest and the largest of a round
	rounds    int
}

// changed compares a figure of two programs round by round.
func changed(base, this figure) change {
	ratios := make([]float64, len(base.values))
	for i := range ratios {
		ratios[i] = this.values[i] / base.values[i]
		if base.less {
			ratios[i] = 1 / ratios[i]
		}
	}
	return change{median(ratios), slices.Min(ratios), slices.Max(ratios), len(ratios)}
}

// counts says whether the difference is larger than the rounds' spread: the median
// ratio is farther from 1 than the rounds' ratios are from each other. Then all
// rounds are on the same side of 1. Two equal programs differ by chance in less than
// one of a hundred figures with five rounds, in up to one of ten with three
// (TestEqualProgramsDoNotDiffer).
func (c change) counts() bool {
	return math.Abs(c.ratio-1) > max(c.high-c.low, smallest)
}

// words say what a change of f means, in terms of the figure itself: half the memory
// is 50 % less.
func (c change) words(f figure) string {
	better, worse, by := "faster", "slower", c.ratio-1
	if f.less {
		better, worse, by = "less", "more", 1/c.ratio-1
	}
	switch {
	case math.IsNaN(by) || math.IsInf(by, 0): // a memory of 0: the system does not say
		return "not measured"
	case c.rounds < 2 && !f.exact:
		return "one round has no spread"
	case !c.counts():
		return fmt.Sprintf("same within %.0f %%", 100*max(c.high-c.low, smallest))
	case c.ratio > 1:
		return fmt.Sprintf("%.0f %% %s", 100*math.Abs(by), better)
	}
	return fmt.Sprintf("%.0f %% %s", 100*math.Abs(by), worse)
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
