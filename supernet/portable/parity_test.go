package portable_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/portable"
	"oneshot/supernet/space"
	"oneshot/supernet/space/cell"
)

// parityEnv asks for every network of parity instead of samples; `make test-export` does.
const parityEnv = "ONESHOT_PARITY"

// randomArchs is how many random architectures parity has.
const randomArchs = 24

// parity are the networks that other programs compute too: samples or, where that is asked for, also every published
// network in both forms, one of each form at its published size, and random architectures of every family with 2 to 5 nodes.
func parity(t *testing.T) []sample {
	t.Helper()
	if os.Getenv(parityEnv) == "" {
		return samples(t)
	}
	return append(samples(t), allNetworks(t)...)
}

var (
	networksOnce sync.Once
	networks     []sample
)

// allNetworks makes those beyond samples once for all tests, which do not change them.
func allNetworks(t *testing.T) []sample {
	t.Helper()
	networksOnce.Do(func() {
		rt, err := supernet.NewRuntime(2)
		if err != nil {
			t.Fatal(err)
		}
		defer rt.Close()
		small := net.Geometry{Layers: 5, Channels: 6, StemMultiplier: 3}
		add := func(name string, s space.Space, arch space.Arch, z net.Size, o ...portable.ONNXOptions) {
			x := newSample(t, rt, name, s, arch, z)
			x.options = o
			networks = append(networks, x)
		}
		var folded, plain portable.ONNXOptions
		plain.PlainNorm = true
		for _, name := range cell.PublishedNames() {
			s, arch, err := space.ParseAny(name)
			if err != nil {
				t.Fatal(err)
			}
			add(name+" CIFAR", s, arch, net.Size{Geometry: small, Classes: 10, Image: 32, Affine: true}, folded, plain)
			z := net.Size{Geometry: small, Classes: 20, Image: 64, Affine: true}
			z.ImageNet = true
			add(name+" ImageNet", s, arch, z, folded)
			if name != "darts-v2" {
				continue
			}
			add(name+" CIFAR, 20 cells of 36", s, arch, net.Size{Geometry: net.Geometry{Layers: 20, Channels: 36, StemMultiplier: 3}, Classes: 10, Image: 32, Affine: true}, folded)
			add(name+" ImageNet, 14 cells of 48", s, arch, net.Size{Geometry: net.Geometry{Layers: 14, Channels: 48, StemMultiplier: 1, ImageNet: true}, Classes: 1000, Image: 224, Affine: true}, folded)
		}
		families := space.Families()
		r := rand.New(rand.NewPCG(11, 1))
		for i := range randomArchs {
			s, err := space.New(families[i%len(families)], 2+r.IntN(4))
			if err != nil {
				t.Fatal(err)
			}
			g := net.Geometry{Layers: 3 + r.IntN(4), Channels: 2 * (1 + r.IntN(6)), StemMultiplier: 1 + r.IntN(3), ImageNet: i%4 == 3}
			z := net.Size{Geometry: g, Classes: 7, Image: 32, Affine: i%3 > 0}
			if g.ImageNet {
				z.Image = 64
			}
			add(fmt.Sprintf("random %d of %s", i, s.Name()), s, s.Sample(r), z, options()[i%4])
		}
	})
	if t.Failed() || len(networks) < 2*len(cell.PublishedNames())+2+randomArchs {
		t.Fatalf("only %d networks", len(networks))
	}
	return networks
}
