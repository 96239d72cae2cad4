package search

import (
	escaped "html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/report"
)

// The report has a curve for each algorithm, a dot for each sample, the front,
// the tables and the tree; it loads nothing, and a name of a folder is text in it.
func TestSearchPage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "<script>alert(1)")
	st := newTestStage(t, dir, func(c *config.Config) { c.Search.Baselines = "random,evolution" })
	sum := st.searched(t)
	b, err := os.ReadFile(filepath.Join(dir, "search", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	html := string(b)
	for _, c := range []struct {
		pattern string
		want    int
	}{
		{`<polyline class="line `, 2 * 2 * 3}, // two charts in two sizes, three algorithms
		{`<circle class="dot`, 2 * 40},
		{`<circle class="dot front`, 2 * len(sum.Pareto)},
		{`<td>[1-4]</td><td>[0-9a-f]{12}</td>`, 4},
		{`<td>(lanas|random|evolution)</td><td class="n">40</td>`, 3},
		{`<div class="row">`, sum.Tree.Regions},
		{`(?i)<script|src=|https?:|@import|javascript:`, 0},
		{`Search of &lt;script&gt;alert\(1\)`, 2}, // title and heading
	} {
		if got := len(regexp.MustCompile(c.pattern).FindAllString(html, -1)); got != c.want {
			t.Errorf("%d times %s, want %d", got, c.pattern, c.want)
		}
	}
	if !strings.Contains(escaped.UnescapeString(html), report.Headline(sum)) {
		t.Errorf("no %q", report.Headline(sum))
	}
}
