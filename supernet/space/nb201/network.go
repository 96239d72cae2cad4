package nb201

import (
	"errors"
	"fmt"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// stages are the resolutions: a residual block, which halves the image and doubles the
// channels, stands between two.
const stages = 3

// Fits implements space.Space.
func (Space) Fits(z net.Size) error {
	if err := z.Check(); err != nil {
		return err
	}
	switch {
	case z.ImageNet:
		return z.Bad("imagenet", z.ImageNet, "false: the networks of "+Kind+" have one stem only")
	case z.Layers%stages != 0:
		return z.Bad("layers", z.Layers, "a multiple of 3: "+Kind+" has as many cells at each of its three resolutions")
	case z.Image%4 != 0:
		return z.Bad("image", z.Image, "a multiple of 4, at least 8: two residual blocks halve it twice")
	case z.Aux:
		return errors.New("supernet: the networks of " + Kind + " have no auxiliary head: turn it off (retrain.aux 0)")
	}
	return nil
}

// Describe implements space.Space. A network is a stem, cells with two residual blocks between
// them, batch normalisation, ReLU, global pooling and a classifier. Costs are of the text: what
// it has beyond its canonical form is net.Network.Unread.
func (s Space) Describe(z net.Size, a space.Arch) (*net.Network, error) {
	if err := s.Fits(z); err != nil {
		return nil, err
	}
	if a != nil {
		if err := s.Check(a); err != nil {
			return nil, err
		}
	}
	full := whole(z)
	if a == nil {
		return full, nil
	}
	path, err := full.Select(s.Canonical(a))
	if err != nil {
		return nil, err
	}
	n, err := path.Live()
	if err != nil {
		return nil, err
	}
	n.Unread, err = unread(full, n, a)
	return n, err
}

// unread is what the text of a has beyond the network n, which is built for it.
func unread(full, n *net.Network, a space.Arch) (net.Counts, error) {
	costs, err := full.Costs()
	if err != nil {
		return net.Counts{}, err
	}
	params, madds := costs.Of(a)
	built, builtMAdds, err := n.Cost()
	return net.Counts{Params: params - built, MAdds: madds - builtMAdds}, err
}

// whole is the supernet.
func whole(z net.Size) *net.Network {
	w := &writer{n: net.Begin(z.Image, len(edges)), affine: z.Affine}
	w.n.Whole = true
	c, side := z.Channels, z.Image
	x := w.add("stem", ops.Stem{Cin: 3, Cout: c, Affine: z.Affine}, net.Images)
	for stage := range stages {
		if stage > 0 {
			x = w.residual(x, c)
			c, side = 2*c, side/2
		}
		for range z.Layers / stages {
			x = w.cell(x, c)
		}
	}
	x = w.add("last", ops.ActBN{C: c, Affine: z.Affine}, x)
	x = w.add("", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: side, Stride: 1}, x)
	w.n.Logits = w.add("classifier", ops.Linear{In: c, Out: z.Classes}, x)
	return w.n
}

// writer lists the layers of the supernet.
type writer struct {
	n      *net.Network
	affine bool
	blocks int // cells and residual blocks so far
}

func (w *writer) add(name string, op ops.Op, in ...int) int {
	return w.n.Add(net.Layer{Name: name, Op: op, In: in})
}

// begin is what the names of the next cell or residual block begin with.
func (w *writer) begin() string {
	w.blocks++
	return fmt.Sprintf("cells.%d.", w.blocks-1)
}

// sum adds so many layers, which belong to the block that begin has begun.
func (w *writer) sum(op ops.NodeSum, in ...int) int {
	return w.n.Add(net.Layer{Op: op, In: in, Block: fmt.Sprintf("cells.%d", w.blocks-1)})
}

// dense is ReLU, a 3x3 convolution and batch normalisation.
func (w *writer) dense(from, to, stride int) ops.Op {
	return ops.Conv2D{Act: ops.ReLU, Cin: from, Cout: to, R: 3, S: 3, StrideH: stride, StrideW: stride, Affine: w.affine}
}

// residual adds a block of two convolutions from c to twice as many channels, and its
// shortcut: an average of 2x2 pixels and a convolution without normalisation.
func (w *writer) residual(x, c int) int {
	prefix := w.begin()
	b := w.add(prefix+"b", w.dense(2*c, 2*c, 1), w.add(prefix+"a", w.dense(c, 2*c, 2), x))
	down := w.add("", ops.AvgPool{Parts: 1, K: 2, Stride: 2}, x)
	down = w.add(prefix+"down", ops.ConvBN{Parts: 1, Cin: c, Cout: 2 * c, NoNorm: true}, down)
	return w.sum(ops.NodeSum{}, b, down)
}

// cell adds every candidate of every edge, and the nodes.
func (w *writer) cell(x, c int) int {
	prefix := w.begin()
	state := [nodes]int{x}
	var enter []int // the edges into a node
	for i, e := range edges {
		enter = append(enter, w.edge(prefix, i, state[e.from], c))
		if e.from < e.to-1 {
			continue
		}
		state[e.to] = enter[0]
		if len(enter) > 1 {
			state[e.to] = w.sum(ops.NodeSum{Terms: len(enter)}, enter...)
		}
		enter = nil
	}
	return state[nodes-1]
}

// edge adds the candidates of choice i, which read x, and the layer that passes the chosen
// one on.
func (w *writer) edge(prefix string, i, x, c int) int {
	candidate := func(kind int, op ops.Op) int {
		name := fmt.Sprintf("%sedges.%d_%d.%s", prefix, edges[i].from, edges[i].to, opNames[kind])
		return w.n.Add(net.Layer{Name: name, Op: op, In: []int{x}, Candidate: true})
	}
	return w.n.Add(net.Layer{Pick: []int{i}, In: []int{
		none:  net.Nothing,
		skip:  x,
		conv1: candidate(conv1, ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: c, Cout: c, Affine: w.affine}),
		conv3: candidate(conv3, w.dense(c, c, 1)),
		pool:  candidate(pool, ops.PoolBN{C: c, Stride: 1, NoNorm: true}),
	}})
}
