package ops

// AddScaled is a + Scale*b of two scalars: the loss with the auxiliary head's.
type AddScaled struct{ Scale float64 }

func (o AddScaled) Name() string     { return "add_scaled" }
func (o AddScaled) Params() []Param  { return nil }
func (o AddScaled) Norms() []Norm    { return nil }
func (o AddScaled) Diff(int) bool    { return true }
func (o AddScaled) KeepsInput() bool { return false }
func (o AddScaled) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 2, 0); err != nil {
		return nil, err
	}
	return Shape{}, wantShape(o, in, 1)
}

// Cost: two numbers are too few to count.
func (o AddScaled) Cost([]Shape, Shape) Cost { return Cost{} }
