package cell

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// laNet is both cells of LaNet: its output concatenates the nodes that nobody reads.
const laNet = ":0.skip_connect+1.skip_connect,1.sep_conv_3x3+1.skip_connect,2.max_pool_3x3+1.skip_connect,1.sep_conv_3x3+0.skip_connect," +
	"3.skip_connect+4.sep_conv_5x5,3.skip_connect+0.max_pool_3x3,3.skip_connect+1.sep_conv_3x3/unread"

func TestUnreadNodes(t *testing.T) {
	s, a, err := space.ParseAny("lanas7" + laNet + laNet)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Format(a); !strings.Contains(got, "/5.6.7.8:") || !strings.HasSuffix(got, "/5.6.7.8") {
		t.Errorf("the unread nodes are written %s", got)
	}
}

// TestAllNodesNeedNoWords: an output of all nodes is the architecture without one, with
// the hash it always had.
func TestAllNodesNeedNoWords(t *testing.T) {
	const old = "lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+1.sep_conv_5x5:0.skip_connect+1.skip_connect,1.max_pool_3x3+2.skip_connect"
	s, a, err := space.ParseAny(old)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{strings.Replace(old, "5x5:", "5x5/2.3:", 1), strings.Replace(old, "5x5:", "5x5/unread:", 1), old + "/2.3"} {
		b, err := s.Parse(text)
		if err != nil || !slices.Equal(a, b) || space.Hash(s, a) != space.Hash(s, b) {
			t.Errorf("%s: %v %v, want what it is without outputs", text, b, err)
		}
	}
}

// TestOutputsAndTwinsRoundTrip draws architectures no search would.
func TestOutputsAndTwinsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	odd := 0
	for range 500 {
		s := mustNew(t, "full", 1+r.IntN(5))
		cells := s.Cells(s.Sample(r))
		var outputs [2]Outputs
		for c := range cells {
			for i := range cells[c] {
				if r.IntN(4) == 0 {
					cells[c][i][1] = cells[c][i][0]
				}
				if r.IntN(2) == 0 {
					outputs[c] = append(outputs[c], i)
				}
			}
		}
		a := s.Arch(cells[0], cells[1], outputs[:]...)
		if err := s.Check(a); err != nil {
			t.Fatal(err)
		}
		j, err := s.MarshalArch(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{s.Format(a), string(j)} {
			if _, b, err := space.ParseAny(text); err != nil || !slices.Equal(a, b) {
				t.Fatalf("%s: %v %v, want %v", text, b, err, a)
			}
		}
		if len(a) == 4*s.Nodes {
			continue
		}
		odd++
		if s.Encode(a) != nil {
			t.Errorf("%s has a code", s.Format(a))
		}
		n, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 6, Channels: 4, StemMultiplier: 2}, Classes: 10, Image: 32, Affine: true, Aux: true, AuxChannels: [2]int{4, 6}}, a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Shapes(2); err != nil {
			t.Errorf("%s: %v", s.Format(a), err)
		}
		names := map[string]bool{}
		for _, l := range n.Layers {
			for _, p := range l.Op.Params() {
				if names[l.Name+"."+p.Name] {
					t.Errorf("%s: two parameters are called %s.%s", s.Format(a), l.Name, p.Name)
				}
				names[l.Name+"."+p.Name] = true
			}
		}
	}
	if odd < 100 {
		t.Errorf("only %d of 500 had outputs or twins", odd)
	}
}

// TestCheckWantsOneFormOfAnArchitecture: two lists of choices that mean the same would
// be two architectures to a search.
func TestCheckWantsOneFormOfAnArchitecture(t *testing.T) {
	s := mustNew(t, "lanas", 2)
	a := s.Sample(rand.New(rand.NewPCG(1, 2)))
	for name, b := range map[string]space.Arch{
		"all outputs named": append(slices.Clone(a), 3, 3),
		"no output":         append(slices.Clone(a), 0, 3),
		"another node":      append(slices.Clone(a), 4, 3),
		"one output only":   append(slices.Clone(a), 1),
		"unnamed twins":     append(space.Arch{a[0], a[0]}, a[2:]...),
	} {
		if err := s.Check(b); err == nil {
			t.Errorf("%s: %v is accepted", name, b)
		}
	}
	if err := s.Check(append(slices.Clone(a), 1, 3)); err != nil {
		t.Error(err)
	}
}

// TestNoPathHasOutputsOfItsOwn: the cells of a supernet have one width.
func TestNoPathHasOutputsOfItsOwn(t *testing.T) {
	s := mustNew(t, "lanas", 2)
	all, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 8}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := append(s.Sample(rand.New(rand.NewPCG(1, 2))), 1, 3)
	if _, err := all.Select(a); err == nil {
		t.Error("an architecture with outputs is a path of the supernet")
	}
	if got := s.Outputs(a); !reflect.DeepEqual(got, [2]Outputs{{0}, nil}) {
		t.Errorf("outputs %v", got)
	}
}
