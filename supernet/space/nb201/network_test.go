package nb201

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// counted is the size of NAS-Bench-201's own networks for CIFAR-10.
var counted = net.Size{Geometry: Space{}.Geometry(), Classes: 10, Image: 32, Affine: true}

var small = net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 3}, Classes: 10, Image: 8, Affine: true}

func describe(t testing.TB, z net.Size, a space.Arch) *net.Network {
	t.Helper()
	n, err := Space{}.Describe(z, a)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCounts: what the authors and their code count, by the network of the architecture and by the
// path of the supernet. With parts that are not read they are counted all the same.
func TestCounts(t *testing.T) {
	costs, err := describe(t, counted, nil).Costs()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a             space.Arch
		params, madds int64
	}{
		{mustParse(t, published), 802_426, 113_951_360},
		{cells("333333"), 1_531_546, 220_119_680},
		{cells("111111"), 73_306, 7_783_040},
		{cells("444444"), 73_306, 7_783_040},
		{cells("300100"), 73_306 + (1_531_546-73_306)/6, 7_783_040 + (220_119_680-7_783_040)/6}, // a node that nobody reads
		{cells("003100"), 73_306 + (1_531_546-73_306)/6, 7_783_040 + (220_119_680-7_783_040)/6}, // an operation of nothing
	} {
		params, madds := costs.Of(c.a)
		if params != c.params || madds != c.madds {
			t.Errorf("%v: %d parameters and %d multiply-adds, want %d and %d", c.a, params, madds, c.params, c.madds)
		}
		if params, madds, err = describe(t, counted, c.a).Cost(); err != nil || params != c.params || madds != c.madds {
			t.Errorf("%v built: %d parameters and %d multiply-adds, want %d and %d; %v", c.a, params, madds, c.params, c.madds, err)
		}
	}
	if params, _ := costs.Of(cells("000000")); params != 73_306 {
		t.Errorf("a network of nothing has %d parameters", params)
	}
}

// built are the layers of a network without what says where they come from.
func built(n *net.Network) (layers []net.Layer) {
	for _, l := range n.Layers {
		layers = append(layers, net.Layer{Name: l.Name, Op: l.Op, In: l.In, Candidate: l.Candidate})
	}
	return layers
}

// TestTwinsAreOneNetwork, and what is not read is not built.
func TestTwinsAreOneNetwork(t *testing.T) {
	s, r := Space{}, rnd()
	for range 200 {
		i := r.IntN(total)
		c := s.Canonical(arch(i))
		if index(c) == 0 {
			continue
		}
		a, b := describe(t, small, arch(i)), describe(t, small, c)
		if !reflect.DeepEqual(built(a), built(b)) {
			t.Fatalf("%v and %v are two networks", arch(i), c)
		}
		if (b.Unread != net.Counts{}) || a.Unread.Params < 0 {
			t.Fatalf("%v has %+v of parts that are not read, %v %+v", c, b.Unread, arch(i), a.Unread)
		}
		convs := 0
		for _, l := range b.Layers {
			if l.Candidate && strings.Contains(l.Name, "nor_conv") {
				convs++
			}
		}
		want := 0
		for _, u := range s.Uses(c) {
			if strings.HasPrefix(u.Op, "nor_conv") {
				want += small.Layers * u.N
			}
		}
		if convs != want {
			t.Fatalf("%v has %d convolutions, want %d", c, convs, want)
		}
		if _, err := b.Shapes(2); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNetwork: names and operations of a small network, as in NAS-Bench-201.
func TestNetwork(t *testing.T) {
	n := describe(t, small, mustParse(t, "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|"))
	var got []string
	for _, l := range n.Layers {
		got = append(got, strings.TrimSpace(l.Name+" "+l.Op.Name()))
	}
	cell := func(i string) []string {
		return []string{"cells." + i + ".edges.1_2.nor_conv_1x1 relu_conv_bn", "cells." + i + ".edges.1_3.nor_conv_3x3 conv_3x3", "cells." + i + ".edges.2_3.avg_pool_3x3 avg_pool_3x3", "node_sum"}
	}
	block := func(i string) []string {
		return []string{"cells." + i + ".a conv_3x3", "cells." + i + ".b conv_3x3", "avg_pool_2x2", "cells." + i + ".down relu_conv", "node_sum"}
	}
	want := slices.Concat([]string{"stem stem"}, cell("0"), block("1"), cell("2"), block("3"), cell("4"),
		[]string{"last bn", "relu_avg_pool_2x2", "classifier linear"})
	slices.Sort(got)
	slices.Sort(want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("layers\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, l := range n.Layers {
		if sum, ok := l.Op.(ops.NodeSum); ok && len(l.In) == 3 && sum.Terms != 3 {
			t.Errorf("a sum of %v has %d terms", l.In, sum.Terms)
		}
	}
	shapes, err := n.Shapes(2)
	if err != nil {
		t.Fatal(err)
	}
	if got := shapes[n.Logits]; !got.Eq(ops.Shape{2, 10}) {
		t.Errorf("logits of shape %v", got)
	}
}

// TestSkipsAreTheirSource: a network of skips has no candidate, and sums of equal terms.
func TestSkipsAreTheirSource(t *testing.T) {
	n := describe(t, small, cells("111111"))
	for _, l := range n.Layers {
		if l.Candidate {
			t.Errorf("%s stands in a network of skips", l.Name)
		}
	}
}

func TestNothing(t *testing.T) {
	for _, a := range []space.Arch{cells("000000"), cells("330000")} {
		if _, err := (Space{}).Describe(small, a); err == nil || !strings.Contains(err.Error(), "nothing reaches the classifier") {
			t.Errorf("%v: %v", a, err)
		}
		if space.Hash(Space{}, a) != space.Hash(Space{}, cells("000000")) {
			t.Errorf("%v has another hash than nothing", a)
		}
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		change func(z *net.Size)
		want   string
	}{
		{func(z *net.Size) { z.Layers = 8 }, "net.layers is 8, want a multiple of 3"},
		{func(z *net.Size) { z.Image = 30 }, "data.image is 30, want a multiple of 4"},
		{func(z *net.Size) { z.ImageNet = true }, "net.imagenet is true, want false"},
		{func(z *net.Size) { z.Aux, z.AuxChannels = true, [2]int{8, 8} }, "retrain.aux 0"},
		{func(z *net.Size) { z.Classes = 1 }, "net.classes"},
	} {
		z := counted
		c.change(&z)
		if err := (Space{}).Fits(z); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
		if _, err := (Space{}).Describe(z, nil); err == nil {
			t.Errorf("a network of %+v", z)
		}
	}
	if err := (Space{}).Fits(counted); err != nil {
		t.Error(err)
	}
	if _, err := (Space{}).Describe(counted, cells("3")); err == nil {
		t.Error("an architecture of one choice")
	}
}

// TestWidest: the path that needs the most memory has a convolution on every edge.
func TestWidest(t *testing.T) {
	a, err := describe(t, small, nil).Widest()
	if err != nil || !reflect.DeepEqual(space.Arch(a), cells("333333")) {
		t.Errorf("%v %v", a, err)
	}
}
