package rank

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"

	"oneshot/internal/rng"
)

// near says whether two figures agree, or are both none.
func near(a, b *float64, tol float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Abs(*a-*b) <= tol
}

// TestGolden: scipy has the same figures (testdata/golden.py), and its interval from other draws.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		X, Y, Z                []float64
		Tau, Spearman, Partial *float64
		Interval               *Interval
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	intervals := 0
	for _, c := range cases {
		tau := Tau(c.X, c.Y)
		if !near(tau, c.Tau, 1e-12) || !near(Spearman(c.X, c.Y), c.Spearman, 1e-12) || !near(Partial(tau, Tau(c.X, c.Z), Tau(c.Y, c.Z)), c.Partial, 1e-12) {
			t.Errorf("of %d: tau %v, spearman %v", len(c.X), tau, Spearman(c.X, c.Y))
		}
		if c.Interval == nil {
			continue
		}
		intervals++
		p := newPair(c.X, c.Y)
		got := resample(len(c.X), 1, "test", p.tau)[0]
		// An end is a percentile of 1,000 draws: its deviation is a tenth of that of tau, of which the interval has four.
		if tol := (c.Interval[1] - c.Interval[0]) / 4 * 0.4; !(math.Abs(got[0]-c.Interval[0]) <= tol) || !(math.Abs(got[1]-c.Interval[1]) <= tol) {
			t.Errorf("of %d: interval %v, want %v", len(c.X), *got, *c.Interval)
		}
	}
	if len(cases) != 10 || intervals != 2 {
		t.Errorf("%d cases, %d intervals", len(cases), intervals)
	}
}

