package cell

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

func mustNew(t testing.TB, set string, nodes int) Space {
	t.Helper()
	s, err := space.New(set, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return s.(Space)
}

// TestSizesOfASpace: the range of space.Named.
func TestSizesOfASpace(t *testing.T) {
	for nodes, ok := range map[int]bool{-1: false, 0: false, 1: true, 32: true, 33: false} {
		_, err := space.New("lanas", nodes)
		var f *space.FieldError
		if (err == nil) != ok || err != nil && (!errors.As(err, &f) || f.Field != "nodes") {
			t.Errorf("%d nodes: %v", nodes, err)
		}
	}
}

// all lists a small space by brute force.
func all(s Space) []space.Arch {
	cells := [][]Node{nil}
	for i := range s.Nodes {
		var next [][]Node
		for _, c := range cells {
			for x := range s.pairs(i) {
				for y := x + 1; y < s.pairs(i); y++ {
					next = append(next, append(slices.Clone(c), Node{s.pair(x), s.pair(y)}))
				}
			}
		}
		cells = next
	}
	var out []space.Arch
	for _, n := range cells {
		for _, r := range cells {
			out = append(out, s.Arch(n, r))
		}
	}
	return out
}

func TestSizeIsTheProductOfBinomials(t *testing.T) {
	for _, set := range []string{"lanas", "darts", "full", "nasnet"} {
		s := mustNew(t, set, 1)
		if got := s.Size(); got.Cmp(big.NewInt(int64(len(all(s))))) != 0 {
			t.Errorf("%s with one node: size %v, brute force %d", set, got, len(all(s)))
		}
	}
	s := mustNew(t, "lanas", 5)
	// C(8,2) C(12,2) C(16,2) C(20,2) C(24,2), squared.
	cell := int64(28 * 66 * 120 * 190 * 276)
	want := new(big.Int).Mul(big.NewInt(cell), big.NewInt(cell))
	if s.Size().Cmp(want) != 0 {
		t.Errorf("5 nodes of 4 operations: size %v, want %v", s.Size(), want)
	}
}

// TestSampleIsUniform compares counts on all 784 architectures of one node
// with a chi-square bound of six standard deviations.
func TestSampleIsUniform(t *testing.T) {
	s := mustNew(t, "lanas", 1)
	r := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	const per = 100
	archs := all(s)
	for range per * len(archs) {
		counts[s.Format(s.Sample(r))]++
	}
	var chi float64
	for _, a := range archs {
		d := float64(counts[s.Format(a)] - per)
		chi += d * d / per
	}
	k := float64(len(archs) - 1)
	if !(math.Abs(chi-k) <= 6*math.Sqrt(2*k)) {
		t.Errorf("chi-square %.0f for %.0f degrees of freedom", chi, k)
	}
}

// TestMutateCodeChangesOnePair: it reaches exactly the neighbours that a walk over
// the whole space finds, each as often as the others.
func TestMutateCodeChangesOnePair(t *testing.T) {
	s := mustNew(t, "lanas", 2)
	r := rand.New(rand.NewPCG(3, 4))
	a := s.Sample(r)
	common := func(x, y Node) int {
		n := 0
		for _, p := range x {
			if p == y[0] || p == y[1] {
				n++
			}
		}
		return n
	}
	want := map[string]bool{} // by brute force over the whole space
	cells := s.Cells(a)
	for _, b := range all(s) {
		same, one := 0, 0
		for c, nodes := range s.Cells(b) {
			for i, n := range nodes {
				switch common(cells[c][i], n) {
				case 2:
					same++
				case 1:
					one++
				}
			}
		}
		if one == 1 && same == 2*s.Nodes-1 {
			want[s.Format(b)] = true
		}
	}
	code := s.Encode(a)
	counts := map[string]int{}
	for range 200 * len(want) {
		b, err := s.Decode(s.MutateCode(code, r))
		if err != nil {
			t.Fatal(err)
		}
		counts[s.Format(b)]++
	}
	if !slices.Equal(code, s.Encode(a)) {
		t.Error("MutateCode changed the code it was given")
	}
	if len(counts) != len(want) {
		t.Fatalf("MutateCode reaches %d of %d neighbours", len(counts), len(want))
	}
	for b, n := range counts {
		if !want[b] || n < 120 || n > 280 { // 200 expected, deviation 14
			t.Errorf("MutateCode gives %s %d times, want about 200", b, n)
		}
	}
}

func TestMaskOfTheRelease(t *testing.T) {
	s := mustNew(t, "lanas", 5)
	if s.Dim() != 160 {
		t.Fatalf("mask of 5 nodes and 4 operations has %d entries, want 160", s.Dim())
	}
	a := s.Sample(rand.New(rand.NewPCG(1, 1)))
	cells := s.Cells(a)
	cells[0][0] = Node{{0, 3}, {1, 0}}
	cells[1][1] = Node{{0, 0}, {2, 2}}
	m := s.Encode(s.Arch(cells[0], cells[1]))
	for _, i := range []int{3, 4, 80 + 8, 80 + 8 + 2*4 + 2} {
		if m[i] != 1 {
			t.Errorf("mask[%d] is 0, want 1", i)
		}
	}
	if ones := bytes.Count(m, []byte{1}); ones != 20 {
		t.Errorf("mask has %d ones, want 20", ones)
	}
}

func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := space.Named{Space: space.Cell, Ops: rapid.SampledFrom(space.Families()).Draw(t, "set"), Nodes: rapid.IntRange(1, 7).Draw(t, "nodes"),
			PoolNorm: rapid.Bool().Draw(t, "pool_norm"), WeightStandard: rapid.Bool().Draw(t, "weight_standard")}
		s, err := n.Open()
		if err != nil {
			t.Fatal(err)
		}
		if s.Named() != n {
			t.Fatalf("%+v is opened as %+v", n, s.Named())
		}
		a := s.Sample(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		if err := s.Check(a); err != nil {
			t.Fatal(err)
		}
		if b, err := s.Decode(s.Encode(a)); err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("mask: %v %v", b, err)
		}
		j, err := s.MarshalArch(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{s.Format(a), string(j)} {
			s2, b, err := space.ParseAny(text)
			if err != nil || !reflect.DeepEqual(a, b) || !reflect.DeepEqual(s, s2) {
				t.Fatalf("%s: %v %v", text, b, err)
			}
		}
	})
}

