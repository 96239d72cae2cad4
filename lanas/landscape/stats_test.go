package landscape

import (
	"math"
	"testing"
)

func near(a, b, tol float64) bool { return math.Abs(a-b) <= tol }

// TestStudentT against the table of Abramowitz and Stegun, 26.10, which has three
// decimals.
func TestStudentT(t *testing.T) {
	for df, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 10: 2.228, 19: 2.093, 29: 2.045, 60: 2.000, 120: 1.980} {
		if got := studentT(df); !near(got, want, 5e-4) {
			t.Errorf("studentT(%d) = %.4f, want %.3f", df, got, want)
		}
	}
}

func TestMeanInterval(t *testing.T) {
	// sd of 2, 4, 9 is sqrt(13), 4.3027 sqrt(13)/sqrt(3) = 8.957.
	m, ci := meanInterval([]float64{2, 4, 9})
	if m != 5 || !near(ci.Lo, 5-8.957, 1e-3) || !near(ci.Hi, 5+8.957, 1e-3) {
		t.Errorf("mean %v %v, want 5 in -3.957..13.957", m, ci)
	}
	if m, ci := meanInterval([]float64{7}); m != 7 || ci != (Interval{7, 7}) {
		t.Errorf("mean of one value: %v %v", m, ci)
	}
}

// TestMedianInterval against the published ranks: with 20 values the 6th and the
// 15th hold the median with 95.9 %, with 6 the extremes with 96.9 %, with 9 the 2nd
// and the 8th with 96.1 %, with 30 the 10th and the 21st with 95.7 %.
func TestMedianInterval(t *testing.T) {
	for n, want := range map[int]int{1: 0, 2: 0, 5: 0, 6: 0, 8: 0, 9: 1, 10: 1, 12: 2, 20: 5, 30: 9, 100: 39, 10000: 4901} {
		if got := medianRank(n); got != want {
			t.Errorf("medianRank(%d) = %d, want %d", n, got, want)
		}
		// The ranks k+1 and n-k hold the median with 95 %, where any do; the next
		// narrower pair does not.
		coverage := func(k int) float64 {
			p := 1.0
			for i := range k + 1 {
				p -= 2 * math.Exp(lchoose(n, i)-float64(n)*math.Ln2)
			}
			return p
		}
		if n >= 6 && !(coverage(want) >= 0.95 && coverage(want+1) < 0.95) {
			t.Errorf("n = %d: rank %d holds the median with %.3f, the next with %.3f", n, want, coverage(want), coverage(want+1))
		}
	}
	x := []float64{5, 1, 4, 2, 3, 6, 9, 8, 7}
	if m, ci := medianInterval(x); m != 5 || ci != (Interval{2, 8}) {
		t.Errorf("median %v %v, want 5 in 2..8", m, ci)
	}
	if m, ci := medianInterval([]float64{4, 1, 3, 2}); m != 2.5 || ci != (Interval{1, 4}) {
		t.Errorf("median %v %v, want 2.5 in 1..4", m, ci)
	}
	if x[0] != 5 {
		t.Error("the argument was sorted in place")
	}
}

func lchoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

func TestQuartilesAreValues(t *testing.T) {
	x := []float64{8, 1, 2, 3, 5, 7, 6, 4}
	for q, want := range map[float64]float64{0.25: 2, 0.5: 4, 0.75: 6, 1: 8} {
		if got := quartile(x, q); got != want {
			t.Errorf("quartile(%v) = %v, want %v", q, got, want)
		}
	}
	if got := quartile([]float64{3}, 0.25); got != 3 {
		t.Errorf("quartile of one value = %v", got)
	}
}
