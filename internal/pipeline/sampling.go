package pipeline

import (
	"fmt"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/ui"
	"oneshot/supernet"
)

// Sampling is how a supernet is trained and its networks are scored, where that is more than a random path a step and
// accuracies with statistics that are estimated again.
type Sampling struct {
	supernet.Sampling
	Statistics string `json:"statistics"` // score.statistics
	By         string `json:"by"`         // score.by
}

// samplingOf is that of a configuration, nil where it is the plainest.
func samplingOf(c config.Config) *Sampling {
	s := &Sampling{c.Train.Sampling, c.Score.Statistics, c.Score.By}
	if len(s.Lines()) == 0 {
		return nil
	}
	return s
}

// Lines say it in words: a name and what it stands for.
func (s Sampling) Lines() (lines [][2]string) {
	if text := pathsOf(s.Sampling); text != plainest {
		lines = append(lines, [2]string{"sampling", text})
	}
	var scores []string
	if s.By == supernet.ByLoss {
		scores = append(scores, "by the loss")
	}
	if s.Statistics == "batch" {
		scores = append(scores, "by the statistics of each batch of search images itself")
	}
	if len(scores) > 0 {
		lines = append(lines, [2]string{"scores", strings.Join(scores, ", ")})
	}
	return lines
}

// samplingLines are the lines of a configuration as they are printed; none where it is the plainest.
func samplingLines(c config.Config) (lines []string) {
	if s := samplingOf(c); s != nil {
		for _, l := range s.Lines() {
			lines = append(lines, fmt.Sprintf("%-8s %s", l[0], l[1]))
		}
	}
	return lines
}

// plainest are the paths that a supernet is mostly trained on.
const plainest = "a random path a step"

// pathsOf says which paths a step takes, and what it learns from.
func pathsOf(c supernet.Sampling) string {
	text := fewWords(c)
	switch c.Sampler {
	case "fair":
		text += ": each candidate of every choice is in one path of a step"
	case "sandwich":
		text += fmt.Sprintf(": the largest path, the smallest and %s a step", ui.Plural(max(1, c.Paths), "random one", "random ones"))
	}
	if c.Distill {
		text += "; all but the largest learn from its outputs"
	}
	if c.RankWeight > 0 {
		text += fmt.Sprintf("; a ranking loss of weight %g", c.RankWeight)
		var how []string
		if c.RankRamp > 0 {
			how = append(how, fmt.Sprintf("which grows over the first %g %% of the steps", 100*c.RankRamp))
		}
		if c.RankMargin > 0 {
			how = append(how, fmt.Sprintf("with a margin of %g", c.RankMargin))
		}
		if len(how) > 0 {
			text += ", " + strings.Join(how, " and ")
		}
	}
	return text
}

// fewWords is the sampler as a title has it.
func fewWords(c supernet.Sampling) string {
	switch {
	case c.Sampler == "fair", c.Sampler == "sandwich":
		return c.Sampler
	case c.Paths > 1:
		return fmt.Sprintf("%d random paths a step", c.Paths)
	}
	return plainest
}
