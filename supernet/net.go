package supernet

import (
	"errors"
	"fmt"
	"slices"

	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// Net holds the parameters and batch-normalisation statistics of a supernet,
// or of one architecture. Trainers change it, scorers and evaluations do not;
// it is not safe for use by several goroutines while a trainer steps.
type Net struct {
	cfg     NetConfig
	arch    space.Arch   // nil: the whole supernet
	full    *net.Network // the layers that exist
	layout  *net.Layout  // of full
	widest  int          // values of its largest activation, for one image
	rt      *Runtime
	params  []float32
	state   []float32 // per normalisation: running means, running variances
	tracked []int64   // per normalisation: batches seen
}

// New returns a freshly initialised supernet.
func New(cfg NetConfig, seed uint64, rt *Runtime) (*Net, error) { return newNet(cfg, nil, seed, rt) }

// NewArch returns a freshly initialised network of one architecture, with its
// own width and depth. Only live operations have parameters.
func NewArch(cfg NetConfig, arch space.Arch, seed uint64, rt *Runtime) (*Net, error) {
	if arch == nil {
		return nil, errors.New("supernet: no architecture")
	}
	return newNet(cfg, arch, seed, rt)
}

func newNet(cfg NetConfig, arch space.Arch, seed uint64, rt *Runtime) (*Net, error) {
	n, err := plan(cfg, arch)
	if err != nil {
		return nil, err
	}
	l := n.layout
	n.rt = rt
	n.params, n.state, n.tracked = make([]float32, l.ParamsLen), make([]float32, l.StateLen), make([]int64, len(l.Norms))
	for _, p := range l.Params {
		p.Init(seed, n.param(p))
	}
	for _, b := range l.Norms {
		v := n.state[b.State.Off+b.Channels : b.State.Off+2*b.Channels]
		for i := range v {
			v[i] = 1
		}
	}
	return n, nil
}

// plan is a network without values: enough to build its graphs.
func plan(cfg NetConfig, arch space.Arch) (*Net, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	full, err := cfg.Space.Describe(cfg.Size, arch)
	if err != nil {
		return nil, err
	}
	widest, err := full.Largest()
	if err != nil {
		return nil, err
	}
	return &Net{cfg: cfg, arch: arch, full: full, layout: net.NewLayout(full), widest: widest}, nil
}

// layers are those of the network that an architecture computes.
func (n *Net) layers(arch space.Arch) (*net.Network, error) {
	if n.arch != nil {
		return n.full, nil
	}
	return n.full.Select(arch)
}

func (n *Net) param(p net.Param) []float32 { return n.params[p.Mem.Off : p.Mem.Off+p.Mem.Len] }

// Params is the number of trainable values.
func (n *Net) Params() int64 { return int64(len(n.params)) }

// Runtime is what the network computes on.
func (n *Net) Runtime() *Runtime { return n.rt }

// Inference returns a copy without the auxiliary head and without the cells
// that only it reads: what the classifier computes, and what is exported.
func (n *Net) Inference() (*Net, error) {
	cfg := n.cfg
	cfg.Aux = false
	out, err := newNet(cfg, n.arch, 0, n.rt)
	if err != nil {
		return nil, err
	}
	out.take(n, n.state)
	for i, b := range out.layout.Norms {
		k, _ := n.layout.Norm(b.Name)
		out.tracked[i] = n.tracked[k]
	}
	return out, nil
}

// take copies the parameters of n, which has all of out's, and its statistics as they are in state.
func (out *Net) take(n *Net, state []float32) {
	for _, p := range out.layout.Params {
		from, _ := n.layout.Param(p.Name)
		copy(out.param(p), n.param(n.layout.Params[from]))
	}
	for _, b := range out.layout.Norms {
		k, _ := n.layout.Norm(b.Name)
		from := n.layout.Norms[k].State
		copy(out.state[b.State.Off:b.State.Off+b.State.Len], state[from.Off:from.Off+from.Len])
	}
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
// architecture must be that one. Of a supernet it is the canonical one of its twins.
func (n *Net) pick(arch space.Arch) (space.Arch, error) {
	if err := n.cfg.Space.Check(arch); err != nil {
		return nil, err
	}
	if n.arch == nil {
		arch = n.cfg.Space.Canonical(arch) // twins have the weights, and the score, of one of them
	}
	if n.arch == nil && len(arch) != n.full.Choices {
		return nil, &space.FieldError{Field: "arch", Msg: n.cfg.Space.Format(arch) + " is no path of the supernet: only a network of its own has these layers"}
	}
	if n.arch != nil && !slices.Equal(arch, n.arch) {
		return nil, fmt.Errorf("supernet: network holds only arch %s, not %s", space.Hash(n.cfg.Space, n.arch), space.Hash(n.cfg.Space, arch))
	}
	return arch, nil
}

// Tensors lists all parameters and statistics under torch's names and in
// torch's layouts. The values are copies.
func (n *Net) Tensors() []weights.Tensor {
	ts := n.paramTensors("", n.params)
	for i, b := range n.layout.Norms {
		s := n.state[b.State.Off : b.State.Off+b.State.Len]
		ts = append(ts,
			weights.Tensor{Name: b.Name + runningMean, Shape: []int{b.Channels}, F32: append([]float32(nil), s[:b.Channels]...)},
			weights.Tensor{Name: b.Name + runningVar, Shape: []int{b.Channels}, F32: append([]float32(nil), s[b.Channels:]...)},
			weights.Tensor{Name: b.Name + batchesTracked, Shape: []int{}, I64: []int64{n.tracked[i]}})
	}
	return ts
}

// paramTensors lists values laid out like the parameters, names prefixed.
func (n *Net) paramTensors(prefix string, values []float32) []weights.Tensor {
	var ts []weights.Tensor
	for _, p := range n.layout.Params {
		v := values[p.Mem.Off : p.Mem.Off+p.Mem.Len]
		ts = append(ts, weights.Tensor{Name: prefix + p.Name, Shape: p.File, F32: p.ToFile(v)})
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
	for i, b := range c.layout.Norms {
		s := c.state[b.State.Off : b.State.Off+b.State.Len]
		if err := in.statistics(b.Name, b.Channels, s, &c.tracked[i]); err != nil {
			return err
		}
	}
	if err := in.rest(); err != nil {
		return err
	}
	copy(n.params, c.params)
	copy(n.state, c.state)
	copy(n.tracked, c.tracked)
	return nil
}

// model is the network as engines see it, with the given statistics.
func (n *Net) model(state []float32) engine.Model {
	c := n.cfg
	return engine.Model{Values: engine.Values{Params: n.params, State: state}, Side: c.Image, Classes: c.Classes,
		Widest: n.widest}
}

// path is the architecture arch of the network as engines see it.
func (n *Net) path(arch space.Arch) engine.Path {
	return engine.Path{Name: n.cfg.Space.Format(arch), Compile: func(b ops.Backend, s engine.Spec) (*engine.Graph, error) {
		return n.build(b, arch, s)
	}}
}
