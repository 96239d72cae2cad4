package ops

import (
	"fmt"

	"gorgonia.org/tensor"
)

// bnInputs is the number of batch-normalisation inputs: gamma and beta, or none.
func bnInputs(affine bool) int {
	if affine {
		return 2
	}
	return 0
}

// wantBN checks gamma and beta at inputs i and i+1.
func wantBN(op Op, in []tensor.Shape, i, c int, affine bool) error {
	if !affine {
		return nil
	}
	if err := wantShape(op, in, i, c); err != nil {
		return err
	}
	return wantShape(op, in, i+1, c)
}

// ConvBN is [ReLU,] 1x1 convolution, batch normalisation.
//
// Inputs: Parts tensors x (N,H,W,Cin/Parts), side by side, then w
// (Cin,Cout)[, gamma (Cout), beta (Cout)]. Output: (N,H,W,Cout). With Flatten
// the whole image is one pixel: x (N,H,W,C) with H*W*C = Cin, output
// (N,1,1,Cout); this is a convolution whose kernel covers its input, as in the
// auxiliary head.
type ConvBN struct {
	ReLU, Flatten    bool
	Parts, Cin, Cout int
	Affine           bool
}

func (o ConvBN) Name() string     { return "relu_conv_bn" }
func (o ConvBN) Diff(int) bool    { return true }
func (o ConvBN) BN() []int        { return []int{o.Cout} }
func (o ConvBN) KeepsInput() bool { return true }
func (o ConvBN) adds() bool       { return true }
func (o ConvBN) Shape(in []tensor.Shape) (tensor.Shape, error) {
	x, err := wantParts(o, in, o.Parts, 1+bnInputs(o.Affine))
	if err != nil {
		return nil, err
	}
	c, out := o.Parts*x[3], tensor.Shape{x[0], x[1], x[2], o.Cout}
	if o.Flatten {
		c, out = x[1]*x[2]*x[3], tensor.Shape{x[0], 1, 1, o.Cout}
	}
	if c != o.Cin || o.Flatten && o.Parts != 1 {
		return nil, shapeErr(o, "%d inputs of shape %v, want %d channels", o.Parts, x, o.Cin)
	}
	if err := wantShape(o, in, o.Parts, o.Cin, o.Cout); err != nil {
		return nil, err
	}
	return out, wantBN(o, in, o.Parts+1, o.Cout, o.Affine)
}

// FactorizedReduce halves the resolution: ReLU, then two 1x1 convolutions of
// stride 2, the second shifted by one pixel, side by side; then batch
// normalisation (DARTS, arXiv 1806.09055, operations).
//
// Inputs: Parts tensors x (N,H,W,Cin/Parts) with H and W even, side by side,
// then w1 and w2 (Cin,Cout/2)[, gamma, beta (Cout)]. Output: (N,H/2,W/2,Cout).
type FactorizedReduce struct {
	Parts, Cin, Cout int
	Affine           bool
}

func (o FactorizedReduce) Name() string     { return "factorized_reduce" }
func (o FactorizedReduce) Diff(int) bool    { return true }
func (o FactorizedReduce) BN() []int        { return []int{o.Cout} }
func (o FactorizedReduce) KeepsInput() bool { return true }
func (o FactorizedReduce) adds() bool       { return true }
func (o FactorizedReduce) Shape(in []tensor.Shape) (tensor.Shape, error) {
	x, err := wantParts(o, in, o.Parts, 2+bnInputs(o.Affine))
	if err != nil {
		return nil, err
	}
	if o.Parts*x[3] != o.Cin || o.Cout%2 != 0 {
		return nil, shapeErr(o, "%d inputs of shape %v, want %d channels, and an even output width, not %d", o.Parts, x, o.Cin, o.Cout)
	}
	if x[1]%2 != 0 || x[2]%2 != 0 {
		return nil, shapeErr(o, "input 0 has shape %v: height and width must be even to be halved", x)
	}
	for i := range 2 {
		if err := wantShape(o, in, o.Parts+i, o.Cin, o.Cout/2); err != nil {
			return nil, err
		}
	}
	return tensor.Shape{x[0], x[1] / 2, x[2] / 2, o.Cout}, wantBN(o, in, o.Parts+2, o.Cout, o.Affine)
}

// Stem is a 3x3 convolution with padding 1, then batch normalisation.
//
// Inputs: x (N,H,W,Cin), w (3,3,Cin,Cout)[, gamma, beta (Cout)]. Output:
// (N,H,W,Cout). The images themselves have no gradient.
type Stem struct {
	Cin, Cout int
	Affine    bool
}

func (o Stem) Name() string     { return "stem" }
func (o Stem) Diff(i int) bool  { return i > 0 }
func (o Stem) BN() []int        { return []int{o.Cout} }
func (o Stem) KeepsInput() bool { return true }
func (o Stem) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantInputs(o, in, 2+bnInputs(o.Affine), 4); err != nil {
		return nil, err
	}
	x := in[0]
	if x[3] != o.Cin {
		return nil, shapeErr(o, "input 0 has shape %v, want %d channels", x, o.Cin)
	}
	if err := wantShape(o, in, 1, 3, 3, o.Cin, o.Cout); err != nil {
		return nil, err
	}
	return tensor.Shape{x[0], x[1], x[2], o.Cout}, wantBN(o, in, 2, o.Cout, o.Affine)
}

// Separable is one or two stages of ReLU, depthwise KxK convolution, 1x1
// convolution, batch normalisation. Two stages with dilation 1 are a
// sep_conv (the stride is the first stage's); one stage with dilation 2 is a
// dil_conv. The padding keeps H/Stride by W/Stride.
//
// Inputs: x (N,H,W,C), then for each stage dw (K,K,C), pw (C,C)[, gamma, beta (C)].
// Output: (N,ceil(H/Stride),ceil(W/Stride),C).
type Separable struct {
	C, K, Stride, Dil, Stages int
	Affine                    bool
}

func (o Separable) Name() string {
	if o.Stages == 1 {
		return fmt.Sprintf("dil_conv_%dx%d", o.K, o.K)
	}
	return fmt.Sprintf("sep_conv_%dx%d", o.K, o.K)
}
func (o Separable) Diff(int) bool    { return true }
func (o Separable) KeepsInput() bool { return true }
func (o Separable) adds() bool       { return true }
func (o Separable) BN() []int {
	c := make([]int, o.Stages)
	for i := range c {
		c[i] = o.C
	}
	return c
}
func (o Separable) Shape(in []tensor.Shape) (tensor.Shape, error) {
	per := 2 + bnInputs(o.Affine)
	if err := wantInputs(o, in, 1+o.Stages*per, 4); err != nil {
		return nil, err
	}
	x := in[0]
	if x[3] != o.C {
		return nil, shapeErr(o, "input 0 has shape %v, want %d channels", x, o.C)
	}
	for s := range o.Stages {
		i := 1 + s*per
		if err := wantShape(o, in, i, o.K, o.K, o.C); err != nil {
			return nil, err
		}
		if err := wantShape(o, in, i+1, o.C, o.C); err != nil {
			return nil, err
		}
		if err := wantBN(o, in, i+2, o.C, o.Affine); err != nil {
			return nil, err
		}
	}
	return tensor.Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
