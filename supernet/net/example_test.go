package net_test

import (
	"fmt"

	"oneshot/ops"
	"oneshot/supernet/net"
)

// A supernet of one choice: images of 4x4 pixels go through a stem, then either
// through nothing, a pooling or a separable convolution, then to a classifier.
func Example() {
	const images, choices = 4, 1 // pixels of a side; entries of an architecture
	n := net.Begin(images, choices)
	stem := n.Add(net.Layer{Name: "stem", Op: ops.Stem{Cin: 3, Cout: 2, Affine: true}, In: []int{net.Images}})
	pool := n.Add(net.Layer{Name: "block.pool", Op: ops.PoolBN{C: 2, Stride: 1, Affine: true}, In: []int{stem}, Candidate: true})
	sep := n.Add(net.Layer{Name: "block.sep", Op: ops.Separable{C: 2, K: 3, Stride: 1, Dil: 1, Stages: 2, Affine: true}, In: []int{stem}, Candidate: true})
	block := n.Add(net.Layer{In: []int{stem, pool, sep}, Pick: []int{0}}) // passes on what entry 0 picks
	mean := n.Add(net.Layer{Op: ops.GlobalAvgPool{Parts: 1}, In: []int{block}})
	n.Logits = n.Add(net.Layer{Name: "classifier", Op: ops.Linear{In: 2, Out: 5}, In: []int{mean}})

	for choice := range 3 {
		path, err := n.Select([]int{choice}) // only what the choice needs
		if err != nil {
			fmt.Println(err)
			return
		}
		params, madds, err := path.Cost()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("choice %d: %d parameters, %d multiply-adds:", choice, params, madds)
		for _, l := range path.Layers {
			fmt.Print(" ", l.Op.Name())
		}
		fmt.Println()
	}
	for _, p := range net.NewLayout(n).Params[:3] {
		fmt.Println(p.Name, p.Shape, "at", p.Mem.Off)
	}
	// Output:
	// choice 0: 73 parameters, 874 multiply-adds: stem global_avg_pool linear
	// choice 1: 77 parameters, 874 multiply-adds: stem avg_pool_3x3 global_avg_pool linear
	// choice 2: 125 parameters, 1578 multiply-adds: stem sep_conv_3x3 global_avg_pool linear
	// stem.conv.weight [3 3 3 2] at 0
	// stem.bn.weight [2] at 54
	// stem.bn.bias [2] at 56
}
