package landscape

import (
	"errors"
	"time"
)

// lastSamples is the number of samples at the end of a search whose mean says how
// well it knows the space by then.
const lastSamples = 100

// checkpoint is the distance of the samples at which the best so far is reported.
const checkpoint = 100

// Figure is a median and a mean over seeds with their 95 % intervals.
type Figure struct {
	Median, Mean     float64
	MedianCI, MeanCI Interval
}

func figure(x []float64) (f Figure) {
	f.Median, f.MedianCI = medianInterval(x)
	f.Mean, f.MeanCI = meanInterval(x)
	return f
}

// Summary is what several seeds of one search found on one table; percent.
type Summary struct {
	Seeds, Budget int
	// At are the samples of BestAt: every hundred up to the budget, and the budget.
	At []int
	// BestAt is the true score of the sample that looked best so far; without
	// noise that is the best score so far.
	BestAt []Figure
	// Last is the mean of the true scores of the last 100 samples (of all, when
	// there are fewer).
	Last Figure
	// ToTop is the number of samples until one is among the top 0.1 % (Table.Top)
	// by its true score, which in a noisy table the search need not know.
	ToTop Samples
	// Regret is the table's best true score less the incumbent's, in percent
	// points, after each sample: the mean over seeds and its interval, by sample.
	Regret   []float64
	RegretCI []Interval
	// AskTell is the mean time of an ask and a tell.
	AskTell time.Duration
}

// Samples are numbers of samples over seeds. A seed that did not get there within
// the budget counts as budget+1, which is written as 0: "more than the budget".
type Samples struct {
	Reached      int     // seeds that got there
	Median       float64 // 0 unless both middle values are within the budget
	Lower, Upper float64 // quartiles
	MedianCI     Interval
}

// Summarise condenses the traces of several seeds. A trace that ended early,
// because the space was used up, keeps its last incumbent up to the budget.
func (t *Table) Summarise(traces []Trace, budget int) (Summary, error) {
	if len(traces) == 0 || budget < 1 {
		return Summary{}, errors.New("landscape: nothing to summarise")
	}
	s := Summary{Seeds: len(traces), Budget: budget}
	var last, first []float64
	var incumbents [][]float64
	var samples int
	var spent time.Duration
	for _, tr := range traces {
		if len(tr.True) == 0 || len(tr.True) > budget || len(tr.Seen) != len(tr.True) {
			return Summary{}, errors.New("landscape: a trace of no samples, or of more than the budget")
		}
		incumbents = append(incumbents, tr.incumbents(budget))
		last = append(last, mean(tr.True[max(0, len(tr.True)-lastSamples):]))
		first = append(first, tr.firstAtLeast(t.Top(), budget))
		samples += len(tr.True)
		spent += tr.AskTell
	}
	column := func(i int) []float64 {
		x := make([]float64, len(incumbents))
		for k, in := range incumbents {
			x[k] = in[i]
		}
		return x
	}
	for at := checkpoint; at < budget; at += checkpoint {
		s.At = append(s.At, at)
	}
	s.At = append(s.At, budget)
	for _, at := range s.At {
		s.BestAt = append(s.BestAt, figure(column(at-1)))
	}
	for i := range budget {
		x := column(i)
		for k := range x {
			x[k] = t.Max() - x[k]
		}
		m, ci := meanInterval(x)
		s.Regret, s.RegretCI = append(s.Regret, m), append(s.RegretCI, Interval{max(0, ci.Lo), ci.Hi})
	}
	s.Last = figure(last)
	s.ToTop = toTop(first, budget)
	s.AskTell = spent / time.Duration(samples)
	return s, nil
}

func toTop(first []float64, budget int) (s Samples) {
	for _, v := range first {
		if v <= float64(budget) {
			s.Reached++
		}
	}
	within := func(v float64) float64 {
		if v > float64(budget) {
			return 0
		}
		return v
	}
	median, ci := medianInterval(first)
	if 2*s.Reached > len(first) { // so both middle values are
		s.Median = median
	}
	s.MedianCI = Interval{within(ci.Lo), within(ci.Hi)}
	s.Lower, s.Upper = within(quartile(first, 0.25)), within(quartile(first, 0.75))
	return s
}
