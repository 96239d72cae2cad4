package ops

import "gorgonia.org/tensor"

// PoolBN is a 3x3 pooling with padding 1, then batch normalisation. Average
// pooling divides by the number of pixels inside the image
// (count_include_pad=False).
//
// Inputs: x (N,H,W,C)[, gamma, beta (C)]. Output: (N,ceil(H/Stride),ceil(W/Stride),C).
type PoolBN struct {
	Max       bool
	C, Stride int
	Affine    bool
}

func (o PoolBN) Name() string {
	if o.Max {
		return "max_pool_3x3"
	}
	return "avg_pool_3x3"
}
func (o PoolBN) Diff(int) bool    { return true }
func (o PoolBN) BN() []int        { return []int{o.C} }
func (o PoolBN) KeepsInput() bool { return false }
func (o PoolBN) adds() bool       { return true }
func (o PoolBN) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantInputs(o, in, 1+bnInputs(o.Affine), 4); err != nil {
		return nil, err
	}
	x := in[0]
	if x[3] != o.C {
		return nil, shapeErr(o, "input 0 has shape %v, want %d channels", x, o.C)
	}
	return tensor.Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, wantBN(o, in, 1, o.C, o.Affine)
}

// ReLUAvgPool is ReLU, then average pooling KxK without padding, as at the
// start of the auxiliary head.
//
// Inputs: Parts tensors x (N,H,W,C), side by side. Output:
// (N,(H-K)/Stride+1,(W-K)/Stride+1,Parts*C).
type ReLUAvgPool struct{ Parts, K, Stride int }

func (o ReLUAvgPool) Name() string     { return "relu_avg_pool" }
func (o ReLUAvgPool) Diff(int) bool    { return true }
func (o ReLUAvgPool) BN() []int        { return nil }
func (o ReLUAvgPool) KeepsInput() bool { return true }
func (o ReLUAvgPool) adds() bool       { return true }
func (o ReLUAvgPool) Shape(in []tensor.Shape) (tensor.Shape, error) {
	x, err := wantParts(o, in, o.Parts, 0)
	if err != nil {
		return nil, err
	}
	if x[1] < o.K || x[2] < o.K {
		return nil, shapeErr(o, "input 0 has shape %v, smaller than the %dx%d window", x, o.K, o.K)
	}
	return tensor.Shape{x[0], (x[1]-o.K)/o.Stride + 1, (x[2]-o.K)/o.Stride + 1, o.Parts * x[3]}, nil
}

// GlobalAvgPool averages over the pixels: Parts tensors (N,H,W,C), side by
// side -> (N,1,1,Parts*C).
type GlobalAvgPool struct{ Parts int }

func (o GlobalAvgPool) Name() string     { return "global_avg_pool" }
func (o GlobalAvgPool) Diff(int) bool    { return true }
func (o GlobalAvgPool) BN() []int        { return nil }
func (o GlobalAvgPool) KeepsInput() bool { return false }
func (o GlobalAvgPool) adds() bool       { return true }
func (o GlobalAvgPool) Shape(in []tensor.Shape) (tensor.Shape, error) {
	x, err := wantParts(o, in, o.Parts, 0)
	if err != nil {
		return nil, err
	}
	return tensor.Shape{x[0], 1, 1, o.Parts * x[3]}, nil
}
