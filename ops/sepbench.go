package ops

import (
	"math/rand/v2"

	"oneshot/ops/cpu"
)

// SepBench is a separable convolution with stride 1 on random images, laid out
// alone in a backend's memory: a training step's largest piece, to be measured.
type SepBench struct {
	Flops, Bytes int // of one Run, as internal/measure/floor counts them
	b            *CPU[float32]
	op           Separable
	call, read   Call
}

// NewSepBench has n images of side x side pixels and ch channels.
func NewSepBench(p *cpu.Pool, n, side, ch, kernel int) (*SepBench, error) {
	op := Separable{C: ch, K: kernel, Stride: 1, Dil: 1, Stages: 2, Affine: true}
	x := Shape{n, side, side, ch}
	out, err := op.Shape([]Shape{x})
	if err != nil {
		return nil, err
	}
	s := &SepBench{b: NewCPU[float32](p), op: op}
	e := x.Size()
	s.Flops = 3 * 2 * 2 * e * (kernel*kernel + ch)
	s.Bytes = 4 * (2*6*e + 2*e) // two segments; and who reads the output
	top := 0
	alloc := func(n int) Mem {
		m := Mem{Region: Arena, Off: top, Len: n}
		top += (n + 15) / 16 * 16
		return m
	}
	c := &s.call
	c.InShape, c.OutShape, c.Momentum = Inputs(op, []Shape{x}), out, 0.1
	for _, shape := range c.InShape {
		c.In, c.DIn = append(c.In, alloc(shape.Size())), append(c.DIn, alloc(shape.Size()))
		c.InNorm, c.DAdd = append(c.InNorm, Mem{}), append(c.DAdd, Mem{})
	}
	c.Out, c.DOut, c.OutNorm = alloc(e), alloc(e), alloc(NormLen(ch))
	c.Saved = alloc(s.b.Saved(op, []Shape{x}, out))
	for i := range op.Norms() {
		c.State = append(c.State, Mem{Region: State, Off: 2 * ch * i, Len: 2 * ch})
	}
	s.b.Bind(State, make([]float32, 2*ch*len(c.State)))
	// A node reads the output and normalises on the way; torch's layer does it itself.
	s.read = Call{In: []Mem{c.Out, c.Out}, InShape: []Shape{out, out}, InNorm: []Mem{c.OutNorm, c.OutNorm},
		Out: alloc(e), OutShape: out}
	if err := s.b.Reserve(top); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range append([]Mem{c.DOut}, c.In...) {
		for i := range s.b.At(m) {
			s.b.At(m)[i] = float32(r.NormFloat64())
		}
	}
	return s, nil
}

// Close gives the memory back.
func (s *SepBench) Close() { s.b.Close() }

// Run is forward with batch statistics, one pass that reads the normalised
// output, and backward.
func (s *SepBench) Run() error {
	if err := s.b.Forward(s.op, &s.call); err != nil {
		return err
	}
	if err := s.b.Forward(NodeSum{}, &s.read); err != nil {
		return err
	}
	return s.b.Backward(s.op, &s.call)
}
