package cell

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// TestPathOfTheSupernetIsTheNetwork: selecting an architecture's path gives the layers
// that its own description lists, with the same names, operations and inputs.
func TestPathOfTheSupernetIsTheNetwork(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, set := range []string{"lanas", "darts", "full", "nasnet"} {
		for range 200 {
			s := mustNew(t, set, 1+r.IntN(5))
			s.Plain, s.Standard = r.IntN(2) == 1, r.IntN(2) == 1
			z := net.Size{Geometry: net.Geometry{Layers: 1 + r.IntN(8), Channels: 2 + 2*r.IntN(4), StemMultiplier: 1 + r.IntN(3)}, Classes: 10, Image: 32,
				Affine: r.IntN(2) == 1, Aux: r.IntN(2) == 1, AuxChannels: [2]int{4, 6}}
			if r.IntN(3) == 0 {
				z.ImageNet, z.Image = true, []int{32, 224}[r.IntN(2)]
			}
			if _, err := auxStride(z); err != nil {
				z.Aux = false
			}
			a := s.Sample(r)
			all, err := s.Describe(z, nil)
			if err != nil {
				t.Fatal(err)
			}
			path, err := all.Select(a)
			if err != nil {
				t.Fatal(err)
			}
			own, err := s.Describe(z, a)
			if err != nil {
				t.Fatal(err)
			}
			if path.Logits != own.Logits || path.Aux != own.Aux || len(path.Layers) != len(own.Layers) {
				t.Fatalf("%s: a path of %d layers, described with %d", s.Format(a), len(path.Layers), len(own.Layers))
			}
			for i, l := range path.Layers {
				w := own.Layers[i]
				if l.Name != w.Name || l.Op != w.Op || !reflect.DeepEqual(l.In, w.In) || l.Candidate != w.Candidate || l.Aux != w.Aux {
					t.Fatalf("%s: layer %d of the path is %+v, described as %+v", s.Format(a), i, l, w)
				}
			}
			if _, err := path.Shapes(3); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSelectRefusesOthers: an architecture of another length or with choices that the
// network does not offer.
func TestSelectRefusesOthers(t *testing.T) {
	s := mustNew(t, "lanas", 2)
	all, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 2, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 8}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := s.Sample(rand.New(rand.NewPCG(1, 1)))
	if _, err := all.Select(a[1:]); err == nil {
		t.Error("a shorter architecture is accepted")
	}
	a[len(a)-1] = 99
	if _, err := all.Select(a); err == nil {
		t.Error("a choice beyond the candidates is accepted")
	}
	if _, err := all.Select(nil); err == nil {
		t.Error("a network with choices selects without an architecture")
	}
}

// TestNamesOfTwoLayerCandidates: the two convolutions of conv_7x1_1x7 are one candidate, and
// the stride goes to each in its long direction.
func TestNamesOfTwoLayerCandidates(t *testing.T) {
	s, a, err := space.ParseAny("nasnet1:0.conv_7x1_1x7+0.conv_7x1_1x7:0.conv_7x1_1x7+1.skip_connect")
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 32, Affine: true}, a)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]ops.Shape{}
	for _, p := range net.NewLayout(n).Params {
		names[p.Name] = p.File
	}
	for name, want := range map[string]ops.Shape{
		"cells.0.nodes.0.edges.0.conv_7x1_1x7.conv1.weight":   {4, 4, 1, 7},
		"cells.0.nodes.0.edges.0.conv_7x1_1x7.conv2.weight":   {4, 4, 7, 1},
		"cells.0.nodes.0.edges.0.conv_7x1_1x7.bn2.weight":     {4},
		"cells.0.nodes.0.edges.0.conv_7x1_1x7.bn2.bias":       {4},
		"cells.0.nodes.0.edges.0.conv_7x1_1x7_2.conv1.weight": {4, 4, 1, 7},
		"cells.1.nodes.0.edges.0.conv_7x1_1x7.conv1.weight":   {8, 8, 1, 7},
	} {
		if !slices.Equal(names[name], want) {
			t.Errorf("%s has shape %v, want %v", name, names[name], want)
		}
	}
	if _, ok := names["cells.0.nodes.0.edges.0.conv_7x1_1x7.bn1.weight"]; ok {
		t.Error("there is a normalisation between the two convolutions")
	}
	strided := 0
	for _, l := range n.Layers {
		c, ok := l.Op.(ops.Conv2D)
		if !ok {
			continue
		}
		if !l.Candidate {
			t.Errorf("%s is no candidate", l.Name)
		}
		if long := max(c.StrideH, c.StrideW); long == 2 {
			strided++
			if (c.S == 7) != (c.StrideW == 2) || (c.R == 7) != (c.StrideH == 2) {
				t.Errorf("%s: %+v", l.Name, c)
			}
		}
	}
	if strided != 4 {
		t.Errorf("%d convolutions of stride 2, want two in each reduction cell", strided)
	}
}

