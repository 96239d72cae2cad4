package cell

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// TestCostAgreesWithPyTorch reads the counts of testdata/cost.py, which builds
// each network in PyTorch 1.13 and runs it.
func TestCostAgreesWithPyTorch(t *testing.T) {
	b, err := os.ReadFile("testdata/cost.tsv")
	if err != nil {
		t.Fatal(err)
	}
	compared, dead := 0, 0
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var n net.Size
		var wantParams, wantMAdds int64
		var text string
		if _, err := fmt.Sscan(line, &n.Layers, &n.Channels, &n.StemMultiplier, &n.Classes, &n.Image, &wantParams, &wantMAdds, &text); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		s, a, err := space.ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, aux := range []bool{false, true} { // what only the head keeps alive is not counted
			n.Affine, n.Aux, n.AuxChannels = true, aux, [2]int{2, 2}
			if _, err := auxStride(n); aux && err != nil {
				continue // no auxiliary head fits this one
			}
			if params, madds := cost(t, s, a, n); params != wantParams || madds != wantMAdds {
				t.Errorf("%s in %+v: %d parameters, %d multiply-adds, want %d, %d", text, n, params, madds, wantParams, wantMAdds)
			}
		}
		n.Aux = false
		for _, c := range cellsAlive(t, s.(Space), a, n) {
			if !c.cell {
				dead++
			}
		}
		compared++
	}
	if compared < 10 || dead == 0 {
		t.Errorf("compared %d networks with %d dead cells: too few to mean anything", compared, dead)
	}
}

// cost counts the network and, by selection, the path of the supernet: they agree.
func cost(t *testing.T, s space.Space, a space.Arch, z net.Size) (params, madds int64) {
	t.Helper()
	n, err := s.Describe(z, a)
	if err != nil {
		t.Fatal(err)
	}
	if params, madds, err = n.Cost(); err != nil {
		t.Fatal(err)
	}
	all, err := s.Describe(z, nil)
	if err != nil {
		t.Fatal(err)
	}
	costs, err := all.Costs()
	if err != nil {
		t.Fatal(err)
	}
	if p, m := costs.Of(a); p != params || m != madds {
		t.Errorf("%s: %d parameters, %d multiply-adds, as a path of the supernet %d, %d", s.Format(a), params, madds, p, m)
	}
	return params, madds
}

// TestLiveIsReachability compares with a walk from the outputs to the inputs.
func TestLiveIsReachability(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	s := mustNew(t, "lanas", 1) // one node often ignores an input
	for range 2000 {
		a := s.Sample(r)
		n := net.Size{Geometry: net.Geometry{Layers: 1 + r.IntN(9), Channels: 2, StemMultiplier: 1}, Classes: 2, Image: 32, Aux: r.IntN(2) == 1, AuxChannels: [2]int{2, 2}}
		if _, err := auxStride(n); err != nil {
			n.Aux = false
		}
		want := make([]alive, n.Layers)
		var visit func(l int)
		visit = func(l int) {
			if l < 0 {
				return
			}
			node := s.Cells(a)[0][0]
			if reduces(n, l) {
				node = s.Cells(a)[1][0]
			}
			want[l].cell = true
			for _, p := range node {
				if p.Edge == 0 {
					want[l].pre0 = true
					visit(l - 2)
				} else {
					want[l].pre1 = true
					visit(l - 1)
				}
			}
		}
		visit(n.Layers - 1)
		if n.Aux {
			visit(2 * n.Layers / 3)
		}
		for l, got := range cellsAlive(t, s, a, n) {
			if got != want[l] {
				t.Fatalf("%s, %+v, cell %d: %+v, want %+v", s.Format(a), n, l, got, want[l])
			}
		}
	}
}
