package supernet

import (
	"strconv"
	"strings"

	"oneshot/supernet/space"
)

// cell is the geometry of one cell: widths of its two inputs and of its nodes.
type cell struct {
	layer                    int
	cpp, cp, c               int // channels of the cell before last, of the last, of a node here
	reduction, reducedBefore bool
}

// out is the width of the cell's output, the concatenation of its nodes.
func (g cell) out(nodes int) int { return nodes * g.c }

// stride is that of an operation on an input state of the cell.
func (g cell) stride(edge int) int {
	if g.reduction && edge < 2 {
		return 2
	}
	return 1
}

// cells lists the geometry of every cell.
func (c NetConfig) cells() []cell {
	out := make([]cell, c.Layers)
	cpp, cp, ch, red := c.StemMultiplier*c.Channels, c.StemMultiplier*c.Channels, c.Channels, false
	for l := range out {
		r := c.Spec().Reduction(l)
		if r {
			ch *= 2
		}
		out[l] = cell{layer: l, cpp: cpp, cp: cp, c: ch, reduction: r, reducedBefore: red}
		red, cpp, cp = r, cp, out[l].out(c.Space.Nodes)
	}
	return out
}

// opKind is what the name of a candidate operation says.
type opKind struct {
	pool, max, skip       bool
	kernel, stages, dilat int
}

// kindOf reads a name of package space's operation sets, such as sep_conv_5x5.
func kindOf(op string) opKind {
	k, _ := strconv.Atoi(op[len(op)-1:])
	switch {
	case op == "skip_connect":
		return opKind{skip: true}
	case strings.HasSuffix(op, "_pool_3x3"):
		return opKind{pool: true, max: strings.HasPrefix(op, "max")}
	case strings.HasPrefix(op, "sep_conv_"):
		return opKind{kernel: k, stages: 2, dilat: 1}
	case strings.HasPrefix(op, "dil_conv_"):
		return opKind{kernel: k, stages: 1, dilat: 2}
	}
	panic("supernet: unknown operation " + op) // package space offers no other
}

// pairs are the two (edge, operation) choices of a node of this cell.
func (g cell) pairs(a space.Arch, node int) space.Node {
	if g.reduction {
		return a.Reduce[node]
	}
	return a.Normal[node]
}
