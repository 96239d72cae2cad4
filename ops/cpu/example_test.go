package cpu_test

import (
	"fmt"

	"oneshot/ops/cpu"
)

// A depthwise convolution that sums each pixel and its neighbours, forward and
// backward, on two threads.
func Example() {
	p := cpu.NewPool(2)
	defer p.Close()

	d := cpu.DW{N: 1, H: 2, W: 3, C: 1, K: 3, Stride: 1, Pad: 1, Dil: 1}
	x := []float32{
		1, 2, 3,
		4, 5, 6,
	}
	w := []float32{1, 1, 1, 1, 1, 1, 1, 1, 1}
	P, Q := d.Out()
	y := make([]float32, d.N*P*Q*d.C)
	cpu.DepthwiseForward(p, d, x, w, y)
	fmt.Println(y)

	dw := make([]float32, len(w))
	cpu.DepthwiseBackwardWeights(p, d, x, y, dw, make([]float32, cpu.DepthwiseScratch(d)))
	fmt.Println(dw)
	// Output:
	// [12 21 16 12 21 16]
	// [53 102 87 217 351 273 164 249 186]
}
