package opstest

import (
	"testing"

	"gorgonia.org/tensor"

	"oneshot/ops"
)

// bench is one case laid out in a machine's memory.
type bench struct {
	m     Machine
	c     Case
	call  ops.Call
	state int
}

// lay puts the case into the machine: every piece in the arena, the state in
// its own region.
func lay(t testing.TB, m Machine, c Case) *bench {
	t.Helper()
	out, err := c.Op.Shape(c.In)
	if err != nil {
		t.Fatal(err)
	}
	ws := m.Workspace(c.Op, c.In, out)
	b := &bench{m: m, c: c}
	top := 0
	alloc := func(n int) ops.Mem {
		at := ops.Mem{Region: ops.Arena, Off: top, Len: n}
		top += (n + 15) / 16 * 16
		return at
	}
	call := &b.call
	call.InShape, call.OutShape, call.Momentum = c.In, out, 0.1
	for i, s := range c.In {
		call.In = append(call.In, alloc(s.TotalSize()))
		d := ops.Mem{}
		if c.Op.Diff(i) {
			d = alloc(s.TotalSize())
		}
		call.DIn = append(call.DIn, d)
	}
	call.Out, call.DOut = alloc(out.TotalSize()), alloc(out.TotalSize())
	call.Saved, call.Scratch = alloc(ws.Saved), alloc(max(ws.Forward, ws.Backward))
	for _, n := range c.Op.BN() {
		call.State = append(call.State, ops.Mem{Region: ops.State, Off: b.state, Len: 2 * n})
		b.state += 2 * n
	}
	m.Resize(ops.State, b.state)
	if err := m.Reserve(top); err != nil {
		t.Fatal(err)
	}
	// Every element starts as rubbish, so that reading one before writing it shows.
	junk := make([]float64, top)
	for i := range junk {
		junk[i] = 1e6
	}
	m.Write(ops.Mem{Region: ops.Arena, Len: top}, junk)
	return b
}

// forward runs the op; states may be nil for zeros.
func (b *bench) forward(t testing.TB, mode ops.Mode, in [][]float64, states []float64) []float64 {
	t.Helper()
	for i, v := range in {
		b.m.Write(b.call.In[i], v)
	}
	if b.state > 0 {
		if states == nil {
			states = make([]float64, b.state)
		}
		b.m.Write(ops.Mem{Region: ops.State, Len: b.state}, states)
	}
	b.call.Mode = mode
	if err := b.m.Forward(b.c.Op, &b.call); err != nil {
		t.Fatal(err)
	}
	return b.m.Read(b.call.Out)
}

// backward runs the op's backward after forward.
func (b *bench) backward(t testing.TB, dOut []float64) [][]float64 {
	t.Helper()
	b.m.Write(b.call.DOut, dOut)
	if err := b.m.Backward(b.c.Op, &b.call); err != nil {
		t.Fatal(err)
	}
	d := make([][]float64, len(b.c.In))
	for i := range b.c.In {
		if b.c.Op.Diff(i) {
			d[i] = b.m.Read(b.call.DIn[i])
		}
	}
	return d
}

func (b *bench) states() []float64 {
	if b.state == 0 {
		return nil
	}
	return b.m.Read(ops.Mem{Region: ops.State, Len: b.state})
}

// size is the number of elements of the case's output.
func (b *bench) size() int { return tensor.Shape(b.call.OutShape).TotalSize() }
