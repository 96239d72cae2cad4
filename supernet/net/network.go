package net

import (
	"errors"
	"fmt"
	"slices"

	"oneshot/internal/setting"
	"oneshot/ops"
)

// Geometry is the depth and the width of a network.
type Geometry struct {
	Layers         int `yaml:"layers" json:"layers" default:"8" want:"1..64" doc:"cells or blocks; the reductions of cells are at a third and two thirds of them"`
	Channels       int `yaml:"channels" json:"channels" default:"16" want:"2..1024" doc:"width of the first cells, doubled at each reduction; of blocks that of the stem, to which the others are in proportion"`
	StemMultiplier int `yaml:"stem_multiplier" json:"stem_multiplier" default:"3" want:"1..8" doc:"width of the stem in units of channels; not of the form imagenet"`
	// ImageNet is the form of NASNet (arXiv 1707.07012, figure 2) and DARTS (1806.09055,
	// section 3.3) for images of 224 pixels.
	ImageNet bool `yaml:"imagenet" json:"imagenet" doc:"the form for large images: three convolutions of stride 2 stand before the cells instead of one"`
}

// Size is what a space builds its networks to, without the architecture.
type Size struct {
	Geometry
	Classes     int    // at least 2
	Image       int    // side of the square input in pixels
	Affine      bool   // batch normalisation learns gamma and beta
	Aux         bool   // an auxiliary head for training
	AuxChannels [2]int // widths of the auxiliary head's two convolutions
}

// Counted is the size by which networks are counted: as they are exported, with
// gamma and beta and without the auxiliary head.
func (z Size) Counted() Size {
	z.Affine, z.Aux = true, false
	return z
}

// MaxImage is the longest side of the images that a network takes, in pixels, as data.image has it.
const MaxImage = 2048

// Check reports the first field out of range. Whether a space has networks of that
// size, its Fits says (package space).
func (z Size) Check() error {
	if errs := setting.Check(z.Geometry); len(errs) > 0 {
		return z.Bad(errs[0].Name, errs[0].Value, errs[0].Want)
	}
	switch {
	case z.Classes < 2 || z.Classes > 65535:
		return z.Bad("classes", z.Classes, "2 to 65535")
	case z.Image < 8 || z.Image > MaxImage:
		return z.Bad("image", z.Image, fmt.Sprintf("8 to %d", MaxImage))
	case z.Aux && (z.AuxChannels[0] < 2 || z.AuxChannels[1] < 2):
		return z.Bad("aux_channels", z.AuxChannels, "two widths of at least 2")
	}
	return nil
}

// Bad is the error of a field that is out of range or does not fit a space.
func (Size) Bad(field string, got any, want string) error {
	section := "net"
	if field == "image" {
		section = "data" // the images decide it
	}
	return fmt.Errorf("supernet: %s.%s is %v, want %s", section, field, got, want)
}

// Images stands among Layer.In for the images themselves, (N,Image,Image,3).
const Images = -1

// Nothing stands among the candidates of a choice for no operand at all, the "none" of
// NAS-Bench-201. A sum leaves it out; any other operation of nothing is nothing itself, so
// what only reads such parts is in no path.
const Nothing = -2

// Layer is one operation of a network.
type Layer struct {
	Name string // prefix of its tensors' names, as torch's module path: cells.0.pre0
	Op   ops.Op // nil in a layer that only passes on what it picks
	In   []int  // what it reads: layers before it, by index, or Images

	// Block is what the names of the other layers of its block begin with, for pictures: only of a layer without a name, where
	// the layer before it may be of another block.
	Block string

	// Pick makes In the candidates of a choice: of an architecture a the layer reads
	// In[a[p]] for each p of Pick. All candidates have the same shape.
	Pick []int

	Candidate bool // an operation, or one of a chain, that a choice offers; drop-path may drop it
	Aux       bool // part of the auxiliary head, which only training has

	stored int // index of the layer in the description that its parameters are laid out by
}

