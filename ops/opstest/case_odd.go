package opstest

import (
	"fmt"

	"oneshot/ops"
)

// oddCases have 33 channels, the first width of NASNet-A, where no vector load fits, and
// 66 behind a reduction.
func oddCases() []Case {
	const c = 33
	var cs []Case
	add := func(name string, op ops.Op, in ...ops.Shape) {
		cs = append(cs, Case{Name: name + "/c=33", Op: op, In: in, Labels: -1})
	}
	x := ops.Shape{2, 4, 5, c}
	add("stem", ops.Stem{Cin: 3, Cout: c, Affine: true}, ops.Shape{2, 4, 5, 3})
	add("conv_bn", ops.ConvBN{Act: ops.ReLU, Parts: 3, Cin: 3 * c, Cout: c, Affine: true}, x, x, x)
	add("conv_bn/from=99", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 3 * c, Cout: c, Affine: true}, ops.Shape{2, 4, 5, 3 * c})
	add("conv_bn/to=66", ops.ConvBN{Act: ops.ReLU, Parts: 2, Cin: 2 * c, Cout: 2 * c, Affine: true}, x, x)
	add("conv_bn/flatten", ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 4 * c, Cout: c, Affine: true}, ops.Shape{7, 2, 2, c})
	add("factorized_reduce", ops.FactorizedReduce{Parts: 2, Cin: 2 * c, Cout: 2 * c, Affine: true}, ops.Shape{2, 4, 6, c}, ops.Shape{2, 4, 6, c})
	for _, k := range []int{3, 5, 7} {
		for _, stride := range []int{1, 2} {
			sep := ops.Separable{C: c, K: k, Stride: stride, Dil: 1, Stages: 2, Affine: true}
			add(fmt.Sprintf("%s/stride=%d", sep.Name(), stride), sep, x)
			if k < 7 {
				dil := ops.Separable{C: c, K: k, Stride: stride, Dil: 2, Stages: 1, Affine: true}
				add(fmt.Sprintf("%s/stride=%d", dil.Name(), stride), dil, x)
			}
		}
	}
	for _, isMax := range []bool{true, false} {
		for _, stride := range []int{1, 2} {
			for _, noNorm := range []bool{true, false} {
				op := ops.PoolBN{Max: isMax, C: c, Stride: stride, Affine: !noNorm, NoNorm: noNorm}
				add(fmt.Sprintf("%s/nonorm=%v/stride=%d", op.Name(), noNorm, stride), op, x)
				cs[len(cs)-1].Ties = isMax
			}
		}
	}
	add("node_sum", ops.NodeSum{Drop: 3}, x, x, ops.Shape{2}, ops.Shape{2})
	add("avg_pool/relu", ops.AvgPool{Act: ops.ReLU, Parts: 2, K: 5, Stride: 2}, ops.Shape{2, 7, 7, c}, ops.Shape{2, 7, 7, c})
	add("global_avg_pool", ops.GlobalAvgPool{Parts: 3}, x, x, x)
	add("linear", ops.Linear{Act: ops.ReLU, In: c, Out: 10}, ops.Shape{3, 1, 1, c})
	return cs
}

// standardCases are the convolutions with standardised weights, and the 1x1 convolution
// without normalisation.
func standardCases() []Case {
	var cs []Case
	add := func(name string, op ops.Op, in ...ops.Shape) {
		cs = append(cs, Case{Name: name, Op: op, In: in, Labels: -1})
	}
	y := ops.Shape{2, 3, 5, 4}
	for _, affine := range []bool{true, false} {
		tag := map[bool]string{true: "affine", false: "plain"}[affine]
		add("conv_bn/standard/"+tag, ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 4, Cout: 6, Affine: affine, Standard: true}, y)
		add("conv_bn/standard/parts=3/"+tag, ops.ConvBN{Act: ops.ReLU, Parts: 3, Cin: 12, Cout: 7, Affine: affine, Standard: true}, y, y, y)
		add("sep_conv_3x3/standard/"+tag, ops.Separable{C: 3, K: 3, Stride: 2, Dil: 1, Stages: 2, Affine: affine, Standard: true}, ops.Shape{2, 6, 7, 3})
		add("dil_conv_5x5/standard/"+tag, ops.Separable{C: 3, K: 5, Stride: 1, Dil: 2, Stages: 1, Affine: affine, Standard: true}, ops.Shape{2, 6, 7, 3})
	}
	for _, act := range []ops.Activation{ops.Identity, ops.ReLU} {
		add(fmt.Sprintf("conv_bn/nonorm/%v", act), ops.ConvBN{Act: act, Parts: 1, Cin: 4, Cout: 6, NoNorm: true}, y)
	}
	add("conv_bn/nonorm/parts=3", ops.ConvBN{Act: ops.ReLU, Parts: 3, Cin: 12, Cout: 7, NoNorm: true}, y, y, y)
	add("conv_bn/nonorm/flatten", ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 12, Cout: 5, NoNorm: true}, ops.Shape{7, 2, 2, 3})
	// Weights without a deviation make every output 0, which a normalisation would turn into
	// nothing but its rounding.
	add("conv_bn/standard/cin=1", ops.ConvBN{Parts: 1, Cin: 1, Cout: 3, NoNorm: true, Standard: true}, ops.Shape{2, 3, 5, 1})
	add("conv_bn/standard/flat", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 4, Cout: 6, NoNorm: true, Standard: true}, y)
	cs[len(cs)-1].Flat = true
	add("conv_bn/nonorm/standard", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 4, Cout: 6, NoNorm: true, Standard: true}, y)
	// Enough pixels for several partial sums of the weights' gradient.
	many := ops.Shape{2, 12, 13, 8}
	add("conv_bn/standard/pixels=312/c=8", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 8, Cout: 6, Affine: true, Standard: true}, many)
	for _, c := range []int{8, 33, 40, 70} { // of one tile of columns, and of more
		tag := fmt.Sprintf("/c=%d", c)
		x := ops.Shape{2, 4, 4, c}
		add("conv_bn/standard"+tag, ops.ConvBN{Act: ops.ReLU, Parts: 2, Cin: 2 * c, Cout: c, Affine: true, Standard: true}, x, x)
		add("conv_bn/nonorm"+tag, ops.ConvBN{Act: ops.ReLU, Parts: 2, Cin: 2 * c, Cout: c, NoNorm: true}, x, x)
		add("sep_conv_3x3/standard"+tag, ops.Separable{C: c, K: 3, Stride: 1, Dil: 1, Stages: 2, Affine: true, Standard: true}, x)
	}
	return cs
}
