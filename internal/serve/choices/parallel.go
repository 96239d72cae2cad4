package choices

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Parallel is a drawing in parallel coordinates: a column for a choice, a line for a sample, coloured by its score.
type Parallel struct {
	Class   string // wide or narrow: which width of the window shows it
	W, H    float64
	Top     float64 // of the columns
	Bottom  float64
	Columns []Column
	Lines   []Line // the best last, on top
}

// Column is an axis.
type Column struct {
	X      float64
	Number int // its name stands below the drawing, under this number
	Name   string
	Marks  []Mark
}

// Mark is a value on an axis.
type Mark struct {
	Y     float64
	Label string
}

// Line is a sample.
type Line struct {
	Class  string // q0, the worst fifth, to q4; failed without a score
	Points string
	Title  string
}

// mostLines are drawn: the best and an even choice of the others. More than that nobody can follow, and a page is
// sent again whenever a sample is scored.
const (
	mostLines = 240
	bestLines = 60
)

// sizes are the two drawings.
var sizes = []Parallel{{Class: "wide", W: 940, H: 360}, {Class: "narrow", W: 380, H: 300}}

// columnWidth is how much room a column wants, for the words of its values.
var columnWidth = map[string]float64{"wide": 112, "narrow": 76}

// Draw draws the choices that say most of the score, in the order of the network, in two sizes. It is none where
// fewer than two choices differ.
func Draw(samples []Sample, ranked []Importance) []Parallel {
	if len(ranked) < 2 || len(samples) == 0 {
		return nil
	}
	order := make([]int, len(samples)) // worst first
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := samples[a], samples[b]
		if f, g := x.Failed == "", y.Failed == ""; f != g {
			return map[bool]int{true: 1, false: -1}[f]
		}
		return cmp.Compare(x.Score, y.Score)
	})
	var out []Parallel
	for _, d := range sizes {
		d.Top, d.Bottom = 14, d.H-30
		n := min(len(ranked), int(d.W/columnWidth[d.Class]))
		shown := slices.Clone(ranked[:n])
		slices.SortFunc(shown, func(a, b Importance) int { return cmp.Compare(a.Index, b.Index) })
		step := d.W / float64(n)
		for k, r := range shown {
			c := Column{X: step * (float64(k) + 0.15), Number: k + 1, Name: r.Choice.Name}
			for v := range r.Choice.Values {
				c.Marks = append(c.Marks, Mark{d.at(v, len(r.Choice.Values)), short(r.Choice.Values[v], int(step*0.8/7))})
			}
			d.Columns = append(d.Columns, c)
		}
		for _, rank := range drawn(len(order)) {
			i := order[rank]
			s := samples[i]
			l := Line{Class: fmt.Sprintf("q%d", rank*5/len(order)), Title: fmt.Sprintf("%s: %.2f %%", s.Name, 100*s.Score)}
			if s.Failed != "" {
				l.Class, l.Title = "failed", s.Name+": no score: "+s.Failed
			}
			var points []string
			for k, r := range shown {
				points = append(points, fmt.Sprintf("%.1f,%.1f", d.Columns[k].X, d.at(r.Choice.At[i], len(r.Choice.Values))))
			}
			l.Points = strings.Join(points, " ")
			d.Lines = append(d.Lines, l)
		}
		out = append(out, d)
	}
	return out
}

// drawn are the ranks to draw of n, from the worst.
func drawn(n int) (ranks []int) {
	others := n - bestLines
	if n <= mostLines {
		others = n
	}
	every := max(1, float64(others)/float64(mostLines-bestLines))
	if n <= mostLines {
		every = 1
	}
	for k := 0; int(float64(k)*every) < others; k++ {
		ranks = append(ranks, int(float64(k)*every))
	}
	for i := others; i < n; i++ {
		ranks = append(ranks, i)
	}
	return ranks
}

// at is the height of value v of n, the first lowest.
func (d Parallel) at(v, n int) float64 {
	return d.Bottom - 8 - (d.Bottom-d.Top-16)*float64(v)/float64(max(1, n-1))
}

// short cuts a text to n letters.
func short(text string, n int) string {
	r := []rune(text)
	if len(r) <= max(n, 3) {
		return text
	}
	return string(r[:max(n, 3)-1]) + "…"
}
