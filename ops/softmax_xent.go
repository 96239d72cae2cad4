package ops

// SoftmaxXent is the mean cross-entropy of softmax(logits) against the labels
// smoothed by Smoothing: (1-s) on the label plus s/K on every class
// (arXiv 1512.00567, section 7; torch's label_smoothing).
//
// Activations: logits (N,K), labels (N) holding whole numbers in [0,K), which have
// no gradient. Output: scalar.
type SoftmaxXent struct{ Smoothing float64 }

func (o SoftmaxXent) Name() string     { return "softmax_xent" }
func (o SoftmaxXent) Params() []Param  { return nil }
func (o SoftmaxXent) Norms() []Norm    { return nil }
func (o SoftmaxXent) Diff(i int) bool  { return i == 0 }
func (o SoftmaxXent) KeepsInput() bool { return false }
func (o SoftmaxXent) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 2, 2); err != nil {
		return nil, err
	}
	return Shape{}, wantShape(o, in, 1, in[0][0])
}

// Cost: logits are too few to count.
func (o SoftmaxXent) Cost([]Shape, Shape) Cost { return Cost{} }
