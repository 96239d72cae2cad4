package ops

import (
	"math"

	"oneshot/internal/setting"
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// AdamW is Adam with decoupled weight decay (arXiv 1711.05101, algorithm 2), as
// torch.optim.AdamW:
//
//	g = scale*gradient
//	w = w - lr*decay*w
//	m = beta1*m + (1-beta1)*g
//	v = beta2*v + (1-beta2)*g*g
//	w = w - lr/(1-beta1^t) * m / (sqrt(v)/sqrt(1-beta2^t) + eps)
//
// t counts the steps that a parameter took part in, not those of the training: a path
// of a supernet updates its own parameters only. So every value keeps its count.
type AdamW struct {
	Beta1 float64 `yaml:"beta1" json:"beta1" default:"0.9" want:"[0,1)" doc:"of adamw: decay of the average of the gradient"`
	Beta2 float64 `yaml:"beta2" json:"beta2" default:"0.999" want:"[0,1)" doc:"of adamw: decay of the average of the gradient's square"`
	Eps   float64 `yaml:"eps" json:"eps" default:"1e-8" want:"[1e-30,1]" doc:"of adamw: what is added to the root of that average"` // 1e-30, so that float32 has it
}

func (o AdamW) Name() string    { return "adamw" }
func (o AdamW) Slots() []string { return []string{"exp_avg", "exp_avg_sq", "step"} }
func (o AdamW) Check() error    { return setting.First("ops", o) }

func init() {
	registerOptimizer(rule[AdamW]{host32: adamwHost[float32], host64: adamwHost[float64], device: (*lowering).adamw})
}

// adamwRule is a step of AdamW on the processor.
type adamwRule[T cpu.Float] struct {
	o AdamW
	u Update
}

func adamwHost[T cpu.Float](b *CPU[T], o AdamW, u Update) cpu.Rule[T] {
	r := args[adamwRule[T]](b)
	*r = adamwRule[T]{o, u}
	return r
}

// Apply implements cpu.Rule.
func (r *adamwRule[T]) Apply(p cpu.Param[T]) {
	w, g, m, v, t := p.W, p.G[:len(p.W)], p.S[0][:len(p.W)], p.S[1][:len(p.W)], p.S[2][:len(p.W)]
	scale, keep, eps := T(r.u.Scale), T(1-r.u.LR*r.u.Decay), T(r.o.Eps)
	b1, b2 := T(r.o.Beta1), T(r.o.Beta2)
	c1, c2 := T(1-r.o.Beta1), T(1-r.o.Beta2)
	steps := T(-1) // for which the next two are; neighbours have mostly the same
	var size, root T
	for i, x := range w {
		if n := t[i] + 1; n != steps {
			steps = n
			size = T(r.u.LR / (1 - math.Pow(r.o.Beta1, float64(n))))
			root = T(math.Sqrt(1 - math.Pow(r.o.Beta2, float64(n))))
		}
		d := scale * g[i]
		t[i] = steps
		m[i] = b1*m[i] + c1*d
		v[i] = b2*v[i] + c2*d*d
		w[i] = x*keep - size*m[i]/(T(math.Sqrt(float64(v[i])))/root+eps)
	}
}

func (l *lowering) adamw(o AdamW, p devicePiece, decay float64) {
	cuda.Add(l.b, "adamw", false, &cuda.AdamWArgs{W: p.w, G: p.g, M: p.slots[0], V: p.slots[1], T: p.slots[2], Blocks: p.blocks, N: int32(p.n),
		Beta1: float32(o.Beta1), Beta2: float32(o.Beta2), Rest1: float32(1 - o.Beta1), Rest2: float32(1 - o.Beta2),
		Log1: float32(math.Log(o.Beta1)), Log2: float32(math.Log(o.Beta2)), Eps: float32(o.Eps), WD: float32(decay)})
}
