package rank

import (
	"cmp"
	"fmt"
	"slices"
)

// Network is what is known of one network: a score, what trainings of it reached, and what it costs.
type Network struct {
	Score float64
	// Truth decides: the mean of what its trainings reached.
	Truth float64
	// Truths are single trainings of it, from different seeds; none where only their mean is known.
	Truths        []float64
	Params, MAdds int64
}

// Least is how many networks have an order that says something.
const Least = 3

// Stats says how well scores order networks. An interval is [low, high]; see Interval.
type Stats struct {
	N          int       `json:"n"`
	Tau        *float64  `json:"tau"` // Kendall's tau-b of score and truth
	TauCI      *Interval `json:"tau_ci"`
	Spearman   *float64  `json:"spearman"`
	SpearmanCI *Interval `json:"spearman_ci"`
	// The top half are the networks whose truth is above the median.
	TopHalfN   int       `json:"top_half_n"`
	TopHalfTau *float64  `json:"top_half_tau"`
	TopHalfCI  *Interval `json:"top_half_ci"`
	// Partial is what is left of Tau when multiply-adds are held.
	Partial   *float64  `json:"partial_tau"`
	PartialCI *Interval `json:"partial_ci"`
	// What costs alone give: tau-b and rho of a cost and truth.
	TauMAdds      *float64 `json:"tau_madds"`
	TauParams     *float64 `json:"tau_params"`
	TopHalfMAdds  *float64 `json:"top_half_madds"`
	TopHalfParams *float64 `json:"top_half_params"`
	SpearmanMAdds *float64 `json:"spearman_madds"`
	// The ceiling is how well one training of each network orders them as another one does.
	Ceiling        *float64 `json:"ceiling"`
	TopHalfCeiling *float64 `json:"top_half_ceiling"`
}

// Measure compares scores with truths. What is drawn for the intervals follows the seed.
func Measure(networks []Network, seed uint64) Stats {
	all := slices.Clone(networks)
	slices.SortFunc(all, func(a, b Network) int { // so that neither draws nor sums depend on the order in which they came
		return cmp.Or(cmp.Compare(a.Truth, b.Truth), cmp.Compare(a.Score, b.Score), cmp.Compare(a.MAdds, b.MAdds), cmp.Compare(a.Params, b.Params), slices.Compare(a.Truths, b.Truths))
	})
	s := Stats{N: len(all)}
	if len(all) < Least {
		return s
	}
	m := newMeasures(all)
	s.Tau, s.Spearman = m.tau.tau(nil), m.tau.spearman(nil)
	s.TauMAdds, s.SpearmanMAdds, s.TauParams = m.madds.tau(nil), m.madds.spearman(nil), m.params.tau(nil)
	s.Partial = m.partial(nil)
	at := resample(len(all), seed, "rank", m.tau.tau, m.tau.spearman, m.partial)
	s.TauCI, s.SpearmanCI, s.PartialCI = at[0], at[1], at[2]
	s.Ceiling = ceiling(all)
	top := TopHalf(all)
	if s.TopHalfN = len(top); len(top) < Least {
		return s
	}
	h := newMeasures(top)
	s.TopHalfTau, s.TopHalfMAdds, s.TopHalfParams = h.tau.tau(nil), h.madds.tau(nil), h.params.tau(nil)
	s.TopHalfCI = resample(len(top), seed, "rank-top", h.tau.tau)[0]
	s.TopHalfCeiling = ceiling(top)
	return s
}

// TopHalf are the networks whose truth is above the median.
func TopHalf(networks []Network) (top []Network) {
	truths := make([]float64, len(networks))
	for i, n := range networks {
		truths[i] = n.Truth
	}
	middle := Median(truths)
	for _, n := range networks {
		if n.Truth > middle {
			top = append(top, n)
		}
	}
	return top
}

// Median is the middle of the values, which lies between two where their number is even; 0 of none.
func Median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}

// measures are the orders that are compared.
type measures struct {
	tau           *pair // score and truth
	madds, params *pair // cost and truth
	both          *pair // score and multiply-adds
}

func newMeasures(all []Network) measures {
	n := len(all)
	score, truth, madds, params := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, a := range all {
		score[i], truth[i], madds[i], params[i] = a.Score, a.Truth, float64(a.MAdds), float64(a.Params)
	}
	return measures{newPair(score, truth), newPair(madds, truth), newPair(params, truth), newPair(score, madds)}
}

func (m measures) partial(w []int) *float64 {
	return Partial(m.tau.tau(w), m.both.tau(w), m.madds.tau(w))
}

// ceiling is the mean tau-b of pairs of trainings: of the first of each network against the second, and so on, as far as
// all those of which more than one is known have them. nil where fewer than Least have. What is known of the mean of
// several trainings is a better truth than one, so a score may come above it.
func ceiling(all []Network) *float64 {
	var several [][]float64
	least := 0
	for _, n := range all {
		if k := len(n.Truths); k > 1 {
			several = append(several, n.Truths)
			if least == 0 || k < least {
				least = k
			}
		}
	}
	if len(several) < Least {
		return nil
	}
	column := func(k int) []float64 {
		out := make([]float64, len(several))
		for i, t := range several {
			out[i] = t[k]
		}
		return out
	}
	sum, pairs := 0.0, 0
	for b := range least {
		for a := range b {
			if tau := Tau(column(a), column(b)); tau != nil {
				sum += *tau
				pairs++
			}
		}
	}
	if pairs == 0 {
		return nil
	}
	mean := sum / float64(pairs)
	return &mean
}

// Warnings say where the figures do not show that a score knows more than a count of multiply-adds.
func (s Stats) Warnings() (out []string) {
	if s.N >= Least && s.Tau == nil {
		return []string{"all scores, or all truths, are equal: there is no order to compare"}
	}
	for _, w := range []struct {
		of        string
		ci        *Interval
		tau, size *float64
	}{{"tau", s.TauCI, s.Tau, s.TauMAdds}, {"tau of the top half", s.TopHalfCI, s.TopHalfTau, s.TopHalfMAdds}} {
		switch {
		case w.ci == nil || w.size == nil:
		case w.ci.Covers(w.size):
			out = append(out, fmt.Sprintf("the interval of %s, %.3f to %.3f, covers what a count of multiply-adds gives, %.3f: the scores are not shown to know more", w.of, w.ci[0], w.ci[1], *w.size))
		case w.ci[1] < *w.size:
			out = append(out, fmt.Sprintf("%s is %.3f, below what a count of multiply-adds gives, %.3f", w.of, *w.tau, *w.size))
		}
	}
	return out
}
