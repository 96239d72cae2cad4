package search

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// unsure is a scorer of networks that have the higher loss the more images they classify right.
type unsure struct{ Scorer }

func (u unsure) Score(ctx context.Context, a space.Arch) (supernet.Result, error) {
	r, err := u.Scorer.Score(ctx, a)
	r.Loss = 1 + r.Top1
	return r, err
}

// unsureStage is a search of a folder by such scores.
func unsureStage(t *testing.T, dir, by string) *testStage {
	st := newTestStage(t, dir, func(c *config.Config) { c.Score.By = by })
	open := st.open
	st.open = func(again bool) (Scorer, error) {
		s, err := open(again)
		return unsure{s}, err
	}
	return st
}

// With score.by: loss the score is e to the power of minus the loss, which the search is told, the winner has and a
// resume repeats. Accuracies are kept beside it.
func TestScoresByLoss(t *testing.T) {
	whole := newRun(t)
	sum := unsureStage(t, whole, "loss").searched(t)
	lines := samplesOf(t, whole, "samples.jsonl")
	best, lowest := 0.0, 1.0
	for _, l := range lines {
		if l.Top1 == nil || l.Score != math.Exp(-l.Loss) || l.Loss != 1+*l.Top1 {
			t.Fatalf("%+v", l)
		}
		best, lowest = max(best, l.Score), min(lowest, *l.Top1)
	}
	if sum.ScoreBy != "loss" || sum.HighestScore != best || best != math.Exp(-1-lowest) {
		t.Errorf("%s: highest score %v, want %v", sum.ScoreBy, sum.HighestScore, best)
	}
	for i, e := range sum.Top {
		if i > 0 && *e.RecheckScore > *sum.Top[i-1].RecheckScore {
			t.Errorf("entry %d is better than the one before", i)
		}
	}
	dir := newRun(t)
	st := unsureStage(t, dir, "loss")
	st.before = cutAfter(25)
	if _, err := st.Run(t.Context()); !errors.Is(err, errPower) {
		t.Fatal(err)
	}
	unsureStage(t, dir, "loss").searched(t)
	sameFiles(t, "by loss", searchFiles(t, dir), searchFiles(t, whole))

	other := newRun(t)
	sum = unsureStage(t, other, "accuracy").searched(t)
	all := searchFiles(t, other)
	if sum.ScoreBy != "" || strings.Contains(all["samples.jsonl"]+all["rechecks.jsonl"], "top1") {
		t.Error("scores by accuracy hold it twice")
	}
	if samplesOf(t, other, "samples.jsonl")[39].Hash == lines[39].Hash {
		t.Error("both scores lead the search to the same networks: the test compares nothing")
	}
}

// A line whose accuracy is none is not one of a search.
func TestAccuracyOfALineIsChecked(t *testing.T) {
	for _, top1 := range []float64{-0.1, 1.5, math.NaN()} {
		if err := CheckRankScore(rundir.RankScore{Score: 0.5, Top1: &top1, Loss: 0.7, Images: 10}); err == nil {
			t.Errorf("%v passes", top1)
		}
	}
}
