package data

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMixDraws: how often images are mixed, in which way, and how large the rectangles are.
func TestMixDraws(t *testing.T) {
	const n, side = 40000, 32
	r := rand.New(rand.NewPCG(1, 2))
	a := Augment{Mixup: 0.2, CutMix: 1, MixProb: 0.6}
	on, cut, area, keep := 0, 0, 0.0, 0.0
	edges := map[string]int{}
	for range n {
		m := a.mix(r, side)
		if !m.on() {
			continue
		}
		on++
		if !m.cut {
			keep += float64(m.keep)
			continue
		}
		cut++
		b := m.box
		part := float64((b.Y1-b.Y0)*(b.X1-b.X0)) / (side * side)
		if b.Y0 < 0 || b.X0 < 0 || b.Y1 > side || b.X1 > side || b.Y0 > b.Y1 || b.X0 > b.X1 || m.keep != float32(1-part) || m.rest != float32(part) {
			t.Fatalf("%+v covers %v", m, part)
		}
		area += part
		for name, touches := range map[string]bool{"top": b.Y0 == 0, "bottom": b.Y1 == side, "left": b.X0 == 0, "right": b.X1 == side} {
			if touches {
				edges[name]++
			}
		}
	}
	near := func(what string, got, want, most float64) {
		if !(math.Abs(got-want) <= most) {
			t.Errorf("%s: %v, want %v within %v", what, got, want, most)
		}
	}
	near("mixed", float64(on)/n, 0.6, 0.013) // five standard deviations
	near("pasted", float64(cut)/float64(on), 0.5, 0.017)
	near("share in mixup", keep/float64(on-cut), 0.5, 0.02)
	// A side is 2*floor(16*s), s the root of the share 1-lam, whose density is 2s as lam is
	// uniform; each axis is clipped by itself. Summed over all centres and 16 sides:
	want := 0.0
	for half := range 16 {
		covered := 0.0
		for at := range side {
			covered += float64(min(at+half, side)-max(at-half, 0)) / side
		}
		p := (float64(half+1)*float64(half+1) - float64(half)*float64(half)) / 256
		want += p * covered / side * covered / side
	}
	near("covered", area/float64(cut), want, 0.01)
	// Of the 32 centres along an axis, half+1 reach the first pixel and half the last.
	half := 0.0
	for h := range 16 {
		half += float64(h*(2*h+1)) / 256
	}
	for name, want := range map[string]float64{"top": half + 1, "left": half + 1, "bottom": half, "right": half} {
		near(name, float64(edges[name])/float64(cut), want/side, 0.022)
	}
	for range 1000 {
		if m := (&Augment{Mixup: 1, MixProb: 0}).mix(r, side); m.on() {
			t.Fatal("mixed with probability 0")
		}
	}
}

// TestBeta against the distribution functions that are known in closed form (Kolmogorov's
// test), and the variance of any.
func TestBeta(t *testing.T) {
	const n = 20000
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		a   float64
		cdf func(x float64) float64
	}{
		{0.5, func(x float64) float64 { return 2 / math.Pi * math.Asin(math.Sqrt(x)) }},
		{1, func(x float64) float64 { return x }},
		{2, func(x float64) float64 { return x * x * (3 - 2*x) }},
		{3, func(x float64) float64 { return x * x * x * (10 - 15*x + 6*x*x) }},
		{0.2, nil}, {0.05, nil}, {0.999, nil}, {10, nil},
	} {
		xs := make([]float64, n)
		mean, variance := 0.0, 0.0
		for i := range xs {
			xs[i] = beta(r, c.a)
			if !(xs[i] >= 0 && xs[i] <= 1) {
				t.Fatalf("parameter %v: %v", c.a, xs[i])
			}
			mean += xs[i] / n
			variance += (xs[i] - 0.5) * (xs[i] - 0.5) / n
		}
		want := 1 / (4 * (2*c.a + 1))
		if !(math.Abs(mean-0.5) <= 5*math.Sqrt(want/n)) || !(math.Abs(variance/want-1) <= 0.06) {
			t.Errorf("parameter %v: mean %v, variance %v, want 0.5 and %v", c.a, mean, variance, want)
		}
		if c.cdf == nil {
			continue
		}
		slices.Sort(xs)
		most := 0.0
		for i, x := range xs {
			f := c.cdf(x)
			most = max(most, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
		}
		if !(most*math.Sqrt(n) <= 2.0) { // exceeded by seven samples in ten thousand
			t.Errorf("parameter %v: distance %v from the distribution", c.a, most)
		}
	}
	low := 0
	for range 1000 {
		switch x := beta(r, 5e-324); x {
		case 0:
			low++
		case 1:
		default:
			t.Fatalf("the least parameter: %v", x)
		}
	}
	if low < 400 || low > 600 {
		t.Errorf("the least parameter: %d of 1000 are 0", low)
	}
}

// pixelReds are the numbers of the records whose pixels make up images x: broken writes them
// to the red channel.
func pixelReds(x []float32) (out []int) {
	for i := 0; i < len(x); i += 3 {
		out = append(out, int(x[i]+0.5))
	}
	return out
}

// foreign counts the pixels that are of bad records.
func foreign(bs []Batch, bad ...int) (n int) {
	for _, b := range bs {
		for _, r := range pixelReds(b.X) {
			if slices.Contains(bad, r) {
				n++
			}
		}
	}
	return n
}
