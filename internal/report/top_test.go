package report

import (
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

// topOf are n architectures with scores from 0.9 down and these accuracies.
func topOf(n int, test ...float64) rundir.Top {
	t := rundir.Top{Seeds: 1, Score: rundir.SecondScore}
	for i := range n {
		a := rundir.TopArch{Score: 0.9 - float64(i)/10, Test: rundir.Spread{Mean: test[i]}, Search: &rundir.Spread{Mean: 0.5}}
		a.Hash = strings.Repeat(string(rune('a'+i)), 12)
		t.Archs = append(t.Archs, a)
	}
	t.Compare()
	return t
}

// The words say what the order is worth, that two have none, and how often the test images were looked at.
func TestTopInWords(t *testing.T) {
	for _, c := range []struct {
		top  rundir.Top
		want []string
	}{
		{topOf(4, 0.9, 0.8, 0.7, 0.6), []string{"test images +1.00, p = 0.083 (permutation test, all orders): of fewer than 5 no order says more", "classified 4 times",
			"all accuracies on the search images, are equal", "4  dddddddddddd       60.00\u00a0%           50.00 %           60.00 %"}},
		{topOf(2, 0.9, 0.8), []string{"nothing to correlate: 2 architectures; 3 are the least", "classified 2 times"}},
		{topOf(9, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1), []string{"+1.00, p = 0.0001 (permutation test, 10 k orders drawn)\n"}},
	} {
		var b strings.Builder
		TopText(&b, c.top)
		for _, w := range c.want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%q is not in\n%s", w, &b)
			}
		}
	}
}

// The page has each architecture as a row and as a point with its rank, and says what was exported.
func TestTopOnThePage(t *testing.T) {
	retrained := topOf(4, 0.9, 0.8, 0.8, 0.6)
	page, err := Run(RunParts{Run: "x", Top: &retrained}).Render()
	if err != nil {
		t.Fatal(err)
	}
	for text, n := range map[string]int{"<td>dddddddddddd</td>": 1, ">4</text>": 2, `class="ring"`: 3, `class="dot front"`: 0, "the network found</li>": 1, "Kendall&#39;s tau-b of score": 1, "<title>2: bbbbbbbbbbbb, score 80.00\u00a0%, test 80.00 %</title>": 1} {
		if got := strings.Count(string(page), text); got != n {
			t.Errorf("%d times %s, want %d", got, text, n)
		}
	}
}
