package ops

// Linear is [ReLU,] a fully connected layer. Activation: x (N,1,1,In). Parameters:
// w (In,Out), b (Out). Output: (N,Out).
type Linear struct {
	ReLU    bool
	In, Out int
}

func (o Linear) Name() string     { return "linear" }
func (o Linear) Norms() []Norm    { return nil }
func (o Linear) Diff(int) bool    { return true }
func (o Linear) KeepsInput() bool { return true }
func (o Linear) Params() []Param {
	return []Param{
		{Name: "weight", File: Shape{o.Out, o.In}, Shape: Shape{o.In, o.Out}, Fan: o.In},
		{Name: "bias", File: Shape{o.Out}, Shape: Shape{o.Out}, Fan: o.In},
	}
}
func (o Linear) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 1, 4); err != nil {
		return nil, err
	}
	n := in[0][0]
	return Shape{n, o.Out}, wantShape(o, in, 0, n, 1, 1, o.In)
}

// Cost: one pixel an image is too little to count as moved.
func (o Linear) Cost(in []Shape, out Shape) Cost {
	return Cost{MulAdds: int64(out.Size()) * int64(o.In)}
}