// plain counts pairs one by one.
func plain(x, y []float64) (s, ux, uy int) {
	for i := range x {
		for j := range i {
			a, b := sign(x[i]-x[j]), sign(y[i]-y[j])
			s, ux, uy = s+a*b, ux+a*a, uy+b*b
		}
	}
	return s, ux, uy
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// TestConcord: the tree counts as one by one does, whatever is equal, and a weight is as good as so many equal things.
func TestConcord(t *testing.T) {
	r := rng.New(3, "test")
	for n := range 40 {
		for _, values := range []int{1, 2, 5, 1000} {
			x, y, w := make([]float64, n), make([]float64, n), make([]int, n)
			var xs, ys []float64
			for i := range n {
				x[i], y[i], w[i] = float64(r.IntN(values)), float64(r.IntN(values))-3, r.IntN(4)
				for range w[i] {
					xs, ys = append(xs, x[i]), append(ys, y[i])
				}
			}
			s, ux, uy := Concord(x, y)
			if a, b, c := plain(x, y); s != a || ux != b || uy != c {
				t.Fatalf("%v, %v: %d %d %d, want %d %d %d", x, y, s, ux, uy, a, b, c)
			}
			p := newPair(x, y)
			s, ux, uy = p.concord(w)
			if a, b, c := plain(xs, ys); s != a || ux != b || uy != c {
				t.Fatalf("%v, %v weighted %v: %d %d %d, want %d %d %d", x, y, w, s, ux, uy, a, b, c)
			}
			if !near(p.spearman(w), Spearman(xs, ys), 1e-12) {
				t.Fatalf("%v, %v weighted %v: rho %v, want %v", x, y, w, p.spearman(w), Spearman(xs, ys))
			}
		}
	}
}

// drawn are networks whose scores, truths and sizes go together, with two trainings each.
func drawn(n int, seed uint64) []Network {
	r := rng.New(seed, "test")
	out := make([]Network, n)
	for i := range out {
		good := r.NormFloat64()
		a, b := good+0.3*r.NormFloat64(), good+0.3*r.NormFloat64()
		out[i] = Network{Score: math.Round(10 * (good + r.NormFloat64())), Truth: (a + b) / 2, Truths: []float64{a, b},
			Params: int64(100 * (5 + r.NormFloat64())), MAdds: int64(100 * (5 + good + r.NormFloat64()))}
	}
	return out
}

// TestMeasure: neither the order of the networks, nor the scale of a measure changes a figure; intervals hold the figure and
// are narrower of more networks.
func TestMeasure(t *testing.T) {
	few, many := drawn(60, 1), drawn(600, 2)
	s, big := Measure(few, 1), Measure(many, 1)
	again := slices.Clone(few)
	rng.New(1, "order").Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	for i := range again {
		again[i].Score = math.Exp(again[i].Score / 50)
	}
	if got := Measure(again, 1); !reflect.DeepEqual(got, s) {
		t.Errorf("in another order: %+v, want %+v", got, s)
	}
	if got := Measure(few, 2); !reflect.DeepEqual(got.Tau, s.Tau) || reflect.DeepEqual(got.TauCI, s.TauCI) {
		t.Errorf("another seed: %+v", got)
	}
	for _, c := range []struct {
		v    *float64
		i, b *Interval
	}{{s.Tau, s.TauCI, big.TauCI}, {s.Spearman, s.SpearmanCI, big.SpearmanCI}, {s.TopHalfTau, s.TopHalfCI, big.TopHalfCI}, {s.Partial, s.PartialCI, big.PartialCI}} {
		if !c.i.Covers(c.v) || !(c.b[1]-c.b[0] < (c.i[1]-c.i[0])/2) {
			t.Errorf("%v in %v; of more networks %v", *c.v, *c.i, *c.b)
		}
	}
	if s.N != 60 || s.TopHalfN != 30 || !(*s.Partial < *s.Tau) || !(*s.TopHalfTau < *s.Tau) || !(*s.Ceiling > *s.Tau) || !(*s.TopHalfCeiling < *s.Ceiling) || !(*s.TauMAdds > *s.TauParams) {
		t.Errorf("%+v", s)
	}
	if top := TopHalf([]Network{{Truth: 1}, {Truth: 3}, {Truth: 2}, {Truth: 2}, {Truth: 2}, {Truth: 4}}); len(top) != 2 {
		t.Errorf("top half %v", top)
	}
	// What has no order has no figure.
	equal := slices.Clone(few)
	for i := range equal {
		equal[i].Score, equal[i].Truths = 1, nil
	}
	if got := Measure(equal, 1); got.Tau != nil || got.TauCI != nil || got.Spearman != nil || got.Partial != nil || got.Ceiling != nil || got.TauMAdds == nil {
		t.Errorf("equal scores: %+v", got)
	}
	for n := range Least {
		if got := Measure(few[:n], 1); !reflect.DeepEqual(got, Stats{N: n}) {
			t.Errorf("of %d: %+v", n, got)
		}
	}
}

// TestPartial is by hand: 0.6 of which 0.5 and 0.4 explain 0.2.
func TestPartial(t *testing.T) {
	v := func(x float64) *float64 { return &x }
	if got := Partial(v(0.6), v(0.5), v(0.4)); !near(got, v(0.4/math.Sqrt(0.75*0.84)), 1e-15) {
		t.Errorf("%v", *got)
	}
	if Partial(nil, v(0), v(0)) != nil || Partial(v(1), v(1), v(0)) != nil {
		t.Error("none has a value")
	}
}

// TestSample: a larger sample holds a smaller one, and it does not depend on the order of the hashes.
func TestSample(t *testing.T) {
	hashes := []string{"c", "a", "f", "b", "e", "d", "g"}
	three, all := Sample(hashes, 3, 1), Sample(hashes, 99, 1)
	slices.Reverse(hashes)
	if !slices.Equal(Sample(hashes, 3, 1), three) || !slices.Equal(all[:3], three) || len(all) != 7 {
		t.Errorf("%v of %v", three, all)
	}
	if slices.Equal(Sample(hashes, 7, 2), all) {
		t.Error("another seed gives the same order")
	}
}

func BenchmarkMeasure(b *testing.B) {
	all := drawn(4000, 1)
	for b.Loop() {
		Measure(all, 1)
	}
}

// TestWarnings: scores that a count of multiply-adds may equal are told, for all networks and for the top half.
func TestWarnings(t *testing.T) {
	v := func(x float64) *float64 { return &x }
	s := Stats{Tau: v(0.5), TauCI: &Interval{0.4, 0.6}, TauMAdds: v(0.3), TopHalfTau: v(0.2), TopHalfCI: &Interval{0.1, 0.3}, TopHalfMAdds: v(0.05)}
	if w := s.Warnings(); w != nil {
		t.Errorf("%q", w)
	}
	s.TauMAdds, s.TopHalfMAdds = v(0.55), v(0.31)
	want := []string{
		"the interval of tau, 0.400 to 0.600, covers what a count of multiply-adds gives, 0.550: the scores are not shown to know more",
		"tau of the top half is 0.200, below what a count of multiply-adds gives, 0.310",
	}
	if w := s.Warnings(); !slices.Equal(w, want) {
		t.Errorf("%q", w)
	}
	equal := make([]Network, 5)
	for i := range equal {
		equal[i] = Network{Score: float64(i), Truth: 0.5, MAdds: int64(i)}
	}
	if w := Measure(equal, 1).Warnings(); !slices.Equal(w, []string{"all scores, or all truths, are equal: there is no order to compare"}) {
		t.Errorf("without an order: %q", w)
	}
	if w := (Stats{TauMAdds: v(1)}).Warnings(); w != nil {
		t.Errorf("without scores: %q", w)
	}
}
