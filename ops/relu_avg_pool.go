package ops

// ReLUAvgPool is ReLU, then average pooling KxK without padding, as at the
// start of the auxiliary head.
//
// Activations: Parts tensors x (N,H,W,C), side by side. Output:
// (N,(H-K)/Stride+1,(W-K)/Stride+1,Parts*C).
type ReLUAvgPool struct{ Parts, K, Stride int }

func (o ReLUAvgPool) Name() string     { return "relu_avg_pool" }
func (o ReLUAvgPool) Params() []Param  { return nil }
func (o ReLUAvgPool) Norms() []Norm    { return nil }
func (o ReLUAvgPool) Diff(int) bool    { return true }
func (o ReLUAvgPool) KeepsInput() bool { return true }
func (o ReLUAvgPool) adds() bool       { return true }
func (o ReLUAvgPool) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	if x[1] < o.K || x[2] < o.K {
		return nil, shapeErr(o, "input 0 has shape %v, smaller than the %dx%d window", x, o.K, o.K)
	}
	return Shape{x[0], (x[1]-o.K)/o.Stride + 1, (x[2]-o.K)/o.Stride + 1, o.Parts * x[3]}, nil
}

// Cost: nothing is counted of the auxiliary head.
func (o ReLUAvgPool) Cost([]Shape, Shape) Cost { return Cost{} }
