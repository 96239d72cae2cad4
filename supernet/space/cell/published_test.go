package cell

import (
	"cmp"
	"testing"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// publishedCosts are what networks of the published cells have without their auxiliary
// head: parameters, multiply-adds of convolutions and the classifier, and the parameters
// with a batch normalisation behind every pooling, as is our own rule.
//
// The parameters of DARTS_V1, DARTS_V2, PC_DARTS_cifar, NASNet-A and LaNet (CIFAR form) are what
// their authors' code counts, those of P-DARTS are in its issue tracker. The others, and
// multiply-adds, were counted from the specification by an independent script. Where
// multiply-adds are published in millions only, m is in 100,000.
var publishedCosts = []struct {
	name             string
	layers, channels int // 0: those that the name is published with
	imageNet         bool
	params           int64
	madds            int64 // 0: see m
	m                int64
	ours             int64
}{
	{name: "darts-v1", params: 3169414, madds: 500987520, ours: 3171574},
	{name: "darts-v2", params: 3349342, madds: 528359040, ours: 3351502},
	{name: "pc-darts", params: 3634678, madds: 556670592, ours: 3638134},
	{name: "p-darts", params: 3433798, madds: 532174464, ours: 3434662},
	{name: "nasnet-a", params: 3245989, m: 5125, ours: 3255889},
	{name: "amoebanet-a", params: 3145078, madds: 488931552, ours: 3159334},
	{name: "lanet", params: 3222982, m: 4960, ours: 3229894},
	{name: "lanet", layers: 24, params: 3714886, m: 5915, ours: 3722950},
	{name: "lanet", layers: 24, channels: 128, params: 44591498, m: 69627, ours: 44620170},
	{name: "darts-v2", imageNet: true, params: 4718752, m: 5299, ours: 4721632},
	{name: "pc-darts-image", imageNet: true, params: 5342464, m: 5816, ours: 5343040},
}

// size is that of a published network, with its auxiliary head.
func (p Published) size(imageNet bool) net.Size {
	z := net.Size{Geometry: net.Geometry{Layers: PublishedLayers, Channels: p.Channels, StemMultiplier: 3}, Classes: 10, Image: 32,
		Affine: true, Aux: true, AuxChannels: [2]int{128, 768}}
	if imageNet {
		z.ImageNet, z.Layers, z.Channels, z.Image, z.Classes = true, ImageNetLayers, ImageNetChannels, ImageNetImage, ImageNetClasses
	}
	return z
}

func findName(t *testing.T, name string) (Published, Space, space.Arch) {
	t.Helper()
	for _, p := range published {
		if p.Name == name {
			s, a := p.open()
			return p, s, a
		}
	}
	t.Fatalf("%s is not published", name)
	return Published{}, Space{}, nil
}

// TestPublishedCosts has each network by the published rule and by ours, whose difference
// is a scale and a shift for every channel of a pooling.
func TestPublishedCosts(t *testing.T) {
	for _, want := range publishedCosts {
		p, s, a := findName(t, want.name)
		z := p.size(want.imageNet)
		z.Layers, z.Channels = cmp.Or(want.layers, z.Layers), cmp.Or(want.channels, z.Channels)
		count := func() (n *net.Network, params, madds int64) {
			n, err := s.Describe(z, a)
			if err != nil {
				t.Fatal(err)
			}
			if params, madds, err = n.Cost(); err != nil {
				t.Fatal(err)
			}
			return n, params, madds
		}
		n, params, madds := count()
		if params != want.params || want.madds != 0 && madds != want.madds || want.m != 0 && (madds+50000)/100000 != want.m {
			t.Errorf("%s in %+v: %d parameters, %d multiply-adds, want %d and %d (or %d00,000)", want.name, z, params, madds, want.params, want.madds, want.m)
		}
		shapes, err := n.Shapes(1)
		if err != nil {
			t.Fatal(err)
		}
		ours := params
		for i, l := range n.Layers {
			if l.Op.Name() == "max_pool_3x3" || l.Op.Name() == "avg_pool_3x3" {
				ours += 2 * int64(shapes[i][3])
			}
		}
		s.Plain = false
		if _, got, m := count(); got != want.ours || got != ours || m != madds {
			t.Errorf("%s: %d parameters and %d multiply-adds with pools of our rule, want %d (%d by its pools) and %d", want.name, got, m, want.ours, ours, madds)
		}
	}
}

// TestPublishedAuxiliaryHead: 476,426 values at 36 channels; 45.26 million for LaNet of
// 128 channels and its head together.
func TestPublishedAuxiliaryHead(t *testing.T) {
	p, s, a := findName(t, "darts-v2")
	n, err := s.Describe(p.size(false), a)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.AuxParams(); got != 476426 {
		t.Errorf("the head has %d values, want 476426", got)
	}
	// There its second convolution has no normalisation.
	if n, err = s.Describe(p.size(true), a); err != nil {
		t.Fatal(err)
	}
	if got, want := n.AuxParams(), int64(4*4*48*128+2*128+128*4*768+768*1000+1000); got != want {
		t.Errorf("the head of the form for ImageNet has %d values, want %d", got, want)
	}
	p, s, a = findName(t, "lanet")
	z := p.size(false)
	z.Layers, z.Channels = 24, 128
	if n, err = s.Describe(z, a); err != nil {
		t.Fatal(err)
	}
	params, _, err := n.Cost()
	if err != nil || (params+n.AuxParams()+5000)/10000 != 4526 {
		t.Errorf("LaNet with its head has %d values (%v), want 45.26 million", params+n.AuxParams(), err)
	}
}
