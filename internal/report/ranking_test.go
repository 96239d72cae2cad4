package report

import (
	"fmt"
	"strings"
	"testing"

	"oneshot/internal/rank"
	"oneshot/internal/rundir"
)

// someRanking is of n networks, whose names are hostile.
func someRanking(n int) *rundir.Ranking {
	r := &rundir.Ranking{Resamples: rank.Resamples, Truths: rundir.RankTruths{From: rundir.FromTable, File: hostile, Texts: 2 * n, Networks: n, Percent: true, Costs: rundir.CostsOfTable}}
	networks := make([]rank.Network, n)
	for i := range networks {
		truth := float64(50+i*30%41) / 100
		networks[i] = rank.Network{Score: truth/2 + float64(i*7%11)/100, Truth: truth, Truths: []float64{truth, truth + float64(i%3)/100}, Params: int64(1 + i*13%17), MAdds: int64(1000 * (1 + i*17%23))}
		r.Points = append(r.Points, rundir.RankPoint{Hash: fmt.Sprintf("%012x", i), Arch: hostile, Score: networks[i].Score, Truth: truth, Params: networks[i].Params, MAdds: networks[i].MAdds})
	}
	r.Stats = rank.Measure(networks, 1)
	r.Warnings = r.Stats.Warnings()
	return r
}

// TestRankingOnThePage: the picture marks the top half, the table has the baseline and the ceiling beside the scores, and
// the same is said in words; however many networks there are, and where nothing can be said.
func TestRankingOnThePage(t *testing.T) {
	for _, n := range []int{2, 3, 40, 1300} {
		r := someRanking(n)
		page := render(t, Run(RunParts{Run: "r", Rank: r}))
		s := section(t, page, "How well scores rank")
		var b strings.Builder
		RankText(&b, *r)
		wants := []string{"the scores", "the scores, multiply-adds held", "multiply-adds alone", "parameters alone", "Score and truth", "the top half by truth", "percentiles of 1000 draws", fmt.Sprintf("tau, all %d", n)}
		words := []string{"truths   ", fmt.Sprintf("%d texts of %d networks, in percent; costs are the table's", 2*n, n), "rank     tau ", "alone    multiply-adds give tau "}
		if n >= rank.Least {
			wants = append(wants, fmt.Sprintf("%s (%s to %s)", figure(r.Tau), correlation(r.TauCI[0]), correlation(r.TauCI[1])), "ceiling: another training of each", ">"+figure(r.TauMAdds)+"<")
			words = append(words, fmt.Sprintf("tau %s (%s to %s)", figure(r.Tau), correlation(r.TauCI[0]), correlation(r.TauCI[1])), "ceiling  tau "+figure(r.Ceiling))
		} else if r.Tau != nil || !strings.Contains(s, ">-<") {
			t.Errorf("of %d: tau %v", n, r.Tau)
		}
		if n > mostLabelled {
			wants = append(wants, `class="many upper" d="M`)
		} else {
			wants = append(wants, `class="dot upper"`)
		}
		if n > mostDrawn {
			wants = append(wants, "The pictures show 1200 of the networks, drawn by chance.")
		}
		for _, w := range wants {
			if !strings.Contains(s, w) {
				t.Errorf("of %d: the page lacks %q", n, w)
			}
		}
		for _, w := range words {
			if !strings.Contains(b.String(), w) {
				t.Errorf("of %d: the text lacks %q:\n%s", n, w, b.String())
			}
		}
		for _, w := range r.Warnings {
			if !strings.Contains(s, "<b>Warning:</b> "+w+".") {
				t.Errorf("of %d: the page does not warn: %s", n, w)
			}
		}
		if strings.Contains(page, "alert(1)</script>") {
			t.Error("a name is not escaped")
		}
	}
	if section := ranking(RunParts{}); section != nil {
		t.Errorf("%+v", section)
	}
	if v := -0.0001; figure(&v) != "0.000" {
		t.Errorf("nothing has a sign: %s", figure(&v))
	}
	r := rundir.Ranking{Stats: rank.Stats{N: 5}, Truths: rundir.RankTruths{From: rundir.FromRetraining, Steps: 9, Images: 40, SampleSeed: 3}, Failed: 2}
	var b strings.Builder
	RankText(&b, r)
	for _, w := range []string{"5 networks drawn with seed 3, each retrained for 9 steps and classified on 40 search images", "failed   2 networks without a score"} {
		if !strings.Contains(b.String(), w) {
			t.Errorf("the text lacks %q:\n%s", w, b.String())
		}
	}
	if strings.Contains(b.String(), "ceiling") {
		t.Error("a ceiling of one training each")
	}
}