// TestRulesReachTheOperations: which operations a rule changes, and which not.
func TestRulesReachTheOperations(t *testing.T) {
	s := mustNew(t, "nasnet", 3)
	s.Plain, s.Standard = true, true
	n, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 32, Affine: true, Aux: true, AuxChannels: [2]int{4, 6}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, l := range n.Layers {
		switch op := l.Op.(type) {
		case ops.PoolBN:
			seen["pool"]++
			if !op.NoNorm || op.Affine {
				t.Errorf("%s: %+v", l.Name, op)
			}
		case ops.Separable:
			seen["separable"]++
			if !op.Standard {
				t.Errorf("%s: %+v", l.Name, op)
			}
		case ops.ConvBN:
			seen["conv"]++
			if op.Standard != strings.HasPrefix(l.Name, "cells.") || op.NoNorm {
				t.Errorf("%s: %+v", l.Name, op)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("seen are %v", seen)
	}
}

// TestTheFormForImageNet has the shapes, operations and names of its stem and head.
func TestTheFormForImageNet(t *testing.T) {
	p, s, a := findName(t, "darts-v2")
	n, err := s.Describe(p.size(true), a)
	if err != nil {
		t.Fatal(err)
	}
	shapes, err := n.Shapes(2)
	if err != nil {
		t.Fatal(err)
	}
	stem := func(act ops.Activation, cin, cout int, images bool, suffix string) ops.Op {
		return ops.Conv2D{Act: act, Cin: cin, Cout: cout, R: 3, S: 3, StrideH: 2, StrideW: 2, Images: images, Affine: true, Suffix: suffix}
	}
	for i, want := range []struct {
		name  string
		op    ops.Op
		in    int
		shape ops.Shape
	}{
		{"stem0", stem(ops.Identity, 3, 24, true, "1"), net.Images, ops.Shape{2, 112, 112, 24}},
		{"stem0", stem(ops.ReLU, 24, 48, false, "2"), 0, ops.Shape{2, 56, 56, 48}},
		{"stem1", stem(ops.ReLU, 48, 48, false, ""), 1, ops.Shape{2, 28, 28, 48}},
		{"cells.0.pre0", ops.FactorizedReduce{Parts: 1, Cin: 48, Cout: 48, Affine: true}, 1, ops.Shape{2, 28, 28, 48}},
		{"cells.0.pre1", ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: 48, Cout: 48, Affine: true}, 2, ops.Shape{2, 28, 28, 48}},
	} {
		l := n.Layers[i]
		if l.Name != want.name || l.Op != want.op || !slices.Equal(l.In, []int{want.in}) || !slices.Equal(shapes[i], want.shape) {
			t.Errorf("layer %d is %+v of shape %v, want %+v", i, l, shapes[i], want)
		}
	}
	var head []ops.Op
	for _, l := range n.Layers {
		if l.Aux {
			head = append(head, l.Op)
		}
	}
	if want := []ops.Op{
		ops.AvgPool{Act: ops.ReLU, Parts: 4, K: 5, Stride: 2},
		ops.ConvBN{Parts: 1, Cin: 4 * 4 * 48, Cout: 128, Affine: true, Suffix: "1"},
		ops.ConvBN{Act: ops.ReLU, Flatten: 2, Parts: 1, Cin: 4 * 128, Cout: 768, NoNorm: true, Suffix: "2"},
		ops.Linear{Act: ops.ReLU, In: 768, Out: 1000},
	}; !reflect.DeepEqual(head, want) {
		t.Errorf("the head is %+v, want %+v", head, want)
	}
}

func TestFits(t *testing.T) {
	s := mustNew(t, "nasnet", 2)
	cifar := net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 3}, Classes: 10, Image: 32, Affine: true, AuxChannels: [2]int{4, 6}}
	large := cifar
	large.ImageNet, large.Image = true, 224
	for name, c := range map[string]struct {
		z    net.Size
		edit func(z *net.Size)
		want string // "" fits
	}{
		"CIFAR":                   {cifar, func(*net.Size) {}, ""},
		"odd channels":            {cifar, func(z *net.Size) { z.Channels = 33 }, ""},
		"a side of 30":            {cifar, func(z *net.Size) { z.Image = 30 }, "data.image is 30, want a multiple of 4"},
		"a head":                  {cifar, func(z *net.Size) { z.Aux = true }, ""},
		"a head on 64":            {cifar, func(z *net.Size) { z.Aux, z.Image = true, 64 }, "data.image 64 leaves 16x16 pixels at cell 2; the auxiliary head needs 7 to 10: turn it off (retrain.aux 0)"},
		"ImageNet":                {large, func(*net.Size) {}, ""},
		"ImageNet, odd channels":  {large, func(z *net.Size) { z.Channels = 33 }, "33 channels (net.channels or retrain.channels), want an even number"},
		"ImageNet, a side of 240": {large, func(z *net.Size) { z.Image = 240 }, "data.image is 240, want a multiple of 32"},
		"ImageNet, the smallest":  {large, func(z *net.Size) { z.Image = 32 }, ""},
		"ImageNet, one cell":      {large, func(z *net.Size) { z.Layers = 1 }, ""},
		"ImageNet, head":          {large, func(z *net.Size) { z.Aux = true }, ""},
		"ImageNet, head on 256":   {large, func(z *net.Size) { z.Aux, z.Image = true, 256 }, ""},
		"ImageNet, head on 192":   {large, func(z *net.Size) { z.Aux, z.Image = true, 192 }, "data.image 192 leaves 6x6 pixels at cell 2; the auxiliary head needs 7 or 8"},
	} {
		z := c.z
		c.edit(&z)
		err := s.Fits(z)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if err != nil {
			continue
		}
		n, err := s.Describe(z, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Shapes(2); err != nil {
			t.Errorf("%s fits, but %v", name, err)
		}
	}
}

// TestWidestOfNASNet: the supernet of all nine operations counts, and its widest path is one.
func TestWidestOfNASNet(t *testing.T) {
	for _, plain := range []bool{false, true} {
		s := mustNew(t, "nasnet", 3)
		s.Plain = plain
		for _, z := range []net.Size{
			{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 16},
			{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1, ImageNet: true}, Classes: 10, Image: 64},
		} {
			n, err := s.Describe(z, nil)
			if err != nil {
				t.Fatal(err)
			}
			a, err := n.Widest()
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Check(a); err != nil {
				t.Errorf("the widest path is no architecture: %v", err)
			}
			for _, u := range s.Uses(a) {
				if u.N > 0 && !strings.HasPrefix(u.Op, "sep_conv") && u.Op != "conv_7x1_1x7" {
					t.Errorf("the widest path has %d %s", u.N, u.Op)
				}
			}
			r := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				cost(t, s, s.Sample(r), z)
			}
		}
	}
}
