package report

import (
	"fmt"
	"math"
	"strings"
)

// Heat is a square of counts, such as who was taken for whom: a row for each class of the images, a column for each
// that they were taken for.
type Heat struct {
	Title, Row, Column string
	Names              []string
	Counts             [][]int
}

// heatLevel are the cells of one shade as a path, or with their counts.
type heatLevel struct {
	Class, Path string
}

// heatText is a label or a count.
type heatText struct {
	X, Y         float64
	Text, Anchor string
	Turned       bool
}

// heatDrawing is the picture, of one size: it scrolls where it is too wide.
type heatDrawing struct {
	W, H          float64
	Levels        []heatLevel
	Texts         []heatText
	Left, Top     float64
	Right, Bottom float64
	MidX, MidY    float64
	Width, Height float64
}

// countedClasses is up to how many classes the cells have their counts.
const countedClasses = 20

// shades is into how many steps a row's shares are divided.
const shades = 6

// Drawing is called by the template.
func (h Heat) Drawing() heatDrawing {
	n := len(h.Counts)
	cell := 36.0
	if n > countedClasses {
		cell = 14
	}
	letters := 0
	for _, name := range h.Names {
		letters = max(letters, min(12, len([]rune(name))))
	}
	room := 14 + 7.4*float64(letters)
	d := heatDrawing{Left: room + 16, Top: room + 20}
	d.Right, d.Bottom = d.Left+cell*float64(n), d.Top+cell*float64(n)
	d.W, d.H = d.Right+6, d.Bottom+6
	d.Width, d.Height = d.Right-d.Left, d.Bottom-d.Top
	d.MidX, d.MidY = (d.Left+d.Right)/2, (d.Top+d.Bottom)/2
	var paths [2][shades + 1]strings.Builder
	for y, row := range h.Counts {
		sum := 0
		for _, c := range row {
			sum += c
		}
		for x, c := range row {
			if c == 0 {
				continue
			}
			left, top := d.Left+cell*float64(x), d.Top+cell*float64(y)
			share := math.Sqrt(float64(c) / float64(sum)) // so that few are seen too
			level := int(math.Ceil(share * shades))
			fmt.Fprintf(&paths[b2i(x == y)][level], "M%g %gh%gv%gh%gz", left+0.5, top+0.5, cell-1, cell-1, -(cell - 1))
			if n <= countedClasses {
				d.Texts = append(d.Texts, heatText{X: left + cell/2, Y: top + cell/2 + 4.5, Text: fmt.Sprint(c), Anchor: "middle"})
			}
		}
	}
	for side, name := range []string{"off", "on"} {
		for level := range paths[side] {
			if p := paths[side][level].String(); p != "" {
				d.Levels = append(d.Levels, heatLevel{fmt.Sprintf("%s h%d", name, level), p})
			}
		}
	}
	for i, name := range h.Names[:min(n, len(h.Names))] {
		at := cell*float64(i) + cell/2
		d.Texts = append(d.Texts, heatText{X: d.Left - 6, Y: d.Top + at + 4.5, Text: clip(name, 12), Anchor: "end"},
			heatText{X: d.Left + at + 4.5, Y: d.Top - 6, Text: clip(name, 12), Anchor: "start", Turned: true})
	}
	return d
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
