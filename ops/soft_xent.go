package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// SoftXent is the cross-entropy of distributions, for images that were mixed and for a
// teacher's: Weight * Temperature^2 * the mean over images of
// -sum targets * log softmax(logits/Temperature). The square keeps the gradient's size at
// any temperature (Hinton et al. 2015, arXiv 1503.02531, section 2). The loss of a
// teacher's distributions differs from their Kullback-Leibler divergence by their entropy
// only, which has no gradient.
//
// Activations: logits (N,K), targets (N,K), which have no gradient. Output: scalar.
type SoftXent struct {
	Weight      float64 // at least 0
	Temperature float64 // above 0
}

func (o SoftXent) Name() string     { return "soft_xent" }
func (o SoftXent) Params() []Param  { return nil }
func (o SoftXent) Norms() []Norm    { return nil }
func (o SoftXent) Diff(i int) bool  { return i == 0 }
func (o SoftXent) KeepsInput() bool { return false }
func (o SoftXent) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 2, 2); err != nil {
		return nil, err
	}
	if !(o.Weight >= 0) || !(o.Temperature > 0) {
		return nil, shapeErr(o, "weight %g at temperature %g, want at least 0 and above 0", o.Weight, o.Temperature)
	}
	return Shape{}, wantShape(o, in, 1, in[0]...)
}

// Cost: logits are too few to count.
func (o SoftXent) Cost([]Shape, Shape) Cost { return Cost{} }

func init() {
	register(softXentHost[float32](), softXentHost[float64](), device[SoftXent]{
		forward: (*lowering).softXent, backward: (*lowering).softXentGrad, saved: softXentSavedBytes})
}

func softXentHost[T cpu.Float]() host[T, SoftXent] {
	return host[T, SoftXent]{
		forward:  (*CPU[T]).softXentForward,
		backward: (*CPU[T]).softXentBackward,
		saved:    softXentSaved,
	}
}

// softXentSaved is the gradient of the logits for a loss gradient of 1.
func softXentSaved(_ SoftXent, in []Shape, _ Shape) int { return in[0].Size() }

func softXentSavedBytes(o SoftXent, in []Shape, out Shape, _ int) int {
	return 4 * softXentSaved(o, in, out)
}

func (b *CPU[T]) softXentForward(o SoftXent, c *Call) error {
	n, k := c.InShape[0][0], c.InShape[0][1]
	b.at(c.Out)[0] = b.eng.SoftXent(n, k, b.at(c.In[0]), b.at(c.In[1]), o.Weight, o.Temperature, b.at(c.Saved))
	return nil
}

func (b *CPU[T]) softXentBackward(_ SoftXent, c *Call) error {
	b.scaleSaved(c)
	return nil
}

// scaleSaved is the gradient of a loss whose forward pass has left the one for a loss
// gradient of 1.
func (b *CPU[T]) scaleSaved(c *Call) {
	d := b.at(c.DOut)[0]
	dx := b.at(c.DIn[0])
	for i, v := range b.at(c.Saved) {
		dx[i] = d * v
	}
}

func (l *lowering) softXent(o SoftXent, c *Call) {
	cuda.Add(l.b, "soft_xent_fwd", false, &cuda.SoftXentArgs{Logits: l.f32(c.In[0]), Targets: l.f32(c.In[1]), Loss: l.f32(c.Out), DLogits: l.f32(c.Saved),
		Blocks: 1, N: int32(c.InShape[0][0]), K: int32(c.InShape[0][1]), Weight: float32(o.Weight), Temperature: float32(o.Temperature)})
}

func (l *lowering) softXentGrad(_ SoftXent, c *Call) { l.scaleSaved(c) }

// scaleSaved works like the processor's.
func (l *lowering) scaleSaved(c *Call) {
	cuda.Add(l.b, "xent_bwd", false, &cuda.XentArgs{DLogits: l.f32(c.Saved), DLoss: l.f32(c.DOut), DX: l.f32(c.DIn[0]),
		Blocks: 1, N: int32(c.InShape[0][0]), K: int32(c.InShape[0][1])})
}
