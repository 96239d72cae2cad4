package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// interpreted holds the buffers of one op under gorgonia's own machines
// (TapeMachine). They serve only as a check in tests: inputs are copied in and
// results out, on one thread, in Train mode, and the running statistics of
// batch normalisation are discarded.
type interpreted struct {
	call ops.Call
	dIn  []gorgonia.Value
	run  func(backward bool, in []gorgonia.Value) (gorgonia.Value, error)
}

// Do runs the op forward on gorgonia values.
func (o *forwardOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if o.slow == nil {
		o.slow = &interpreted{}
		switch o.kinds.dt {
		case tensor.Float32:
			interpret[float32](o.applied)
		case tensor.Float64:
			interpret[float64](o.applied)
		default:
			return nil, fmt.Errorf("ops: %s: no kernels for %v", o.op.Name(), o.kinds.dt)
		}
	}
	return o.slow.run(false, in)
}

// Do runs the op backward; the other gradients are left for the pick nodes.
func (o *backwardOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if o.slow == nil {
		return nil, fmt.Errorf("ops: %s: backward before forward", o.op.Name())
	}
	return o.slow.run(true, in)
}

// Do returns a gradient its backward node computed.
func (o *pickOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.slow.dIn[o.i], nil }

func interpret[T cpu.Float](a *applied) {
	b := ops.NewCPU[T](cpu.NewPool(1))
	var p planner
	c := &a.slow.call
	*c = ops.Call{InShape: a.all, OutShape: a.out, Mode: ops.Train}
	for i, s := range a.all {
		c.In = append(c.In, p.alloc(s.Size()))
		var d ops.Mem
		if i >= len(a.in) || a.op.Diff(i) {
			d = p.alloc(s.Size())
		}
		c.DIn = append(c.DIn, d)
	}
	c.InNorm, c.DAdd = make([]ops.Mem, len(a.all)), make([]ops.Mem, len(a.all))
	c.Out, c.DOut = p.alloc(a.out.Size()), p.alloc(a.out.Size())
	c.Saved = p.alloc(b.Saved(a.op, a.in, a.out))
	if a.normed {
		c.OutNorm = p.alloc(ops.NormLen(a.out[len(a.out)-1]))
	}
	state := 0
	for _, m := range a.state {
		c.State = append(c.State, ops.Mem{Region: ops.State, Off: state, Len: m.Len})
		state += m.Len
	}
	b.Bind(ops.State, make([]T, state))
	if err := b.Reserve(p.Top()); err != nil {
		panic(err) // host memory: cannot fail
	}
	a.slow.run = func(backward bool, in []gorgonia.Value) (gorgonia.Value, error) {
		for i := range a.in {
			copyIn(b.At(c.In[i]), in[i])
		}
		if a.bundle != nil {
			all := in[len(a.in)].Data().([]T)
			for _, m := range c.In[len(a.in):] {
				all = all[copy(b.At(m), all):]
			}
		}
		if !backward {
			if err := b.Forward(a.op, c); err != nil {
				return nil, err
			}
			y := b.At(c.Out)
			if a.normed {
				y = normalised(y, b.At(c.OutNorm))
			}
			return newValue(y, a.out), nil
		}
		copyIn(b.At(c.DOut), in[len(in)-1])
		if err := b.Backward(a.op, c); err != nil {
			return nil, err
		}
		a.slow.dIn = make([]gorgonia.Value, a.arity())
		for i, s := range a.in {
			if a.op.Diff(i) {
				a.slow.dIn[i] = newValue(b.At(c.DIn[i]), s)
			}
		}
		if a.bundle != nil {
			var all []T
			for _, m := range c.DIn[len(a.in):] {
				all = append(all, b.At(m)...)
			}
			a.slow.dIn[len(a.in)] = newValue(all, ops.Shape{len(all)})
		}
		return a.slow.dIn[a.primary()], nil
	}
}

// normalised applies the coefficients of a raw output.
func normalised[T cpu.Float](z, norm []T) []T {
	c := len(norm) / ops.NormLen(1)
	y := make([]T, len(z))
	for i, v := range z {
		y[i] = norm[i%c]*v + norm[c+i%c]
	}
	return y
}

func copyIn[T cpu.Float](dst []T, v gorgonia.Value) {
	switch d := v.Data().(type) {
	case []T:
		copy(dst, d)
	case T:
		dst[0] = d
	}
}

func newValue[T cpu.Float](src []T, s ops.Shape) gorgonia.Value {
	if len(s) == 0 {
		if v, ok := any(src[0]).(float64); ok {
			return gorgonia.NewF64(v)
		}
		return gorgonia.NewF32(float32(src[0]))
	}
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(append([]T(nil), src...)))
}
