package report

import (
	"fmt"
	"math"
	"strings"

	"oneshot/lanas"
)

// Tree shows how a search divides its space.
type Tree struct {
	Title   string
	Note    string
	Regions []lanas.Region   // parents before children, the root first
	Feature func(int) string // an entry of the code in words
	Size    float64          // architectures of the space; 0 when they are not counted
}

// regionNode is a region as the template shows it.
type regionNode struct {
	Rule, With, Without string
	Share               string  // "12 %", "" when unknown
	BarWidth            float64 // of the 44 of the drawn bar
	Count               string  // architectures, "" when unknown
	Samples, Visits     int
	Mean, Best          string
	Good, Bad, Open     bool
	Children            []*regionNode
}

// openDepth is the depth above which regions are unfolded.
const openDepth = 2

// Root is called by the template; nil without regions.
func (t Tree) Root() *regionNode {
	nodes := make([]*regionNode, len(t.Regions))
	shares := false
	for _, reg := range t.Regions {
		shares = shares || reg.Share > 0 && reg.Parent >= 0
	}
	for i, reg := range t.Regions {
		n := &regionNode{
			Rule: "all architectures", Samples: reg.Samples, Visits: reg.Visits,
			Mean: Percent(reg.Mean), Best: Percent(reg.Best), Open: reg.Depth < openDepth,
		}
		nodes[i] = n
		if shares {
			n.BarWidth, n.Share = 44*reg.Share, sharePercent(reg.Share)
			if t.Size > 0 && reg.Share > 0 {
				n.Count = countText(reg.Share * t.Size)
			}
		}
		if reg.Parent < 0 || reg.Parent >= i {
			continue
		}
		up := t.Regions[reg.Parent]
		n.Good, n.Bad = reg.Good, !reg.Good
		n.Rule = "predicted below " + Percent(up.Threshold)
		if reg.Good {
			n.Rule = "predicted " + Percent(up.Threshold) + " or more"
		}
		n.With, n.Without = t.words(up.Terms, reg.Good)
		nodes[reg.Parent].Children = append(nodes[reg.Parent].Children, n)
	}
	if len(nodes) == 0 {
		return nil
	}
	return nodes[0]
}

// words lists the heaviest features that the architectures of a region mostly
// have and mostly lack. The weights, in percent points, stand on the good side.
func (t Tree) words(terms []lanas.Term, good bool) (with, without string) {
	has, lacks := sides(terms, good, func(term lanas.Term) string {
		if !good {
			return t.Feature(term.Feature)
		}
		return t.Feature(term.Feature) + fmt.Sprintf(" (%+.2f)", 100*term.Weight)
	})
	return strings.Join(has, ", "), strings.Join(lacks, ", ")
}

// Percent writes a score, unbroken; there is none where nothing was sampled.
func Percent(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return fmt.Sprintf("%.2f\u00a0%%", 100*v)
}

func sharePercent(v float64) string {
	switch {
	case v < 0.001: // 0 too: no draw fell into a region that has samples
		return "<0.1\u00a0%"
	case v < 0.1:
		return fmt.Sprintf("%.1f\u00a0%%", 100*v)
	}
	return fmt.Sprintf("%.0f\u00a0%%", 100*v)
}

// countText writes an estimated number of architectures.
func countText(n float64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.1e", n)
}
