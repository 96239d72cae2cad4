package report

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestRanksCanBeRead: the numbers of points keep apart and within the plot, wherever the points lie; all of them are there,
// however many points.
func TestRanksCanBeRead(t *testing.T) {
	many := make([]ScatterPoint, mostLabelled+1)
	for i := range many {
		many[i] = ScatterPoint{X: float64(i % 17), Y: float64(i % 13)}
	}
	many[7].Rank = 1
	for name, points := range map[string][]ScatterPoint{
		"all at one place": {{X: 1, Y: 1, Rank: 1}, {X: 1, Y: 1, Rank: 2}, {X: 1, Y: 1, Rank: 3}, {X: 1, Y: 1, Rank: 4}, {X: 1, Y: 1, Rank: 5}},
		"at the bottom":    {{X: 0, Y: 0, Rank: 1}, {X: 0, Y: 0, Rank: 2}, {X: 0, Y: 0, Rank: 3}, {X: 0, Y: 0, Rank: 4}, {X: 1, Y: 1, Rank: 5}},
		"at the top":       {{X: 0, Y: 0, Rank: 1}, {X: 0.9, Y: 1, Rank: 2}, {X: 0.9, Y: 1, Rank: 3}, {X: 1, Y: 1, Rank: 100}, {X: 1, Y: 1, Rank: 5}},
		"many":             many,
	} {
		for _, d := range (Scatter{Points: points}).Drawings() {
			var texts []rankText
			for _, at := range d.Dots {
				if at.Rank != nil {
					texts = append(texts, *at.Rank)
				}
			}
			if want := min(5, len(points)%mostLabelled); len(texts) != want {
				t.Errorf("%s, %s: %d numbers, want %d", name, d.Class, len(texts), want)
			}
			for i, a := range texts {
				if a.Y > d.Bottom || a.Y-rankHeight < d.Top-2 || a.left() < 0 || a.left()+rankWidth > d.W {
					t.Errorf("%s, %s: number %d stands at %+v, outside", name, d.Class, a.Rank, a)
				}
				for _, b := range texts[:i] {
					if math.Abs(a.left()-b.left()) < rankWidth && math.Abs(a.Y-b.Y) < rankHeight-0.01 {
						t.Errorf("%s, %s: numbers %d and %d overlap: %+v, %+v", name, d.Class, a.Rank, b.Rank, a, b)
					}
				}
			}
		}
	}
	html, err := Scatter{Points: []ScatterPoint{{Rank: 41}, {X: 1}}}.HTML()
	if err != nil || strings.Count(string(html), ">41</text>") != 2 || strings.Contains(string(html), "front</li>") {
		t.Errorf("%s, %v", html, err)
	}
}

// TestStepsAreDrawn: a value that holds until the next one is a staircase, however few points are drawn; others are joined.
func TestStepsAreDrawn(t *testing.T) {
	long := make([]float64, 3*mostPoints)
	for i := range long {
		long[i] = float64(i / 100)
	}
	for _, y := range [][]float64{{1, 1, 3, 3, 4}, {2}, long} {
		slants := func(steps bool) (n int) {
			for _, d := range (Chart{Series: []Series{{Y: y, Steps: steps}}}).Drawings() {
				points := strings.Fields(d.Lines[0].Path)
				for i, p := range points[1:] {
					x, y, _ := strings.Cut(p, ",")
					if before, height, _ := strings.Cut(points[i], ","); before != x && height != y {
						n++
					}
				}
			}
			return n
		}
		if slants(true) != 0 || len(y) > 1 && slants(false) == 0 {
			t.Errorf("%d points: %d slanted lines of steps, %d of others", len(y), slants(true), slants(false))
		}
	}
	n := 0
	one := someRun(60)
	for _, s := range slices.Concat(Run(one).Sections, Compare([]Compared{{Name: "a", RunParts: one}, {Name: "b", RunParts: someRun(60)}}).Sections) {
		for _, c := range s.Charts {
			best := strings.HasPrefix(c.Title, "Best score so far") || strings.HasPrefix(c.Title, "Simple regret")
			for _, of := range c.Series {
				if of.Steps != best {
					t.Errorf("%s: %s is drawn in steps: %v", c.Title, of.Name, of.Steps)
				}
				n++
			}
		}
	}
	if n < 13 {
		t.Errorf("only %d series", n)
	}
}
