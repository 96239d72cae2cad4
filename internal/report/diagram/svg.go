package diagram

import (
	"fmt"
	"html"
	"strings"
)

// Sizes of a picture, in pixels.
const (
	boxWide, boxHigh = 112, 26
	gapX, gapY       = 36, 10 // between columns, and between boxes of one
	margin           = 12
)

// style is that of every picture. The names of its classes begin with d-, as it is a part of pages too.
const style = `.d{max-width:100%;height:auto;font:13px system-ui,sans-serif;--line:#8a93a0;--text:#1c2330;--op:#fff;--in:#dfe8f5;--out:#d9efdf}
@media (prefers-color-scheme:dark){.d{--line:#7d8793;--text:#e6eaf0;--op:#20262e;--in:#24364f;--out:#1f4430}}
.d text{fill:var(--text);text-anchor:middle;dominant-baseline:central}
.d path{fill:none;stroke:var(--line);stroke-width:1.4}
.d rect,.d circle{fill:var(--op);stroke:var(--line)}
.d .d-in{fill:var(--in)}.d .d-out{fill:var(--out)}`

// size is that of a picture of so many columns, the longest of which has room for so many boxes.
func size(columns int, boxes float64) (w, h float64) {
	return float64(columns*(boxWide+gapX)-gapX) + 2*margin, boxes*(boxHigh+gapY) - gapY + 2*margin
}

// SVG is the picture of a kind of blocks: inputs at the left, right of each operation what reads it. What
// belongs to the block's output is filled.
func (k Kind) SVG() string {
	at, edges, columns, boxes := layered(k.Nodes)
	w, h := size(columns, boxes)
	px := func(column int) float64 { return margin + float64(column)*(boxWide+gapX) + boxWide/2 }
	py := func(place float64) float64 { return h/2 + place*(boxHigh+gapY) }
	// half is how far a node reaches to its sides.
	half := func(v Node) float64 {
		if v.Sum {
			return boxHigh / 2
		}
		return boxWide / 2
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="d" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`,
		w, h, w, h, html.EscapeString("Operations of "+k.Name))
	fmt.Fprintf(&b, "<title>%s</title><style>%s</style>\n", html.EscapeString("Operations of "+k.Name), style)
	for _, e := range edges {
		x, y := px(at[e.from].column)+half(k.Nodes[e.from]), py(at[e.from].place)
		fmt.Fprintf(&b, `<path d="M%.1f %.1f`, x, y)
		bow := e.bow * (boxHigh + gapY)
		curve := func(tx, ty float64) {
			fmt.Fprintf(&b, " C%.1f %.1f %.1f %.1f %.1f %.1f", x+gapX/2, y+bow, tx-gapX/2, ty+bow, tx, ty)
			x, y = tx, ty
		}
		for i, bend := range e.bends {
			column := px(at[e.from].column + 1 + i)
			curve(column-boxWide/2, py(bend))
			x = column + boxWide/2
			fmt.Fprintf(&b, " L%.1f %.1f", x, y)
		}
		curve(px(at[e.to].column)-half(k.Nodes[e.to]), py(at[e.to].place))
		b.WriteString(`"/>` + "\n")
	}
	for i, v := range k.Nodes {
		x, y := px(at[i].column), py(at[i].place)
		class := ""
		switch {
		case v.Out:
			class = ` class="d-out"`
		case v.Input:
			class = ` class="d-in"`
		}
		if v.Sum {
			fmt.Fprintf(&b, `<circle%s cx="%.1f" cy="%.1f" r="%d"/>`, class, x, y, boxHigh/2)
		} else {
			r := 4
			if v.Input {
				r = boxHigh / 2
			}
			fmt.Fprintf(&b, `<rect%s x="%.1f" y="%.1f" width="%d" height="%d" rx="%d"/>`, class, x-boxWide/2, y-boxHigh/2, boxWide, boxHigh, r)
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`+"\n", x, y, html.EscapeString(short(v.Label)))
	}
	b.WriteString("</svg>")
	return b.String()
}

// short makes a label fit its box.
func short(s string) string {
	if s == "skip_connect, halved" {
		return "skip, halved"
	}
	s = strings.Replace(s, "depthwise_", "dw_conv_", 1)
	if name, ok := strings.CutSuffix(s, ", halved"); ok {
		s = name + " ↓"
	}
	if r := []rune(s); len(r) > 15 {
		return string(r[:14]) + "…"
	}
	return s
}

// SVG is one picture of all kinds, below each other, each with its name.
func (d *Drawing) SVG() string {
	type part struct {
		text string
		w, h float64
	}
	var parts []part
	w, h := 240.0, 0.0
	for _, k := range d.Kinds {
		_, _, columns, boxes := layered(k.Nodes)
		p := part{text: k.SVG()}
		p.w, p.h = size(columns, boxes)
		parts = append(parts, p)
		w, h = max(w, p.w), h+p.h+28
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="d" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f"><style>%s</style>`+"\n", w, h, w, h, style)
	y := 0.0
	for i, p := range parts {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-weight="600">%s</text>`+"\n", w/2, y+16, html.EscapeString(d.Kinds[i].Name))
		fmt.Fprintf(&b, `<g transform="translate(%.1f %.1f)">%s</g>`+"\n", (w-p.w)/2, y+24, p.text)
		y += p.h + 28
	}
	b.WriteString("</svg>\n")
	return b.String()
}
