package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rundir"
	"oneshot/lanas"
)

// TestDifference: Newcombe 1998, table II, method 10, has these; the order of the two turns the interval.
func TestDifference(t *testing.T) {
	for _, c := range []struct {
		a, n, b, m int
		lo, hi     float64
	}{{56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090}, {0, 10, 0, 10, -0.2775, 0.2775}} {
		a, b := Proportion(float64(c.a)/float64(c.n), c.n), Proportion(float64(c.b)/float64(c.m), c.m)
		if d := a.Minus(b); !(math.Abs(d.Lo-c.lo) <= 5e-5) || !(math.Abs(d.Hi-c.hi) <= 5e-5) {
			t.Errorf("%d/%d - %d/%d: %.4f to %.4f, want %.4f to %.4f", c.a, c.n, c.b, c.m, d.Lo, d.Hi, c.lo, c.hi)
		}
		if d, back := a.Minus(b), b.Minus(a); !(math.Abs(d.Lo+back.Hi) <= 1e-12) {
			t.Errorf("%+v is not %+v turned", back, d)
		}
	}
}

// TestNoDifferenceHasNoSign: nothing is a plus, as on the terminal.
func TestNoDifferenceHasNoSign(t *testing.T) {
	e := Estimate{Value: math.Copysign(1e-9, -1), Lo: -1e-9, Hi: 0.01}
	if e.points() != "+0.00 points" || e.between() != "0.00 to 1.00" {
		t.Errorf("%s, %s", e.points(), e.between())
	}
}

// TestStudent: the table of every book.
func TestStudent(t *testing.T) {
	for df, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 1000: 1.962} {
		if got := t95(df); !(math.Abs(got-want) <= 5.1e-4) {
			t.Errorf("t of %d is %.3f, want %.3f", df, got, want)
		}
	}
	if e := MeanOf([]float64{0.5}); e.Lo != 0 || e.Hi != 1 {
		t.Errorf("one value has the interval %+v", e)
	}
}

// someRun is a finished run with a search and two baselines, a line each of which is hostile.
func someRun(samples int) RunParts {
	lines := func(seed int) (out []rundir.Sample) {
		for i := range samples {
			k := (i*7919 + seed*104729) % 997
			out = append(out, rundir.Sample{Index: i, Hash: fmt.Sprintf("%012x", k), Score: float64(k%80) / 100, Images: 500,
				Params: int64(1000 + k*37%5000), MAdds: int64(100000 + k*k%900000), Arch: "lanas2:" + strings.Repeat("0.sep_conv_5x5+1.skip_connect,", 4)})
		}
		return out
	}
	p := RunParts{Run: hostile, Images: hostile, Samples: lines(1), Others: [][]rundir.Sample{lines(2), lines(3)}}
	best := slices.MaxFunc(p.Samples, func(a, b rundir.Sample) int { return int(1000 * (a.Score - b.Score)) })
	p.Search = &rundir.SearchSummary{Algo: "lanas", Arch: best.Arch, Hash: best.Hash, Score: best.Score, HighestScore: best.Score, RandomScore: 0.3, Random: min(20, samples), Samples: samples,
		SearchDetail: rundir.SearchDetail{Baselines: []rundir.Baseline{{Algo: "random", Samples: samples, BestScore: 0.7}, {Algo: "evolution", Samples: samples, BestScore: 0.75}}}}
	p.Stages = []Stage{{"train", "fresh", ""}, {"test", "fresh", ""}}
	p.Arch = &rundir.Arch{Hash: best.Hash, Text: best.Arch, Params: best.Params, MAdds: best.MAdds}
	p.Result = &rundir.Result{TestTop1: 0.75, TestCount: 8, Arch: *p.Arch, Classes: []rundir.Class{{Name: hostile, Images: 4, Right: 3}, {Name: "dog", Images: 4, Right: 3}}}
	p.Seen = &rundir.Seen{Confusion: [][]int{{3, 1}, {1, 3}},
		Right: []rundir.Example{{Image: 1, Probability: 0.987, Side: 2, RGB: make([]byte, 12)}}, Wrong: []rundir.Example{{Image: 5, Guess: 1, Probability: 0.9, Side: 2, RGB: make([]byte, 12)}}}
	p.Operations = []OpShare{{"sep_conv_5x5", 25, 40, 50}, {hostile, 75, 60, 50}}
	p.Trainings = []Training{{Title: "Supernet", Steps: 300, Loss: []float64{2, 1, 0.5}, LR: []float64{0.1, 0.05, 0.01}, Top1: []float64{0.1, 0.5, 0.75}}}
	p.Spent = []Spent{{Stage: "train", Seconds: 90, Images: 9000, Times: 2, Announced: 50e6, Peak: 61e6}}
	p.Commands = []string{"oneshot run -c config.yaml"}
	p.Made = [][2]string{{"processor", hostile}}
	return p
}

