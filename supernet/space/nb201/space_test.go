package nb201

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"oneshot/supernet/space"
)

var _ space.Independent = Space{}

func rnd() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func mustParse(t testing.TB, text string) space.Arch {
	t.Helper()
	s, a, err := space.ParseAny(text)
	if err != nil {
		t.Fatal(err)
	}
	if s != (Space{}) {
		t.Fatalf("%s is of %s", text, s.Name())
	}
	return a
}

// cells are short forms for tests: none, skip, 1x1, 3x3, pool as 0 to 4.
func cells(digits string) space.Arch {
	var a space.Arch
	for _, d := range digits {
		a = append(a, int(d-'0'))
	}
	return a
}

func TestSizes(t *testing.T) {
	s := Space{}
	if got := s.Size().Int64(); got != 5259 {
		t.Errorf("%d canonical architectures, want 5259", got)
	}
	of := map[uint16]int{}
	for _, c := range classes().of {
		of[c]++
	}
	if len(of) != 5260 || s.Dim() != 30 {
		t.Errorf("%d classes with codes of %d, want 5260 and 30", len(of), s.Dim())
	}
	if !reflect.DeepEqual(s.Candidates(), []int{5, 5, 5, 5, 5, 5}) {
		t.Errorf("candidates %v", s.Candidates())
	}
	opened, err := s.Named().Open()
	if err != nil || opened != space.Space(s) {
		t.Errorf("%v opens %v, %v", s.Named(), opened, err)
	}
	if g := s.Geometry(); g.Layers != 15 || g.Channels != 16 || g.ImageNet {
		t.Errorf("geometry %+v", g)
	}
}

// TestTwins: edges are 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.
func TestTwins(t *testing.T) {
	s := Space{}
	for _, c := range []struct {
		a, b string
		twin bool
	}{
		{"300100", "000100", true},  // node 1 is not read
		{"033001", "000000", false}, // what is read stays
		{"003103", "000100", true},  // an operation of nothing
		{"004033", "000000", true},  // all is nothing
		{"300010", "030001", true},  // nodes 1 and 2 in the other order
		{"340011", "430011", true},  //
		{"100030", "000300", true},  // a skip in front
		{"300010", "000300", true},  // a skip behind
		{"110023", "330011", false}, //
		{"100330", "000300", false}, // two convolutions of one input
		{"100330", "110033", true},  //
		{"301011", "330011", false}, // a convolution read twice; two of them
		{"301011", "300011", false}, // read twice, and once
		{"200010", "300010", false}, // 1x1, 3x3
		{"000400", "000100", false}, //
		{"110011", "000100", false}, // twice the input is not the input
		{"321011", "231011", false}, //
		{"410410", "400410", true},  // node 2 is not read
		{"311111", "000100", false}, //
		{"131011", "331011", false}, //
		{"130011", "310011", true},  // input + convolution
		{"113001", "000100", false}, // input + conv(input)
		{"113001", "130011", true},  //
		{"000000", "444444", false}, //
		{"333333", "333333", true},  //
		{"001111", "000100", true},  // nodes 1 and 2 are nothing
		{"010203", "000000", false}, //
		{"110320", "110230", true},  // two readers of one value
		{"110323", "110233", true},  //
	} {
		a, b := s.Canonical(cells(c.a)), s.Canonical(cells(c.b))
		if reflect.DeepEqual(a, b) != c.twin {
			t.Errorf("%s and %s: canonical %v and %v, twins: %v", c.a, c.b, a, b, c.twin)
		}
		if same := space.Hash(s, cells(c.a)) == space.Hash(s, cells(c.b)); same != c.twin {
			t.Errorf("%s and %s: one hash: %v", c.a, c.b, same)
		}
	}
}

// live leaves out the edges that the output does not depend on.
func live(a space.Arch) space.Arch {
	out := slices.Clone(a)
	some := [nodes]bool{true}
	for i, e := range edges {
		if !some[e.from] {
			out[i] = none
		}
		some[e.to] = some[e.to] || out[i] != none
	}
	read := [nodes]bool{3: true}
	for i := len(edges) - 1; i >= 0; i-- {
		if e := edges[i]; !read[e.to] {
			out[i] = none
		} else if out[i] != none {
			read[e.from] = true
		}
	}
	return out
}

