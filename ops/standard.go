package ops

import (
	"oneshot/ops/cpu"
	"oneshot/ops/cuda"
)

// Weight standardisation (Qiao et al., arXiv 1903.10520), which LaNet uses: an operation
// with Standard multiplies by u instead of its 1x1 weights w (Cin,Cout). For each output
// channel u = (w - mean) / (sd + 1e-5), with mean and unbiased standard deviation over
// its Cin inputs. The paper standardises every convolution, LaNet the 1x1 ones only.

// standardWeight is a weight of an operation that is standardised.
type standardWeight struct {
	input     int // its index among the inputs
	at        int // the processor: where u (Cin,Cout) and then sd (Cout) lie in Call.Saved
	cin, cout int
}

// standardLen is how many elements the processor saves of a standardised weight.
func standardLen(cin, cout int) int { return (cin + 1) * cout }

func (b *CPU[T]) standardSaved(s standardWeight, c *Call) (u, sd []T) {
	n := s.cin * s.cout
	saved := b.at(c.Saved)[s.at:][:standardLen(s.cin, s.cout)]
	return saved[:n], saved[n:]
}

// standardise computes u and sd.
func (b *CPU[T]) standardise(s standardWeight, c *Call) {
	u, sd := b.standardSaved(s, c)
	b.eng.Standardise(s.cin, s.cout, b.at(c.In[s.input]), u, sd)
}

// standardiseGrad turns the gradient of u into the gradient of the weights.
func (b *CPU[T]) standardiseGrad(s standardWeight, c *Call) {
	u, sd := b.standardSaved(s, c)
	b.eng.StandardiseGrad(s.cin, s.cout, u, sd, b.at(c.DIn[s.input]))
}

// withStandard is the scratch memory of a pass some of whose weights, of cout outputs,
// are standardised.
func withStandard(on bool, s cpu.Scratch, cout int) cpu.Scratch {
	if !on {
		return s
	}
	return s.Max(cpu.StandardScratch(cout))
}

// standardAddrs is where u and sd of a weight lie on a device.
type standardAddrs struct{ u, sd cuda.Addr }

// standard adds the standardisation of a weight once: forward and backward of a program
// read the same u. As u depends on the weight alone, all weights of a program are
// standardised by one launch.
func (l *lowering) standard(s standardWeight, c *Call) standardAddrs {
	w := c.In[s.input]
	if out, ok := l.standards[w]; ok {
		return out
	}
	u := l.b.Temp(4 * standardLen(s.cin, s.cout))
	out := standardAddrs{u, u + cuda.Addr(4*s.cin*s.cout)}
	a := standardArgs(s, out)
	a.W = l.f32(w)
	cuda.Add(l.b, "standard_fwd", false, &a)
	if l.standards == nil {
		l.standards = map[Mem]standardAddrs{}
	}
	l.standards[w] = out
	return out
}

// standardGrad adds up the partial sums of the gradient of u, as reduce does, and turns
// it into the gradient of the weight.
func (l *lowering) standardGrad(s standardWeight, c *Call, partial cuda.Addr, splits int) {
	a := standardArgs(s, l.standard(s, c))
	a.Partial, a.DW, a.Splits = partial, l.f32(c.DIn[s.input]), int32(splits)
	cuda.Add(l.b, "standard_bwd", false, &a)
}

func standardArgs(s standardWeight, of standardAddrs) cuda.StandardArgs {
	return cuda.StandardArgs{U: of.u, SD: of.sd, Blocks: int32(ceilDiv(s.cout, 8)), Cin: int32(s.cin), Cout: int32(s.cout)}
}