// Network is a list of layers, each after those it reads.
type Network struct {
	Image   int // side of the square input in pixels
	Choices int // entries of an architecture that choose among the layers; 0 in a path
	Layers  []Layer
	Logits  int // the layer whose output (N,Classes) classifies
	Aux     int // likewise of the auxiliary head; -1 without one

	// Whole has Costs count every candidate that an architecture picks, also where
	// its output reaches none of the network's, as NAS-Bench-201 counts. Unread is what the
	// network of one architecture has of such parts: they are counted, but not built.
	Whole  bool
	Unread Counts

	sparse bool // some layer may read Nothing
}

// Counts are parameters and multiply-adds for one image.
type Counts struct{ Params, MAdds int64 }

// Begin returns an empty network for images of that side, with that many choices.
func Begin(image, choices int) *Network {
	return &Network{Image: image, Choices: choices, Logits: -1, Aux: -1}
}

// Add appends a layer and returns its index.
func (n *Network) Add(l Layer) int {
	l.stored = len(n.Layers)
	n.Layers = append(n.Layers, l)
	n.sparse = n.sparse || slices.Contains(l.In, Nothing)
	return l.stored
}

// picked are the layers that layer i reads when a chooses; a may be nil for a
// network without choices. Operands that are nothing are left out; nothing is what
// Network.nothing returns.
func (n *Network) picked(i int, a []int, nothing []bool, buf []int) []int {
	l := &n.Layers[i]
	if l.Pick == nil && nothing == nil {
		return l.In
	}
	buf = buf[:0]
	add := func(k int) {
		if k != Nothing && (k < 0 || nothing == nil || !nothing[k]) {
			buf = append(buf, k)
		}
	}
	if l.Pick == nil {
		for _, k := range l.In {
			add(k)
		}
		return buf
	}
	for _, p := range l.Pick {
		add(l.In[a[p]])
	}
	return buf
}

// nothing marks the layers that are nothing when a chooses; nil where none can be.
func (n *Network) nothing(a []int) []bool {
	if !n.sparse {
		return nil
	}
	nothing := make([]bool, len(n.Layers))
	var buf [8]int
	for i := range n.Layers {
		l := &n.Layers[i]
		want := len(l.In)
		if l.Pick != nil {
			want = len(l.Pick)
		}
		left := len(n.picked(i, a, nothing, buf[:]))
		if _, sums := l.Op.(ops.Adder); sums {
			nothing[i] = left == 0
		} else {
			nothing[i] = left < want
		}
	}
	return nothing
}

// live marks the layers that the outputs need when a chooses.
func (n *Network) live(a []int, nothing []bool, outputs ...int) []bool {
	live := make([]bool, len(n.Layers))
	for _, o := range outputs {
		if o >= 0 {
			live[o] = true
		}
	}
	var buf [8]int
	for i := len(live) - 1; i >= 0; i-- {
		if !live[i] {
			continue
		}
		for _, k := range n.picked(i, a, nothing, buf[:]) {
			if k >= 0 {
				live[k] = true
			}
		}
	}
	return live
}

// Select returns the path of architecture a: what its choices keep, without what
// reaches no output. A network without choices selects with a nil.
func (n *Network) Select(a []int) (*Network, error) {
	if len(a) != n.Choices {
		return nil, fmt.Errorf("supernet: the architecture has %d choices, the network %d: it is no path of it", len(a), n.Choices)
	}
	for _, l := range n.Layers {
		for _, p := range l.Pick {
			if a[p] < 0 || a[p] >= len(l.In) {
				return nil, fmt.Errorf("supernet: choice %d of the architecture is %d, the network has %d candidates", p, a[p], len(l.In))
			}
		}
	}
	nothing := n.nothing(a)
	if n.Logits >= 0 && nothing != nil && nothing[n.Logits] {
		return nil, errors.New("supernet: nothing reaches the classifier: the network has one output for all images, and cannot be trained")
	}
	return n.keep(a, nothing, n.live(a, nothing, n.Logits, n.Aux)), nil
}

