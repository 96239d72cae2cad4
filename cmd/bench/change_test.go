package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.x); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.x, got, c.want)
		}
	}
	x := []float64{3, 1, 2}
	if median(x); x[0] != 3 {
		t.Error("median sorts its argument")
	}
}

// Ratios are of the same round, and above 1 is better whatever the figure.
func TestChange(t *testing.T) {
	speed := figure{name: "step", unit: "images/s"}
	memory := figure{name: "step memory", unit: "MB", less: true}
	program := figure{name: "program", unit: "MB", less: true, exact: true}
	for _, c := range []struct {
		f          figure
		base, this []float64
		ratio      float64
		words      string
	}{
		{speed, []float64{100, 100, 100}, []float64{80, 79, 81}, 0.8, "20 % slower"},
		{speed, []float64{100, 100, 100}, []float64{125, 124, 126}, 1.25, "25 % faster"},
		{speed, []float64{100, 50, 200}, []float64{80, 40, 160}, 0.8, "20 % slower"}, // the hour differs, the ratio does not
		{speed, []float64{100, 100, 100}, []float64{80, 79, 100}, 0.8, "same within 21 %"},
		{speed, []float64{100, 100, 100}, []float64{99, 99, 99}, 0.99, "same within 2 %"},
		{speed, []float64{100, 100, 100}, []float64{100, 100, 100}, 1, "same within 2 %"},
		{speed, []float64{100}, []float64{50}, 0.5, "one round has no spread"},
		{memory, []float64{400, 400}, []float64{200, 200}, 2, "50 % less"},
		{memory, []float64{400, 400}, []float64{500, 500}, 0.8, "25 % more"},
		{memory, []float64{0, 0}, []float64{0, 0}, math.NaN(), "not measured"},
		{program, []float64{10}, []float64{12.5}, 0.8, "25 % more"},
		{program, []float64{10}, []float64{10.1}, 10 / 10.1, "same within 2 %"},
	} {
		base, this := c.f, c.f
		base.values, this.values = c.base, c.this
		got := changed(base, this)
		if !(math.Abs(got.ratio-c.ratio) <= 1e-12) && !math.IsNaN(c.ratio) {
			t.Errorf("%s %v to %v: ratio %v, want %v", c.f.name, c.base, c.this, got.ratio, c.ratio)
		}
		if w := got.words(c.f); w != c.words {
			t.Errorf("%s %v to %v: %q, want %q", c.f.name, c.base, c.this, w, c.words)
		}
	}
}

// noisy draws figures that scatter around a speed by a fraction, on a machine whose
// speed drifts from round to round.
func noisy(r *rand.Rand, rounds int, factor, scatter float64) (base, this figure) {
	for range rounds {
		hour := 100 * (1 + 0.3*r.Float64())
		base.values = append(base.values, hour*(1+scatter*r.NormFloat64()))
		this.values = append(this.values, hour*factor*(1+scatter*r.NormFloat64()))
	}
	return base, this
}

// reported is how often a difference counts.
func reported(rounds int, factor, scatter float64) float64 {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 4000
	count := 0
	for range n {
		if changed(noisy(r, rounds, factor, scatter)).counts() {
			count++
		}
	}
	return float64(count) / n
}

func TestEqualProgramsDoNotDiffer(t *testing.T) {
	for _, c := range []struct {
		rounds int
		most   float64
	}{{3, 0.1}, {5, 0.01}} {
		for _, scatter := range []float64{0.005, 0.02, 0.05} {
			got := reported(c.rounds, 1, scatter)
			t.Logf("%d rounds that scatter by %v: %.4f", c.rounds, scatter, got)
			if !(got <= c.most) {
				t.Errorf("%d rounds that scatter by %v: equal programs differ in %.1f %% of the cases, want at most %.0f",
					c.rounds, scatter, 100*got, 100*c.most)
			}
		}
	}
}

func TestSlowerProgramIsFound(t *testing.T) {
	for _, c := range []struct {
		rounds          int
		factor, scatter float64
	}{{3, 0.8, 0.02}, {5, 0.8, 0.03}, {5, 1.2, 0.025}, {5, 0.95, 0.007}} {
		if got := reported(c.rounds, c.factor, c.scatter); !(got >= 0.95) {
			t.Errorf("%d rounds that scatter by %v: a factor of %v is seen in %.1f %% of the cases only", c.rounds, c.scatter, c.factor, 100*got)
		}
	}
}