func TestHashIsStable(t *testing.T) {
	s, a, err := space.ParseAny("lanas1:1.skip_connect+0.max_pool_3x3:0.sep_conv_3x3+0.sep_conv_5x5")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Format(a), "lanas1:0.max_pool_3x3+1.skip_connect:0.sep_conv_3x3+0.sep_conv_5x5"; got != want {
		t.Errorf("canonical form %s, want %s", got, want)
	}
	if got, want := space.Hash(s, a), "64b7fe100391"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestErrorsNameTheField(t *testing.T) {
	good := "lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5:0.skip_connect+1.skip_connect,1.max_pool_3x3+2.skip_connect"
	if _, _, err := space.ParseAny(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, field string }{
		{"", "space"},
		{"lanas", "space"},
		{"nope2:a:b", "ops"},
		{"lanas99:a:b", "nodes"},
		{"lanas2-ws-rawpool:a:b", "space"},
		{"lanas2-ws-ws:a:b", "space"},
		{"lanas2-:a:b", "space"},
		{"-rawpool:a:b", "space"},
		{"lanas2:x", "text"},
		{"lanas1:0.skip_connect+1.skip_connect:0.skip_connect", "reduce.node[0]"},
		{"lanas1:0.skip_connect+x.skip_connect:0.skip_connect+1.skip_connect", "normal.node[0].pair[1].edge"},
		{"lanas1:0.skip_connect+2.skip_connect:0.skip_connect+1.skip_connect", "normal.node[0].pair[1].edge"},
		{"lanas1:0.skip_connect+1.conv:0.skip_connect+1.skip_connect", "normal.node[0].pair[1].op"},
		{"lanas1:0.skip_connect+1.skip_connect/1:0.skip_connect+1.skip_connect", "normal.output"},
		{"lanas1:0.skip_connect+1.skip_connect/3:0.skip_connect+1.skip_connect", "normal.output"},
		{"lanas1:0.skip_connect+1.skip_connect/:0.skip_connect+1.skip_connect", "normal.output"},
		{"lanas1:0.skip_connect+1.skip_connect:0.skip_connect+1.skip_connect/x", "reduce.output"},
		{"lanas1:0.skip_connect+1.skip_connect:0.skip_connect+1.skip_connect/2.2", "reduce.output"},
		{`{"space":{"ops":"lanas","nodes":1},"normal":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce_output":[]}`, "reduce.output"},
		{`{"space":{"ops":"lanas","nodes":1},"normal":[[{"edge":0,"op":"skip_connect"}]],"reduce":[]}`, "normal.node[0]"},
		{`{"space":{"ops":"lanas","nodes":1},"normal":[],"reduce":[]}`, "normal"},
	} {
		_, _, err := space.ParseAny(c.text)
		var f *space.FieldError
		if !errors.As(err, &f) || f.Field != c.field {
			t.Errorf("%q: error %v, want one of field %s", c.text, err, c.field)
		}
	}
	if _, _, err := space.ParseAny(`{"spaces":1}`); err == nil {
		t.Error("an unknown JSON field is accepted")
	}
	s := mustNew(t, "lanas", 1)
	for _, m := range [][]byte{nil, make([]byte, 16), bytes.Repeat([]byte{1}, 16), append([]byte{2}, make([]byte, 15)...)} {
		if _, err := s.Decode(m); err == nil {
			t.Errorf("mask %v is accepted", m)
		}
	}
}

// TestDeadCells: when every node reads only the cell before last, every other cell
// is dead.
func TestDeadCells(t *testing.T) {
	s := mustNew(t, "lanas", 2)
	n := Node{{0, 0}, {0, 1}}
	a := s.Arch([]Node{n, n}, []Node{n, n})
	z := net.Size{Geometry: net.Geometry{Layers: 6, Channels: 4, StemMultiplier: 3}, Classes: 10, Image: 32}
	for l, got := range cellsAlive(t, s, a, z) {
		want := alive{cell: l%2 == 1, pre0: l%2 == 1}
		if got != want {
			t.Errorf("cell %d: %+v, want %+v", l, got, want)
		}
	}
	z.Aux, z.AuxChannels = true, [2]int{2, 2} // reads cell 4, which brings 2 and 0 to life
	for l, got := range cellsAlive(t, s, a, z) {
		if !got.cell {
			t.Errorf("cell %d is dead though the auxiliary head needs it", l)
		}
	}
}

// alive says what of a cell is in a network.
type alive struct{ cell, pre0, pre1 bool }

func cellsAlive(t *testing.T, s Space, a space.Arch, z net.Size) []alive {
	t.Helper()
	n, err := s.Describe(z, a)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]alive, z.Layers)
	for _, l := range n.Layers {
		var cell int
		var part string
		if _, err := fmt.Sscanf(l.Name, "cells.%d.%s", &cell, &part); err != nil {
			continue
		}
		out[cell].cell = true
		out[cell].pre0 = out[cell].pre0 || part == "pre0"
		out[cell].pre1 = out[cell].pre1 || part == "pre1"
	}
	return out
}

