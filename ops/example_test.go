package ops_test

import (
	"fmt"

	"oneshot/ops"
)

// A program written by hand: the mean of one image of 2x2 pixels and 1 channel.
func Example() {
	op := ops.GlobalAvgPool{Parts: 1}
	in := []ops.Shape{{1, 2, 2, 1}}
	out, _ := op.Shape(in)
	mean := ops.Mem{Region: ops.Arena, Len: out.Size()}
	p := ops.Program{Arena: out.Size(), Kept: []ops.Mem{mean}, Instrs: []ops.Instr{{Kind: ops.Forward, Op: op, Call: ops.Call{
		In: []ops.Mem{{Region: ops.Input, Len: in[0].Size()}}, InNorm: make([]ops.Mem, 1), InShape: in, Out: mean, OutShape: out,
	}}}}

	b := ops.NewCPU[float32](nil)
	defer b.Close()
	b.Bind(ops.Input, []float32{1, 2, 3, 6})
	if err := p.Run(b, ops.Eval, 0); err != nil {
		fmt.Println(err)
	}
	fmt.Println(out, b.At(p.Kept[0]))
	// Output: [1 1 1 1] [3]
}
