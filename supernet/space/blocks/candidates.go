package blocks

import (
	"maps"
	"slices"

	"oneshot/ops"
	"oneshot/supernet/net"
)

// operation is what a candidate can be.
type operation struct {
	kernels []int  // sides of its kernel; 0 has none to choose
	expand  [2]int // range of its expansion; 0 has none
	keeps   bool   // it cannot change the number of channels
	strides int    // the largest stride; 0 is any
	// add adds its layers to a block, and returns the layer whose values are the block's.
	add func(b *block, c Choice) int
	// passes says that a block that changes no shape is its input itself.
	passes bool
	// plain says that it reads values to which no activation is to be applied first.
	plain bool
}

// Operations are the names of the operations that a candidate can be.
func Operations() []string { return slices.Sorted(maps.Keys(candidates)) }

var sides = []int{3, 5, 7}

// candidates by name. Whatever they are, their results are plain values: the next block
// applies no activation to them but its own.
var candidates = map[string]operation{
	// Its input, or where the shape changes a 1x1 convolution with normalisation.
	"identity": {kernels: []int{0}, passes: true, add: func(b *block, c Choice) int {
		return b.conv(b.in, c, b.act, b.cin, b.cout, 1, b.stride, "")
	}},
	// 1x1 convolution to Expand times the channels, depthwise convolution, 1x1 convolution, with
	// ReLU between them and a residual where the shape stays (MobileNetV2, arXiv 1801.04381).
	"mbconv": {kernels: sides, expand: [2]int{1, maxExpand}, strides: 2, add: mbconv},
	// Convolution, normalisation, ReLU.
	"conv": {kernels: []int{1, 3, 5, 7}, add: func(b *block, c Choice) int {
		x := b.conv(b.in, c, b.act, b.cin, b.cout, c.Kernel, b.stride, "")
		return b.add(c, ops.ActBN{Act: ops.ReLU, C: b.cout, NoNorm: true}, x)
	}},
	// ReLU, convolution, normalisation.
	"preact_conv": {kernels: []int{1, 3, 5, 7}, add: func(b *block, c Choice) int {
		return b.conv(b.in, c, ops.ReLU, b.cin, b.cout, c.Kernel, b.stride, "")
	}},
	"sep_conv": {kernels: sides, keeps: true, strides: 2, plain: true, add: separable(2, 1)},
	"dil_conv": {kernels: []int{3, 5}, keeps: true, strides: 2, plain: true, add: separable(1, 2)},
	"max_pool": {kernels: []int{3}, keeps: true, strides: 2, plain: true, add: pool(true)},
	"avg_pool": {kernels: []int{3}, keeps: true, strides: 2, plain: true, add: pool(false)},
}

func mbconv(b *block, c Choice) int {
	wide, act, x := c.Expand*b.cin, b.act, b.in
	if c.Expand > 1 {
		x = b.add(c, ops.ConvBN{Act: act, Parts: 1, Cin: b.cin, Cout: wide, Affine: b.affine, Suffix: "1"}, x)
		act = ops.ReLU
	}
	x = b.add(c, ops.Depthwise{Act: act, C: wide, K: c.Kernel, Stride: b.stride, Affine: b.affine, Suffix: "2"}, x)
	x = b.add(c, ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: wide, Cout: b.cout, Affine: b.affine, Suffix: "3"}, x)
	if b.changes() {
		return x
	}
	return b.add(c, ops.NodeSum{}, x, b.in)
}

func separable(stages, dilation int) func(b *block, c Choice) int {
	return func(b *block, c Choice) int {
		return b.add(c, ops.Separable{C: b.cout, K: c.Kernel, Stride: b.stride, Dil: dilation, Stages: stages, Affine: b.affine}, b.in)
	}
}

func pool(max bool) func(b *block, c Choice) int {
	return func(b *block, c Choice) int {
		return b.add(c, ops.PoolBN{Max: max, C: b.cout, Stride: b.stride, Affine: b.affine}, b.in)
	}
}

// block is where candidates stand: between the layer in and the next block.
type block struct {
	n                 *net.Network
	name              string         // layers.3
	in                int            // its input
	act               ops.Activation // that its input still needs
	cin, cout, stride int
	affine            bool
}

// changes says whether the shape changes in the block.
func (b *block) changes() bool { return b.cin != b.cout || b.stride != 1 }

// add adds an operation of a candidate.
func (b *block) add(c Choice, op ops.Op, in ...int) int {
	return b.n.Add(net.Layer{Name: b.name + "." + c.Name(), Op: op, In: in, Candidate: true})
}

// conv adds a dense convolution with normalisation behind an activation.
func (b *block) conv(in int, c Choice, act ops.Activation, cin, cout, kernel, stride int, suffix string) int {
	if kernel == 1 && stride == 1 {
		return b.add(c, ops.ConvBN{Act: act, Parts: 1, Cin: cin, Cout: cout, Affine: b.affine, Suffix: suffix}, in)
	}
	return b.add(c, ops.Conv2D{Act: act, Cin: cin, Cout: cout, R: kernel, S: kernel, StrideH: stride, StrideW: stride, Affine: b.affine, Suffix: suffix}, in)
}
