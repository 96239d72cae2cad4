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
	g, prevprev, prev := w.stem()
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
// leaves 2x2 pixels. In the form for CIFAR it is 3 for 8x8 pixels, and 2 for 7x7; in
// that for ImageNet it is 2.
func auxStride(z net.Size) (int, error) {
	hw, strides, want := z.Image, []int{3, 2}, "7 to 10"
	if z.ImageNet {
		hw, strides, want = z.Image/8, []int{2}, "7 or 8"
	}
	for l := range auxLayer(z) + 1 {
		if reduces(z, l) {
			hw /= 2
		}
	}
	for _, s := range strides {
		if hw >= 5 && (hw-5)/s+1 == 2 {
			return s, nil
		}
	}
	return 0, fmt.Errorf("supernet: data.image %d leaves %dx%d pixels at cell %d; the auxiliary head needs %s: turn it off (retrain.aux 0) or change the image size", z.Image, hw, hw, auxLayer(z), want)
}

// Fits implements space.Space. An odd number of channels fits the form for CIFAR: a
// FactorizedReduce, whose two halves share its channels, stands there only behind a
// doubling.
func (s Space) Fits(z net.Size) error {
	if err := z.Check(); err != nil {
		return err
	}
	switch {
	case z.ImageNet && z.Image%32 != 0:
		return z.Bad("image", z.Image, "a multiple of 32: the form imagenet halves it three times before the cells and twice in them")
	case z.Image%4 != 0:
		return z.Bad("image", z.Image, "a multiple of 4, at least 8: two reductions halve it twice")
	case z.ImageNet && z.Channels%2 != 0:
		return fmt.Errorf("supernet: %d channels (net.channels or retrain.channels), want an even number: the form imagenet halves it in its stem and in the first cell", z.Channels)
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

// stem adds what stands before the cells, and returns the geometry of the first one and
// its two inputs. The form for ImageNet (arXiv 1806.09055, section 3.3, and DARTS's code)
// halves the images three times, the older input twice: so its first cell is one after
// a reduction.
func (w *writer) stem() (g geometry, s0, s1 []int) {
	c, affine := w.z.Channels, w.z.Affine
	add := func(name string, op ops.Op, in int) int {
		return w.n.Add(net.Layer{Name: name, Op: op, In: []int{in}})
	}
	if !w.z.ImageNet {
		wide := w.z.StemMultiplier * c
		stem := []int{add("stem", ops.Stem{Cin: 3, Cout: wide, Affine: affine}, net.Images)}
		return geometry{cpp: wide, cp: wide, c: c}, stem, stem
	}
	conv := func(act ops.Activation, cin, cout int, suffix string) ops.Conv2D {
		return ops.Conv2D{Act: act, Cin: cin, Cout: cout, R: 3, S: 3, StrideH: 2, StrideW: 2, Affine: affine, Suffix: suffix}
	}
	first := conv(ops.Identity, 3, c/2, "1")
	first.Images = true
	stem0 := add("stem0", conv(ops.ReLU, c/2, c, "2"), add("stem0", first, net.Images))
	stem1 := add("stem1", conv(ops.ReLU, c, c, ""), stem0)
	return geometry{cpp: c, cp: c, c: c, afterReduction: true}, []int{stem0}, []int{stem1}
}

// cell adds a cell and returns the nodes whose channels side by side are its output;
// s0 and s1 are the inputs in the same form. A cell after a reduction halves the
// older of its inputs.
func (w *writer) cell(g geometry, s0, s1 []int) []int {
	prefix := fmt.Sprintf("cells.%d.", g.layer)
	pre := func(parts, cin int) ops.ConvBN {
		return ops.ConvBN{Act: ops.ReLU, Parts: parts, Cin: cin, Cout: g.c, Affine: w.z.Affine, Standard: w.Standard}
	}
	var pre0 ops.Op = pre(len(s0), g.cpp)
	if g.afterReduction {
		pre0 = ops.FactorizedReduce{Parts: len(s0), Cin: g.cpp, Cout: g.c, Affine: w.z.Affine}
	}
	states := []int{
		w.n.Add(net.Layer{Name: prefix + "pre0", Op: pre0, In: s0}),
		w.n.Add(net.Layer{Name: prefix + "pre1", Op: pre(len(s1), g.cp), In: s1}),
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

// candidate adds the operations of one candidate of an edge and returns the layer they
// end in: of an identity that is its input. Their name ends in suffix.
func (w *writer) candidate(g geometry, node int, p Pair, states []int, suffix string) int {
	name, x := w.Ops[p.Op], states[p.Edge]
	for _, op := range candidates[name](place{g.c, g.stride(p.Edge), w.z.Affine, w.Plain, w.Standard}) {
		x = w.n.Add(net.Layer{Name: fmt.Sprintf("cells.%d.nodes.%d.edges.%d.%s%s", g.layer, node, p.Edge, name, suffix),
			Op: op, In: []int{x}, Candidate: true})
	}
	return x
}

// auxiliaryHead adds the classifier of DARTS's training recipe behind a cell's nodes
// y of width channels in all. In the form for ImageNet its second convolution has no
// normalisation, as DARTS's published runs had none there.
func (w *writer) auxiliaryHead(y []int, width int) {
	z := w.z
	stride, err := auxStride(z)
	if err != nil {
		panic(err) // Fits has seen it
	}
	add := func(name string, op ops.Op, in ...int) int {
		return w.n.Add(net.Layer{Name: name, Op: op, In: in, Aux: true})
	}
	x := add("", ops.AvgPool{Act: ops.ReLU, Parts: len(y), K: 5, Stride: stride}, y...)
	x = add("aux", ops.ConvBN{Parts: 1, Cin: width, Cout: z.AuxChannels[0], Affine: z.Affine, Suffix: "1"}, x)
	x = add("aux", ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 4 * z.AuxChannels[0], Cout: z.AuxChannels[1],
		Affine: z.Affine && !z.ImageNet, NoNorm: z.ImageNet, Suffix: "2"}, x)
	w.n.Aux = add("aux.classifier", ops.Linear{Act: ops.ReLU, In: z.AuxChannels[1], Out: z.Classes}, x)
}
