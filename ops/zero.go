package ops

import (
	"oneshot/ops/cpu"
)

// Zero is zeros in the shape of its input, which it does not read: "none" of NAS-Bench-201
// (arXiv 2001.00326).
//
// Activation: x (N,H,W,C), which has no gradient. Output: (N,H,W,C).
type Zero struct{}

func (o Zero) Name() string     { return "zero" }
func (o Zero) Params() []Param  { return nil }
func (o Zero) Norms() []Norm    { return nil }
func (o Zero) Diff(int) bool    { return false }
func (o Zero) KeepsInput() bool { return false }
func (o Zero) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 1, 4); err != nil {
		return nil, err
	}
	return in[0].Clone(), nil
}

// Cost: the zeros are written.
func (o Zero) Cost(_ []Shape, out Shape) Cost { return Cost{Moved: int64(out.Size())} }

func init() {
	register(zeroHost[float32](), zeroHost[float64](), device[Zero]{forward: (*lowering).zero, backward: func(*lowering, Zero, *Call) {}})
}

func zeroHost[T cpu.Float]() host[T, Zero] {
	return host[T, Zero]{forward: (*CPU[T]).zero, backward: (*CPU[T]).zeroBackward}
}

func (b *CPU[T]) zero(_ Zero, c *Call) error {
	b.eng.Clear(b.at(c.Out))
	return nil
}

// zeroBackward has nothing to do: no input has a gradient.
func (b *CPU[T]) zeroBackward(Zero, *Call) error { return nil }

func (l *lowering) zero(_ Zero, c *Call) { l.fill(c.Out, 0, true) }
