package cell_test

import (
	"fmt"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/supernet/space/cell"
)

// Write an architecture down cell by cell and ask what it is.
func Example() {
	s, err := space.New("lanas", 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	cells := s.(cell.Space)
	op := map[string]int{} // numbers of the operations
	for i, name := range cells.Ops {
		op[name] = i
	}
	// Edges 0 and 1 are the outputs of the two cells before, 2 is the first node.
	normal := []cell.Node{
		{{Edge: 0, Op: op["sep_conv_3x3"]}, {Edge: 1, Op: op["skip_connect"]}},
		{{Edge: 1, Op: op["max_pool_3x3"]}, {Edge: 2, Op: op["sep_conv_5x5"]}},
	}
	reduce := []cell.Node{
		{{Edge: 0, Op: op["max_pool_3x3"]}, {Edge: 1, Op: op["max_pool_3x3"]}},
		{{Edge: 0, Op: op["skip_connect"]}, {Edge: 2, Op: op["sep_conv_3x3"]}},
	}
	a := cells.Arch(normal, reduce)
	if err := cells.Check(a); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cells.Format(a))
	for _, u := range cells.Uses(a) {
		fmt.Println(u.N, u.Op)
	}
	// Every 1 of the code that a search works on has a meaning.
	for i, bit := range cells.Encode(a) {
		if bit == 1 {
			fmt.Println(cells.Feature(i))
			break
		}
	}
	// Output:
	// lanas2:0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.sep_conv_5x5:0.max_pool_3x3+1.max_pool_3x3,0.skip_connect+2.sep_conv_3x3
	// 3 max_pool_3x3
	// 2 skip_connect
	// 2 sep_conv_3x3
	// 1 sep_conv_5x5
	// normal node 0: sep_conv_3x3 of input 0
}

// Read a published cell as DARTS's code writes it: it is the network that its name stands for.
func Example_genotype() {
	s, a, err := space.ParseAny(`DARTS_V2 = Genotype(
		normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
			('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)],
		normal_concat=range(2, 6),
		reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1),
			('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)],
		reduce_concat=range(2, 6))`)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, _ := cell.FindPublished(s.(cell.Space), a)
	fmt.Println(p.Name, "of space", s.Name())

	z := net.Size{Geometry: net.Geometry{Layers: cell.ImageNetLayers, Channels: cell.ImageNetChannels, StemMultiplier: 3, ImageNet: true},
		Classes: cell.ImageNetClasses, Image: cell.ImageNetImage, Affine: true}
	n, err := s.Describe(z, a)
	if err != nil {
		fmt.Println(err)
		return
	}
	params, madds, err := n.Cost()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(params, "parameters,", madds, "multiply-adds")
	// Output:
	// darts-v2 of space darts4-rawpool
	// 4718752 parameters, 529911552 multiply-adds
}
