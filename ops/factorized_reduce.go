package ops

// FactorizedReduce halves the resolution: ReLU, then two 1x1 convolutions of
// stride 2, the second shifted by one pixel, side by side; then batch
// normalisation (DARTS, arXiv 1806.09055, operations).
//
// Activations: Parts tensors x (N,H,W,Cin/Parts) with H and W even, side by side.
// Parameters: conv1 and conv2 (Cin,Cout/2)[, gamma, beta (Cout)]. Output:
// (N,H/2,W/2,Cout).
type FactorizedReduce struct {
	Parts, Cin, Cout int
	Affine           bool
}

func (o FactorizedReduce) Name() string     { return "factorized_reduce" }
func (o FactorizedReduce) Norms() []Norm    { return []Norm{{"bn", o.Cout}} }
func (o FactorizedReduce) Diff(int) bool    { return true }
func (o FactorizedReduce) KeepsInput() bool { return true }
func (o FactorizedReduce) adds() bool       { return true }
func (o FactorizedReduce) Params() []Param {
	half := o.Cout / 2
	return withNorm([]Param{convParam("conv1.weight", half, o.Cin, 1), convParam("conv2.weight", half, o.Cin, 1)}, "bn", o.Cout, o.Affine)
}
func (o FactorizedReduce) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	if o.Parts*x[3] != o.Cin || o.Cout%2 != 0 {
		return nil, shapeErr(o, "%d inputs of shape %v, want %d channels, and an even output width, not %d", o.Parts, x, o.Cin, o.Cout)
	}
	if x[1]%2 != 0 || x[2]%2 != 0 {
		return nil, shapeErr(o, "input 0 has shape %v: height and width must be even to be halved", x)
	}
	return Shape{x[0], x[1] / 2, x[2] / 2, o.Cout}, nil
}

// Cost: only half of the pixels are read, but all have a gradient.
func (o FactorizedReduce) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	return Cost{MulAdds: int64(out.Size()) * int64(o.Cin), Moved: segment(x/2, x/2, x, out.Size())}
}
