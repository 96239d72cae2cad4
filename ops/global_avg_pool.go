package ops

// GlobalAvgPool averages over the pixels: Parts tensors (N,H,W,C), side by
// side -> (N,1,1,Parts*C).
type GlobalAvgPool struct{ Parts int }

func (o GlobalAvgPool) Name() string     { return "global_avg_pool" }
func (o GlobalAvgPool) Params() []Param  { return nil }
func (o GlobalAvgPool) Norms() []Norm    { return nil }
func (o GlobalAvgPool) Diff(int) bool    { return true }
func (o GlobalAvgPool) KeepsInput() bool { return false }
func (o GlobalAvgPool) adds() bool       { return true }
func (o GlobalAvgPool) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], 1, 1, o.Parts * x[3]}, nil
}

// Cost: the last cell is read and its gradient written.
func (o GlobalAvgPool) Cost(in []Shape, _ Shape) Cost { return Cost{Moved: 2 * int64(sizes(in))} }
