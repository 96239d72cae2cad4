package space

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
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
		var n Net
		var wantParams, wantMAdds int64
		var text string
		if _, err := fmt.Sscan(line, &n.Layers, &n.Channels, &n.StemMultiplier, &n.Classes, &n.Image, &wantParams, &wantMAdds, &text); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		s, a, err := ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, aux := range []bool{false, true} { // what only the head keeps alive is not counted
			n.Aux = aux
			if params, madds := s.Cost(a, n); params != wantParams || madds != wantMAdds {
				t.Errorf("%s in %+v: %d parameters, %d multiply-adds, want %d, %d", text, n, params, madds, wantParams, wantMAdds)
			}
		}
		n.Aux = false
		for _, c := range s.Live(a, n) {
			if !c.Cell {
				dead++
			}
		}
		compared++
	}
	if compared < 10 || dead == 0 {
		t.Errorf("compared %d networks with %d dead cells: too few to mean anything", compared, dead)
	}
}

// TestLiveIsReachability compares with a walk from the outputs to the inputs.
func TestLiveIsReachability(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	s := mustNew(t, "lanas", 1) // one node often ignores an input
	for range 2000 {
		a := s.Sample(r)
		n := Net{Layers: 1 + r.IntN(9), Aux: r.IntN(2) == 1}
		want := make([]CellLive, n.Layers)
		var visit func(l int)
		visit = func(l int) {
			if l < 0 {
				return
			}
			node := a.Normal[0]
			if n.Reduction(l) {
				node = a.Reduce[0]
			}
			want[l].Cell = true
			for _, p := range node {
				if p.Edge == 0 {
					want[l].S0 = true
					visit(l - 2)
				} else {
					want[l].S1 = true
					visit(l - 1)
				}
			}
		}
		visit(n.Layers - 1)
		if n.Aux {
			visit(2 * n.Layers / 3)
		}
		for l, got := range s.Live(a, n) {
			if got != want[l] {
				t.Fatalf("%s, %+v, cell %d: %+v, want %+v", s.Format(a), n, l, got, want[l])
			}
		}
	}
}
