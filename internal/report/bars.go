package report

import "fmt"

// Bars compares values of several series in groups, with lying bars: an operation's shares, say.
type Bars struct {
	Title, X string
	Series   []string
	Groups   []BarGroup
}

// BarGroup has a value, 0 or more, of each series.
type BarGroup struct {
	Name   string
	Values []float64
}

// bar is a bar on a canvas.
type bar struct {
	Class, Text   string
	X, Y, W, H    float64
	TextX, Middle float64
}

// barLabel is the name of a group beside its bars.
type barLabel struct {
	Y    float64
	Text string
}

// barDrawing is Bars on one canvas.
type barDrawing struct {
	Class            string
	W, H             float64
	LabelX           float64
	Labels           []barLabel
	Bars             []bar
	Left, Bottom     float64
	AxisName         string
	AxisX, AxisNameY float64
}

// Heights of a bar and of what is between two groups, and the most of a label's letters that is shown.
const (
	barHeight = 14.0
	groupGap  = 10.0
	mostLabel = 26
)

// Drawings is called by the template.
func (b Bars) Drawings() []barDrawing {
	highest, letters := 0.0, 0
	for _, g := range b.Groups {
		letters = max(letters, min(mostLabel, len([]rune(g.Name))))
		for _, v := range g.Values {
			highest = max(highest, v)
		}
	}
	if highest == 0 {
		highest = 1
	}
	var all []barDrawing
	for _, c := range canvases {
		d := barDrawing{Class: c.Class, W: c.W, AxisName: b.X, Left: 12 + digitWidth*float64(letters)}
		d.LabelX = d.Left - 6
		width := c.W - d.Left - 58 // the value stands behind its bar
		y := 4.0
		for _, g := range b.Groups {
			d.Labels = append(d.Labels, barLabel{y + barHeight*float64(len(g.Values))/2, clip(g.Name, mostLabel)})
			for i, v := range g.Values {
				w := width * max(0, v) / highest
				d.Bars = append(d.Bars, bar{Class: seriesClass(i), X: d.Left, Y: y, W: w, H: barHeight - 2,
					TextX: d.Left + w + 5, Middle: y + barHeight/2 - 1, Text: fmt.Sprintf("%.1f", v)})
				y += barHeight
			}
			y += groupGap
		}
		d.Bottom = y
		d.H, d.AxisX, d.AxisNameY = y+22, d.Left+width/2, y+16
		all = append(all, d)
	}
	return all
}

// Legend is called by the template.
func (b Bars) Legend() []line {
	var l []line
	for i, name := range b.Series {
		l = append(l, line{Class: seriesClass(i), Name: name})
	}
	return l
}

// Words describe the chart to who cannot see it.
func (b Bars) Words() string {
	text := b.X
	for _, g := range b.Groups {
		text += "; " + g.Name
		for i, v := range g.Values {
			if i < len(b.Series) {
				text += fmt.Sprintf(", %s %.1f", b.Series[i], v)
			}
		}
	}
	return text
}

// clip shortens a text to so many letters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
