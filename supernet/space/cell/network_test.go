package cell

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"oneshot/supernet/net"
)

// TestPathOfTheSupernetIsTheNetwork: selecting an architecture's path gives the layers
// that its own description lists, with the same names, operations and inputs.
func TestPathOfTheSupernetIsTheNetwork(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, set := range []string{"lanas", "darts", "full"} {
		for range 200 {
			s := mustNew(t, set, 1+r.IntN(5))
			z := net.Size{Geometry: net.Geometry{Layers: 1 + r.IntN(8), Channels: 2 + 2*r.IntN(4), StemMultiplier: 1 + r.IntN(3)}, Classes: 10, Image: 32,
				Affine: r.IntN(2) == 1, Aux: r.IntN(2) == 1, AuxChannels: [2]int{4, 6}}
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
