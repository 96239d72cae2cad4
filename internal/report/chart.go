package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Chart draws series against the number of samples.
type Chart struct {
	Title, X, Y string
	Log         bool // y on a log scale; values of 0 lie on its lower border
	Each        int  // how far on x two points of a series are apart that does not say it; 0 is 1
	Series      []Series
}

// Series is a line; its point i is drawn at (i+1)*Every, where 0 is the chart's Each. Lo and Hi, of the same length or
// empty, are the band around it.
type Series struct {
	Name      string
	Y, Lo, Hi []float64
	Every     float64
	Steps     bool // the value holds until the next point, as the best so far does; else the points are joined
}

// spaced are the series, each of which says how far its points are apart.
func (c Chart) spaced() []Series {
	out := slices.Clone(c.Series)
	for i := range out {
		if !(out[i].Every > 0) {
			out[i].Every = float64(max(1, c.Each))
		}
	}
	return out
}

// canvas is the size of a drawing in SVG units, which are about pixels. Every
// drawing is made in two sizes, of which the width of the window shows one:
// scaling a single one makes its text too small on a telephone.
type canvas struct {
	Class              string
	W, H               float64
	right, top, bottom float64 // margins
	xTicks, yTicks     int     // about the most
	left               float64 // margin; frame makes it wide enough
}

var canvases = []canvas{
	{Class: "wide", W: 940, H: 420, right: 20, top: 12, bottom: 48, xTicks: 10, yTicks: 8},
	{Class: "narrow", W: 380, H: 300, right: 16, top: 12, bottom: 46, xTicks: 5, yTicks: 6},
}

// px and py are the place of values on the canvas.
func (c canvas) px(a axis, v float64) float64 { return c.left + a.at(v)*(c.W-c.left-c.right) }
func (c canvas) py(a axis, v float64) float64 { return c.H - c.bottom - a.at(v)*(c.H-c.top-c.bottom) }

// tick is a grid line and its label; Label is the middle of the latter.
type tick struct {
	At, Label float64
	Text      string
}

// frame is the grid of a drawing and the places of its axes' names.
type frame struct {
	canvas
	XTicks, YTicks           []tick
	Left, Right, Top, Bottom float64 // of the plot
	MidX, MidY               float64
}

// Widths of text of 13 units: a digit, and an axis' name from the left border.
const (
	digitWidth = 7.6
	nameWidth  = 28
)

// frame fits the left margin to the labels of y.
func (c canvas) frame(x, y axis) frame {
	xs, ys := x.ticks(c.xTicks), y.ticks(c.yTicks)
	labels := tickLabels(ys)
	for _, l := range labels {
		c.left = max(c.left, nameWidth+digitWidth*float64(len(l)))
	}
	f := frame{canvas: c, Left: c.left, Right: c.W - c.right, Top: c.top, Bottom: c.H - c.bottom}
	f.MidX, f.MidY = (f.Left+f.Right)/2, (f.Top+f.Bottom)/2
	for i, label := range tickLabels(xs) {
		at := f.px(x, xs[i])
		inside := f.W - digitWidth*float64(len(label))/2 // a long last label moves to the left
		f.XTicks = append(f.XTicks, tick{at, min(at, inside), label})
	}
	for i, label := range labels {
		at := f.py(y, ys[i])
		f.YTicks = append(f.YTicks, tick{at, at, label})
	}
	return f
}

// line is a series on a canvas.
type line struct {
	Class, Name string
	Path, Band  string // points of a polyline and of a polygon
}

// drawing is a chart on one canvas.
type drawing struct {
	frame
	X, Y  string
	Lines []line
}

// Drawings is called by the template.
func (c Chart) Drawings() []drawing {
	x, y := c.axes()
	var all []drawing
	for _, v := range canvases {
		d := drawing{frame: v.frame(x, y), X: c.X, Y: c.Y}
		for i, s := range c.spaced() {
			d.Lines = append(d.Lines, s.draw(d.canvas, x, y, seriesClass(i)))
		}
		all = append(all, d)
	}
	return all
}

// Legend is called by the template; a single line needs none.
func (c Chart) Legend() []line {
	var l []line
	if len(c.Series) < 2 {
		return nil
	}
	for i, s := range c.Series {
		l = append(l, line{Class: seriesClass(i), Name: s.Name})
	}
	return l
}

// Words describe the chart to who cannot see it.
func (c Chart) Words() string {
	text := fmt.Sprintf("%s over %s", c.Y, c.X)
	for _, s := range c.Series {
		if n := len(s.Y); n > 0 {
			text += fmt.Sprintf("; %s from %.4g to %.4g", s.Name, s.Y[0], s.Y[n-1])
		}
	}
	return text
}

// seriesClass is the colour, of 8, and the dashes of a series.
func seriesClass(i int) string { return fmt.Sprintf("s%d d%d", i%8, i/8%4) }

func (c Chart) axes() (x, y axis) {
	n := 2.0
	lo, hi, positive := math.Inf(1), math.Inf(-1), math.Inf(1)
	for _, s := range c.spaced() {
		n = max(n, float64(len(s.Y))*s.Every)
		for _, values := range [][]float64{s.Y, s.Lo, s.Hi} {
			for _, v := range values {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
		for _, v := range s.Y { // a band that reaches down to 0 must not stretch the axis
			if v > 0 {
				positive = min(positive, v)
			}
		}
	}
	x = axis{lo: 0, hi: n}
	switch {
	case math.IsInf(lo, 1):
		return x, axis{lo: 0, hi: 1}
	case c.Log && !math.IsInf(positive, 1):
		return x, logAxis(max(positive, hi/1e4), hi)
	}
	return x, linearAxis(lo, hi)
}

// mostPoints of a line are drawn; more are closer together than a pixel.
const mostPoints = 600

func (s Series) draw(c canvas, x, y axis, class string) line {
	var path, upper, lower []string
	before := 0.0 // the value of the point before
	n := len(s.Y)
	band := len(s.Lo) == n && len(s.Hi) == n && n > 1
	for k := range min(n, mostPoints) {
		i := k
		if n > mostPoints {
			i = k * (n - 1) / (mostPoints - 1)
		}
		at := c.px(x, float64(i+1)*s.Every)
		if s.Steps && k > 0 && s.Y[i] != before {
			path = append(path, point(at, c.py(y, before)))
		}
		before = s.Y[i]
		path = append(path, point(at, c.py(y, s.Y[i])))
		if band {
			upper = append(upper, point(at, c.py(y, s.Hi[i])))
			lower = append(lower, point(at, c.py(y, s.Lo[i])))
		}
	}
	for i := len(lower) - 1; i >= 0; i-- {
		upper = append(upper, lower[i])
	}
	return line{Class: class, Name: s.Name, Path: strings.Join(path, " "), Band: strings.Join(upper, " ")}
}

func point(x, y float64) string { return fmt.Sprintf("%.1f,%.1f", x, y) }