func FuzzParseAny(f *testing.F) {
	f.Add("lanas1:1.skip_connect+0.max_pool_3x3:0.sep_conv_3x3+0.sep_conv_5x5")
	f.Add("nasnet1-rawpool-ws:1.conv_7x1_1x7+0.max_pool_3x3/2:0.sep_conv_7x7+0.sep_conv_7x7/unread")
	f.Add("lanet")
	f.Add(laNetList)
	f.Add(`{"space":{"ops":"lanas","nodes":1,"pool_norm":false,"weight_standard":true},"normal":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]]}`)
	f.Add(`{"space":{"ops":"lanas","nodes":1},"normal":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, a, err := space.ParseAny(text)
		if err != nil {
			return
		}
		if err := s.Check(a); err != nil {
			t.Fatalf("%q is accepted but wrong: %v", text, err)
		}
		if s2, b, err := space.ParseAny(s.Format(a)); err != nil || !reflect.DeepEqual(a, b) || s.Name() != s2.Name() {
			t.Fatalf("%q does not survive its text form", text)
		}
	})
}

func FuzzDecode(f *testing.F) {
	s := mustNew(f, "lanas", 1)
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, mask []byte) {
		if a, err := s.Decode(mask); err == nil && !bytes.Equal(s.Encode(a), mask) {
			t.Fatalf("mask %v becomes %v", mask, s.Encode(a))
		}
	})
}

// A code as text that is accepted is an architecture of the space, and its code again.
func FuzzParseCode(f *testing.F) {
	s := mustNew(f, "lanas", 1)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := space.ParseCode(s, text)
		if err != nil {
			return
		}
		if err := s.Check(a); err != nil {
			t.Fatalf("%q is accepted but wrong: %v", text, err)
		}
		if strings.ContainsAny(text, "23456789") {
			t.Fatalf("%q is accepted", text)
		}
		again, err := json.Marshal(slices.Collect(func(yield func(int) bool) {
			for _, v := range s.Encode(a) {
				if !yield(int(v)) {
					return
				}
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := space.ParseCode(s, string(again)); err != nil || !slices.Equal(a, b) {
			t.Fatalf("%q becomes %s: %v %v", text, again, b, err)
		}
	})
}

func TestJSONForm(t *testing.T) {
	s := mustNew(t, "lanas", 1)
	b, err := s.MarshalArch(s.Arch([]Node{{{0, 0}, {1, 1}}}, []Node{{{0, 2}, {0, 3}}}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"space":{"ops":"lanas","nodes":1},"normal":[[{"edge":0,"op":"max_pool_3x3"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":0,"op":"sep_conv_3x3"},{"edge":0,"op":"sep_conv_5x5"}]]}`
	if string(b) != want || !json.Valid(b) {
		t.Errorf("JSON form\n%s, want\n%s", b, want)
	}
}

// TestRulesAreInEveryForm: rules that are not the default make another name, text, hash and
// JSON, and each reads its own only. The names are those of published networks' texts.
func TestRulesAreInEveryForm(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct {
		plain, standard bool
		name, json      string
	}{
		{false, false, "lanas1", `{"ops":"lanas","nodes":1}`},
		{true, false, "lanas1-rawpool", `{"ops":"lanas","nodes":1,"pool_norm":false}`},
		{false, true, "lanas1-ws", `{"ops":"lanas","nodes":1,"weight_standard":true}`},
		{true, true, "lanas1-rawpool-ws", `{"ops":"lanas","nodes":1,"pool_norm":false,"weight_standard":true}`},
	} {
		s := mustNew(t, "lanas", 1)
		s.Plain, s.Standard = c.plain, c.standard
		a := s.Arch([]Node{{{0, 0}, {1, 1}}}, []Node{{{0, 2}, {0, 3}}})
		if s.Name() != c.name || seen[space.Hash(s, a)] {
			t.Errorf("%s, hash %s; want the name %s and a hash of its own", s.Name(), space.Hash(s, a), c.name)
		}
		seen[space.Hash(s, a)] = true
		j, err := s.MarshalArch(a)
		if err != nil || !bytes.Contains(j, []byte(`{"space":`+c.json+`,`)) {
			t.Errorf("%s %v, want the space %s", j, err, c.json)
		}
		other := s
		other.Plain = !s.Plain
		_, err = other.UnmarshalArch(j)
		wantField(t, "JSON of other rules", err, "space")
		_, err = other.Parse(s.Format(a))
		wantField(t, "text of other rules", err, "space")
	}
	// Rules that are the default may be said.
	s, _, err := space.ParseAny(`{"space":{"ops":"lanas","nodes":1,"pool_norm":true,"weight_standard":false},"normal":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]]}`)
	if err != nil || s.Name() != "lanas1" {
		t.Errorf("default rules that are said: %v %v", s, err)
	}
}
