package ops

import (
	"oneshot/internal/setting"
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// SGD is stochastic gradient descent with momentum, as torch.optim.SGD without
// dampening:
//
//	g = scale*gradient + decay*w
//	v = momentum*v + g
//	w = w - lr*v, with Nesterov's momentum w - lr*(g + momentum*v)
type SGD struct {
	Momentum float64 `yaml:"momentum" json:"momentum" default:"0.9" want:"[0,1)" doc:"of sgd: how much of the last step's direction is kept"`
	Nesterov bool    `yaml:"nesterov" json:"nesterov" rule:"true needs a momentum above 0" doc:"of sgd: Nesterov's form of momentum"`
}

func (o SGD) Name() string    { return "sgd" }
func (o SGD) Slots() []string { return []string{"momentum"} }
func (o SGD) Check() error    { return setting.First("ops", o) }

// Rules implements setting.Ruled.
func (o SGD) Rules() []setting.Rule {
	return []setting.Rule{{Name: "nesterov", OK: !o.Nesterov || o.Momentum != 0, Want: "@momentum above 0"}}
}

func init() {
	registerOptimizer(rule[SGD]{host32: sgdHost[float32], host64: sgdHost[float64], device: (*lowering).sgd})
}

// sgdRule is a step of SGD on the processor.
type sgdRule[T cpu.Float] struct {
	lr, mu, wd, scale T
	nesterov          bool
}

func sgdHost[T cpu.Float](b *CPU[T], o SGD, u Update) cpu.Rule[T] {
	r := args[sgdRule[T]](b)
	*r = sgdRule[T]{T(u.LR), T(o.Momentum), T(u.Decay), T(u.Scale), o.Nesterov}
	return r
}

// Apply implements cpu.Rule.
func (r *sgdRule[T]) Apply(p cpu.Param[T]) {
	w, g, v := p.W, p.G[:len(p.W)], p.S[0][:len(p.W)]
	if r.nesterov {
		for i, x := range w {
			d := r.scale*g[i] + r.wd*x
			u := r.mu*v[i] + d
			v[i] = u
			w[i] = x - r.lr*(d+r.mu*u)
		}
		return
	}
	for i, x := range w {
		u := r.mu*v[i] + (r.scale*g[i] + r.wd*x)
		v[i] = u
		w[i] = x - r.lr*u
	}
}

func (l *lowering) sgd(o SGD, p devicePiece, decay float64) {
	cuda.Add(l.b, "sgd", false, &cuda.SGDArgs{W: p.w, G: p.g, V: p.slots[0], Blocks: p.blocks, N: int32(p.n),
		Mu: float32(o.Momentum), WD: float32(decay), Nesterov: b32(o.Nesterov)})
}
