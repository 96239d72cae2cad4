package report

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Scatter draws points, such as architectures by cost and accuracy, and joins
// those of the front.
type Scatter struct {
	Title, X, Y string
	Points      []ScatterPoint
}

// ScatterPoint is a point; Label is shown when it is pointed at.
type ScatterPoint struct {
	X, Y  float64
	Label string
	Front bool // no other point is better in both
}

// dot is a point on a canvas.
type dot struct {
	X, Y  float64
	Label string
	Front bool
}

// scatterDrawing is a scatter on one canvas. The front's dots come last, on top.
type scatterDrawing struct {
	frame
	X, Y  string
	Dots  []dot
	Front string // points of the polyline through the front
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
		if a.Front != b.Front {
			if b.Front {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.X, b.X)
	})
	var all []scatterDrawing
	for _, v := range canvases {
		d := scatterDrawing{frame: v.frame(x, y), X: s.X, Y: s.Y}
		var front []string
		for _, p := range points {
			at := dot{d.px(x, p.X), d.py(y, p.Y), p.Label, p.Front}
			d.Dots = append(d.Dots, at)
			if p.Front {
				front = append(front, point(at.X, at.Y))
			}
		}
		d.Front = strings.Join(front, " ")
		all = append(all, d)
	}
	return all
}
