package cpu_test

import (
	"fmt"

	"oneshot/ops/cpu"
)

// The end of a classifier, forward and backward, on two threads: three pixels of
// two channels through a 1x1 convolution without a batch normalisation of its
// own statistics, that is with Scale 1 and Shift 0.
func Example() {
	p := cpu.NewPool(2)
	defer p.Close()
	e := cpu.NewEngine[float64](p)

	one := func() []float64 { return []float64{1 - 1e-5} } // 1/sqrt(1-eps+eps) = 1
	x := []float64{
		1, 2,
		3, -4,
		-5, 6,
	}
	o := cpu.Conv[float64]{
		N: 1, Px: 3, Cin: 2, Cout: 1, F: cpu.ReLU,
		Parts: []cpu.Act[float64]{{X: x}},
		W:     []float64{10, 1},
		Z:     make([]float64, 3),
		Norm: cpu.Norm[float64]{
			RunMean: []float64{0}, RunVar: one(),
			Scale: make([]float64, 1), Shift: make([]float64, 1), Mean: make([]float64, 1), Inv: make([]float64, 1),
		},
		DW:     make([]float64, 2),
		DParts: []cpu.Out[float64]{{DX: make([]float64, 6)}},
	}
	e.ConvForward(&o)
	fmt.Println(o.Z, o.Norm.Scale, o.Norm.Shift)
	// Output:
	// [12 30 6] [1] [0]
}