// section cuts one out of a page by its heading.
func section(t *testing.T, page, title string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "<h2>"+title+"</h2>")
	if !ok {
		t.Fatalf("no section %q", title)
	}
	s, _, _ := strings.Cut(rest, "</section>")
	return s
}

// TestRunPageHasEverything: each section says what its data says, and is not there without it.
func TestRunPageHasEverything(t *testing.T) {
	p := someRun(60)
	page := render(t, Run(p))
	if strings.Contains(page, "alert(1)</script>") {
		t.Error("a name is not escaped")
	}
	for title, want := range map[string][]string{
		"What was found":           {"75.00 %", "fresh"},
		"How good it is":           {"Newcombe", "Wilson", "the best of random", "the best of evolution", "percentile"},
		"How fast it is found":     {"Simple regret", "the best of the run", "highest score that any algorithm saw in this run"},
		"Score and cost":           {"Score against multiply-adds", "Score against parameters", "(found)", `class="ring"`, p.Search.Hash},
		"Which operations do well": {"sep_conv_5x5", ">40.0<", "the best tenth"},
		"The trainings":            {"Supernet: loss", "Supernet: learning rate", "Supernet: accuracy", "steps"},
		"By class":                 {"dog", "Wilson"},
		"What is taken for what":   {`class="on h`, `class="off h`, "Most often confused"},
		"Example images":           {"data:image/png;base64,", "98.7 %", "taken for dog", `alt="test image 5`},
		"Time and memory":          {"1m30s", ">100<", "50 MB", "61 MB"},
		"How to make it again":     {"<pre", "oneshot run -c config.yaml"},
	} {
		s := section(t, page, title)
		for _, w := range want {
			if !strings.Contains(s, w) {
				t.Errorf("%s lacks %q", title, w)
			}
		}
	}
	// The list of contents names each section, and leads there.
	for i, s := range Run(p).Sections {
		if !strings.Contains(page, fmt.Sprintf(`<a href="#s%d">%s</a>`, i, s.Title)) || !strings.Contains(page, fmt.Sprintf(`<section id="s%d">`, i)) {
			t.Errorf("%s is not listed", s.Title)
		}
	}
	// Every drawing has a name.
	for _, svg := range strings.Split(page, "<svg ")[1:] {
		head, _, _ := strings.Cut(svg, ">")
		if !strings.Contains(head, `aria-hidden="true"`) && !(strings.Contains(head, `role="img"`) && strings.Contains(head, "aria-label=")) {
			t.Errorf("a drawing without a name: %s", head)
		}
	}
	if bare := render(t, Run(RunParts{Run: "bare"})); strings.Count(bare, "<h2>") != 2 {
		t.Errorf("a run without anything has %d sections", strings.Count(bare, "<h2>"))
	}
}

// TestSeenIsAbsent: a run whose test kept nothing says so; one of another size of picture is an error.
func TestSeenIsAbsent(t *testing.T) {
	p := someRun(10)
	p.Seen = nil
	page := render(t, Run(p))
	if s := section(t, page, "What is taken for what"); !strings.Contains(s, "The figures are not there") || strings.Contains(page, "Example images") {
		t.Error(s)
	}
	p = someRun(10)
	p.Seen.Wrong[0].RGB = p.Seen.Wrong[0].RGB[1:]
	if _, err := Run(p).Render(); err == nil {
		t.Error("a picture that lacks a byte is drawn")
	}
}

