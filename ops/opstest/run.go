package opstest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"oneshot/ops"
)

// bench is one case laid out in a machine's memory.
type bench struct {
	m     Machine
	c     Case
	call  ops.Call
	state int         // values of all statistics,
	odd   int         // which begin here in their region
	norms [][]float64 // coefficients of the deferred inputs: scales, then shifts
	added [][]float64 // what was added to the gradients in the last backward
	sums  [2]ops.Mem  // room for sums of the gradients of input 0 and of the output
}

// lay puts the case into the machine: every piece in the arena, the state in
// its own region.
func lay(t testing.TB, m Machine, c Case) *bench {
	t.Helper()
	out, err := c.Op.Shape(c.In)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{m: m, c: c}
	top := 0
	alloc := func(n int) ops.Mem {
		at := ops.Mem{Region: ops.Arena, Off: top, Len: n}
		top += (n + 15) / 16 * 16
		return at
	}
	call := &b.call
	call.InShape, call.OutShape, call.Momentum = ops.Inputs(c.Op, c.In), out, 0.1
	r := rand.New(rand.NewPCG(5, 6))
	for i, s := range call.InShape {
		piece := alloc
		if i >= len(c.In) && c.Odd {
			piece = func(n int) ops.Mem {
				at := alloc(1 + n)
				return ops.Mem{Region: at.Region, Off: at.Off + 1, Len: n}
			}
		}
		call.In = append(call.In, piece(s.Size()))
		var norm, d, add ops.Mem
		if c.diff(i) {
			d = piece(s.Size())
		}
		if c.Deferred && c.activation(i) {
			ch := s[len(s)-1]
			norm = alloc(ops.NormLen(ch))
			v := make([]float64, ops.NormLen(ch))
			for k := range ch {
				v[k], v[ch+k] = float64(float32(0.5+r.Float64())), float64(float32(r.NormFloat64()/4))
				v[2*ch+k] = float64(k%5)/4 - 0.5
				if k%3 == 2 {
					v[k] = -v[k] // gamma may be negative
				}
			}
			b.norms = append(b.norms, v)
			if ops.Adds(c.Op) {
				add = alloc(s.Size())
				if i == 0 {
					add = d // in place
				}
			}
		}
		call.InNorm, call.DIn, call.DAdd = append(call.InNorm, norm), append(call.DIn, d), append(call.DAdd, add)
	}
	call.Out, call.DOut = alloc(out.Size()), alloc(out.Size())
	for i, s := range []ops.Shape{c.In[0], out} {
		if len(s) > 0 {
			b.sums[i] = alloc(2 * s[len(s)-1])
		}
	}
	call.Saved = alloc(m.Saved(c.Op, c.In, out))
	norms := c.Op.Norms()
	if len(norms) > 0 {
		call.OutNorm = alloc(ops.NormLen(out[len(out)-1]))
	}
	if c.Odd {
		b.odd = 1
	}
	for _, n := range norms {
		call.State = append(call.State, ops.Mem{Region: ops.State, Off: b.odd + b.state, Len: 2 * n.Channels})
		b.state += 2 * n.Channels
	}
	if y, ok := m.(typed); ok {
		b.activations(y)
	}
	m.Resize(ops.State, b.odd+b.state)
	if err := m.Reserve(top); err != nil {
		t.Fatal(err)
	}
	// Every element starts as rubbish, so that reading one before writing it shows.
	junk := make([]float64, top)
	for i := range junk {
		junk[i] = 1e6
	}
	m.Write(ops.Mem{Region: ops.Arena, Len: top}, junk)
	for i, v := range b.norms {
		m.Write(call.InNorm[i], v)
	}
	return b
}

// activations tells the machine which memory holds activations.
func (b *bench) activations(y typed) {
	for i := range b.c.In {
		if b.c.activation(i) {
			y.Activation(b.call.In[i])
			y.Activation(b.call.DIn[i])
			y.Activation(b.call.DAdd[i])
		}
	}
	if len(b.call.OutShape) == 4 {
		y.Activation(b.call.Out)
		y.Activation(b.call.DOut)
	}
}

// forward runs the op and returns its output, normalised; states may be nil for
// zeros.
func (b *bench) forward(t testing.TB, mode ops.Mode, in [][]float64, states []float64) []float64 {
	t.Helper()
	for i, v := range in {
		b.m.Write(b.call.In[i], v)
	}
	if b.state > 0 {
		if states == nil {
			states = make([]float64, b.state)
		}
		b.m.Write(ops.Mem{Region: ops.State, Off: b.odd, Len: b.state}, states)
	}
	b.call.Mode = mode
	if err := b.m.Forward(b.c.Op, &b.call); err != nil {
		t.Fatal(err)
	}
	y := b.m.Read(b.call.Out)
	if b.call.OutNorm.Len > 0 {
		coef := b.m.Read(b.call.OutNorm)
		ch := len(coef) / ops.NormLen(1)
		for i := range y {
			y[i] = coef[i%ch]*y[i] + coef[ch+i%ch]
		}
	}
	return y
}

// backward runs the op's backward after forward and returns the gradients,
// without what was to be added to them.
func (b *bench) backward(t testing.TB, dOut []float64) [][]float64 {
	t.Helper()
	b.m.Write(b.call.DOut, dOut)
	r := rand.New(rand.NewPCG(7, 8))
	added := make([][]float64, len(b.call.In))
	for i, m := range b.call.DAdd {
		if m.Len > 0 {
			added[i] = normal(r, m.Len)
			b.m.Write(m, added[i])
		}
	}
	call := b.call
	if call.OutNorm.Len == 0 {
		call.Out = ops.Mem{} // which without normalisation may be gone by then
	}
	if !b.c.Op.KeepsInput() { // as the activations then may be
		call.In = slices.Clone(call.In)
		for i := range call.In {
			if b.c.activation(i) {
				call.In[i] = ops.Mem{}
			}
		}
	}
	if err := b.m.Backward(b.c.Op, &call); err != nil {
		t.Fatal(err)
	}
	b.added = added
	d := make([][]float64, len(b.call.In))
	for i := range d {
		if b.c.diff(i) {
			d[i] = b.m.Read(b.call.DIn[i])
			for k, v := range added[i] {
				d[i][k] -= v
			}
		}
	}
	return d
}

func (b *bench) states() []float64 {
	if b.state == 0 {
		return nil
	}
	return b.m.Read(ops.Mem{Region: ops.State, Off: b.odd, Len: b.state})
}

// size is the number of elements of the case's output.
func (b *bench) size() int { return b.call.OutShape.Size() }