// keep returns the network of the marked layers, in which layers that only pass on
// are replaced by what they pass on, and so are sums of one operand.
func (n *Network) keep(a []int, nothing, live []bool) *Network {
	out := Begin(n.Image, 0)
	to := make([]int, len(n.Layers)) // new index of a layer
	count := 0
	for _, k := range live {
		if k {
			count++
		}
	}
	out.Layers = make([]Layer, 0, count)
	var buf [8]int
	for i, l := range n.Layers {
		if !live[i] {
			continue
		}
		in := make([]int, 0, len(l.In))
		for _, k := range n.picked(i, a, nothing, buf[:]) {
			if k >= 0 {
				k = to[k]
			}
			in = append(in, k)
		}
		op, in := reduced(l, in)
		if op == nil {
			to[i] = in[0]
			continue
		}
		l.Op, l.In, l.Pick = op, in, nil
		to[i] = len(out.Layers)
		out.Layers = append(out.Layers, l)
	}
	if n.Logits >= 0 {
		out.Logits = to[n.Logits]
	}
	if n.Aux >= 0 {
		out.Aux = to[n.Aux]
	}
	return out
}

// reduced is the operation of a layer on the operands that are left; nil where it only
// passes the first one on.
func reduced(l Layer, in []int) (ops.Op, []int) {
	sum, ok := l.Op.(ops.Adder)
	switch {
	case !ok:
		return l.Op, in
	case len(in) == 1:
		return nil, in
	}
	return sum.WithTerms(len(in)), in
}

// Live returns the network without what reaches no output. Its parameters are laid
// out by itself, not by n.
func (n *Network) Live() (*Network, error) {
	out, err := n.Select(nil)
	if err != nil {
		return nil, err
	}
	for i := range out.Layers {
		out.Layers[i].stored = i
	}
	return out, nil
}

// Shapes are those of every layer's output for a batch of that many images.
func (n *Network) Shapes(batch int) ([]ops.Shape, error) {
	shapes := make([]ops.Shape, len(n.Layers))
	for i := range n.Layers {
		l := &n.Layers[i]
		in := n.inShapes(i, shapes, batch)
		if l.Op == nil {
			shapes[i] = in[0]
			continue
		}
		out, err := l.Op.Shape(in)
		if err != nil {
			return nil, fmt.Errorf("supernet: layer %s: %w", l.Name, err)
		}
		shapes[i] = out
	}
	return shapes, nil
}

// inShapes are the shapes that layer i reads. Candidates of a choice have one shape,
// so the first ones stand for those that are picked.
func (n *Network) inShapes(i int, shapes []ops.Shape, batch int) []ops.Shape {
	l := &n.Layers[i]
	in := l.In
	if l.Pick != nil {
		if in[0] == Nothing {
			in = in[1:]
		}
		in = in[:len(l.Pick)]
	}
	out := make([]ops.Shape, len(in))
	for j, k := range in {
		if k == Images {
			out[j] = ops.Shape{batch, n.Image, n.Image, 3}
		} else {
			out[j] = shapes[k]
		}
	}
	return out
}

// Masks is the most drop-path masks that a path of the network takes: one for each
// operand that an operation can drop and that is, or passes on, a candidate.
func (n *Network) Masks() int {
	masks := 0
	for _, l := range n.Layers {
		if _, ok := l.Op.(ops.Dropper); !ok {
			continue
		}
		if l.Pick != nil {
			masks += len(l.Pick)
			continue
		}
		for _, k := range l.In {
			if k >= 0 && (n.Layers[k].Candidate || n.Layers[k].Op == nil) {
				masks++
			}
		}
	}
	return masks
}

// Largest is how many values the largest output of a layer has, for one image.
func (n *Network) Largest() (int, error) {
	shapes, err := n.Shapes(1)
	if err != nil {
		return 0, err
	}
	most := 0
	for _, s := range shapes {
		most = max(most, s.Size())
	}
	return most, nil
}
