package supernet

import (
	"fmt"
	"slices"

	"oneshot/ops"
	graphs "oneshot/ops/graph"
	"oneshot/supernet/space"
)

// graphSpec says what a program is built for.
type graphSpec struct {
	batch     int
	train     bool // with loss, gradients and, if the network has one, the auxiliary head
	smoothing float64
	auxWeight float64
	dropPath  bool // masks on the operations that are not identities
}

// graph is a compiled architecture.
type graph struct {
	arch   space.Arch
	prog   *ops.Program
	logits ops.Mem
	aux    ops.Mem   // absent without auxiliary head
	loss   ops.Mem   // absent unless training
	params []ops.Mem // parameters in use, by offset, joined
	grads  []ops.Mem // their gradients; empty unless training
	norms  []int     // normalisations in use
	masks  int       // drop-path masks, each of one value an image
	batch  int
	image  int // values of one image

	step *stepPlan // on a device: a training step of it
}

// Input region of a graph: images, labels, masks.
func (g *graph) images() ops.Mem { return ops.Mem{Region: ops.Input, Len: g.batch * g.image} }
func (g *graph) labels() ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.batch * g.image, Len: g.batch}
}
func (g *graph) mask(i int) ops.Mem {
	return ops.Mem{Region: ops.Input, Off: g.batch * (g.image + 1 + i), Len: g.batch}
}
func (g *graph) inputLen() int { return g.batch * (g.image + 1 + g.masks) }

// builder makes the expression graph of one architecture.
type builder struct {
	net    *Net
	spec   graphSpec
	g      *graphs.Graph
	out    *graph
	logits graphs.Node
	loss   graphs.Node
	aux    graphs.Node
	err    error // the first failure; later steps do nothing
}

// build compiles arch for the backend. It reads only the network's layout, so
// it may run beside a training step.
func (n *Net) build(b ops.Backend, arch space.Arch, spec graphSpec) (*graph, error) {
	c := n.cfg
	bd := &builder{net: n, spec: spec, g: graphs.New(),
		out: &graph{arch: arch, batch: spec.batch, image: c.Image * c.Image * 3}}
	x := bd.g.Input("images", bd.out.images(), spec.batch, c.Image, c.Image, 3)
	stem := c.StemMultiplier * c.Channels
	prev := []graphs.Node{bd.op(ops.Stem{Cin: 3, Cout: stem, Affine: c.Affine}, x, "stem")}
	prevprev, auxIn := prev, []graphs.Node(nil)
	live := c.Space.Live(arch, c.Spec())
	for _, g := range c.cells() {
		var y []graphs.Node
		if live[g.layer].Cell {
			y = bd.cell(g, arch, live[g.layer], prevprev, prev)
		}
		prevprev, prev = prev, y
		if g.layer == c.auxLayer() && c.Aux && spec.train {
			auxIn = y
		}
	}
	bd.head(prev, auxIn)
	if bd.err != nil {
		return nil, bd.err
	}
	if err := bd.compile(b); err != nil {
		return nil, err
	}
	return bd.out, nil
}

// apply adds an op on activations; its parameters and normalisations are those of
// the layer prefix.
func (b *builder) apply(op ops.Op, xs []graphs.Node, prefix string) graphs.Node {
	if b.err != nil {
		return graphs.Node{}
	}
	l := b.net.layout
	var params, state []ops.Mem
	for _, p := range op.Params() {
		i, ok := l.byName[prefix+"."+p.Name]
		if !ok {
			b.err = fmt.Errorf("supernet: network has no parameter %s.%s", prefix, p.Name)
			return graphs.Node{}
		}
		params = append(params, l.params[i].mem)
	}
	for _, n := range op.Norms() {
		i, ok := l.normBy[prefix+"."+n.Name]
		if !ok {
			b.err = fmt.Errorf("supernet: network has no normalisation %s.%s", prefix, n.Name)
			return graphs.Node{}
		}
		state = append(state, l.norms[i].state)
		b.out.norms = append(b.out.norms, i)
	}
	n, err := b.g.Apply(op, params, state, xs...)
	if err != nil {
		b.err = err
	}
	return n
}

func (b *builder) op(op ops.Op, x graphs.Node, prefix string) graphs.Node {
	return b.apply(op, []graphs.Node{x}, prefix)
}

