package pipeline

import (
	"testing"

	"oneshot/internal/config"
	"oneshot/supernet"
)

// TestSamplingInWords: everything of a sampling that differs from the plainest is said, and of the plainest nothing.
func TestSamplingInWords(t *testing.T) {
	if s := samplingOf(config.Default()); s != nil {
		t.Errorf("the plainest sampling is %v", s.Lines())
	}
	for _, x := range []struct {
		of         supernet.Sampling
		statistics string
		by         string
		want       []string
	}{
		{supernet.Sampling{Sampler: "uniform", Paths: 3}, "recalibrated", "accuracy", []string{"sampling 3 random paths a step"}},
		{supernet.Sampling{Sampler: "fair", Paths: 1, RankWeight: 0.5}, "recalibrated", "accuracy",
			[]string{"sampling fair: each candidate of every choice is in one path of a step; a ranking loss of weight 0.5"}},
		{supernet.Sampling{Sampler: "sandwich", Paths: 1}, "recalibrated", "accuracy", []string{"sampling sandwich: the largest path, the smallest and 1 random one a step"}},
		{supernet.Sampling{Sampler: "sandwich", Paths: 2, Distill: true, RankWeight: 2, RankRamp: 0.25, RankMargin: 0.1}, "batch", "loss",
			[]string{"sampling sandwich: the largest path, the smallest and 2 random ones a step; all but the largest learn from its outputs; a ranking loss of weight 2, which grows over the first 25 % of the steps and with a margin of 0.1",
				"scores   by the loss, by the statistics of each batch of search images itself"}},
		{supernet.Sampling{Sampler: "uniform", Paths: 1}, "batch", "accuracy", []string{"scores   by the statistics of each batch of search images itself"}},
	} {
		c := config.Default()
		c.Train.Sampling, c.Score.Statistics, c.Score.By = x.of, x.statistics, x.by
		got := samplingLines(c)
		if len(got) != len(x.want) {
			t.Errorf("%+v: %q", x.of, got)
			continue
		}
		for i, line := range got {
			if line != x.want[i] {
				t.Errorf("%+v: %q, want %q", x.of, line, x.want[i])
			}
		}
	}
}