// TestClassWithoutImages has no accuracy, on the page and in text.
func TestClassWithoutImages(t *testing.T) {
	p := someRun(10)
	p.Result.Classes = append(p.Result.Classes, rundir.Class{Name: "cat"})
	if s := section(t, render(t, Run(p)), "By class"); !strings.Contains(s, `<td>cat</td><td class="n">0</td><td class="n">0</td><td class="n">-</td><td class="n">-</td>`) {
		t.Error(s)
	}
	var b strings.Builder
	if ClassText(&b, p.Result.Classes[1:]); b.String() != "         dog     75.00 %  3 of 4\n         cat           -  0 of 0\n" {
		t.Errorf("%q", b.String())
	}
}

// TestStartIsTold: a network that began with other weights was not trained from scratch; the curves of two starts lie over
// one another.
func TestStartIsTold(t *testing.T) {
	a, b := someRun(10), someRun(10)
	start := &rundir.Start{From: "old.safetensors", Classes: 10, Image: 32, SHA256: strings.Repeat("12", 32)}
	b.Result.Retrain.Start = start
	for i, p := range []*RunParts{&a, &b} {
		p.Trainings = []Training{{Title: "The network retrained", From: StartOf([]*rundir.Start{nil, start}[i]), Steps: 3, Loss: []float64{2, 1, 0.5}}}
	}
	page := render(t, Run(b))
	if strings.Contains(page, "from scratch") || strings.Count(page, "from the weights of old.safetensors (10 classes, 32 pixels, sha256 121212121212)") < 2 {
		t.Error("the page does not say what the network began with")
	}
	if page := render(t, Run(a)); !strings.Contains(page, "trained from scratch.") || !strings.Contains(page, "The network retrained, from scratch: loss") {
		t.Error("the page does not say that the network was trained from scratch")
	}
	page = render(t, Compare([]Compared{{Name: "a", RunParts: a}, {Name: "b", RunParts: b}}))
	if strings.Count(page, "<h3>The network retrained: loss</h3>") != 1 || !strings.Contains(page, "</svg>b, from the weights of old") {
		t.Error("the curves are not in one chart, with their starts")
	}
}

// TestTestsAreCounted on the page and in text.
func TestTestsAreCounted(t *testing.T) {
	for tests, want := range map[int]string{0: "on 8 images\n", 1: "on 8 images, looked at once\n", 3: "on 8 images, looked at 3 times in this folder\n"} {
		p := someRun(10)
		p.Tests = tests
		var b strings.Builder
		ResultText(&b, "r", *p.Result, tests)
		if !strings.Contains(b.String(), want) {
			t.Errorf("%d tests: no %q in %s", tests, want, &b)
		}
		if s := section(t, render(t, Run(p)), "What was found"); strings.Contains(s, "<td>3 times</td>") != (tests == 3) {
			t.Errorf("%d tests: %s", tests, s)
		}
	}
}

