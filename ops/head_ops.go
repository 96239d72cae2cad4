package ops

import "gorgonia.org/tensor"

// Linear is [ReLU,] a fully connected layer: x (N,1,1,In), w (In,Out), b (Out) -> (N,Out).
type Linear struct {
	ReLU    bool
	In, Out int
}

func (o Linear) Name() string     { return "linear" }
func (o Linear) Diff(int) bool    { return true }
func (o Linear) BN() []int        { return nil }
func (o Linear) KeepsInput() bool { return true }
func (o Linear) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantInputs(o, in, 3, 4); err != nil {
		return nil, err
	}
	n := in[0][0]
	if err := wantShape(o, in, 0, n, 1, 1, o.In); err != nil {
		return nil, err
	}
	if err := wantShape(o, in, 1, o.In, o.Out); err != nil {
		return nil, err
	}
	return tensor.Shape{n, o.Out}, wantShape(o, in, 2, o.Out)
}

// SoftmaxXent is the mean cross-entropy of softmax(logits) against the labels
// smoothed by Smoothing: (1-s) on the label plus s/K on every class
// (arXiv 1512.00567, section 7; torch's label_smoothing).
//
// Inputs: logits (N,K), labels (N) holding whole numbers in [0,K). Output: scalar.
type SoftmaxXent struct{ Smoothing float64 }

func (o SoftmaxXent) Name() string     { return "softmax_xent" }
func (o SoftmaxXent) Diff(i int) bool  { return i == 0 }
func (o SoftmaxXent) BN() []int        { return nil }
func (o SoftmaxXent) KeepsInput() bool { return false }
func (o SoftmaxXent) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantInputs(o, in, 2, 2); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), wantShape(o, in, 1, in[0][0])
}

// AddScaled is a + Scale*b of two scalars: the loss with the auxiliary head's.
type AddScaled struct{ Scale float64 }

func (o AddScaled) Name() string     { return "add_scaled" }
func (o AddScaled) Diff(int) bool    { return true }
func (o AddScaled) BN() []int        { return nil }
func (o AddScaled) KeepsInput() bool { return false }
func (o AddScaled) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantInputs(o, in, 2, 0); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), wantShape(o, in, 1)
}
