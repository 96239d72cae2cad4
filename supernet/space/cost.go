package space

import (
	"strconv"
	"strings"
)

// Net is the network a cell is stacked into.
type Net struct {
	Layers, Channels, StemMultiplier, Classes, Image int
	Aux                                              bool // an auxiliary head reads cell 2*Layers/3
}

// Reduction says whether the cell at layer halves the resolution: those at one
// and two thirds of the depth (arXiv 1707.07012, DARTS).
func (n Net) Reduction(layer int) bool { return layer == n.Layers/3 || layer == 2*n.Layers/3 }

// CellLive says what of a cell reaches the output.
type CellLive struct {
	Cell   bool // the cell's output is used
	S0, S1 bool // some node reads the cell before last, the last cell
}

// Live finds the parts of the network that reach the output of the last cell
// or the auxiliary head. An architecture whose nodes all read one input leaves
// whole cells without use.
func (s Space) Live(a Arch, n Net) []CellLive {
	live := make([]CellLive, n.Layers)
	live[n.Layers-1].Cell = true
	if n.Aux {
		live[2*n.Layers/3].Cell = true
	}
	for l := n.Layers - 1; l >= 0; l-- {
		if !live[l].Cell {
			continue
		}
		nodes := a.Normal
		if n.Reduction(l) {
			nodes = a.Reduce
		}
		for _, node := range nodes {
			for _, p := range node {
				live[l].S0 = live[l].S0 || p.Edge == 0
				live[l].S1 = live[l].S1 || p.Edge == 1
			}
		}
		if live[l].S0 && l >= 2 {
			live[l-2].Cell = true
		}
		if live[l].S1 && l >= 1 {
			live[l-1].Cell = true
		}
	}
	return live
}

// Cost counts the extracted network's trainable values, with batch
// normalisation's gamma and beta but without the auxiliary head, and its
// multiply-adds for one image: convolutions and the classifier; pooling,
// normalisation and additions are not counted. Parts that do not reach the
// output are left out.
func (s Space) Cost(a Arch, n Net) (params, madds int64) {
	n.Aux = false
	live := s.Live(a, n)
	hw, c := n.Image, n.Channels
	stem := n.StemMultiplier * c
	conv := func(out, in, k, groups, hw int) {
		w := int64(out) * int64(in/groups) * int64(k*k)
		params += w
		madds += w * int64(hw) * int64(hw)
	}
	norm := func(c int) { params += 2 * int64(c) }
	conv(stem, 3, 3, 1, hw)
	norm(stem)
	cpp, cp := stem, stem
	for l := range n.Layers {
		red := n.Reduction(l)
		if red {
			c *= 2
		}
		if live[l].S0 { // either one 1x1 convolution, or two of half the width
			conv(c, cpp, 1, 1, hw)
			norm(c)
		}
		if live[l].S1 {
			conv(c, cp, 1, 1, hw)
			norm(c)
		}
		out := hw
		nodes := a.Normal
		if red {
			out, nodes = hw/2, a.Reduce
		}
		if live[l].Cell {
			for _, node := range nodes {
				for _, p := range node {
					op := s.Ops[p.Op]
					stages := 1
					switch {
					case op == "skip_connect":
						if red && p.Edge < 2 {
							conv(c, c, 1, 1, out)
							norm(c)
						}
						continue
					case strings.Contains(op, "_pool_"):
						norm(c)
						continue
					case strings.HasPrefix(op, "sep_"):
						stages = 2
					}
					k, _ := strconv.Atoi(op[len(op)-1:])
					for range stages {
						conv(c, c, k, c, out)
						conv(c, c, 1, 1, out)
						norm(c)
					}
				}
			}
		}
		hw = out
		cpp, cp = cp, s.Nodes*c
	}
	classes := int64(n.Classes)
	return params + int64(cp)*classes + classes, madds + int64(cp)*classes
}
