package ops

import (
	"fmt"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// SoftmaxXent is the mean cross-entropy of softmax(logits) against the labels
// smoothed by Smoothing: (1-s) on the label plus s/K on every class
// (arXiv 1512.00567, section 7; torch's label_smoothing).
//
// Activations: logits (N,K), labels (N) holding whole numbers in [0,K), which have
// no gradient. Output: scalar.
type SoftmaxXent struct{ Smoothing float64 }

func (o SoftmaxXent) Name() string     { return "softmax_xent" }
func (o SoftmaxXent) Params() []Param  { return nil }
func (o SoftmaxXent) Norms() []Norm    { return nil }
func (o SoftmaxXent) Diff(i int) bool  { return i == 0 }
func (o SoftmaxXent) KeepsInput() bool { return false }
func (o SoftmaxXent) Shape(in []Shape) (Shape, error) {
	if err := wantInputs(o, in, 2, 2); err != nil {
		return nil, err
	}
	return Shape{}, wantShape(o, in, 1, in[0][0])
}

// Cost: logits are too few to count.
func (o SoftmaxXent) Cost([]Shape, Shape) Cost { return Cost{} }

func init() {
	register(xentHost[float32](), xentHost[float64](), device[SoftmaxXent]{forward: (*lowering).xent, backward: (*lowering).xentGrad, saved: xentSavedBytes})
}

func xentHost[T cpu.Float]() host[T, SoftmaxXent] {
	return host[T, SoftmaxXent]{
		forward:  (*CPU[T]).xentForward,
		backward: (*CPU[T]).xentBackward,
		saved:    xentSaved,
	}
}

// xentSaved is the gradient of the logits for a loss gradient of 1.
func xentSaved(_ SoftmaxXent, in []Shape, _ Shape) int { return in[0].Size() }

func xentSavedBytes(o SoftmaxXent, in []Shape, out Shape, _ int) int {
	return 4 * xentSaved(o, in, out)
}

// classes are labels as whole numbers.
type classes []int32

func (b *CPU[T]) xentForward(o SoftmaxXent, c *Call) error {
	n, k := c.InShape[0][0], c.InShape[0][1]
	labels := args[classes](b)
	*labels = (*labels)[:0]
	for i, v := range b.at(c.In[1]) {
		l := int32(v)
		if l < 0 || int(l) >= k || T(l) != v {
			return fmt.Errorf("ops: label %v of image %d is not in [0,%d)", v, i, k)
		}
		*labels = append(*labels, l)
	}
	b.at(c.Out)[0] = b.eng.SoftmaxXent(n, k, b.at(c.In[0]), *labels, o.Smoothing, b.at(c.Saved))
	return nil
}

func (b *CPU[T]) xentBackward(_ SoftmaxXent, c *Call) error {
	b.scaleSaved(c)
	return nil
}

func (l *lowering) xent(o SoftmaxXent, c *Call) {
	cuda.Add(l.b, "xent_fwd", false, &cuda.XentArgs{Logits: l.f32(c.In[0]), Labels: l.f32(c.In[1]), Loss: l.f32(c.Out), DLogits: l.f32(c.Saved),
		Blocks: 1, N: int32(c.InShape[0][0]), K: int32(c.InShape[0][1]), Smoothing: float32(o.Smoothing)})
}

func (l *lowering) xentGrad(_ SoftmaxXent, c *Call) { l.scaleSaved(c) }
