package diagram_test

import (
	"fmt"
	"strings"
	"testing"

	"oneshot/internal/report/diagram"
	"oneshot/ops"
	"oneshot/supernet/net"
)

// mobile is a path of MobileNetV2's blocks (arXiv 1801.04381): two that halve, two with a residual, one of which is
// smaller.
func mobile() *net.Network {
	n := net.Begin(32, 0)
	add := func(name string, op ops.Op, in ...int) int { return n.Add(net.Layer{Name: name, Op: op, In: in}) }
	x := add("stem", ops.Stem{Cin: 3, Cout: 8, Affine: true}, net.Images)
	x = add("", ops.ActBN{Act: ops.ReLU, C: 8, NoNorm: true}, x)
	c := 8
	for i, b := range []struct{ expand, k, stride int }{{6, 5, 2}, {6, 5, 1}, {3, 3, 1}, {6, 5, 2}, {6, 5, 1}} {
		name := fmt.Sprintf("layers.%d.mbconv_e%d_k%d", i, b.expand, b.k)
		wide, to := c*b.expand, c*b.stride
		y := add(name, ops.ConvBN{Parts: 1, Cin: c, Cout: wide, Affine: true, Suffix: "1"}, x)
		y = add(name, ops.Depthwise{Act: ops.ReLU, C: wide, K: b.k, Stride: b.stride, Affine: true, Suffix: "2"}, y)
		y = add(name, ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: wide, Cout: to, Affine: true, Suffix: "3"}, y)
		if b.stride == 1 {
			y = add("", ops.NodeSum{}, y, x)
		}
		x, c = y, to
	}
	x = add("head", ops.ConvBN{Parts: 1, Cin: c, Cout: 64, Affine: true}, x)
	x = add("", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: 8, Stride: 1}, x)
	n.Logits = add("classifier", ops.Linear{In: 64, Out: 10}, x)
	return n
}

// dense is a path of NAS-Bench-201 (arXiv 2001.00326): two equal cells, a residual block, a cell that is one operation.
func dense() *net.Network {
	n := net.Begin(32, 0)
	add := func(name string, op ops.Op, in ...int) int { return n.Add(net.Layer{Name: name, Op: op, In: in}) }
	x, c := add("stem", ops.Stem{Cin: 3, Cout: 16, Affine: true}, net.Images), 16
	conv := func(name string, from, to, stride, x int) int {
		return add(name, ops.Conv2D{Act: ops.ReLU, Cin: from, Cout: to, R: 3, S: 3, StrideH: stride, StrideW: stride, Affine: true}, x)
	}
	for i := range 2 {
		name := fmt.Sprintf("cells.%d.edges.", i)
		a := conv(name+"0_1.nor_conv_3x3", c, c, 1, x)
		pooled := add(name+"1_2.avg_pool_3x3", ops.PoolBN{C: c, Stride: 1, NoNorm: true}, a)
		b := add("", ops.NodeSum{}, add(name+"0_2.nor_conv_1x1", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: c, Cout: c, Affine: true}, x), pooled)
		x = add("", ops.NodeSum{Terms: 3}, x, a, b)
	}
	y := conv("cells.2.b", 2*c, 2*c, 1, conv("cells.2.a", c, 2*c, 2, x))
	down := add("cells.2.down", ops.AvgPool{Parts: 1, K: 2, Stride: 2}, x)
	x = add("", ops.NodeSum{}, y, add("cells.2.down", ops.ConvBN{Parts: 1, Cin: c, Cout: 2 * c, NoNorm: true}, down))
	x = conv("cells.3.edges.0_3.nor_conv_3x3", 2*c, 2*c, 1, x)
	x = add("last", ops.ActBN{Act: ops.ReLU, C: 2 * c, Affine: true}, x)
	x = add("", ops.GlobalAvgPool{Parts: 1}, x)
	n.Logits = add("classifier", ops.Linear{In: 2 * c, Out: 10}, x)
	return n
}

// skips is a path of NAS-Bench-201 whose cells begin with sums of their input, which no name tells from what is before: a
// residual block, a cell, and one that is sums alone.
func skips() *net.Network {
	n := net.Begin(32, 0)
	add := func(name string, op ops.Op, in ...int) int { return n.Add(net.Layer{Name: name, Op: op, In: in}) }
	sum := func(block string, in ...int) int {
		return n.Add(net.Layer{Op: ops.NodeSum{Terms: len(in)}, In: in, Block: block})
	}
	conv := func(name string, x int) int {
		return add(name, ops.Conv2D{Act: ops.ReLU, Cin: 4, Cout: 4, R: 3, S: 3, StrideH: 1, StrideW: 1, Affine: true}, x)
	}
	x := add("stem", ops.Stem{Cin: 3, Cout: 4, Affine: true}, net.Images)
	x = sum("cells.0", conv("cells.0.b", conv("cells.0.a", x)), conv("cells.0.down", x))
	twice := sum("cells.1", x, x)
	x = sum("cells.1", conv("cells.1.edges.0_3.nor_conv_3x3", x), x, twice)
	twice = sum("cells.2", x, x)
	x = sum("cells.2", x, x, twice)
	x = add("last", ops.ActBN{Act: ops.ReLU, C: 4, Affine: true}, x)
	x = add("", ops.GlobalAvgPool{Parts: 1}, x)
	n.Logits = add("classifier", ops.Linear{In: 4, Out: 10}, x)
	return n
}

