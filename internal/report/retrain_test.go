package report

import (
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

func twoSeeds() rundir.Seeds {
	s := rundir.Seeds{Arch: "lanas1:a<b"}
	for i, top := range []float64{0.91, 0.93} {
		search := top - 0.1
		s.Add(rundir.SeedRun{Seed: uint64(7 + i), Weights: "w", Loss: at(0.5), Tested: rundir.Tested{TestTop1: top, SearchTop1: &search}})
	}
	return s
}

func TestSeedsText(t *testing.T) {
	var b strings.Builder
	s := twoSeeds()
	RetrainText(&b, rundir.RetrainSummary{Seeds: &s, TrainedOnSearch: true, Teacher: &rundir.Teacher{File: "t", SHA256: "0123456789abcdef"},
		Start: &rundir.Start{From: "f", SHA256: "fedcba9876543210", Classes: 3, Image: 24, Drawn: []string{"classifier"}}})
	want := `start    the weights of f (3 classes, 24 pixels, sha256 fedcba987654); drawn anew: classifier
teacher  t (sha256 0123456789ab)
check    none: the network was trained on the search images too
seeds    92.00 +- 1.41 % on the test images; 82.00 +- 1.41 % on the search images; mean and deviation of 2 trainings
         seed 7: 91.00 %, 81.00 % on the search images, loss 0.5000  (w)
         seed 8: 93.00 %, 83.00 % on the search images, loss 0.5000  (w)
`
	if b.String() != want {
		t.Errorf("%s, want\n%s", &b, want)
	}
}

func TestSeedsPage(t *testing.T) {
	b, err := Seeds("run", twoSeeds(), [][]float64{{3, 2, 1}, {3.5, 2.5, 1.5}}).Render()
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b)
	for _, want := range []string{"Retraining of run", "lanas1:a&lt;b", "91.00 %", "92.00 +- 1.41 %", "82.00 +- 1.41 %", "seed 8", "<polyline"} {
		if !strings.Contains(strings.ReplaceAll(string(b), "&#43;", "+"), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func at(v float64) *float64 { return &v }
