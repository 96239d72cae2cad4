package supernet

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"oneshot/ops"
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
	logits *gorgonia.Node
	aux    *gorgonia.Node // nil without auxiliary head
	loss   *gorgonia.Node // nil unless training
	params []ops.Mem      // parameters in use, by offset, joined
	grads  []ops.Mem      // their gradients; empty unless training
	norms  []int          // normalisations in use
	masks  int            // drop-path masks, each of one value an image
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
	g      *ops.Graph
	out    *graph
	wanted []*gorgonia.Node
	err    error // the first failure; later steps do nothing
}

// build compiles arch for the backend. It reads only the network's layout, so
// it may run beside a training step.
func (n *Net) build(b ops.Backend, arch space.Arch, spec graphSpec) (*graph, error) {
	c := n.cfg
	bd := &builder{net: n, spec: spec, g: ops.NewGraph(b.DType()),
		out: &graph{arch: arch, batch: spec.batch, image: c.Image * c.Image * 3}}
	x := bd.g.Input("images", bd.out.images(), spec.batch, c.Image, c.Image, 3)
	stem := c.StemMultiplier * c.Channels
	prev := []*gorgonia.Node{bd.op(ops.Stem{Cin: 3, Cout: stem, Affine: c.Affine}, x, "stem", "conv.weight", "bn")}
	prevprev, auxIn := prev, []*gorgonia.Node(nil)
	live := c.Space.Live(arch, c.Spec())
	for _, g := range c.cells() {
		var y []*gorgonia.Node
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

// apply adds an op whose first inputs are xs, followed by the named parameters
// of each part: a name ending in .weight or a batch normalisation.
func (b *builder) apply(op ops.Op, xs []*gorgonia.Node, prefix string, parts ...string) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	l := b.net.layout
	in := slices.Clone(xs) // a caller's list of states must not grow
	var state []ops.Mem
	for _, part := range parts {
		name := prefix + "." + part
		if i, ok := l.normBy[name]; ok {
			norm := l.norms[i]
			state = append(state, norm.state)
			b.out.norms = append(b.out.norms, i)
			if norm.gamma >= 0 {
				in = append(in, b.param(norm.gamma), b.param(norm.beta))
			}
			continue
		}
		i, ok := l.byName[name]
		if !ok {
			b.err = fmt.Errorf("supernet: network has no parameter %s", name)
			return nil
		}
		in = append(in, b.param(i))
	}
	n, err := b.g.Apply(op, state, in...)
	if err != nil {
		b.err = err
	}
	return n
}

func (b *builder) op(op ops.Op, x *gorgonia.Node, prefix string, parts ...string) *gorgonia.Node {
	return b.apply(op, []*gorgonia.Node{x}, prefix, parts...)
}

// param adds a parameter as a leaf, in the shape the ops work with.
func (b *builder) param(i int) *gorgonia.Node {
	p := b.net.layout.params[i]
	n := b.g.Input(p.name, p.mem, memShape(p.shape)...)
	b.wanted = append(b.wanted, n)
	b.out.params = append(b.out.params, p.mem)
	return n
}

// memShape is the shape in memory of a parameter of the given torch shape:
// vectors (C); linear (O,I) -> (I,O); pointwise (O,I,1,1) -> (I,O); depthwise
// (C,1,k,k) -> (k,k,C); the auxiliary 2x2 convolution, which covers its whole
// input, (O,I,2,2) -> (4I,O); others (O,I,R,S) -> (R,S,I,O).
func memShape(s []int) []int {
	switch {
	case len(s) == 1:
		return s
	case len(s) == 2, s[2] == 1:
		return []int{s[1], s[0]}
	case s[1] == 1:
		return []int{s[2], s[3], s[0]}
	case s[2] == 2:
		return []int{4 * s[1], s[0]}
	}
	return []int{s[2], s[3], s[1], s[0]}
}

// cell adds one cell and returns its nodes, each (N,H,W,C), whose channels side
// by side are its output. s0 and s1 are the inputs in the same form.
func (b *builder) cell(g cell, arch space.Arch, live space.CellLive, s0, s1 []*gorgonia.Node) []*gorgonia.Node {
	c := b.net.cfg
	prefix := fmt.Sprintf("cells.%d.", g.layer)
	states := make([]*gorgonia.Node, 2, 2+c.Space.Nodes)
	if live.S0 {
		if g.reducedBefore {
			states[0] = b.apply(ops.FactorizedReduce{Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: c.Affine}, s0, prefix+"pre0", "conv1.weight", "conv2.weight", "bn")
		} else {
			states[0] = b.apply(ops.ConvBN{ReLU: true, Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: c.Affine}, s0, prefix+"pre0", "conv.weight", "bn")
		}
	}
	if live.S1 {
		states[1] = b.apply(ops.ConvBN{ReLU: true, Parts: len(s1), Cin: g.cp, Cout: g.c, Affine: c.Affine}, s1, prefix+"pre1", "conv.weight", "bn")
	}
	for node := range c.Space.Nodes {
		var y [2]*gorgonia.Node
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
func (b *builder) candidate(op, name string, c, stride int, x *gorgonia.Node) *gorgonia.Node {
	k, affine := kindOf(op), b.net.cfg.Affine
	switch {
	case k.pool:
		return b.op(ops.PoolBN{Max: k.max, C: c, Stride: stride, Affine: affine}, x, name, "bn")
	case k.skip && stride == 1:
		return x
	case k.skip:
		return b.op(ops.FactorizedReduce{Parts: 1, Cin: c, Cout: c, Affine: affine}, x, name, "conv1.weight", "conv2.weight", "bn")
	}
	var parts []string
	for s := 1; s <= k.stages; s++ {
		parts = append(parts, fmt.Sprintf("dw%d.weight", s), fmt.Sprintf("pw%d.weight", s), fmt.Sprintf("bn%d", s))
	}
	return b.op(ops.Separable{C: c, K: k.kernel, Stride: stride, Dil: k.dilat, Stages: k.stages, Affine: affine}, x, name, parts...)
}

// head adds the classifier, the auxiliary head and the loss.
func (b *builder) head(x, auxIn []*gorgonia.Node) {
	c := b.net.cfg
	width := c.cells()[c.Layers-1].out(c.Space.Nodes)
	pooled := b.apply(ops.GlobalAvgPool{Parts: len(x)}, x, "")
	b.out.logits = b.op(ops.Linear{In: width, Out: c.Classes}, pooled, "classifier", "weight", "bias")
	if !b.spec.train {
		return
	}
	labels := b.g.Input("labels", b.out.labels(), b.spec.batch)
	xent := ops.SoftmaxXent{Smoothing: b.spec.smoothing}
	b.out.loss = b.apply(xent, []*gorgonia.Node{b.out.logits, labels}, "")
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
	y = b.op(ops.ConvBN{Parts: 1, Cin: c.cells()[c.auxLayer()].out(c.Space.Nodes), Cout: a[0], Affine: c.Affine}, y, "aux", "conv1.weight", "bn1")
	y = b.op(ops.ConvBN{ReLU: true, Flatten: true, Parts: 1, Cin: 4 * a[0], Cout: a[1], Affine: c.Affine}, y, "aux", "conv2.weight", "bn2")
	b.out.aux = b.op(ops.Linear{ReLU: true, In: a[1], Out: c.Classes}, y, "aux.classifier", "weight", "bias")
	auxLoss := b.apply(xent, []*gorgonia.Node{b.out.aux, labels}, "")
	b.out.loss = b.apply(ops.AddScaled{Scale: b.spec.auxWeight}, []*gorgonia.Node{b.out.loss, auxLoss}, "")
}

func (b *builder) compile(back ops.Backend) error {
	roots := ops.Roots{Keep: []*gorgonia.Node{b.out.logits}}
	if b.spec.train {
		grads, err := b.g.Grad(b.out.loss, b.wanted)
		if err != nil {
			return err
		}
		roots.Loss, roots.Wanted, roots.Grads = b.out.loss, b.wanted, grads
		roots.Keep = append(roots.Keep, b.out.loss)
		if b.out.aux != nil {
			roots.Keep = append(roots.Keep, b.out.aux)
		}
		for _, m := range b.out.params {
			b.out.grads = append(b.out.grads, ops.Mem{Region: ops.Grad, Off: m.Off, Len: m.Len})
		}
		roots.GradMem = b.out.grads
	}
	var err error
	b.out.prog, err = b.g.Compile(back, roots)
	b.out.params, b.out.grads = joined(b.out.params), joined(b.out.grads)
	return err
}

// joined sorts pieces of one region and joins those that touch: the optimizer's
// work is the same and its pieces are fewer.
func joined(ms []ops.Mem) []ops.Mem {
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
