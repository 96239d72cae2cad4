package ops

// PoolBN is a 3x3 pooling with padding 1, then batch normalisation. Average
// pooling divides by the number of pixels inside the image
// (count_include_pad=False).
//
// Activation: x (N,H,W,C). Parameters: [gamma, beta (C)]. Output:
// (N,ceil(H/Stride),ceil(W/Stride),C).
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
func (o PoolBN) Params() []Param  { return withNorm(nil, "bn", o.C, o.Affine) }
func (o PoolBN) Norms() []Norm    { return []Norm{{"bn", o.C}} }
func (o PoolBN) Diff(int) bool    { return true }
func (o PoolBN) KeepsInput() bool { return false }
func (o PoolBN) adds() bool       { return true }
func (o PoolBN) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.C)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, nil
}
func (o PoolBN) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	return Cost{Moved: segment(x, 0, x, out.Size())}
}