// TestStaleIsMarked on the page of a run and on that of several.
func TestStaleIsMarked(t *testing.T) {
	p := someRun(10)
	p.Stages = []Stage{{"search", "fresh", ""}, {"test", "stale", "export is stale"}}
	p.Result = nil
	if s := section(t, render(t, Run(p)), "What was found"); !strings.Contains(s, "stage test is stale: export is stale") || strings.Contains(s, "test accuracy") {
		t.Error(s)
	}
	p.Faults = []string{"lacks 3 steps"}
	p.Trainings[0].Stale = true
	page := render(t, Compare([]Compared{{Name: "a", RunParts: someRun(10), TestImages: "x"}, {Name: "b/r", RunParts: p}, {Name: "c/r", RunParts: someRun(12), TestImages: "x"}}))
	for _, want := range []string{"b/r: stage test is stale", "test stale", "b/r: lacks 3 steps", "b/r (stale)"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

// TestCompare: settings that differ, and no others; differences only between the same images.
func TestCompare(t *testing.T) {
	a, b, c := someRun(20), someRun(20), someRun(20)
	b.Result.TestTop1 = 0.5
	b.Search.Algo = "evolution"
	page := render(t, Compare([]Compared{
		{Name: "x/r", RunParts: a, TestImages: "1", Settings: map[string]string{"seed": "1", "train.lr": "0.1"}},
		{Name: "y/r", RunParts: b, TestImages: "1", Settings: map[string]string{"seed": "2", "train.lr": "0.1", "data.image": "32"}},
		{Name: "z", RunParts: c, TestImages: "2", Settings: map[string]string{"seed": "1", "train.lr": "0.1"}},
	}))
	s := section(t, page, "Settings that differ")
	if !strings.Contains(s, "seed") || !strings.Contains(s, "data.image") || strings.Contains(s, "train.lr") {
		t.Error(s)
	}
	r := section(t, page, "Results")
	if !strings.Contains(r, "-25.00 points") || strings.Count(r, "not the same test images") != 1 {
		t.Error(r)
	}
	if s := section(t, page, "The searches"); !strings.Contains(s, "x/r (lanas)") || !strings.Contains(s, "y/r (evolution)") {
		t.Error(s)
	}
}

// TestParetoIsTheFront: what is on it is beaten by none, and what is not is beaten.
func TestParetoIsTheFront(t *testing.T) {
	lines := someRun(200).Samples
	lines[3].Failed = "no number"
	lines[5].MAdds, lines[5].Score, lines[6].MAdds, lines[6].Score = 50, 0.2, 50, 0.3 // the better of the cheapest comes second
	at := paretoOf(lines, byMAdds)
	beaten := func(i int) bool {
		return slices.ContainsFunc(lines, func(o rundir.Sample) bool {
			l := lines[i]
			return o.Failed == "" && o.MAdds <= l.MAdds && o.Score >= l.Score && (o.MAdds < l.MAdds || o.Score > l.Score)
		})
	}
	equal := func(i int) bool { // the first of equal ones stands for all
		return slices.ContainsFunc(at, func(k int) bool { return lines[k].MAdds == lines[i].MAdds && lines[k].Score == lines[i].Score })
	}
	for i := range lines {
		if on := slices.Contains(at, i); on && beaten(i) || !on && lines[i].Failed == "" && !beaten(i) && !equal(i) {
			t.Errorf("sample %d is on the front: %v", i, on)
		}
	}
	if len(at) < 2 {
		t.Errorf("a front of %d", len(at))
	}
}

func TestReaches(t *testing.T) {
	lines := []rundir.Sample{{Score: 0.1}, {Score: 0.5}, {Score: 0.4}}
	for score, want := range map[float64]string{0.1: "1", 0.3: "2", 0.5: "2", 0.6: "-"} {
		if got := reaches(lines, score); got != want {
			t.Errorf("%v after %s samples, want %s", score, got, want)
		}
	}
	if got := BestDecile(append(slices.Clone(lines), make([]rundir.Sample, 18)...)); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("the best tenth of 21 is %v", got)
	}
	if got := quantile([]float64{3, 1, 2}, 0.5); got != 2 {
		t.Errorf("median %v", got)
	}
}

// TestPageOfManySamples: all parts of a page, with a thousand samples and two baselines, the largest pictures and fifty
// classes, stay below a megabyte. BenchmarkWriteReport does the same to the file of a run.
func TestPageOfManySamples(t *testing.T) {
	p := someRun(1000)
	p.Seen = &rundir.Seen{}
	p.Result.Classes = nil
	for y := range rundir.MostConfusion {
		p.Result.Classes = append(p.Result.Classes, rundir.Class{Name: fmt.Sprint("class number ", y), Images: 100, Right: 51})
		row := make([]int, rundir.MostConfusion)
		for x := range row {
			row[x] = 1 + (x*y)%3
		}
		p.Seen.Confusion = append(p.Seen.Confusion, row)
	}
	noise := uint32(1)
	for range 24 {
		e := rundir.Example{Side: rundir.MostSide, RGB: make([]byte, rundir.MostSide*rundir.MostSide*3)}
		for i := range e.RGB { // nothing compresses it
			noise = noise*1664525 + 1013904223
			e.RGB[i] = byte(noise >> 24)
		}
		p.Seen.Wrong = append(p.Seen.Wrong, e)
	}
	long := make([]float64, CurveParts)
	for range 4 {
		p.Trainings = append(p.Trainings, Training{Title: "another", Steps: 1000, Loss: long, LR: long, Top1: long})
	}
	// A tree of 127 regions, a network of two kinds of large cells, and all architectures that retrain.top may ask for.
	for i := range 127 {
		r := lanas.Region{ID: i, Parent: (i - 1) / 2, Good: i%2 == 1, Leaf: i >= 63, Samples: 1000 / (i + 1), Visits: 9, Mean: 0.5, Best: 0.9, Share: 0.1, Threshold: 0.5}
		if i == 0 {
			r.Parent = -1
		}
		for k := range 6 {
			r.Terms = append(r.Terms, lanas.Term{Feature: k, Weight: 0.01})
		}
		p.Tree.Title, p.Tree.Regions = "The tree at the end", append(p.Tree.Regions, r)
	}
	p.Tree.Feature = func(i int) string { return fmt.Sprintf("node %d of the reduction cell takes sep_conv_5x5", i) }
	for range 2 {
		p.Network = append(p.Network, Drawing{Title: "cells", SVG: template.HTML("<svg>" + strings.Repeat(`<circle cx="660.0" cy="61.0" r="13"/>`, 1000) + "</svg>")})
	}
	retrained := rundir.Top{Seeds: 3, Score: rundir.SecondScore}
	for i := range 100 {
		a := rundir.TopArch{Arch: rundir.Arch{Hash: p.Samples[i].Hash, Params: 12345, MAdds: 1234567}, Score: 0.5, Test: rundir.Spread{Mean: 0.5}}
		retrained.Archs = append(retrained.Archs, a)
	}
	p.Top, p.Rank = &retrained, someRanking(4000)
	page := render(t, Run(p))
	for what, n := range map[string]int{"<h2>": len(parts), "<h3>The tree at the end</h3>": 1, "<h3>cells</h3>": 2, ">100</text>": 2} {
		if got := strings.Count(page, what); got < n {
			t.Errorf("%d times %s, want %d", got, what, n)
		}
	}
	if len(page) > 1_000_000 {
		t.Errorf("%d bytes", len(page))
	}
	t.Logf("%d bytes", len(page))
}

// TestFragment: each part that other pages show draws itself, as in a page.
func TestFragment(t *testing.T) {
	page := Run(someRun(20))
	out := render(t, page)
	n := 0
	for _, s := range page.Sections {
		var all []interface{ HTML() (template.HTML, error) }
		for _, c := range s.Charts {
			all = append(all, c)
		}
		for _, c := range s.Scatters {
			all = append(all, c)
		}
		for _, c := range s.Trees {
			all = append(all, c)
		}
		for _, part := range all {
			html, err := part.HTML()
			if err != nil || html == "" || !strings.Contains(out, string(html)) {
				t.Errorf("%T of %s: %v", part, s.Title, err)
			}
			n++
		}
	}
	if n < 8 {
		t.Errorf("%d parts", n)
	}
	if !strings.Contains(out, Style()) {
		t.Error("the page has another style than the parts")
	}
}

// TestSeriesOfSeveralLengths: points that are steps apart end where the training does.
func TestSeriesOfSeveralLengths(t *testing.T) {
	c := Chart{Each: 10, Series: []Series{{Y: []float64{1, 2}}, {Y: []float64{1, 2, 3, 4}, Every: 25}}}
	for _, d := range c.Drawings() {
		at := func(i int) string { p := strings.Fields(d.Lines[i].Path); return strings.Split(p[len(p)-1], ",")[0] }
		if want := fmt.Sprintf("%.1f", d.Left+(d.Right-d.Left)*20/100); at(0) != want || at(1) != fmt.Sprintf("%.1f", d.Right) {
			t.Errorf("lines end at %s and %s, want %s and %.1f", at(0), at(1), want, d.Right)
		}
	}
}
