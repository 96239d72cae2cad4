package supernet

import (
	"fmt"
	"math"

	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/space"
)

// param is one named parameter. On file it has torch's layout: (O,I,R,S) for a
// convolution, (O,I) for a linear layer, (C) for a vector. In memory it is
// (R,S,I,O), (I,O), (C), so that channels are innermost as in NHWC.
type param struct {
	name  string
	shape []int // torch's
	mem   ops.Mem
	fan   int     // inputs of one output; 0 for constants
	fill  float32 // initial value when fan is 0
}

// norm is one batch normalisation: its parameters and its running statistics.
type norm struct {
	name        string
	channels    int
	state       ops.Mem // means, then variances
	gamma, beta int     // indices of parameters, -1 without affine
	index       int
}

// layout is the complete list of a network's parameters and normalisations.
type layout struct {
	params []param
	norms  []norm
	byName map[string]int
	normBy map[string]int
	nParam int
	nState int
	affine bool
}

func (l *layout) add(name string, fan int, fill float32, shape ...int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	l.byName[name] = len(l.params)
	l.params = append(l.params, param{name: name, shape: shape, fan: fan, fill: fill,
		mem: ops.Mem{Region: ops.Params, Off: l.nParam, Len: n}})
	l.nParam += n
	return len(l.params) - 1
}

func (l *layout) conv(name string, out, in, r, s int) { l.add(name, in*r*s, 0, out, in, r, s) }

func (l *layout) norm(name string, c int) {
	n := norm{name: name, channels: c, gamma: -1, beta: -1, index: len(l.norms),
		state: ops.Mem{Region: ops.State, Off: l.nState, Len: 2 * c}}
	l.nState += 2 * c
	if l.affine {
		n.gamma = l.add(name+".weight", 0, 1, c)
		n.beta = l.add(name+".bias", 0, 0, c)
	}
	l.normBy[name] = n.index
	l.norms = append(l.norms, n)
}

func (l *layout) linear(name string, out, in int) {
	l.add(name+".weight", in, 0, out, in)
	l.add(name+".bias", in, 0, out)
}

// newLayout lists the parameters of every candidate of every edge, or with
// arch only of that architecture's live operations.
func newLayout(c NetConfig, arch *space.Arch) *layout {
	l := &layout{byName: map[string]int{}, normBy: map[string]int{}, affine: c.Affine}
	var used map[string]bool // operation prefixes the architecture computes
	if arch != nil {
		used = liveNames(c, *arch)
	}
	want := func(prefix string) bool { return used == nil || used[prefix] }

	stem := c.StemMultiplier * c.Channels
	l.conv("stem.conv.weight", stem, 3, 3, 3)
	l.norm("stem.bn", stem)
	for _, g := range c.cells() {
		pre := fmt.Sprintf("cells.%d.", g.layer)
		if want(pre + "pre0") {
			if g.reducedBefore {
				l.reduce(pre+"pre0", g.cpp, g.c)
			} else {
				l.conv(pre+"pre0.conv.weight", g.c, g.cpp, 1, 1)
				l.norm(pre+"pre0.bn", g.c)
			}
		}
		if want(pre + "pre1") {
			l.conv(pre+"pre1.conv.weight", g.c, g.cp, 1, 1)
			l.norm(pre+"pre1.bn", g.c)
		}
		for node := range c.Space.Nodes {
			for edge := range 2 + node {
				for _, op := range c.Space.Ops {
					if name := opName(g.layer, node, edge, op); want(name) {
						l.candidate(name, op, g.c, g.stride(edge))
					}
				}
			}
		}
	}
	if c.Aux {
		a := c.AuxChannels
		in := c.cells()[c.auxLayer()].out(c.Space.Nodes)
		l.conv("aux.conv1.weight", a[0], in, 1, 1)
		l.norm("aux.bn1", a[0])
		l.conv("aux.conv2.weight", a[1], a[0], 2, 2)
		l.norm("aux.bn2", a[1])
		l.linear("aux.classifier", c.Classes, a[1])
	}
	l.linear("classifier", c.Classes, c.cells()[c.Layers-1].out(c.Space.Nodes))
	return l
}

func opName(layer, node, edge int, op string) string {
	return fmt.Sprintf("cells.%d.nodes.%d.edges.%d.%s", layer, node, edge, op)
}

func (l *layout) reduce(name string, in, out int) {
	l.conv(name+".conv1.weight", out/2, in, 1, 1)
	l.conv(name+".conv2.weight", out/2, in, 1, 1)
	l.norm(name+".bn", out)
}

// candidate adds the parameters of one operation of one edge.
func (l *layout) candidate(name, op string, c, stride int) {
	k := kindOf(op)
	switch {
	case k.pool:
		l.norm(name+".bn", c)
	case k.skip:
		if stride > 1 {
			l.reduce(name, c, c)
		}
	default:
		for s := 1; s <= k.stages; s++ {
			l.conv(fmt.Sprintf("%s.dw%d.weight", name, s), c, 1, k.kernel, k.kernel)
			l.conv(fmt.Sprintf("%s.pw%d.weight", name, s), c, c, 1, 1)
			l.norm(fmt.Sprintf("%s.bn%d", name, s), c)
		}
	}
}

// init draws the parameter's initial values as torch does by default: uniform
// in +-1/sqrt(fan in). The stream is the parameter's own, so a value does not
// depend on which other parameters exist.
func (p param) init(seed uint64, dst []float32) {
	if p.fan == 0 {
		for i := range dst {
			dst[i] = p.fill
		}
		return
	}
	r := rng.New(seed, "init/"+p.name)
	bound := 1 / math.Sqrt(float64(p.fan))
	for i := range dst {
		dst[i] = float32((2*r.Float64() - 1) * bound)
	}
}

// toFile and fromFile convert between the memory layout (R,S,I,O) and torch's
// (O,I,R,S); a linear layer is a convolution of one pixel.
func (p param) toFile(mem []float32) []float32 {
	out := make([]float32, len(mem))
	p.permute(func(file, m int) { out[file] = mem[m] })
	return out
}

func (p param) fromFile(file, mem []float32) {
	p.permute(func(f, m int) { mem[m] = file[f] })
}

func (p param) permute(f func(file, mem int)) {
	o, i, rs := p.shape[0], 1, 1
	if len(p.shape) > 1 {
		i = p.shape[1]
	}
	for _, s := range p.shape[min(2, len(p.shape)):] {
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

// liveNames are the names of the preprocessing and candidate operations an
// architecture computes.
func liveNames(c NetConfig, a space.Arch) map[string]bool {
	names := map[string]bool{}
	live := c.Space.Live(a, c.Spec())
	for _, g := range c.cells() {
		l := live[g.layer]
		if !l.Cell {
			continue
		}
		names[fmt.Sprintf("cells.%d.pre0", g.layer)] = l.S0
		names[fmt.Sprintf("cells.%d.pre1", g.layer)] = l.S1
		for node := range c.Space.Nodes {
			for _, p := range g.pairs(a, node) {
				names[opName(g.layer, node, p.Edge, c.Space.Ops[p.Op])] = true
			}
		}
	}
	return names
}
