package nb201_test

import (
	"fmt"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
	_ "oneshot/supernet/space/nb201" // registers nasbench-201
)

// Read an architecture as NAS-Bench-201 writes it, and count what it costs.
func Example() {
	s, a, err := space.ParseAny("|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(space.Hash(s, a), "is one of", s.Size(), "architectures of", s.Name())

	n, err := s.Describe(net.Size{Geometry: s.Geometry(), Classes: 10, Image: 32, Affine: true}, a)
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
	// c70e3908219f is one of 5259 architectures of nasbench-201
	// 802426 parameters, 113951360 multiply-adds an image
}
