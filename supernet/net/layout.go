package net

import (
	"math"

	"oneshot/internal/rng"
	"oneshot/ops"
)

// Param is a parameter of a network: its whole name, and where its values lie.
type Param struct {
	ops.Param
	Name string  // such as cells.0.pre0.conv.weight
	Mem  ops.Mem // of region ops.Param
}

// Norm is a batch normalisation of a network.
type Norm struct {
	Name     string // such as cells.0.pre0.bn
	Channels int
	State    ops.Mem // of region ops.State: running means, then variances
}

// Layout places the parameters and statistics of a network's layers one after the
// other, in the order of the layers.
type Layout struct {
	Params    []Param
	Norms     []Norm
	ParamsLen int // values of all parameters
	StateLen  int // values of all statistics

	layers []span
	params map[string]int
	norms  map[string]int
}

// span is what a layer has of the layout.
type span struct{ params, norms [2]int }

// NewLayout lays out every layer of n.
func NewLayout(n *Network) *Layout {
	l := &Layout{params: map[string]int{}, norms: map[string]int{}}
	for _, layer := range n.Layers {
		s := span{params: [2]int{len(l.Params)}, norms: [2]int{len(l.Norms)}}
		if layer.Op != nil {
			for _, p := range layer.Op.Params() {
				l.addParam(layer.Name+"."+p.Name, p)
			}
			for _, m := range layer.Op.Norms() {
				l.addNorm(layer.Name+"."+m.Name, m.Channels)
			}
		}
		s.params[1], s.norms[1] = len(l.Params), len(l.Norms)
		l.layers = append(l.layers, s)
	}
	return l
}

func (l *Layout) addParam(name string, p ops.Param) {
	n := p.Shape.Size()
	l.params[name] = len(l.Params)
	l.Params = append(l.Params, Param{Param: p, Name: name, Mem: ops.Mem{Region: ops.Params, Off: l.ParamsLen, Len: n}})
	l.ParamsLen += n
}

func (l *Layout) addNorm(name string, channels int) {
	l.norms[name] = len(l.Norms)
	l.Norms = append(l.Norms, Norm{Name: name, Channels: channels, State: ops.Mem{Region: ops.State, Off: l.StateLen, Len: 2 * channels}})
	l.StateLen += 2 * channels
}

// Of are the parameters of a layer, and the index of its first normalisation with
// their number. The layer must be of the network that was laid out, or of a path of it.
func (l *Layout) Of(layer Layer) (params []Param, norm, norms int) {
	s := l.layers[layer.stored]
	return l.Params[s.params[0]:s.params[1]], s.norms[0], s.norms[1] - s.norms[0]
}

// Param is the index of a parameter by its name.
func (l *Layout) Param(name string) (int, bool) { i, ok := l.params[name]; return i, ok }

// Norm is the index of a batch normalisation by its name.
func (l *Layout) Norm(name string) (int, bool) { i, ok := l.norms[name]; return i, ok }

// Init draws the parameter's initial values as torch does by default: uniform
// in +-1/sqrt(fan in). The stream is the parameter's own, so a value does not
// depend on which other parameters exist.
func (p Param) Init(seed uint64, dst []float32) {
	if p.Fan == 0 {
		for i := range dst {
			dst[i] = p.Fill
		}
		return
	}
	r := rng.New(seed, "init/"+p.Name)
	bound := 1 / math.Sqrt(float64(p.Fan))
	for i := range dst {
		dst[i] = float32((2*r.Float64() - 1) * bound)
	}
}

// ToFile and FromFile convert between the memory layout (R,S,I,O) and torch's
// (O,I,R,S); a linear layer is a convolution of one pixel.
func (p Param) ToFile(mem []float32) []float32 {
	out := make([]float32, len(mem))
	p.permute(func(file, m int) { out[file] = mem[m] })
	return out
}

// FromFile works like ToFile the other way round.
func (p Param) FromFile(file, mem []float32) {
	p.permute(func(f, m int) { mem[m] = file[f] })
}

func (p Param) permute(f func(file, mem int)) {
	o, i, rs := p.File[0], 1, 1
	if len(p.File) > 1 {
		i = p.File[1]
	}
	for _, s := range p.File[min(2, len(p.File)):] {
		rs *= s
	}
	for oo := range o {
		for ii := range i {
			for k := range rs {
				f((oo*i+ii)*rs+k, (k*i+ii)*o+oo)
			}
		}
	}
}
