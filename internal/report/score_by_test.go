package report

import (
	"bytes"
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

// A score by loss is never shown as an accuracy, nor with an interval of a share of images.
func TestScoresByLossAreCalledSo(t *testing.T) {
	top1 := 0.4
	lines := []rundir.Sample{{Arch: "a", Hash: "h", Score: 0.2, Top1: &top1, Loss: 1.6, Images: 100, Params: 1, MAdds: 1}}
	var r rundir.Result
	r.Search = rundir.ResultSearch{Samples: 1, BestScore: 0.2, Algo: "lanas"}
	sum := rundir.SearchSummary{Algo: "lanas", Hash: "h", Score: 0.2, Samples: 1, Random: 1, RandomScore: 0.2, HighestScore: 0.2}
	text := func() (b bytes.Buffer) {
		ResultText(&b, "r", r, 1)
		b.WriteString(Headline(sum))
		return b
	}
	pages := func() string {
		parts := RunParts{Search: &sum, Samples: lines}
		q := quality(parts)
		s := strings.Join(q.Lines, " ") + strings.Join(Search("r", sum, lines, nil, Tree{}).Sections[0].Lines, " ")
		if len(q.Tables) > 0 {
			s += " with intervals"
		}
		return s
	}
	const accuracy, interval = "top-1", "with intervals"
	if b := text(); strings.Contains(b.String(), "probability") || !strings.Contains(pages(), accuracy) || !strings.Contains(pages(), interval) {
		t.Errorf("by accuracy:\n%s\n%s", b.String(), pages())
	}
	r.Search.ScoreBy, sum.ScoreBy = "loss", "loss"
	b := text()
	if n := strings.Count(b.String(), "20.00 % probability of the right class with inherited weights"); n != 2 {
		t.Errorf("%d times in\n%s", n, b.String())
	}
	if p := pages(); strings.Contains(p, accuracy) || strings.Contains(p, interval) || strings.Count(p, "probability given to the right class") != 2 {
		t.Errorf("by loss:\n%s", p)
	}
}
