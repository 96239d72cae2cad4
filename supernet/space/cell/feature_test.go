package cell

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var featureWords = regexp.MustCompile(`^(normal|reduce) node (\d+): (\w+) of (input|node) (\d+)$`)

// The words of an architecture's entries of 1 give the architecture back, in
// every operation set: Feature is the inverse of Encode's layout.
func TestFeatureSpellsTheArchitecture(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, set := range []string{"lanas", "darts", "full", "nasnet"} {
		for nodes := 1; nodes <= 5; nodes++ {
			s := mustNew(t, set, nodes)
			a := s.Sample(r)
			read := map[string][][]Pair{"normal": make([][]Pair, nodes), "reduce": make([][]Pair, nodes)}
			for i, v := range s.Encode(a) {
				m := featureWords.FindStringSubmatch(s.Feature(i))
				if m == nil {
					t.Fatalf("%s: entry %d is %q", s.Name(), i, s.Feature(i))
				}
				if v == 0 {
					continue
				}
				node, _ := strconv.Atoi(m[2])
				edge, _ := strconv.Atoi(m[5])
				if m[4] == "node" {
					edge += 2
				}
				read[m[1]][node] = append(read[m[1]][node], Pair{edge, slices.Index(s.Ops, m[3])})
			}
			for c, cell := range s.Cells(a) {
				name := []string{"normal", "reduce"}[c]
				for i, n := range cell {
					if !slices.Equal(read[name][i], n[:]) {
						t.Errorf("%s: %s node %d is %v, its words say %v", s.Name(), name, i, n, read[name][i])
					}
				}
			}
		}
	}
}

func TestFeatureNamesEveryEntryOnce(t *testing.T) {
	s := mustNew(t, "lanas", 5)
	seen := map[string]bool{}
	for i := range s.Dim() {
		seen[s.Feature(i)] = true
	}
	if len(seen) != s.Dim() || seen[""] {
		t.Errorf("%d names for %d entries", len(seen), s.Dim())
	}
	if s.Feature(-1) != "" || s.Feature(s.Dim()) != "" {
		t.Error("a name for an entry that is not there")
	}
	for i, want := range map[int]string{0: "normal node 0: max_pool_3x3 of input 0", 159: "reduce node 4: sep_conv_5x5 of node 3"} {
		if got := s.Feature(i); got != want {
			t.Errorf("entry %d is %q, want %q", i, got, want)
		}
	}
}
