package landscape

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is the 95 % confidence interval of a figure.
type Interval struct{ Lo, Hi float64 }

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// meanInterval is Student's interval of the mean, mean +- t sd/sqrt(n). Of a
// single value nothing is known of the spread; the interval is that value.
func meanInterval(x []float64) (float64, Interval) {
	m, n := mean(x), float64(len(x))
	if n < 2 {
		return m, Interval{m, m}
	}
	var sq float64
	for _, v := range x {
		sq += float64((v - m) * (v - m))
	}
	half := studentT(len(x)-1) * math.Sqrt(sq/(n-1)/n)
	return m, Interval{m - half, m + half}
}

// studentT is the 0.975 quantile of Student's distribution with df degrees of
// freedom.
func studentT(df int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Quantile(0.975)
}

// medianInterval is the mean of the two middle values and the interval between
// two order statistics: the narrowest pair of equal ranks from both ends that
// holds the median with probability 95 % or more whatever the distribution
// (Conover, Practical Nonparametric Statistics, section 3.2). Below 6 values there
// is none; the interval is then their whole range.
func medianInterval(x []float64) (float64, Interval) {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	rank := medianRank(n)
	return (s[(n-1)/2] + s[n/2]) / 2, Interval{s[rank], s[n-1-rank]}
}

// medianRank is the largest k for which the k smallest and the k largest of n
// values can be left out, so that the median lies outside the rest with
// probability 2 P(Binomial(n, 1/2) <= k), 5 % at the most; 0 where there is none.
func medianRank(n int) int {
	var below float64              // P(Binomial <= k)
	logP := -float64(n) * math.Ln2 // of Binomial = k
	for k := range n {
		below += math.Exp(logP)
		if below > 0.025 {
			return max(0, k-1)
		}
		logP += math.Log(float64(n-k) / float64(k+1))
	}
	return 0
}

// quartile is the value below which the share q of x lies, the nearest rank:
// it is one of the values, so that a censored one stays what it is.
func quartile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[max(0, int(math.Ceil(q*float64(len(s))))-1)]
}
