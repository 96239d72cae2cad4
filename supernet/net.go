package supernet

import (
	"fmt"

	"oneshot/ops"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// Net holds the parameters and batch-normalisation statistics of a supernet,
// or of one architecture. Trainers change it, scorers and evaluations do not;
// it is not safe for use by several goroutines while a trainer steps.
type Net struct {
	cfg     NetConfig
	arch    *space.Arch // nil: the whole supernet
	rt      *Runtime
	layout  *layout
	params  []float32
	state   []float32 // per normalisation: running means, running variances
	tracked []int64   // per normalisation: batches seen
}

// New returns a freshly initialised supernet.
func New(cfg NetConfig, seed uint64, rt *Runtime) (*Net, error) { return newNet(cfg, nil, seed, rt) }

// NewArch returns a freshly initialised network of one architecture, with its
// own width and depth. Only live operations have parameters.
func NewArch(cfg NetConfig, arch space.Arch, seed uint64, rt *Runtime) (*Net, error) {
	if err := cfg.Space.Check(arch); err != nil {
		return nil, err
	}
	return newNet(cfg, &arch, seed, rt)
}

func newNet(cfg NetConfig, arch *space.Arch, seed uint64, rt *Runtime) (*Net, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	l := newLayout(cfg, arch)
	n := &Net{cfg: cfg, arch: arch, rt: rt, layout: l,
		params: make([]float32, l.nParam), state: make([]float32, l.nState), tracked: make([]int64, len(l.norms))}
	for _, p := range l.params {
		p.init(seed, n.param(p))
	}
	for _, b := range l.norms {
		v := n.state[b.state.Off+b.channels : b.state.Off+2*b.channels]
		for i := range v {
			v[i] = 1
		}
	}
	return n, nil
}

func (n *Net) param(p param) []float32 { return n.params[p.mem.Off : p.mem.Off+p.mem.Len] }

// Params is the number of trainable values.
func (n *Net) Params() int64 { return int64(len(n.params)) }

// Inference returns a copy without the auxiliary head and without the cells
// that only it reads: what the classifier computes, and what is exported.
func (n *Net) Inference() (*Net, error) {
	cfg := n.cfg
	cfg.Aux = false
	out, err := newNet(cfg, n.arch, 0, n.rt)
	if err != nil {
		return nil, err
	}
	for _, p := range out.layout.params {
		copy(out.param(p), n.param(n.layout.params[n.layout.byName[p.name]]))
	}
	for _, b := range out.layout.norms {
		from := n.layout.norms[n.layout.normBy[b.name]]
		copy(out.state[b.state.Off:b.state.Off+b.state.Len], n.state[from.state.Off:from.state.Off+from.state.Len])
		out.tracked[b.index] = n.tracked[from.index]
	}
	return out, nil
}

// clone returns a network with its own copy of all values.
func (n *Net) clone() *Net {
	c := *n
	c.params = append([]float32(nil), n.params...)
	c.state = append([]float32(nil), n.state...)
	c.tracked = append([]int64(nil), n.tracked...)
	return &c
}

// pick returns the architecture to compute: arch, which for a network of one
// architecture must be that one.
func (n *Net) pick(arch space.Arch) (space.Arch, error) {
	if err := n.cfg.Space.Check(arch); err != nil {
		return arch, err
	}
	if n.arch != nil && n.cfg.Space.Format(arch) != n.cfg.Space.Format(*n.arch) {
		return arch, fmt.Errorf("supernet: network holds only arch %s, not %s", n.cfg.Space.Hash(*n.arch), n.cfg.Space.Hash(arch))
	}
	return arch, nil
}

// Tensors lists all parameters and statistics under torch's names and in
// torch's layouts. The values are copies.
func (n *Net) Tensors() []weights.Tensor {
	ts := n.paramTensors("", n.params)
	for _, b := range n.layout.norms {
		s := n.state[b.state.Off : b.state.Off+b.state.Len]
		ts = append(ts,
			weights.Tensor{Name: b.name + ".running_mean", Shape: []int{b.channels}, F32: append([]float32(nil), s[:b.channels]...)},
			weights.Tensor{Name: b.name + ".running_var", Shape: []int{b.channels}, F32: append([]float32(nil), s[b.channels:]...)},
			weights.Tensor{Name: b.name + ".num_batches_tracked", Shape: []int{}, I64: []int64{n.tracked[b.index]}})
	}
	return ts
}

// paramTensors lists values laid out like the parameters, names prefixed.
func (n *Net) paramTensors(prefix string, values []float32) []weights.Tensor {
	var ts []weights.Tensor
	for _, p := range n.layout.params {
		v := values[p.mem.Off : p.mem.Off+p.mem.Len]
		ts = append(ts, weights.Tensor{Name: prefix + p.name, Shape: p.shape, F32: p.toFile(v)})
	}
	return ts
}

// SetTensors loads all parameters and statistics. A missing name, an unknown
// name or another shape is an error that names it, and then nothing changes.
func (n *Net) SetTensors(ts []weights.Tensor) error {
	c := n.clone()
	in := newIncoming(ts)
	if err := in.params(c.layout, "", c.params); err != nil {
		return err
	}
	for _, b := range c.layout.norms {
		s := c.state[b.state.Off : b.state.Off+b.state.Len]
		var mean, variance, tracked weights.Tensor
		for _, f := range []struct {
			name  string
			to    *weights.Tensor
			shape []int
		}{{"running_mean", &mean, []int{b.channels}}, {"running_var", &variance, []int{b.channels}}, {"num_batches_tracked", &tracked, []int{}}} {
			t, err := in.take(b.name+"."+f.name, f.shape)
			if err != nil {
				return err
			}
			*f.to = t
		}
		if mean.F32 == nil || variance.F32 == nil || tracked.I64 == nil {
			return fmt.Errorf("supernet: statistics of %s: want float32 means and variances and an int64 count", b.name)
		}
		copy(s, mean.F32)
		copy(s[b.channels:], variance.F32)
		c.tracked[b.index] = tracked.I64[0]
	}
	if err := in.rest(); err != nil {
		return err
	}
	copy(n.params, c.params)
	copy(n.state, c.state)
	copy(n.tracked, c.tracked)
	return nil
}

// backend returns a backend that runs this network with the given statistics.
func (n *Net) backend(state []float32) *ops.CPU[float32] {
	b := ops.NewCPU[float32](n.rt.pool)
	b.Bind(ops.Params, n.params)
	b.Bind(ops.State, state)
	return b
}
