package ops

import (
	"testing"

	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// TestStandardisesOnce: a device's program standardises all of its weights in one launch,
// for forward and backward together, and ends all of their gradients in its last.
func TestStandardisesOnce(t *testing.T) {
	x := Shape{2, 4, 4, 8}
	top := 0
	piece := func(n int) Mem {
		m := Mem{Region: Arena, Off: top, Len: n}
		top += n
		return m
	}
	b := NewDryCUDA(nil, true)
	for _, r := range []Region{Params, Grad, State} {
		if err := b.Resize(r, 4096); err != nil {
			t.Fatal(err)
		}
	}
	params, state := 0, 0
	var forward, backward []Instr
	for _, op := range []Op{
		Separable{C: 8, K: 3, Stride: 1, Dil: 1, Stages: 2, Standard: true},
		ConvBN{Act: ReLU, Parts: 1, Cin: 8, Cout: 8, Standard: true},
	} {
		in, out := []Shape{x}, x
		c := Call{InShape: Inputs(op, in), OutShape: out, In: []Mem{piece(x.Size())}, DIn: []Mem{piece(x.Size())}}
		c.InNorm, c.DAdd = make([]Mem, len(c.InShape)), make([]Mem, len(c.InShape))
		for _, s := range c.InShape[1:] {
			c.In = append(c.In, Mem{Region: Params, Off: params, Len: s.Size()})
			c.DIn = append(c.DIn, Mem{Region: Grad, Off: params, Len: s.Size()})
			params += s.Size()
		}
		for _, n := range op.Norms() {
			c.State = append(c.State, Mem{Region: State, Off: state, Len: 2 * n.Channels})
			state += 2 * n.Channels
		}
		c.Out, c.DOut, c.OutNorm = piece(out.Size()), piece(out.Size()), piece(NormLen(8))
		c.Saved = piece(b.Saved(op, in, out))
		forward = append(forward, Instr{Kind: Forward, Op: op, Call: c})
		backward = append(backward, Instr{Kind: Backward, Op: op, Call: c})
	}
	bld := cuda.NewBuilder(4)
	if _, err := b.Lower(bld, &Program{Instrs: append(forward, backward...)}, Train); err != nil {
		t.Fatal(err)
	}
	p := bld.Plan()
	for symbol, level := range map[string]int{"standard_fwd": 0, "standard_bwd": p.Levels - 1} {
		n := 0
		for _, l := range p.Launches {
			if l.Symbol == symbol {
				if n++; l.Tasks != 3 || l.Level != level {
					t.Errorf("%s has %d tasks at level %d, want 3 at level %d", symbol, l.Tasks, l.Level, level)
				}
			}
		}
		if n != 1 {
			t.Errorf("%d launches of %s, want 1", n, symbol)
		}
	}
}

// TestStandardScratch: what a program with standardised weights takes is no more than was
// said, for an operation whose coefficients are most of it.
func TestStandardScratch(t *testing.T) {
	for _, op := range []Op{
		ConvBN{Parts: 1, Cin: 2, Cout: 500, Standard: true},
		ConvBN{Parts: 1, Cin: 2, Cout: 500, NoNorm: true, Standard: true},
		Separable{C: 40, K: 3, Stride: 1, Dil: 1, Stages: 1, Standard: true},
	} {
		pool := cpu.NewPool(1)
		defer pool.Close()
		b := NewCPU[float32](pool)
		x := Shape{2, 2, 2, 2}
		if s, ok := op.(Separable); ok {
			x[3] = s.C
		}
		out, err := op.Shape([]Shape{x})
		if err != nil {
			t.Fatal(err)
		}
		top := 0
		piece := func(n int) Mem {
			m := Mem{Region: Arena, Off: top, Len: n}
			top += n
			return m
		}
		c := Call{InShape: Inputs(op, []Shape{x}), OutShape: out}
		for _, s := range c.InShape {
			c.In, c.DIn = append(c.In, piece(s.Size())), append(c.DIn, piece(s.Size()))
		}
		c.InNorm, c.DAdd = make([]Mem, len(c.In)), make([]Mem, len(c.In))
		for _, n := range op.Norms() {
			c.State = append(c.State, piece(2*n.Channels))
			c.OutNorm = piece(NormLen(n.Channels))
		}
		c.Out, c.DOut, c.Saved = piece(out.Size()), piece(out.Size()), piece(b.Saved(op, []Shape{x}, out))
		forward := c
		forward.DIn, forward.DAdd = nil, nil
		p := &Program{Instrs: []Instr{{Kind: Forward, Op: op, Call: forward}, {Kind: Backward, Op: op, Call: c}}, Arena: top}
		if err := p.Run(b, Train, 0.1); err != nil {
			t.Fatal(err)
		}
		if got, want := b.ScratchLen(), b.ScratchFor(1, p); got > want {
			t.Errorf("%+v took %d elements beside its memory, %d were said", op, got, want)
		}
	}
}