// chain is what a kind draws: its nodes with what they read.
func chain(k diagram.Kind) string {
	var texts []string
	for _, v := range k.Nodes {
		texts = append(texts, fmt.Sprint(v.Label, v.In))
	}
	return strings.Join(texts, " ")
}

// TestBlocksWithoutCells: blocks of a name are a kind for each candidate, with and without residual; what a block reads
// is its input.
func TestBlocksWithoutCells(t *testing.T) {
	for _, c := range []struct {
		name   string
		path   *net.Network
		kinds  [][2]string
		single map[string]string
	}{
		{"mobile", mobile(), [][2]string{
			{"layers 0, 3: mbconv_e6_k5", "input[] conv_1x1[0] depthwise_5x5, halved[1] conv_1x1[2]"},
			{"layers 1, 4: mbconv_e6_k5", "input[] conv_1x1[0] depthwise_5x5[1] conv_1x1[2] +[3 0]"},
			{"layers 2: mbconv_e3_k3", "input[] conv_1x1[0] depthwise_3x3[1] conv_1x1[2] +[3 0]"},
		}, map[string]string{"stem": "stem, relu", "head": "conv_1x1, relu_avg_pool_8x8", "classifier": "linear"}},
		{"dense", dense(), [][2]string{
			{"cells 0, 1", "input[] conv_3x3[0] avg_pool_3x3[1] conv_1x1[0] +[3 2] +[0 1 4]"},
			{"cells 2", "input[] conv_3x3, halved[0] conv_3x3[1] avg_pool_2x2[0] conv_1x1[3] +[2 4]"},
		}, map[string]string{"stem": "stem", "cells.3": "conv_3x3", "last": "relu_bn", "classifier": "global_avg_pool, linear"}},
		{"skips", skips(), [][2]string{
			{"cells 0", "input[] conv_3x3[0] conv_3x3[1] conv_3x3[0] +[2 3]"},
			{"cells 1", "input[] +[0 0] conv_3x3[0] +[2 0 1]"},
			{"cells 2", "input[] +[0 0] +[0 0 1]"},
		}, map[string]string{"stem": "stem", "last": "relu_bn", "classifier": "global_avg_pool, linear"}},
	} {
		d, err := diagram.Of(c.path)
		if err != nil {
			t.Fatal(err)
		}
		var kinds [][2]string
		for _, k := range d.Kinds {
			kinds = append(kinds, [2]string{k.Name, chain(k)})
			if n := len(k.Nodes); !k.Nodes[n-1].Out {
				t.Errorf("%s: the last operation of %s does not go out", c.name, k.Name)
			}
		}
		if fmt.Sprint(kinds) != fmt.Sprint(c.kinds) {
			t.Errorf("%s: kinds\n%q, want\n%q", c.name, kinds, c.kinds)
		}
		single := map[string]string{}
		for _, b := range d.Blocks {
			if b.Kind < 0 {
				single[b.Name] = b.Op
			}
		}
		if fmt.Sprint(single) != fmt.Sprint(c.single) {
			t.Errorf("%s: other blocks %v, want %v", c.name, single, c.single)
		}
	}
}

// TestEveryEdgeIsSeen: a node that is added to itself, once or more, has a line for each time, beside each other.
func TestEveryEdgeIsSeen(t *testing.T) {
	k := diagram.Kind{Name: "a cell of skips", Nodes: []diagram.Node{
		{Label: "input", Input: true},
		{Label: "+", Sum: true, In: []int{0, 0}},
		{Label: "+", Sum: true, Out: true, In: []int{0, 0, 1, 1, 1}},
	}}
	want, seen := 7, map[string]bool{}
	for part := range strings.SplitSeq(k.SVG(), "<path ") {
		if line, _, ok := strings.Cut(part, "/>"); ok && strings.HasPrefix(line, "d=") {
			if want--; seen[line] {
				t.Errorf("two lines are drawn over each other: %s", line)
			}
			seen[line] = true
		}
	}
	if want != 0 {
		t.Errorf("%d lines are missing", want)
	}
}