// cell adds one cell and returns its nodes, each (N,H,W,C), whose channels side
// by side are its output. s0 and s1 are the inputs in the same form.
func (b *builder) cell(g cell, arch space.Arch, live space.CellLive, s0, s1 []graphs.Node) []graphs.Node {
	c := b.net.cfg
	prefix := fmt.Sprintf("cells.%d.", g.layer)
	states := make([]graphs.Node, 2, 2+c.Space.Nodes)
	if live.S0 {
		if g.reducedBefore {
			states[0] = b.apply(ops.FactorizedReduce{Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: c.Affine}, s0, prefix+"pre0")
		} else {
			states[0] = b.apply(ops.ConvBN{ReLU: true, Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: c.Affine}, s0, prefix+"pre0")
		}
	}
	if live.S1 {
		states[1] = b.apply(ops.ConvBN{ReLU: true, Parts: len(s1), Cin: g.cp, Cout: g.c, Affine: c.Affine}, s1, prefix+"pre1")
	}
	for node := range c.Space.Nodes {
		var y [2]graphs.Node
		var drop [2]bool
		for i, p := range g.pairs(arch, node) {
			op := c.Space.Ops[p.Op]
			y[i] = b.candidate(op, opName(g.layer, node, p.Edge, op), g.c, g.stride(p.Edge), states[p.Edge])
			// As in DARTS, only an identity is never dropped.
			drop[i] = b.spec.dropPath && (op != "skip_connect" || g.stride(p.Edge) > 1)
		}
		in := y[:]
		for _, d := range drop {
			if d {
				in = append(in, b.g.Input(fmt.Sprintf("mask%d", b.out.masks), b.out.mask(b.out.masks), b.spec.batch))
				b.out.masks++
			}
		}
		states = append(states, b.apply(ops.NodeSum{DropA: drop[0], DropB: drop[1]}, in, ""))
	}
	return states[2:]
}

// candidate adds one operation of an edge.
func (b *builder) candidate(op, name string, c, stride int, x graphs.Node) graphs.Node {
	k, affine := kindOf(op), b.net.cfg.Affine
	switch {
	case k.pool:
		return b.op(ops.PoolBN{Max: k.max, C: c, Stride: stride, Affine: affine}, x, name)
	case k.skip && stride == 1:
		return x
	case k.skip:
		return b.op(ops.FactorizedReduce{Parts: 1, Cin: c, Cout: c, Affine: affine}, x, name)
	}
	return b.op(ops.Separable{C: c, K: k.kernel, Stride: stride, Dil: k.dilat, Stages: k.stages, Affine: affine}, x, name)
}

// head adds the classifier, the auxiliary head and the loss.
func (b *builder) head(x, auxIn []graphs.Node) {
	c := b.net.cfg
	width := c.cells()[c.Layers-1].out(c.Space.Nodes)
	pooled := b.apply(ops.GlobalAvgPool{Parts: len(x)}, x, "")
	b.logits = b.op(ops.Linear{In: width, Out: c.Classes}, pooled, "classifier")
	if !b.spec.train {
		return
	}
	labels := b.g.Input("labels", b.out.labels(), b.spec.batch)
	xent := ops.SoftmaxXent{Smoothing: b.spec.smoothing}
	b.loss = b.apply(xent, []graphs.Node{b.logits, labels}, "")
	if auxIn == nil || b.err != nil {
		return
	}
	stride, err := c.auxStride()
	if err != nil {
		b.err = err
		return
	}
	a := c.AuxChannels
	y := b.apply(ops.ReLUAvgPool{Parts: len(auxIn), K: 5, Stride: stride}, auxIn, "")
	y = b.op(ops.ConvBN{Parts: 1, Cin: c.cells()[c.auxLayer()].out(c.Space.Nodes), Cout: a[0], Affine: c.Affine, Suffix: "1"}, y, "aux")
	y = b.op(ops.ConvBN{ReLU: true, Flatten: 2, Parts: 1, Cin: 4 * a[0], Cout: a[1], Affine: c.Affine, Suffix: "2"}, y, "aux")
	b.aux = b.op(ops.Linear{ReLU: true, In: a[1], Out: c.Classes}, y, "aux.classifier")
	auxLoss := b.apply(xent, []graphs.Node{b.aux, labels}, "")
	b.loss = b.apply(ops.AddScaled{Scale: b.spec.auxWeight}, []graphs.Node{b.loss, auxLoss}, "")
}

func (b *builder) compile(back ops.Backend) error {
	keep := []graphs.Node{b.logits}
	if b.spec.train {
		if err := b.g.Grad(b.loss); err != nil {
			return err
		}
		keep = append(keep, b.loss)
		if b.aux != (graphs.Node{}) {
			keep = append(keep, b.aux)
		}
	}
	prog, err := b.g.Compile(back, keep...)
	if err != nil {
		return err
	}
	out := b.out
	out.prog = prog
	for i, to := range []*ops.Mem{&out.logits, &out.loss, &out.aux}[:len(keep)] {
		*to = prog.Kept[i]
	}
	out.params = joined(prog.Params)
	if b.spec.train {
		for _, m := range out.params {
			m.Region = ops.Grad
			out.grads = append(out.grads, m)
		}
	}
	return nil
}

// joined sorts pieces of one region and joins those that touch: the optimizer's
// work is the same and its pieces are fewer.
func joined(ms []ops.Mem) []ops.Mem {
	ms = slices.Clone(ms)
	slices.SortFunc(ms, func(a, b ops.Mem) int { return a.Off - b.Off })
	var out []ops.Mem
	for _, m := range ms {
		if k := len(out) - 1; k >= 0 && out[k].Off+out[k].Len == m.Off {
			out[k].Len += m.Len
			continue
		}
		out = append(out, m)
	}
	return out
}
