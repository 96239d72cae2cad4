package choices

import (
	"cmp"
	"slices"
)

// Importance is how much a choice says of the score, by itself.
type Importance struct {
	Choice Choice
	Index  int // in the list of choices
	// Share is epsilon squared (Kelley 1935): the part of the variance of the scores that lies between the groups of samples
	// with the same value, less what groups drawn by lot would have. 0 to 1.
	Share float64
	Best  string  // the value of the highest mean
	Mean  float64 // of the scores of the samples that have it
	N     int     // how many have it
}

// fewest is how many samples a value must have for its mean to be named as the best.
const fewest = 3

// Rank orders choices by how much of the variance of the score they explain, each by itself, as the one-way analysis of
// variance has it:
//
//	eta^2     = sum over values v of n_v (mean_v - mean)^2  /  sum over samples (score - mean)^2
//	epsilon^2 = 1 - (1 - eta^2) (n - 1) / (n - k),  0 where that is negative
//
// for n samples with a score and k values. What two choices explain together is counted for each of them, and a
// search draws the samples, not chance: a choice that it has settled early looks less important than it is.
func Rank(samples []Sample, choices []Choice) []Importance {
	mean, n := 0.0, 0
	for _, s := range samples {
		if s.Failed == "" {
			mean += s.Score
			n++
		}
	}
	if n < 3 {
		return nil
	}
	mean /= float64(n)
	total := 0.0
	for _, s := range samples {
		if s.Failed == "" {
			total += (s.Score - mean) * (s.Score - mean)
		}
	}
	var out []Importance
	for at, c := range choices {
		sums, counts := make([]float64, len(c.Values)), make([]int, len(c.Values))
		for i, s := range samples {
			if s.Failed == "" {
				sums[c.At[i]] += s.Score
				counts[c.At[i]]++
			}
		}
		r := Importance{Choice: c, Index: at}
		between, groups, enough := 0.0, 0, false
		for v, count := range counts {
			if count == 0 {
				continue
			}
			groups++
			m := sums[v] / float64(count)
			between += float64(count) * (m - mean) * (m - mean)
			if ok := count >= fewest; r.Best == "" || ok && !enough || ok == enough && m > r.Mean {
				r.Best, r.Mean, r.N, enough = c.Values[v], m, count, ok
			}
		}
		if total > 0 && groups > 1 && n > groups {
			r.Share = max(0, 1-(1-between/total)*float64(n-1)/float64(n-groups))
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Importance) int { return cmp.Compare(b.Share, a.Share) })
	return out
}
