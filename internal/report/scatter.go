package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Scatter draws points, such as architectures by cost and accuracy, and joins
// those of the front.
type Scatter struct {
	Title, X, Y string
	Points      []ScatterPoint
	Upper       string // what upper points are; "" where there are none
}

// ScatterPoint is a point; Label is shown when it is pointed at.
type ScatterPoint struct {
	X, Y   float64
	Label  string
	Front  bool // no other point is better in both
	Marked bool // the one that it is about
	Upper  bool // of another kind than the rest, in another colour
	Rank   int  // a number that stands beside the point; 0 is none
}

// dot is a point on a canvas.
type dot struct {
	X, Y   float64
	Label  string
	Front  bool
	Marked bool
	Upper  bool
	Rank   *rankText
}

// rankText is a number beside a dot.
type rankText struct {
	X, Y   float64
	Anchor string
	Rank   int
}

// scatterDrawing is a scatter on one canvas. The front's dots come last, on top.
type scatterDrawing struct {
	frame
	X, Y  string
	Dots  []dot
	Many  string // the path of points without labels, where there are too many for each to have one
	Upper string // likewise of the upper ones
	Front string // points of the polyline through the front
}

// mostLabelled points have labels; more would make the page large.
const mostLabelled = 250

// Marks says whether a point is marked; called by the template.
func (s Scatter) Marks() bool {
	return slices.ContainsFunc(s.Points, func(p ScatterPoint) bool { return p.Marked })
}

// Fronts says whether a point is on the front; called by the template.
func (s Scatter) Fronts() bool {
	return slices.ContainsFunc(s.Points, func(p ScatterPoint) bool { return p.Front })
}

// Others says whether a point is not an upper one; called by the template.
func (s Scatter) Others() bool {
	return len(s.Points) == 0 || slices.ContainsFunc(s.Points, func(p ScatterPoint) bool { return !p.Upper })
}

// Words describe the scatter to who cannot see it.
func (s Scatter) Words() string {
	text := fmt.Sprintf("%s over %s, %d points", s.Y, s.X, len(s.Points))
	for _, p := range s.Points {
		if p.Marked {
			text += fmt.Sprintf("; the one found at %.4g, %.4g", p.X, p.Y)
		}
	}
	return text
}

// Drawings is called by the template.
func (s Scatter) Drawings() []scatterDrawing {
	xLo, xHi, yLo, yHi := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	points := slices.Clone(s.Points)
	for _, p := range points {
		xLo, xHi, yLo, yHi = min(xLo, p.X), max(xHi, p.X), min(yLo, p.Y), max(yHi, p.Y)
	}
	x, y := axis{lo: 0, hi: 1}, axis{lo: 0, hi: 1}
	if len(points) > 0 {
		x, y = linearAxis(xLo, xHi), linearAxis(yLo, yHi)
	}
	slices.SortStableFunc(points, func(a, b ScatterPoint) int {
		return cmp.Or(cmp.Compare(b2i(a.Front), b2i(b.Front)), cmp.Compare(a.X, b.X))
	})
	var all []scatterDrawing
	for _, v := range canvases {
		d := scatterDrawing{frame: v.frame(x, y), X: s.X, Y: s.Y}
		var front []string
		var many, upper strings.Builder
		for _, p := range points {
			at := dot{X: d.px(x, p.X), Y: d.py(y, p.Y), Label: p.Label, Front: p.Front, Marked: p.Marked, Upper: p.Upper}
			if p.Rank > 0 {
				at.Rank = d.rank(at, p.Rank)
			}
			if d.Class == "narrow" { // nobody points at it there
				at.Label = ""
			}
			if plain := !p.Front && !p.Marked && p.Rank == 0; plain && len(points) > mostLabelled {
				path := &many
				if p.Upper {
					path = &upper
				}
				path.WriteString("M" + point(at.X, at.Y) + "h0")
			} else {
				d.Dots = append(d.Dots, at)
			}
			if p.Front {
				front = append(front, point(at.X, at.Y))
			}
		}
		d.Front, d.Many, d.Upper = strings.Join(front, " "), many.String(), upper.String()
		all = append(all, d)
	}
	return all
}

// Sizes of the number beside a dot: how far it stands from it, how far its line is below its middle, and what two of
// them, of up to three digits, take.
const (
	rankAside  = 12.0
	rankMiddle = 4.5
	rankWidth  = 3 * digitWidth
	rankHeight = 13.0
)

// rank places the number of a dot beside it, or as near above or below as no other one stands; never outside the plot.
func (d scatterDrawing) rank(of dot, n int) *rankText {
	t := &rankText{X: of.X + rankAside, Anchor: "start", Rank: n}
	if t.X+rankWidth > d.W {
		t.X, t.Anchor = of.X-rankAside, "end"
	}
	place := func(k int) float64 { // beside, one above, one below, two above, ...
		rows := float64((k + 1) / 2 * (1 - k%2*2))
		return min(d.Bottom-2, max(d.Top+rankHeight-2, of.Y+rankMiddle+rows*rankHeight))
	}
	for k := range 4*len(d.Dots) + 1 { // each of those before stands in the way of at most two places
		if t.Y = place(k); !d.taken(*t) {
			return t
		}
	}
	t.Y = place(0) // the plot is full
	return t
}

// taken says whether the number of a dot that is there already stands where t would.
func (d scatterDrawing) taken(t rankText) bool {
	return slices.ContainsFunc(d.Dots, func(o dot) bool {
		return o.Rank != nil && math.Abs(o.Rank.left()-t.left()) < rankWidth && math.Abs(o.Rank.Y-t.Y) < rankHeight-0.01
	})
}

// left is where it begins, of as many digits as there may be.
func (t rankText) left() float64 {
	if t.Anchor == "end" {
		return t.X - rankWidth
	}
	return t.X
}
