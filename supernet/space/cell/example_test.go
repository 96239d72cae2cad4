package cell_test

import (
	"fmt"

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