// TestCanonical: the first of its class, with no part that is not read; leaving such parts out and
// exchanging the nodes in the middle makes twins.
func TestCanonical(t *testing.T) {
	s := Space{}
	for i := range total {
		a := arch(i)
		if index(a) != i {
			t.Fatalf("%v is number %d, want %d", a, index(a), i)
		}
		c := s.Canonical(a)
		if index(c) > i || !reflect.DeepEqual(s.Canonical(c), c) || !reflect.DeepEqual(live(c), c) {
			t.Fatalf("%v: canonical %v", a, c)
		}
		if !reflect.DeepEqual(s.Canonical(live(a)), c) {
			t.Fatalf("%v: without dead parts %v is another class", a, live(a))
		}
		if a[2] == none {
			b := space.Arch{a[1], a[0], none, a[3], a[5], a[4]}
			if !reflect.DeepEqual(s.Canonical(b), c) {
				t.Fatalf("%v and %v are no twins", a, b)
			}
		}
	}
}

func TestSampleIsUniform(t *testing.T) {
	s, r, n := Space{}, rnd(), map[int]int{}
	const each = 20
	for range each * 5259 {
		n[index(s.Sample(r))]++
	}
	chi := 0.0
	for i := range n {
		if int(classes().of[i]) != i || i == 0 {
			t.Fatalf("%v is drawn", arch(i))
		}
		d := float64(n[i] - each)
		chi += d * d / each
	}
	if len(n) != 5259 || chi < 5259-5*103 || chi > 5259+5*103 { // standard deviation sqrt(2*5258)
		t.Errorf("%d of 5259 drawn, chi squared %g", len(n), chi)
	}
}

func TestCodes(t *testing.T) {
	s := Space{}
	for i := range total {
		a := arch(i)
		got, err := s.Decode(code(a))
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("%v: code of %v, %v", a, got, err)
		}
		c := s.Canonical(a)
		if index(c) == 0 {
			if s.Encode(a) != nil {
				t.Fatalf("%v is nothing and has a code", a)
			}
			continue
		}
		if got, err := s.Decode(s.Encode(a)); err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%v: code of %v, %v, want that of %v", a, got, err, c)
		}
	}
	for i, want := range map[int]string{0: "edge 0 to 1: none", 3: "edge 0 to 1: nor_conv_3x3", 14: "edge 1 to 2: avg_pool_3x3", 29: "edge 2 to 3: avg_pool_3x3", 30: "", -1: ""} {
		if got := s.Feature(i); got != want {
			t.Errorf("entry %d is %q, want %q", i, got, want)
		}
	}
	good := code(cells("333333"))
	for name, bad := range map[string][]byte{"short": good[1:], "long": append(slices.Clone(good), 0), "two": append([]byte{1}, good[1:]...),
		"three": append([]byte{3}, good[1:]...), "none": make([]byte, 30), "nil": nil} {
		if a, err := s.Decode(bad); err == nil {
			t.Errorf("%s: decoded as %v", name, a)
		}
	}
}

// TestMutate: from every code to another canonical one that differs in one choice of its twins; all
// can be reached.
func TestMutate(t *testing.T) {
	s, r := Space{}, rnd()
	for i := range total {
		c := code(arch(i))
		before := slices.Clone(c)
		got, err := s.Decode(s.MutateCode(c, r))
		if err != nil || index(got) == 0 || classes().of[index(got)] != uint16(index(got)) || classes().of[i] == uint16(index(got)) {
			t.Fatalf("%v becomes %v, %v", arch(i), got, err)
		}
		if !slices.Equal(c, before) {
			t.Fatal("the code was changed")
		}
		near := false
		for k := range edges {
			for op := range nOps {
				a := arch(i)
				a[k] = op
				near = near || reflect.DeepEqual(s.Canonical(a), got)
			}
		}
		if !near {
			t.Fatalf("%v becomes %v, which is further than one choice", arch(i), got)
		}
	}
	seen, next := map[int]bool{}, []int{index(s.Canonical(cells("333333")))}
	for len(next) > 0 {
		i := next[0]
		next = next[1:]
		if seen[i] || i == 0 {
			continue
		}
		seen[i] = true
		for k := range edges {
			for op := range nOps {
				a := arch(i)
				a[k] = op
				next = append(next, index(s.Canonical(a)))
			}
		}
	}
	if len(seen) != 5259 {
		t.Errorf("mutations reach %d of 5259", len(seen))
	}
}

func TestUses(t *testing.T) {
	want := []space.Use{{Op: "none", N: 1}, {Op: "skip_connect", N: 2}, {Op: "nor_conv_1x1"}, {Op: "nor_conv_3x3", N: 2}, {Op: "avg_pool_3x3", N: 1}}
	if got := (Space{}).Uses(cells("013143")); !reflect.DeepEqual(got, want) {
		t.Errorf("uses %v, want %v", got, want)
	}
}

// BenchmarkTable is what the first use of the space costs: about 10 ms.
func BenchmarkTable(b *testing.B) {
	for b.Loop() {
		newTwins()
	}
}
