package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"oneshot/lanas"
)

// wellFormed parses the page as XML, which is stricter than HTML, and refuses
// whatever runs or loads something.
func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	elements := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("byte %d: %v", d.InputOffset(), err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements++
		if slices.Contains([]string{"script", "link", "iframe", "object", "embed", "foreignObject", "base", "form"}, e.Name.Local) {
			t.Errorf("element %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			name := strings.ToLower(a.Name.Local)
			inside := name == "src" && e.Name.Local == "img" && strings.HasPrefix(a.Value, "data:image/png;base64,") ||
				name == "href" && e.Name.Local == "a" && strings.HasPrefix(a.Value, "#")
			if strings.HasPrefix(name, "on") || (name == "src" || name == "href") && !inside || name == "style" || !inside && (strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf")) {
				t.Errorf("%s has %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	if elements < 10 {
		t.Errorf("only %d elements", elements)
	}
	if !bytes.Contains(b, []byte(`http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"`)) {
		t.Error("no content security policy")
	}
	for _, bad := range []string{"http:", "https:", "url(", "@import", "ZgotmplZ"} {
		if bytes.Contains(b, []byte(bad)) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func render(t *testing.T, p Page) string {
	t.Helper()
	b, err := p.Render()
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b)
	return string(b)
}

const hostile = `</title><script>alert(1)</script>"'&`

// fullPage has every part, with a name that must be escaped in each.
func fullPage() Page {
	return Page{Title: hostile, Lines: []string{hostile}, Sections: []Section{{
		Title: hostile, Lines: []string{hostile},
		Charts: []Chart{
			{Title: hostile, X: hostile, Y: hostile, Log: true, Series: []Series{
				{Name: hostile, Y: []float64{3, 0.2, 0}, Lo: []float64{2, 0, 0}, Hi: []float64{4, 1, 0.1}}}},
			{Title: "one point", Series: []Series{{Name: "a", Y: []float64{5}}}},
			{Title: "nothing"},
			{Title: "zeros", Log: true, Series: []Series{{Name: "a", Y: []float64{0, 0}}}},
		},
		Scatters: []Scatter{{Title: hostile, X: hostile, Y: hostile, Points: []ScatterPoint{{X: 1, Y: 2, Label: hostile, Front: true, Marked: true}, {X: 3, Y: 1}}}, {Title: "empty"}},
		Tables:   []Table{{Title: hostile, Head: []string{hostile, "n"}, Left: 1, Rows: [][]string{{hostile, "1"}}, Note: hostile}},
		Warnings: []string{hostile}, Commands: []string{hostile},
		Bars:     []Bars{{Title: hostile, X: hostile, Series: []string{hostile}, Groups: []BarGroup{{hostile, []float64{3}}, {"none", nil}}}, {Title: "nothing"}},
		Heats:    []Heat{{Title: hostile, Row: hostile, Column: hostile, Names: []string{hostile, "b"}, Counts: [][]int{{2, 0}, {1, 3}}}, {Title: "empty"}},
		Pictures: []Pictures{{Title: hostile, Note: hostile, All: []Picture{{Side: 1, RGB: []byte{1, 2, 3}, Caption: []string{hostile}, Alt: hostile}}}},
		Trees: []Tree{{Title: hostile, Note: hostile, Size: 81, Feature: func(int) string { return hostile }, Regions: []lanas.Region{
			{ID: 0, Parent: -1, Threshold: 0.5, Samples: 3, Visits: 3, Mean: 0.5, Best: 0.9, Share: 1, Terms: []lanas.Term{{Feature: 0, Weight: 0.01}}},
			{ID: 1, Parent: 0, Depth: 1, Good: true, Leaf: true, Samples: 3, Visits: 4, Mean: 0.5, Best: 0.9, Share: 0.25},
			{ID: 2, Parent: 0, Depth: 1, Leaf: true, Mean: math.NaN(), Best: math.Inf(-1), Share: 0.75},
		}}, {Title: "no tree"}},
	}}}
}

func TestPageIsSelfContained(t *testing.T) {
	out := render(t, fullPage())
	if strings.Contains(out, "alert(1)</script>") {
		t.Error("a name was not escaped")
	}
	if n := strings.Count(out, "alert(1)"); n < 18 {
		t.Errorf("the names are there %d times, want 18 or more", n)
	}
	render(t, Page{Title: "empty", Sections: []Section{{Tables: []Table{{Head: []string{"a"}}}}}})
}

// TestPageMayBeLittle: parts that are not there leave no trace.
func TestPageMayBeLittle(t *testing.T) {
	out := render(t, Page{Title: "little", Lines: []string{"a", "b"}, Sections: []Section{{Title: "c", Lines: []string{"d", "e", "f"}}}})
	_, body, _ := strings.Cut(out, "<body>")
	for _, tag := range []string{"<svg", "<table", "<details", "<figure"} {
		if strings.Contains(body, tag) {
			t.Errorf("%s in %s", tag, body)
		}
	}
}

// TestPageIsText: what acts on a terminal, turns lines around or is no UTF-8 is written in words.
func TestPageIsText(t *testing.T) {
	b, err := Page{Title: "a\x1b[31m\xff\u202e", Sections: []Section{{Title: "b\x07"}}}.Render()
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(b) || bytes.ContainsAny(b, "\x1b\x07\u202e") || !bytes.Contains(b, []byte(`a\x1b[31m\xff\u202e`)) {
		t.Errorf("the page has bytes that act: %q", b[:200])
	}
}

// TestValuesAtTheEnd: a value near the largest number is drawn on the border.
func TestValuesAtTheEnd(t *testing.T) {
	html, err := Chart{Title: "t", X: "x", Y: "y", Series: []Series{{Name: "s", Y: []float64{1, 1e308, -1e308, 2}}}}.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if s := string(html); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
		t.Error(s)
	}
}

func TestAxes(t *testing.T) {
	for _, c := range []struct {
		a      axis
		labels string
	}{
		{axis{lo: 0, hi: 300}, "0 50 100 150 200 250 300"},
		{axis{lo: 0, hi: 1}, "0 0.2 0.4 0.6 0.8 1"},
		{axis{lo: 88.93, hi: 94.1}, "89 90 91 92 93 94"},
		{axis{lo: -3, hi: 2}, "-3 -2 -1 0 1 2"},
		{logAxis(0.1, 5), "0.1 0.2 0.5 1 2 5"},
		{logAxis(0.002, 3), "0.003 0.01 0.03 0.1 0.3 1 3"},
		{logAxis(1e-9, 1e3), "0.00000001 0.000001 0.0001 0.01 1 100"},
	} {
		if got := strings.Join(tickLabels(c.a.ticks(8)), " "); got != c.labels {
			t.Errorf("%+v has ticks %s, want %s", c.a, got, c.labels)
		}
	}
	log := axis{lo: 0.01, hi: 1, log: true}
	for v, want := range map[float64]float64{0: 0, 0.001: 0, 0.01: 0, 0.1: 0.5, 1: 1, 7: 1} {
		if got := log.at(v); !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("%v is at %v of the log axis, want %v", v, got, want)
		}
	}
}

// TestLabelsHaveRoom: labels of an axis keep apart, and stay on the canvas.
func TestLabelsHaveRoom(t *testing.T) {
	for _, y := range [][]float64{{0, 1}, {0.0004, 7}, {92.1, 92.1031}, {0, 1e6}, {-5, 5}, {3, 3}} {
		for _, log := range []bool{false, true} {
			for _, n := range []int{1, 7, 300, 4000, 100000} {
				values := make([]float64, n)
				for i := range values {
					values[i] = y[i*len(y)/n]
				}
				for _, d := range (Chart{Log: log, Series: []Series{{Y: values}}}).Drawings() {
					what := fmt.Sprintf("y %v, log %v, %d samples, %s", y, log, n, d.Class)
					checkTicks(t, what+", x", d.XTicks, func(s string) float64 { return digitWidth * float64(len(s)) }, 0, d.W)
					checkTicks(t, what+", y", d.YTicks, func(string) float64 { return 15 }, 0, d.H)
					for _, tick := range d.YTicks {
						if d.Left-7-digitWidth*float64(len(tick.Text)) < 18 {
							t.Errorf("%s: label %s reaches the axis' name", what, tick.Text)
						}
					}
					points := strings.Fields(d.Lines[0].Path)
					if end := fmt.Sprintf("%.1f,", d.Right); len(points) != min(n, mostPoints) || n > 1 && !strings.HasPrefix(points[len(points)-1], end) {
						t.Errorf("%s: %d points, the last %s, want it at %s", what, len(points), points[len(points)-1], end)
					}
				}
			}
		}
	}
}

func checkTicks(t *testing.T, what string, ticks []tick, size func(string) float64, lo, hi float64) {
	t.Helper()
	if len(ticks) == 0 {
		t.Errorf("%s: no ticks", what)
	}
	slices.SortFunc(ticks, func(a, b tick) int { return int(math.Copysign(1, a.Label-b.Label)) })
	end := lo - 1
	for i, tick := range ticks {
		half := size(tick.Text) / 2
		if i > 0 && tick.Text == ticks[i-1].Text || tick.Label-half < end || tick.Label+half > hi+4 {
			t.Errorf("%s: tick %d (%s at %.1f) collides: %v", what, i, tick.Text, tick.Label, ticks)
			return
		}
		end = tick.At + half
	}
}

// TestSeriesIsDrawnWhereItIs: on a plot from 0 to 4 samples and 0 to 10.
func TestSeriesIsDrawnWhereItIs(t *testing.T) {
	c := canvas{W: 100, H: 100, left: 20, bottom: 20}
	l := Series{Y: []float64{0, 5, 10}, Lo: []float64{0, 0, 5}, Hi: []float64{5, 10, 10}, Every: 1}.draw(c, axis{lo: 0, hi: 4}, axis{lo: 0, hi: 10}, "")
	if l.Path != "40.0,80.0 60.0,40.0 80.0,0.0" {
		t.Errorf("path %s", l.Path)
	}
	if l.Band != "40.0,40.0 60.0,0.0 80.0,0.0 80.0,40.0 60.0,80.0 40.0,80.0" {
		t.Errorf("band %s", l.Band)
	}
}

func TestScatterJoinsTheFront(t *testing.T) {
	s := Scatter{Points: []ScatterPoint{{X: 3, Y: 9, Label: "c", Front: true}, {X: 2, Y: 1, Label: "x"}, {X: 1, Y: 5, Label: "a", Front: true}, {X: 2, Y: 7, Label: "b", Front: true}}}
	for _, d := range s.Drawings() {
		points := strings.Fields(d.Front)
		if len(points) != 3 || len(d.Dots) != 4 || d.Dots[0].Front {
			t.Fatalf("front %v, dots %v", points, d.Dots)
		}
		last := math.Inf(-1)
		for _, p := range points {
			x, err := strconv.ParseFloat(strings.Split(p, ",")[0], 64)
			if err != nil || x <= last {
				t.Errorf("front %v does not go to the right", points)
			}
			last = x
		}
	}
}

func TestTreeInWords(t *testing.T) {
	names := func(i int) string { return fmt.Sprintf("f%d", i) }
	terms := []lanas.Term{{Feature: 1, Weight: 0.02}, {Feature: 2, Weight: -0.01}, {Feature: 3, Weight: 0.001}, {Feature: 4, Weight: 0.001}, {Feature: 5, Weight: 0.001}}
	root := Tree{Feature: names, Size: 1000, Regions: []lanas.Region{
		{Parent: -1, Threshold: 0.915, Terms: terms, Samples: 9, Visits: 10, Mean: 0.9, Best: 0.93, Share: 1},
		{ID: 1, Parent: 0, Depth: 1, Good: true, Threshold: 0.92, Samples: 6, Share: 0.04},
		{ID: 2, Parent: 1, Depth: 2, Good: true, Leaf: true, Share: 0.0004},
		{ID: 3, Parent: 1, Depth: 2, Leaf: true},
		{ID: 4, Parent: 0, Depth: 1, Leaf: true, Samples: 3, Share: 0.96},
	}}.Root()
	if root.Rule != "all architectures" || root.With != "" || len(root.Children) != 2 || root.Mean != "90.00\u00a0%" || root.Best != "93.00\u00a0%" || root.Count != "1000" {
		t.Fatalf("root %+v", root)
	}
	good, bad := root.Children[0], root.Children[1]
	if good.Rule != "predicted 91.50\u00a0% or more" || good.With != "f1 (+2.00), f3 (+0.10), f4 (+0.10)" || good.Without != "f2 (-1.00)" || good.Share != "4.0\u00a0%" || !good.Open {
		t.Errorf("good side %+v", good)
	}
	if bad.Rule != "predicted below 91.50\u00a0%" || bad.With != "f2" || bad.Without != "f1, f3, f4" || bad.Share != "96\u00a0%" || !bad.Bad {
		t.Errorf("bad side %+v", bad)
	}
	if deep := good.Children[0]; deep.Rule != "predicted 92.00\u00a0% or more" || deep.Share != "<0.1\u00a0%" || deep.Open {
		t.Errorf("region 2\u00a0%+v", deep)
	}
	if missed := good.Children[1]; missed.Share != "<0.1\u00a0%" || missed.Count != "" {
		t.Errorf("a region that no draw fell into %+v", missed)
	}
	if (Tree{}).Root() != nil {
		t.Error("a tree without regions")
	}
}
