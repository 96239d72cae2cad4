package ops

// Stem is a 3x3 convolution with padding 1, then batch normalisation.
//
// Activation: images x (N,H,W,Cin), which have no gradient. Parameters: conv
// (3,3,Cin,Cout)[, gamma, beta (Cout)]. Output: (N,H,W,Cout).
type Stem struct {
	Cin, Cout int
	Affine    bool
}

func (o Stem) Name() string     { return "stem" }
func (o Stem) Norms() []Norm    { return []Norm{{"bn", o.Cout}} }
func (o Stem) Diff(int) bool    { return false }
func (o Stem) KeepsInput() bool { return true }
func (o Stem) Params() []Param {
	return withNorm([]Param{convParam("conv.weight", o.Cout, o.Cin, 3)}, "bn", o.Cout, o.Affine)
}
func (o Stem) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.Cin)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], x[1], x[2], o.Cout}, nil
}
func (o Stem) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	return Cost{MulAdds: int64(out.Size()) * int64(9*o.Cin), Moved: segment(x, x, 0, out.Size())}
}
