package blocks

import (
	"fmt"
	"slices"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Geometry implements space.Space: the blocks and the stem's width of the definition.
func (s *Space) Geometry() net.Geometry {
	return net.Geometry{Layers: len(s.rows), Channels: s.def.Stem.Channels, StemMultiplier: 1}
}

// Fits implements space.Space.
func (s *Space) Fits(z net.Size) error {
	if err := z.Check(); err != nil {
		return err
	}
	switch {
	case z.Layers != len(s.rows):
		return z.Bad("layers", z.Layers, fmt.Sprintf("%d: space %s has so many blocks", len(s.rows), s.Name()))
	case z.ImageNet:
		return z.Bad("imagenet", z.ImageNet, "false: the form is one of cells, and space "+s.Name()+" says itself what its stem is")
	case z.Aux:
		return fmt.Errorf("supernet: space %s has no auxiliary head: turn it off (retrain.aux 0)", s.Name())
	}
	return nil
}

// width is what a width of the definition is in a network of size z.
func (s *Space) width(z net.Size, channels int) int {
	stem := s.def.Stem.Channels
	return max(1, (channels*z.Channels+stem/2)/stem)
}

// Describe implements space.Space.
func (s *Space) Describe(z net.Size, a space.Arch) (*net.Network, error) {
	if err := s.Fits(z); err != nil {
		return nil, err
	}
	if a == nil {
		return s.describe(z), nil
	}
	if err := s.Check(a); err != nil {
		return nil, err
	}
	path, err := s.describe(z).Select(s.Canonical(a))
	if err != nil {
		return nil, err
	}
	return path.Live()
}

// describe lists the supernet.
func (s *Space) describe(z net.Size) *net.Network {
	n := net.Begin(z.Image, len(s.rows))
	d := s.def
	stem := ops.Op(ops.Stem{Cin: 3, Cout: z.Channels, Affine: z.Affine})
	if d.Stem.Kernel != 3 || d.Stem.Stride != 1 {
		stem = ops.Conv2D{Cin: 3, Cout: z.Channels, R: d.Stem.Kernel, S: d.Stem.Kernel, StrideH: d.Stem.Stride, StrideW: d.Stem.Stride, Images: true, Affine: z.Affine}
	}
	x := n.Add(net.Layer{Name: "stem", Op: stem, In: []int{net.Images}})
	side := (z.Image + d.Stem.Stride - 1) / d.Stem.Stride
	cin, act := z.Channels, ops.ReLU
	if s.rows[0].needsPlain() {
		x, act = n.Add(net.Layer{Name: "stem", Op: ops.ActBN{Act: ops.ReLU, C: cin, NoNorm: true}, In: []int{x}}), ops.Identity
	}
	for i, r := range s.rows {
		b := &block{n: n, name: fmt.Sprintf("layers.%d", i), in: x, act: act, cin: cin, cout: s.width(z, r.channels), stride: r.stride, affine: z.Affine}
		choice := net.Layer{Pick: []int{i}}
		for _, c := range r.choices {
			o := candidates[c.Op]
			if o.passes && !r.changes {
				choice.In = append(choice.In, x)
			} else {
				choice.In = append(choice.In, o.add(b, c))
			}
		}
		x, cin, act = n.Add(choice), b.cout, ops.Identity
		side = (side + r.stride - 1) / r.stride
	}
	pool := ops.Op(ops.GlobalAvgPool{Parts: 1})
	if d.Head != nil {
		wide := s.width(z, d.Head.Channels)
		x = n.Add(net.Layer{Name: "head", Op: ops.ConvBN{Parts: 1, Cin: cin, Cout: wide, Affine: z.Affine}, In: []int{x}})
		pool, cin = ops.AvgPool{Act: ops.ReLU, Parts: 1, K: side, Stride: 1}, wide
	}
	x = n.Add(net.Layer{Op: pool, In: []int{x}})
	n.Logits = n.Add(net.Layer{Name: "classifier", Op: ops.Linear{In: cin, Out: z.Classes}, In: []int{x}})
	return n
}

// row is a block of the definition.
type row struct {
	channels, stride int
	changes          bool // the shape
	choices          []Choice
	pass             int  // the candidate that is the block's input itself; -1 without
	begins           bool // no block before it may change places with it
}

// needsPlain says whether some candidate wants its input without an activation.
func (r row) needsPlain() bool {
	return slices.ContainsFunc(r.choices, func(c Choice) bool {
		o := candidates[c.Op]
		return o.plain || !r.changes && (o.passes || c.Op == "mbconv")
	})
}

// rows are the blocks of a definition.
func rows(d Definition) (out []row) {
	cin := d.Stem.Channels
	for i, st := range d.Stages {
		for k := range st.Layers {
			r := row{channels: st.Channels, stride: 1, choices: d.choices(i, k), pass: -1}
			if k == 0 {
				r.stride = st.Stride
			}
			r.changes = r.stride != 1 || cin != st.Channels
			if !r.changes {
				r.pass = slices.IndexFunc(r.choices, func(c Choice) bool { return candidates[c.Op].passes })
			}
			r.begins = len(out) == 0 || r.changes || out[len(out)-1].changes || !slices.Equal(r.choices, out[len(out)-1].choices)
			out, cin = append(out, r), st.Channels
		}
	}
	return out
}
