package ops

import (
	"fmt"
	"reflect"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Optimizer is the rule by which a step changes parameters along their gradient, value
// by value: a rule that needs the norm of a whole parameter does not fit. It
// is a small comparable value; what it remembers of every parameter lies in slots,
// arrays as long as the parameters, that begin as zeros.
type Optimizer interface {
	// Name is what configurations call the rule.
	Name() string
	// Slots names the arrays, as checkpoints do. Array i is region Slot(i).
	Slots() []string
	// Check reports the first setting out of range, as a *setting.Error.
	Check() error
}

// Descent names an optimizer. It has the settings of all there are.
type Descent struct {
	Optimizer string `yaml:"optimizer" json:"optimizer" default:"sgd" want:"sgd|adamw" doc:"by which rule a step changes the weights: sgd has momentum and nesterov, adamw has beta1, beta2 and eps"`
	SGD       `yaml:",inline"`
	AdamW     `yaml:",inline"`
}

// Rule is the optimizer of that name with its settings; nil if there is none.
func (d Descent) Rule() Optimizer {
	for _, o := range []Optimizer{d.SGD, d.AdamW} {
		if o.Name() == d.Optimizer {
			return o
		}
	}
	return nil
}

// Update is what changes from one use of an optimizer to the next.
type Update struct {
	LR    float64 // learning rate
	Decay float64 // weight decay; how it acts is the rule's business
	Scale float64 // the gradients are multiplied by it first
}

// maxSlots is the most slots that an optimizer may have: there are as many regions.
const maxSlots = len(cpu.Param[float32]{}.S)

var _ = [1]bool{int(Slot2-Slot0) + 1 - maxSlots: true} // does not compile otherwise

// Slot is the region of an optimizer's i-th array, at the parameters' offsets.
func Slot(i int) Region { return Slot0 + Region(i) }

// rule is what the backends have for an optimizer O.
type rule[O Optimizer] struct {
	host32 func(b *CPU[float32], o O, u Update) cpu.Rule[float32]
	host64 func(b *CPU[float64], o O, u Update) cpu.Rule[float64]
	// device adds the update of one piece of the parameters, with this weight decay.
	// The learning rate is Run's, the scale Control's or without one Run.A.
	device func(l *lowering, o O, p devicePiece, decay float64)
}

// devicePiece is a piece of the parameters in a device's memory.
type devicePiece struct {
	w, g   cuda.Addr // values and gradients
	slots  [maxSlots]cuda.Addr
	n      int
	blocks int32
}

// anyRule is a rule of any optimizer.
type anyRule interface {
	host(b any, o Optimizer, u Update) any
	lower(l *lowering, o Optimizer, p devicePiece, decay float64)
}

func (r rule[O]) host(b any, o Optimizer, u Update) any {
	switch b := b.(type) {
	case *CPU[float32]:
		return r.host32(b, o.(O), u)
	case *CPU[float64]:
		return r.host64(b, o.(O), u)
	}
	return nil
}

func (r rule[O]) lower(l *lowering, o Optimizer, p devicePiece, decay float64) {
	r.device(l, o.(O), p, decay)
}

// registered is a rule and how many slots its optimizer has.
type registered struct {
	anyRule
	slots int
}

// rules has every optimizer by its type. Only init functions add to it.
var rules = map[reflect.Type]registered{}

// registerOptimizer makes an optimizer known to the backends. Its file does this.
func registerOptimizer[O Optimizer](r rule[O]) {
	t := reflect.TypeFor[O]()
	n := len((*new(O)).Slots())
	if n > maxSlots {
		panic(fmt.Sprintf("ops: %v has %d slots, at most %d are possible", t, n, maxSlots))
	}
	if _, ok := rules[t]; ok {
		panic(fmt.Sprintf("ops: %v is registered twice", t))
	}
	rules[t] = registered{r, n}
}

func ruleOf(o Optimizer) (registered, error) {
	r, ok := rules[reflect.TypeOf(o)]
	if !ok {
		return r, fmt.Errorf("ops: no backend knows the optimizer %s", o.Name())
	}
	return r, nil
}

// Update implements Backend.
func (b *CPU[T]) Update(o Optimizer, ms []Mem, u Update) error {
	r, err := ruleOf(o)
	if err != nil {
		return err
	}
	at := func(m Mem, r Region) []T { return b.at(Mem{Region: r, Off: m.Off, Len: m.Len}) }
	b.params = b.params[:0]
	for _, m := range ms {
		p := cpu.Param[T]{W: at(m, Params), G: at(m, Grad)}
		for i := range r.slots {
			p.S[i] = at(m, Slot(i))
		}
		b.params = append(b.params, p)
	}
	b.eng.Update(b.params, r.host(b, o, u).(cpu.Rule[T]))
	return nil
}

// Update implements Backend.
func (b *CUDA) Update(o Optimizer, ms []Mem, u Update) error {
	run := cuda.Run{LR: float32(u.LR), A: float32(u.Scale)}
	return b.now(run, func(l *lowering) error { return l.update(o, ms, u.Decay) })
}

// update adds the update of pieces of the parameters.
func (l *lowering) update(o Optimizer, ms []Mem, decay float64) error {
	r, err := ruleOf(o)
	if err != nil {
		return err
	}
	for _, m := range ms {
		at := func(r Region) cuda.Addr { return l.f32(Mem{Region: r, Off: m.Off, Len: m.Len}) }
		p := devicePiece{w: at(Params), g: at(Grad), n: m.Len, blocks: int32(max(1, ceilDiv(m.Len, 2048)))}
		for i := range r.slots {
			p.slots[i] = at(Slot(i))
		}
		r.lower(l, o, p, decay)
	}
	return nil
}

// Update adds the update of the parameters ms to the plan. The learning rate is
// cuda.Run's.
func (l *Lowered) Update(o Optimizer, ms []Mem, decay float64) error {
	return l.low.update(o, ms, decay)
}
