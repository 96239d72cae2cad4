package kernels

import (
	"math/rand/v2"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// A SeparableCase is a separable convolution with stride 1 on random images, laid
// out alone in a backend's memory: a training step's largest piece, to be measured.
type SeparableCase struct {
	Flops, Bytes int // of one Run, as internal/measure/floor counts them
	b            *ops.CPU[float32]
	op           ops.Separable
	call, read   ops.Call
}

// NewSeparable has n images of side x side pixels and ch channels.
func NewSeparable(p *cpu.Pool, n, side, ch, kernel int) (*SeparableCase, error) {
	op := ops.Separable{C: ch, K: kernel, Stride: 1, Dil: 1, Stages: 2, Affine: true}
	x := ops.Shape{n, side, side, ch}
	out, err := op.Shape([]ops.Shape{x})
	if err != nil {
		return nil, err
	}
	s := &SeparableCase{b: ops.NewCPU[float32](p), op: op}
	e := x.Size()
	s.Flops = 3 * 2 * 2 * e * (kernel*kernel + ch)
	s.Bytes = 4 * (2*6*e + 2*e) // two segments; and who reads the output
	top := 0
	alloc := func(n int) ops.Mem {
		m := ops.Mem{Region: ops.Arena, Off: top, Len: n}
		top += (n + 15) / 16 * 16
		return m
	}
	c := &s.call
	c.InShape, c.OutShape, c.Momentum = ops.Inputs(op, []ops.Shape{x}), out, 0.1
	for _, shape := range c.InShape {
		c.In, c.DIn = append(c.In, alloc(shape.Size())), append(c.DIn, alloc(shape.Size()))
		c.InNorm, c.DAdd = append(c.InNorm, ops.Mem{}), append(c.DAdd, ops.Mem{})
	}
	c.Out, c.DOut, c.OutNorm = alloc(e), alloc(e), alloc(ops.NormLen(ch))
	c.Saved = alloc(s.b.Saved(op, []ops.Shape{x}, out))
	for i := range op.Norms() {
		c.State = append(c.State, ops.Mem{Region: ops.State, Off: 2 * ch * i, Len: 2 * ch})
	}
	s.b.Bind(ops.State, make([]float32, 2*ch*len(c.State)))
	// A node reads the output and normalises on the way; torch's layer does it itself.
	s.read = ops.Call{In: []ops.Mem{c.Out, c.Out}, InShape: []ops.Shape{out, out}, InNorm: []ops.Mem{c.OutNorm, c.OutNorm},
		Out: alloc(e), OutShape: out}
	if err := s.b.Reserve(top); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range append([]ops.Mem{c.DOut}, c.In...) {
		for i := range s.b.At(m) {
			s.b.At(m)[i] = float32(r.NormFloat64())
		}
	}
	return s, nil
}

// Close gives the memory back.
func (s *SeparableCase) Close() { s.b.Close() }

// Run is forward with batch statistics, one pass that reads the normalised
// output, and backward.
func (s *SeparableCase) Run() error {
	if err := s.b.Forward(s.op, &s.call); err != nil {
		return err
	}
	if err := s.b.Forward(ops.NodeSum{}, &s.read); err != nil {
		return err
	}
	return s.b.Backward(s.op, &s.call)
}
