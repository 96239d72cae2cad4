package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

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

func init() {
	register(addScaledHost[float32](), addScaledHost[float64](), device[AddScaled]{forward: (*lowering).addScaled, backward: (*lowering).addScaledGrad})
}

func addScaledHost[T cpu.Float]() host[T, AddScaled] {
	return host[T, AddScaled]{
		forward:  (*CPU[T]).addScaled,
		backward: (*CPU[T]).addScaledBackward,
	}
}

func (b *CPU[T]) addScaled(o AddScaled, c *Call) error {
	b.at(c.Out)[0] = b.at(c.In[0])[0] + T(o.Scale)*b.at(c.In[1])[0]
	return nil
}

func (b *CPU[T]) addScaledBackward(o AddScaled, c *Call) error {
	d := b.at(c.DOut)[0]
	b.at(c.DIn[0])[0], b.at(c.DIn[1])[0] = d, T(o.Scale)*d
	return nil
}

func (l *lowering) addScaled(o AddScaled, c *Call) {
	cuda.Add(l.b, "add_scaled_fwd", false, &cuda.ScalarArgs{A: l.f32(c.In[0]), B: l.f32(c.In[1]), Y: l.f32(c.Out), Blocks: 1, Scale: float32(o.Scale)})
}

func (l *lowering) addScaledGrad(o AddScaled, c *Call) {
	cuda.Add(l.b, "add_scaled_bwd", false, &cuda.ScalarArgs{DY: l.f32(c.DOut), DA: l.f32(c.DIn[0]), DB: l.f32(c.DIn[1]), Blocks: 1, Scale: float32(o.Scale)})
}
