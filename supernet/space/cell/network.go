package cell

import (
	"fmt"
	"slices"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Describe implements space.Space. A network is a stem, z.Layers cells, global
// pooling and a classifier; the auxiliary head reads the cell of the second reduction.
func (s Space) Describe(z net.Size, a space.Arch) (*net.Network, error) {
	if err := s.Fits(z); err != nil {
		return nil, err
	}
	if a != nil {
		if err := s.Check(a); err != nil {
			return nil, err
		}
	}
	choices := 0
	if a == nil {
		choices = 4 * s.Nodes
	}
	w := &writer{Space: s, z: z, arch: a, n: net.Begin(z.Image, choices)}
	stem := z.StemMultiplier * z.Channels
	prev := []int{w.n.Add(net.Layer{Name: "stem", Op: ops.Stem{Cin: 3, Cout: stem, Affine: z.Affine}, In: []int{net.Images}})}
	prevprev := prev
	g := geometry{cpp: stem, cp: stem, c: z.Channels}
	for l := range z.Layers {
		g.layer, g.reduction = l, reduces(z, l)
		if g.reduction {
			g.c *= 2
		}
		y := w.cell(g, prevprev, prev)
		prevprev, prev = prev, y
		g.cpp, g.cp, g.afterReduction = g.cp, len(y)*g.c, g.reduction
		if l == auxLayer(z) && z.Aux {
			w.auxiliaryHead(y, g.cp)
		}
	}
	pooled := w.n.Add(net.Layer{Op: ops.GlobalAvgPool{Parts: len(prev)}, In: prev})
	w.n.Logits = w.n.Add(net.Layer{Name: "classifier", Op: ops.Linear{In: g.cp, Out: z.Classes}, In: []int{pooled}})
	if a != nil {
		return w.n.Live()
	}
	return w.n, nil
}

// reduces says whether the cell at layer halves the resolution: those at one and two
// thirds of the depth.
func reduces(z net.Size, layer int) bool { return layer == z.Layers/3 || layer == 2*z.Layers/3 }

// auxLayer is the cell whose output feeds the auxiliary head.
func auxLayer(z net.Size) int { return 2 * z.Layers / 3 }

// auxStride is the stride of the auxiliary head's 5x5 pooling: the one that
// leaves 2x2 pixels, 3 for 8x8 (CIFAR) and 2 for 7x7 (ImageNet).
func auxStride(z net.Size) (int, error) {
	hw := z.Image
	for l := range auxLayer(z) + 1 {
		if reduces(z, l) {
			hw /= 2
		}
	}
	for _, s := range []int{3, 2} {
		if hw >= 5 && (hw-5)/s+1 == 2 {
			return s, nil
		}
	}
	return 0, fmt.Errorf("supernet: data.image %d leaves %dx%d pixels at cell %d; the auxiliary head needs 7 to 10: turn it off or change the image size", z.Image, hw, hw, auxLayer(z))
}

// Fits implements space.Space.
func (s Space) Fits(z net.Size) error {
	if err := z.Check(); err != nil {
		return err
	}
	if z.Image%4 != 0 {
		return z.Bad("image", z.Image, "a multiple of 4, at least 8: two reductions halve it twice")
	}
	if !z.Aux {
		return nil
	}
	_, err := auxStride(z)
	return err
}

// geometry of a cell.
type geometry struct {
	layer                     int
	cpp, cp, c                int // channels of the cell before last, of the last, of a node here
	reduction, afterReduction bool
}

// stride is that of an operation on an input state of the cell.
func (g geometry) stride(edge int) int {
	if g.reduction && edge < 2 {
		return 2
	}
	return 1
}

// writer lists the layers of a network.
type writer struct {
	Space
	z    net.Size
	arch space.Arch // nil: every candidate
	n    *net.Network
}

// cell adds a cell and returns the nodes whose channels side by side are its output;
// s0 and s1 are the inputs in the same form. A cell after a reduction halves the
// older of its inputs.
func (w *writer) cell(g geometry, s0, s1 []int) []int {
	prefix := fmt.Sprintf("cells.%d.", g.layer)
	var pre0 ops.Op = ops.ConvBN{Act: ops.ReLU, Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: w.z.Affine}
	if g.afterReduction {
		pre0 = ops.FactorizedReduce{Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: w.z.Affine}
	}
	states := []int{
		w.n.Add(net.Layer{Name: prefix + "pre0", Op: pre0, In: s0}),
		w.n.Add(net.Layer{Name: prefix + "pre1", Op: ops.ConvBN{Act: ops.ReLU, Parts: len(s1), Cin: g.cp, Cout: g.c, Affine: w.z.Affine}, In: s1}),
	}
	kind := 0
	if g.reduction {
		kind = 1
	}
	for node := range w.Nodes {
		states = append(states, w.node(g, node, w.at(kind, node), states))
	}
	return w.output(kind, states)
}

// output are the states that a cell's output concatenates.
func (w *writer) output(kind int, states []int) []int {
	if w.arch == nil || w.Outputs(w.arch)[kind] == nil {
		return states[2:]
	}
	var out []int
	for _, i := range w.Outputs(w.arch)[kind] {
		out = append(out, states[2+i])
	}
	return out
}

// node adds the candidates of a node, or those that the architecture picks, and
// their sum. Its choices are entries at and at+1; of two equal ones the operation is
// there twice, with parameters of its own.
func (w *writer) node(g geometry, node, at int, states []int) int {
	sum := net.Layer{Op: ops.NodeSum{}}
	if w.arch == nil {
		sum.Pick = []int{at, at + 1}
	}
	for i := range w.pairs(node) {
		if w.arch == nil || slices.Contains(w.arch[at:at+2], i) {
			sum.In = append(sum.In, w.candidate(g, node, w.pair(i), states, ""))
		}
	}
	if w.arch != nil && w.arch[at] == w.arch[at+1] {
		sum.In = append(sum.In, w.candidate(g, node, w.pair(w.arch[at]), states, "_2"))
	}
	return w.n.Add(sum)
}

// candidate adds one operation of an edge and returns the layer it ends in: of an
// identity that is its input. Its name ends in suffix.
func (w *writer) candidate(g geometry, node int, p Pair, states []int, suffix string) int {
	name := w.Ops[p.Op]
	op := candidates[name](g.c, g.stride(p.Edge), w.z.Affine)
	if op == nil {
		return states[p.Edge]
	}
	return w.n.Add(net.Layer{Name: fmt.Sprintf("cells.%d.nodes.%d.edges.%d.%s%s", g.layer, node, p.Edge, name, suffix),
		Op: op, In: []int{states[p.Edge]}, Candidate: true})
}

// auxiliaryHead adds the classifier of DARTS's training recipe behind a cell's nodes
// y of width channels in all.
func (w *writer) auxiliaryHead(y []int, width int) {
	z := w.z
	stride, err := auxStride(z)
	if err != nil {
		panic(err) // Fits has seen it
	}
	add := func(name string, op ops.Op, in ...int) int {
		return w.n.Add(net.Layer{Name: name, Op: op, In: in, Aux: true})
	}
	x := add("", ops.ReLUAvgPool{Parts: len(y), K: 5, Stride: stride}, y...)
	x = add("aux", ops.ConvBN{Parts: 1, Cin: width, Cout: z.AuxChannels[0], Affine: z.Affine, Suffix: "1"}, x)
	x = add("aux", ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 4 * z.AuxChannels[0], Cout: z.AuxChannels[1], Affine: z.Affine, Suffix: "2"}, x)
	w.n.Aux = add("aux.classifier", ops.Linear{Act: ops.ReLU, In: z.AuxChannels[1], Out: z.Classes}, x)
}
