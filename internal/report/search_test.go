package report

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rundir"
	"oneshot/lanas"
)

// threeRegions is a root that is split by two terms.
var threeRegions = []lanas.Region{
	{ID: 0, Parent: -1, Threshold: 0.625, Samples: 9, Visits: 9, Mean: 0.6, Best: 0.8, UCB: 0.6, Share: 1,
		Terms: []lanas.Term{{Feature: 2, Weight: 0.5}, {Feature: 0, Weight: -0.25}}},
	{ID: 1, Parent: 0, Depth: 1, Good: true, Leaf: true, Samples: 6, Visits: 7, Mean: 0.7, Best: 0.8, UCB: math.Inf(1), Share: 0.25},
	{ID: 2, Parent: 0, Depth: 1, Leaf: true, Samples: 3, Visits: 3, Mean: 0.4, Best: math.Inf(-1), UCB: math.NaN(), Share: 0.75},
}

func letters(i int) string { return string(rune('a' + i)) }

func TestSearchTreeInWords(t *testing.T) {
	regions := Regions(threeRegions, letters)
	for i, want := range []string{"", "predicted 62.5 % or more: with c; without a", "predicted below 62.5 %: with a; without c"} {
		if got := strings.Join(regions[i].Rule, "|"); got != want {
			t.Errorf("region %d: %q, want %q", i, got, want)
		}
	}
	if _, err := json.Marshal(rundir.Tree{Regions: regions}); err != nil {
		t.Error(err) // infinities are null
	}
	sum := Summary(regions)
	if sum.Regions != 3 || sum.Leaves != 2 || sum.Depth != 1 || sum.Best.ID != 1 {
		t.Errorf("%+v", sum)
	}
	if got, want := figures(sum.Best, 9), "6 of 9 samples, mean 70.00 %, best 80.00 %, about 25 % of the space"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	few := slices.Clone(threeRegions)
	few[1].Samples = fewSamples - 1
	if got := Summary(Regions(few, letters)).Best.ID; got != 2 {
		t.Errorf("a leaf of %d samples is the best", few[got].Samples)
	}
	if Summary(nil) != nil {
		t.Error("a summary of no tree")
	}
}

func TestSearchTable(t *testing.T) {
	again := 0.75
	s := rundir.SearchSummary{
		Algo: "lanas", Samples: 9, HighestScore: 0.8, LastThirdMean: 0.7,
		SearchDetail: rundir.SearchDetail{
			Top:       []rundir.TopEntry{{Rank: 1, Sample: 4, Arch: "x", Hash: "0123456789ab", Score: 0.7, RecheckScore: &again, Params: 84790, MAdds: 15091104}, {Rank: 2, Sample: 5, Arch: "y", Hash: "ba9876543210", Score: 0.8, Params: 900, MAdds: 2500000}},
			Pareto:    []rundir.ParetoEntry{{Sample: 4, Arch: "x", Hash: "0123456789ab", Score: 0.7, Params: 84790, MAdds: 15091104}},
			Tree:      Summary(Regions(threeRegions, letters)),
			Baselines: []rundir.Baseline{{Algo: "random", Samples: 9, BestScore: 0.75, LastThirdMean: 0.5}},
		},
	}
	var b bytes.Buffer
	SearchText(&b, s)
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

func TestSharesInWords(t *testing.T) {
	for share, want := range map[float64]string{1 - 5e-14: "about 100 %", 0.125: "about 12 %", 0.0005: "about 0.05 %"} {
		if got := figures(rundir.Region{Share: share}, 1); !strings.Contains(got, want) {
			t.Errorf("share %g: %s, want %s", share, got, want)
		}
	}
}

func TestMovingMean(t *testing.T) {
	lines := make([]rundir.Sample, meanWindow+2)
	lines[0].Score, lines[1].Score, lines[meanWindow+1].Score = 0.2, 0.4, 0.6
	y := movingMean(lines)
	for i, want := range map[int]float64{0: 20, 1: 30, meanWindow - 1: 60.0 / meanWindow, meanWindow: 40.0 / meanWindow, meanWindow + 1: 60.0 / meanWindow} {
		if d := y[i] - want; !(d < 1e-9 && d > -1e-9) {
			t.Errorf("mean at %d is %v, want %v", i, y[i], want)
		}
	}
}
