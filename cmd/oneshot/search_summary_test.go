package main

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/lanas"
)

func TestRankingBreaksTiesByLossThenOrder(t *testing.T) {
	lines := []sampleLine{
		{Score: 0.5, Loss: 1}, {Score: 0.7, Loss: 2}, {Score: 0.7, Loss: 1}, {Score: 0.5, Loss: 1}, {Score: 0.9, Loss: 9},
	}
	if got, want := ranking(lines), []int{4, 2, 1, 0, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// Equal second scores: the lower loss of the second, then the better first.
	again := []recheckLine{{Score: 0.6, Loss: 3}, {Score: 0.6, Loss: 2}, {Score: 0.6, Loss: 3}}
	for i := range lines {
		lines[i].Index = i
	}
	var order []int
	for _, e := range topOf(lines, []int{4, 2, 1, 0, 3}, again) {
		order = append(order, e.Sample)
	}
	if want := []int{2, 4, 1}; !slices.Equal(order, want) {
		t.Errorf("second scores order %v, want %v", order, want)
	}
}

// The front is what brute force finds: a sample is on it when every other that
// is as cheap or cheaper has a lower score. One stands for equals.
func TestParetoFront(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	long := 0
	for range 200 {
		lines := make([]sampleLine, 1+r.IntN(30))
		for i := range lines {
			lines[i] = sampleLine{Index: i, Score: float64(r.IntN(12)) / 12, MAdds: int64(1 + r.IntN(12))}
		}
		type point struct {
			score float64
			madds int64
		}
		want := map[point]bool{}
		for _, a := range lines {
			beaten := slices.ContainsFunc(lines, func(b sampleLine) bool {
				return b.MAdds <= a.MAdds && b.Score >= a.Score && (b.MAdds < a.MAdds || b.Score > a.Score)
			})
			if !beaten {
				want[point{a.Score, a.MAdds}] = true
			}
		}
		front := paretoFront(lines)
		for i, p := range front {
			if !want[point{p.Score, p.MAdds}] || lines[p.Sample].Score != p.Score {
				t.Errorf("%+v is on the front of %+v", p, lines)
			}
			if i > 0 && p.MAdds <= front[i-1].MAdds {
				t.Errorf("the front does not ascend: %+v", front)
			}
		}
		if len(front) != len(want) {
			t.Errorf("%d points, want %d", len(front), len(want))
		}
		if len(front) > 2 {
			long++
		}
	}
	if long < 50 {
		t.Errorf("only %d fronts of some length", long)
	}
}

func TestLastThird(t *testing.T) {
	lines := []sampleLine{{Score: 0.1}, {Score: 0.2}, {Score: 0.3}, {Score: 0.4}, {Score: 0.5}, {Score: 0.75}, {Score: 0.25}}
	for n, want := range map[int]float64{1: 0.1, 2: 0.2, 3: 0.3, 6: 0.625, 7: 0.5} {
		if got := lastThird(lines[:n]); !(math.Abs(got-want) < 1e-12) {
			t.Errorf("of %d: %v, want %v", n, got, want)
		}
	}
}

// threeRegions is a root that is split by two terms.
var threeRegions = []lanas.Region{
	{ID: 0, Parent: -1, Threshold: 0.625, Samples: 9, Visits: 9, Mean: 0.6, Best: 0.8, UCB: 0.6, Share: 1,
		Terms: []lanas.Term{{Feature: 2, Weight: 0.5}, {Feature: 0, Weight: -0.25}}},
	{ID: 1, Parent: 0, Depth: 1, Good: true, Leaf: true, Samples: 6, Visits: 7, Mean: 0.7, Best: 0.8, UCB: math.Inf(1), Share: 0.25},
	{ID: 2, Parent: 0, Depth: 1, Leaf: true, Samples: 3, Visits: 3, Mean: 0.4, Best: math.Inf(-1), UCB: math.NaN(), Share: 0.75},
}

func letters(i int) string { return string(rune('a' + i)) }

func TestSearchTreeInWords(t *testing.T) {
	regions := describeTree(threeRegions, letters)
	for i, want := range []string{"", "predicted 62.5 % or more: with c; without a", "predicted below 62.5 %: with a; without c"} {
		if got := strings.Join(regions[i].Rule, "|"); got != want {
			t.Errorf("region %d: %q, want %q", i, got, want)
		}
	}
	if _, err := json.Marshal(treeFile{Regions: regions}); err != nil {
		t.Error(err) // infinities are null
	}
	sum := summariseTree(regions)
	if sum.Regions != 3 || sum.Leaves != 2 || sum.Depth != 1 || sum.Best.ID != 1 {
		t.Errorf("%+v", sum)
	}
	if got, want := sum.Best.figures(9), "6 of 9 samples, mean 70.00 %, best 80.00 %, about 25 % of the space"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	few := slices.Clone(threeRegions)
	few[1].Samples = fewSamples - 1
	if got := summariseTree(describeTree(few, letters)).Best.ID; got != 2 {
		t.Errorf("a leaf of %d samples is the best", few[got].Samples)
	}
	if summariseTree(nil) != nil {
		t.Error("a summary of no tree")
	}
}

func TestSearchTable(t *testing.T) {
	again := 0.75
	s := searchSummary{
		Algo: "lanas", Samples: 9, HighestScore: 0.8, LastThirdMean: 0.7,
		searchDetail: searchDetail{
			Top:       []topEntry{{1, 4, "x", "0123456789ab", 0.7, &again, 84790, 15091104}, {2, 5, "y", "ba9876543210", 0.8, nil, 900, 2500000}},
			Pareto:    []paretoEntry{{4, "x", "0123456789ab", 0.7, 84790, 15091104}},
			Tree:      summariseTree(describeTree(threeRegions, letters)),
			Baselines: []baselineSummary{{Algo: "random", Samples: 9, BestScore: 0.75, LastThirdMean: 0.5}},
		},
	}
	var b bytes.Buffer
	s.table(&b)
	want := `top      rank  hash          score  rechecked  parameters  multiply-adds
            1  0123456789ab  70.00 %   75.00 %      84.8 k         15.1 M
            2  ba9876543210  80.00 %         -         900          2.5 M
`
	if got := b.String(); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for _, want := range []string{
		"\npareto   15.1 M multiply-adds: 70.00 %  (0123456789ab)\n",
		"\ntree     2 leaves, 1 deep; the best has 6 of 9 samples, mean 70.00 %, best 80.00 %, about 25 % of the space\n         predicted 62.5 % or more: with c; without a\n",
		"\nbaseline random at 9 samples: best 75.00 %, last third 50.00 % on average; lanas 80.00 and 70.00 %: +5.00 and +20.00 points\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

func TestSpread(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if got := spread(all, 4); !slices.Equal(got, []int{0, 3, 6, 9}) {
		t.Errorf("%v", got)
	}
	if got := spread(all, 10); !slices.Equal(got, all) {
		t.Errorf("%v", got)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{"10m": "10m0s", "0": "0s", "": "0s", " 90s ": "1m30s"} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"10", "soon", "NaNs"} {
		if err := new(config.Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// A difference that rounds to nothing has no sign to worry about.
func TestPoints(t *testing.T) {
	for difference, want := range map[float64]string{-1e-17: "+0.00", 0: "+0.00", 0.0751: "+7.51", -0.0001: "-0.01"} {
		if got := points(difference); got != want {
			t.Errorf("points(%g) = %s, want %s", difference, got, want)
		}
	}
}

func TestSharesInWords(t *testing.T) {
	for share, want := range map[float64]string{1 - 5e-14: "about 100 %", 0.125: "about 12 %", 0.0005: "about 0.05 %"} {
		if got := (treeRegion{Share: share}).figures(1); !strings.Contains(got, want) {
			t.Errorf("share %g: %s, want %s", share, got, want)
		}
	}
}
