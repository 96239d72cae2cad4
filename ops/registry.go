package ops

import (
	"fmt"
	"reflect"

	"oneshot/ops/cpu"
)

// host is what an op O needs to run on the processor in type T.
type host[T cpu.Float, O Op] struct {
	forward, backward func(b *CPU[T], o O, c *Call) error
	// saved is Backend.Saved in elements; nil: nothing.
	saved func(o O, in []Shape, out Shape) int
	// scratch is what forward and backward take of the engine's scratch memory, from
	// the shapes of activations and output; nil: nothing.
	scratch func(o O, in []Shape, out Shape) cpu.Scratch
	// temp is how many elements they take of the backend's, see CPU.scratch; nil: none.
	temp func(o O, in []Shape, out Shape) int
	// sums is CPU.SumsGradient; nil: no.
	sums func(o O, of Op) bool
}

// device is what an op O needs to run on a GPU.
type device[O Op] struct {
	// forward and backward add the tasks of a call.
	forward, backward func(l *lowering, o O, c *Call)
	// saved is Backend.Saved in bytes, where an activation has act of them; nil: nothing.
	saved func(o O, in []Shape, out Shape, act int) int
}

// hostKernel is a host of any op, deviceKernel a device.
type (
	hostKernel[T cpu.Float] interface {
		Forward(b *CPU[T], op Op, c *Call) error
		Backward(b *CPU[T], op Op, c *Call) error
		Saved(op Op, in []Shape, out Shape) int
		Scratch(op Op, in []Shape, out Shape) (cpu.Scratch, int)
		Sums(op, of Op) bool
	}
	deviceKernel interface {
		Forward(l *lowering, op Op, c *Call)
		Backward(l *lowering, op Op, c *Call)
		Saved(op Op, in []Shape, out Shape, act int) int
	}
)

func (k host[T, O]) Forward(b *CPU[T], op Op, c *Call) error  { return k.forward(b, op.(O), c) }
func (k host[T, O]) Backward(b *CPU[T], op Op, c *Call) error { return k.backward(b, op.(O), c) }
func (k host[T, O]) Saved(op Op, in []Shape, out Shape) int {
	if k.saved == nil {
		return 0
	}
	return k.saved(op.(O), in, out)
}
func (k host[T, O]) Scratch(op Op, in []Shape, out Shape) (s cpu.Scratch, temp int) {
	if k.scratch != nil {
		s = k.scratch(op.(O), in, out)
	}
	if k.temp != nil {
		temp = k.temp(op.(O), in, out)
	}
	return s, temp
}

func (k host[T, O]) Sums(op, of Op) bool { return k.sums != nil && k.sums(op.(O), of) }

func (k device[O]) Forward(l *lowering, op Op, c *Call)  { k.forward(l, op.(O), c) }
func (k device[O]) Backward(l *lowering, op Op, c *Call) { k.backward(l, op.(O), c) }
func (k device[O]) Saved(op Op, in []Shape, out Shape, act int) int {
	if k.saved == nil {
		return 0
	}
	return k.saved(op.(O), in, out, act)
}

// kernels are what the backends have for an op; nil where one has nothing.
type kernels struct {
	op     Op // of the type, any value
	host32 hostKernel[float32]
	host64 hostKernel[float64]
	device deviceKernel
}

// registry has the kernels of every op by its type. Only init functions add to it.
var registry = map[reflect.Type]kernels{}

// register gives an op its kernels. The file of an op does this; a backend that
// shall not have it gets a zero value.
func register[O Op](h32 host[float32, O], h64 host[float64, O], d device[O]) {
	var o O
	k := kernels{op: o}
	if h32.forward != nil && h64.forward != nil {
		k.host32, k.host64 = h32, h64
	}
	if d.forward != nil {
		k.device = d
	}
	t := reflect.TypeFor[O]()
	if _, ok := registry[t]; ok {
		panic(fmt.Sprintf("ops: %v is registered twice", t))
	}
	registry[t] = k
}

// hostOf is the kernel of an op on the processor; nil if there is none.
func hostOf[T cpu.Float](op Op) hostKernel[T] {
	k := registry[reflect.TypeOf(op)]
	if h, ok := any(k.host32).(hostKernel[T]); ok {
		return h
	}
	h, _ := any(k.host64).(hostKernel[T])
	return h
}

// deviceOf is the kernel of an op on a GPU; nil if there is none.
func deviceOf(op Op) deviceKernel { return registry[reflect.TypeOf(op)].device }

func unknownOp(backend string, op Op) error {
	return fmt.Errorf("ops: backend %s has no kernel for %s", backend, op.Name())
}
