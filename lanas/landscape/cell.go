package landscape

import (
	"math"
	"math/rand/v2"
)

// The operations of an edge of a cell, by candidate.
const (
	opZero = iota // cuts the edge
	opSkip        // passes its input on
	opPool
	opConv1
	opConv3
	cellOps
)

// cellEdges are the edges of a cell, from node to later node, as in
// NAS-Bench-201 (arXiv 2001.00326): every pair of 4 nodes.
var cellEdges = [6][2]int{{0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}}

// cell: node 0 is the input with signal x = 1 and depth d = 0, node 3 the output.
// An edge with operation o from node i carries y = g_o x_i at depth d_i + c_o;
// zero carries nothing. A node adds its edges as independent signals do,
// x^2 = sum of y^2, and its depth is the mean of theirs weighted by y^2. With x
// and d of the output the score is
//
//	94 - 30 exp(-1.6 x) - 3 (d - d0)^2
//
// in percent, and chance where nothing reaches the output. The seed draws the
// gains g (skip 0.9, pool 0.6, 1x1 1.0, 3x3 1.25, times 0.8..1.2), the depths c
// (0, 0.25, 0.6, 1, times 0.8..1.2) and the best depth d0 in 0.9..1.7.
//
// Gains and depths belong to operations, not edges: cells that compute the same
// score the same.
func cell(r *rand.Rand, _ []int) func([]int) float64 {
	near := func(v float64) float64 { return v * (0.8 + 0.4*r.Float64()) }
	gain := [cellOps]float64{opSkip: near(0.9), opPool: near(0.6), opConv1: near(1), opConv3: near(1.25)}
	depth := [cellOps]float64{opPool: near(0.25), opConv1: near(0.6), opConv3: near(1)}
	d0 := 0.9 + 0.8*r.Float64()
	return func(arch []int) float64 {
		// Of each node: x^2, and the depth times x^2 until it is divided.
		power, d := [4]float64{1}, [4]float64{}
		for e, ends := range cellEdges { // ascending by target: sources are complete
			from, to := ends[0], ends[1]
			if op := arch[e]; power[from] > 0 {
				y2 := gain[op] * gain[op] * power[from]
				power[to] += y2
				d[to] += float64(y2 * (d[from]/power[from] + depth[op]))
			}
		}
		if power[3] == 0 {
			return chance
		}
		off := d[3]/power[3] - d0
		return 94 - float64(30*math.Exp(-1.6*math.Sqrt(power[3]))) - float64(3*off*off)
	}
}
