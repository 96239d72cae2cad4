package report

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// z95 is the 97.5th percentile of the normal distribution: all intervals are of 95 %.
const z95 = 1.959964

// Estimate is a value with the ends of its interval.
type Estimate struct{ Value, Lo, Hi float64 }

// Proportion is a fraction of n images with Wilson's 95 % interval (Wilson 1927): it says how far another draw of as
// many images may lead.
func Proportion(p float64, n int) Estimate {
	if n == 0 {
		return Estimate{p, 0, 1}
	}
	k := float64(n)
	middle := (p + z95*z95/(2*k)) / (1 + z95*z95/k)
	half := z95 / (1 + z95*z95/k) * math.Sqrt(p*(1-p)/k+z95*z95/(4*k*k))
	return Estimate{p, max(0, middle-half), min(1, middle+half)}
}

// MeanOf is the mean of values with its 95 % interval by Student's t, which is as wide as can be of one value alone.
// Values are fractions.
func MeanOf(values []float64) Estimate {
	s := rundir.SpreadOf(values)
	if s.Deviation == nil {
		return Estimate{s.Mean, 0, 1}
	}
	half := t95(len(values)-1) * *s.Deviation / math.Sqrt(float64(len(values)))
	return Estimate{s.Mean, max(0, s.Mean-half), min(1, s.Mean+half)}
}

// t95 is the 97.5th percentile of Student's t.
func t95(df int) float64 { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Quantile(0.975) }

// Minus is the difference of two estimates, as if they were independent, with the interval that follows from theirs
// (of proportions Newcombe 1998, method 10). Of scores on the same images, which mostly rise and fall together, the
// interval is wider than it need be.
func (a Estimate) Minus(b Estimate) Estimate {
	d := a.Value - b.Value
	return Estimate{d, d - math.Hypot(a.Value-a.Lo, b.Hi-b.Value), d + math.Hypot(a.Hi-a.Value, b.Value-b.Lo)}
}

// percent is "81.20 %".
func (a Estimate) percent() string { return Percent(a.Value) }

// points is "+1.20 points".
func (a Estimate) points() string { return ui.Points(a.Value) + " points" }

// between is "80.10 to 82.30", in percent or points.
func (a Estimate) between() string {
	end := func(v float64) string { return strings.TrimPrefix(ui.Points(v), "+") }
	return end(a.Lo) + " to " + end(a.Hi)
}

// below counts the values that are less than v, and half of those that equal it.
func below(values []float64, v float64) float64 {
	n := 0.0
	for _, x := range values {
		switch {
		case x < v:
			n++
		case x == v:
			n += 0.5
		}
	}
	return n
}

// quantile is the value below which a share q of the values lies, between the two nearest.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	if len(v) == 0 {
		return math.NaN()
	}
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// scores are those of samples, without the failed ones.
func scores(lines []rundir.Sample) (v []float64) {
	for _, l := range lines {
		if l.Failed == "" {
			v = append(v, l.Score)
		}
	}
	return v
}
