package report

import (
	"math"
	"strconv"
	"strings"
)

// axis maps values to 0..1.
type axis struct {
	lo, hi float64
	log    bool
}

// mostShown is the largest value that an axis covers, so that no sum on the way overflows; larger ones lie on the border.
const mostShown = math.MaxFloat64 / 1e6

// linearAxis covers the values, with a little room, up to whole ticks where that
// is near.
func linearAxis(lo, hi float64) axis {
	lo, hi = max(lo, -mostShown), min(hi, mostShown)
	if !(hi > lo) {
		pad := max(math.Abs(lo)*0.01, 0.5)
		return axis{lo: lo - pad, hi: hi + pad}
	}
	pad := 0.03 * (hi - lo)
	a := axis{lo: lo - pad, hi: hi + pad}
	if lo >= 0 && a.lo < 0 {
		a.lo = 0
	}
	return a
}

// logAxis covers lo to hi, both above 0, at least one decade.
func logAxis(lo, hi float64) axis {
	if hi < 10*lo {
		lo = hi / 10
	}
	return axis{lo: lo / 1.1, hi: hi * 1.1, log: true}
}

// at is the place of v, 0 to 1; what is outside is put on the border, and so is
// zero on a log axis.
func (a axis) at(v float64) float64 {
	p := (v - a.lo) / (a.hi - a.lo)
	if a.log {
		p = math.Log(max(v, a.lo)/a.lo) / math.Log(a.hi/a.lo)
	}
	return min(1, max(0, p))
}

// ticks are round values on the axis, about most at the most.
func (a axis) ticks(most int) []float64 {
	if a.log {
		for _, digits := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
			if t := a.logTicks(digits, 1); len(t) <= most {
				return t
			}
		}
		for every := 2; ; every++ { // ends: a single decade is in the end all
			if t := a.logTicks([]float64{1}, every); len(t) <= most || len(t) <= 1 {
				return t
			}
		}
	}
	step := math.Pow(10, math.Floor(math.Log10((a.hi-a.lo)/float64(most))))
	for _, f := range []float64{1, 2, 5, 10} {
		if (a.hi-a.lo)/(f*step) <= float64(most) {
			step *= f
			break
		}
	}
	var t []float64
	for k := math.Ceil(a.lo / step); k*step <= a.hi*(1+1e-12) && len(t) <= most; k++ {
		t = append(t, k*step)
	}
	return t
}

func (a axis) logTicks(digits []float64, every int) (t []float64) {
	from, to := int(math.Floor(math.Log10(a.lo))), int(math.Ceil(math.Log10(a.hi)))
	for k := from; k <= to; k++ {
		if (k-from)%every != 0 {
			continue
		}
		for _, d := range digits {
			if v := d * math.Pow(10, float64(k)); v >= a.lo && v <= a.hi {
				t = append(t, v)
			}
		}
	}
	return t
}

// tickLabels writes ticks with as many decimals as tell them apart.
func tickLabels(t []float64) []string {
	labels := make([]string, len(t))
	for decimals := 0; decimals <= 9; decimals++ {
		exact := true
		for i, v := range t {
			labels[i] = strconv.FormatFloat(v, 'f', decimals, 64)
			back, _ := strconv.ParseFloat(labels[i], 64)
			exact = exact && math.Abs(back-v) <= 1e-6*math.Abs(v)
		}
		if exact {
			break
		}
	}
	for i, s := range labels { // a log axis has very different decimals
		if strings.Contains(s, ".") {
			labels[i] = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
	}
	return labels
}
