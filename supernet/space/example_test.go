package space_test

import (
	"fmt"
	"math/rand/v2"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
	_ "oneshot/supernet/space/cell" // registers lanas, darts and full
)

// Draw an architecture, write it, read it, and count what it costs.
func Example() {
	s, err := space.New("lanas", 2) // two nodes in each cell
	if err != nil {
		fmt.Println(err)
		return
	}
	a := s.Sample(rand.New(rand.NewPCG(42, 0)))
	text := s.Format(a)
	fmt.Println(text)

	// A text names its space, so reading it needs nothing else.
	s, a, err = space.ParseAny(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(space.Hash(s, a), "is one of", s.Size(), "architectures of", s.Name())
	fmt.Println("a search sees", s.Encode(a))

	n, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 8, Affine: true}, a)
	if err != nil {
		fmt.Println(err)
		return
	}
	params, madds, err := n.Cost()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(params, "parameters,", madds, "multiply-adds an image")
	// Output:
	// lanas2:1.sep_conv_3x3+1.sep_conv_5x5,0.max_pool_3x3+0.skip_connect:0.skip_connect+1.sep_conv_5x5,1.max_pool_3x3+2.sep_conv_5x5
	// b7720cafc25e is one of 3415104 architectures of lanas2
	// a search sees [0 0 0 0 0 0 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 1 0 0 0 0 1 0 0 0 0 0 0 1]
	// 5734 parameters, 72512 multiply-adds an image
}
