package blocks

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// mine is a space of one's own with most kinds of candidates.
const mine = `
name: mine
stem: {channels: 8, kernel: 3, stride: 2}
choices:
  - {op: identity}
  - {op: mbconv, expand: 1, kernel: 3}
  - {op: conv, kernel: 3}
  - {op: preact_conv, kernel: 1}
stages:
  - {channels: 8, layers: 2, stride: 1, choices: [{op: identity}, {op: sep_conv, kernel: 5}, {op: max_pool, kernel: 3}]}
  - {channels: 16, layers: 3, stride: 2}
`

func open(t testing.TB, n space.Named) *Space {
	t.Helper()
	s, err := n.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s.(*Space)
}

func own2(t testing.TB, text string) *Space {
	n := space.OfKind(Kind)
	n.Blocks = text
	return open(t, n)
}

func size(s *Space, image int) net.Size {
	return net.Size{Geometry: s.Geometry(), Classes: 10, Image: image, Affine: true}
}

func each(s *Space, f func(a space.Arch)) {
	n := s.Candidates()
	a := make(space.Arch, len(n))
	for {
		f(append(space.Arch(nil), a...))
		i := len(a) - 1
		for ; i >= 0; i-- {
			if a[i]++; a[i] < n[i] {
				break
			}
			a[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// TestPublishedCounts: those of the networks that NAS-Bench-Macro names.
func TestPublishedCounts(t *testing.T) {
	s := open(t, space.OfKind(Macro))
	n, err := s.Describe(size(s, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	costs, err := n.Costs()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		text          string
		params, madds int64
	}{{"00000000", 387882, 7713280}, {"11111111", 1588874, 53246464}, {"22222222", 2932586, 105660928}, {"22212220", 1985514, 85164544}} {
		a, err := s.Parse("nasbench-macro:" + want.text)
		if err != nil {
			t.Fatal(err)
		}
		if params, madds := costs.Of(a); params != want.params || madds != want.madds {
			t.Errorf("%s has %d parameters and %d multiply-adds, want %d and %d", want.text, params, madds, want.params, want.madds)
		}
		own, err := s.Describe(size(s, 32), a)
		if err != nil {
			t.Fatal(err)
		}
		if params, madds, err := own.Cost(); err != nil || params != want.params || madds != want.madds {
			t.Errorf("the network of %s has %d parameters and %d multiply-adds %v", want.text, params, madds, err)
		}
	}
}

// TestCountsOfTheTable: every row of NAS-Bench-Macro's table.
func TestCountsOfTheTable(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", "nas-bench-macro_cifar10.json"))
	if err != nil {
		t.Skip("the table of NAS-Bench-Macro is not here: ", err)
	}
	var table map[string]struct{ Params, Flops int64 }
	if err := json.Unmarshal(b, &table); err != nil {
		t.Fatal(err)
	}
	s := open(t, space.OfKind(Macro))
	n, err := s.Describe(size(s, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	costs, err := n.Costs()
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for text, want := range table {
		a, err := s.Parse("nasbench-macro:" + text)
		if err != nil {
			t.Fatal(err)
		}
		if params, madds := costs.Of(a); params != want.Params || madds != want.Flops {
			wrong++
		}
	}
	if wrong > 0 || len(table) != 6561 {
		t.Errorf("%d of %d networks have other counts than the table", wrong, len(table))
	}
}

// TestTwins: what is the same function has one canonical form, one hash and one network; the
// others differ. Size counts them.
func TestTwins(t *testing.T) {
	for _, s := range []*Space{open(t, space.OfKind(Macro)), own2(t, mine)} {
		hashes, texts := map[string]bool{}, 0
		each(s, func(a space.Arch) {
			texts++
			c := s.Canonical(a)
			if !reflect.DeepEqual(s.Canonical(c), c) {
				t.Fatalf("%v becomes %v becomes another", a, c)
			}
			hashes[space.Hash(s, a)] = true
		})
		if s.Size().Int64() != int64(len(hashes)) {
			t.Errorf("%s has %d hashes in %d texts, and its size is %v", s.Name(), len(hashes), texts, s.Size())
		}
		if s.kind == Macro && len(hashes) != 3969 {
			t.Errorf("%d distinct networks, want 3969", len(hashes))
		}
	}
	s := open(t, space.OfKind(Macro))
	a, b := space.Arch{2, 2, 2, 1, 2, 2, 0, 2}, space.Arch{2, 2, 2, 1, 2, 2, 2, 0}
	one, err := s.Describe(size(s, 32), a)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Describe(size(s, 32), b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, two) {
		t.Error("22212202 and 22212220 are described as two networks")
	}
}

// TestSampleIsUniform over the canonical architectures.
func TestSampleIsUniform(t *testing.T) {
	s := own2(t, `
name: few
stem: {channels: 4, kernel: 3, stride: 1}
choices: [{op: mbconv, expand: 2, kernel: 3}, {op: identity}, {op: conv, kernel: 3}]
stages: [{channels: 4, layers: 3, stride: 1}]
`)
	const draws = 30000
	seen := map[string]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for range draws {
		a := s.Sample(r)
		if !reflect.DeepEqual(s.Canonical(a), a) {
			t.Fatalf("%v is drawn, whose canonical form is %v", a, s.Canonical(a))
		}
		seen[s.Format(a)]++
	}
	n := int(s.Size().Int64())
	if n != 15 || len(seen) != n {
		t.Fatalf("%d of %d networks are drawn, want 15", len(seen), n)
	}
	for text, k := range seen {
		if k < draws/n*9/10 || k > draws/n*11/10 {
			t.Errorf("%s is drawn %d times of %d, want about %d", text, k, draws, draws/n)
		}
	}
}

func TestRoundTrips(t *testing.T) {
	for _, s := range []*Space{open(t, space.OfKind(Macro)), own2(t, mine)} {
		r := rand.New(rand.NewPCG(3, 4))
		for range 50 {
			a := s.Sample(r)
			if got, b, err := space.ParseAny(s.Format(a)); err != nil || got.Name() != s.Name() || !reflect.DeepEqual(a, b) {
				t.Fatalf("%s: %v %v", s.Format(a), b, err)
			}
			j, err := s.MarshalArch(a)
			if err != nil {
				t.Fatal(err)
			}
			if got, b, err := space.ParseAny(string(j)); err != nil || got.Name() != s.Name() || !reflect.DeepEqual(a, b) {
				t.Fatalf("%s: %v %v", j, b, err)
			}
			code := s.Encode(a)
			if b, err := s.Decode(code); err != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("%v: %v %v", code, b, err)
			}
			to, err := s.Decode(s.MutateCode(code, r))
			if err != nil || reflect.DeepEqual(a, to) || !reflect.DeepEqual(s.Canonical(to), to) {
				t.Fatalf("%v is changed to %v %v", a, to, err)
			}
			uses := 0
			for _, u := range s.Uses(a) {
				uses += u.N
			}
			if uses != len(a) {
				t.Fatalf("%v uses %v", a, s.Uses(a))
			}
		}
		if named := s.Named(); open(t, named).Name() != s.Name() || s.Feature(0) == "" || s.Feature(s.Dim()) != "" || s.Feature(s.Dim()-1) == "" {
			t.Errorf("%s is named %+v", s.Name(), named)
		}
	}
}

// TestEveryNetworkHasShapes, at other widths and image sizes too.
func TestEveryNetworkHasShapes(t *testing.T) {
	for _, s := range []*Space{open(t, space.OfKind(Macro)), own2(t, mine)} {
		for _, image := range []int{8, 32, 33} {
			z := size(s, image)
			z.Channels = 6
			all, err := s.Describe(z, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := all.Shapes(2); err != nil {
				t.Fatal(err)
			}
			if _, err := all.Widest(); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(5, 6))
			for range 20 {
				path, err := s.Describe(z, s.Sample(r))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := path.Shapes(2); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestBadDefinitionsNameTheField(t *testing.T) {
	for want, edit := range map[string]func(string) string{
		"name":              func(s string) string { return strings.Replace(s, "name: mine", "name: My space", 1) },
		"stem.kernel":       func(s string) string { return strings.Replace(s, "kernel: 3, stride: 2", "kernel: 4, stride: 2", 1) },
		"stem.channels":     func(s string) string { return strings.Replace(s, "channels: 8, kernel", "channels: 0, kernel", 1) },
		"choices[1].op":     func(s string) string { return strings.Replace(s, "op: mbconv", "op: mbcov", 1) },
		"choices[1].expand": func(s string) string { return strings.Replace(s, "expand: 1,", "", 1) },
		"choices[2].kernel": func(s string) string { return strings.Replace(s, "conv, kernel: 3}", "conv, kernel: 2}", 1) },
		"choices[3]":        func(s string) string { return strings.Replace(s, "preact_conv, kernel: 1", "conv, kernel: 3", 1) },
		"stages[0].choices[1]": func(s string) string {
			return strings.Replace(s, "{channels: 8, layers: 2", "{channels: 12, layers: 2", 1)
		},
		"stages[1].layers":                         func(s string) string { return strings.Replace(s, "layers: 3", "layers: 0", 1) },
		"stages[1].stride":                         func(s string) string { return strings.Replace(s, "layers: 3, stride: 2", "layers: 3, stride: 9", 1) },
		"stages: has 66 layers in all, want 1..64": func(s string) string { return strings.Replace(s, "layers: 3", "layers: 64", 1) },
		"blocks: ":                                 func(s string) string { return strings.Replace(s, "stem:", "stam:", 1) },
		"blocks: line 3: there is no field stam in a definition": func(s string) string { return strings.Replace(s, "stem:", "stam:", 1) },
		"want a whole number": func(s string) string { return strings.Replace(s, "stride: 2}", "stride: [2]}", 1) },
		"blocks: line 1: want fields as name, stem and stages": func(string) string { return "[1, 2]\n" },
		"; and 4 more":                           func(s string) string { return s + "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\n" },
		"choices[0].kernel: identity takes none": func(s string) string { return strings.Replace(s, "{op: identity}", "{op: identity, kernel: 3}", 1) },
		"expand: conv takes none": func(s string) string {
			return strings.Replace(s, "{op: conv, kernel: 3}", "{op: conv, kernel: 3, expand: 2}", 1)
		},
		"stages: has 0 stages, want 1..64": func(s string) string { return s[:strings.Index(s, "stages:")] },
		"choices: has 0 candidates, want 1..36": func(string) string {
			return "name: one\nstem: {channels: 4, kernel: 3, stride: 1}\nstages: [{channels: 4, layers: 3, stride: 1}]\n"
		},
		"blocks: is empty":   func(string) string { return "" },
		"more than one YAML": func(s string) string { return s + "---\nname: b\n" },
		"choices: leave nothing": func(string) string {
			return "name: one\nstem: {channels: 4, kernel: 3, stride: 1}\nchoices: [{op: conv, kernel: 3}]\nstages: [{channels: 4, layers: 3, stride: 1}]\n"
		},
	} {
		text := edit(mine)
		if text == mine {
			t.Fatalf("%s: nothing was changed", want)
		}
		n := space.OfKind(Kind)
		n.Blocks = text
		_, err := n.Open()
		var field *space.FieldError
		if !errors.As(err, &field) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that names %s", err, want)
		}
	}
}

// TestNameHoldsTheDefinition: the order of fields and comments do not change a space, all else does.
func TestNameHoldsTheDefinition(t *testing.T) {
	a := own2(t, mine)
	if b := own2(t, "# a comment\n"+strings.Replace(mine, "{op: conv, kernel: 3}", "{kernel: 3, op: conv}", 1)); b.Name() != a.Name() {
		t.Errorf("%s and %s", a.Name(), b.Name())
	}
	if b := own2(t, strings.Replace(mine, "expand: 1", "expand: 2", 1)); b.Name() == a.Name() {
		t.Errorf("two definitions are called %s", a.Name())
	}
	if again := own2(t, a.Named().Blocks); again.Name() != a.Name() || again.Named() != a.Named() {
		t.Errorf("%s is opened as %s", a.Name(), again.Name())
	}
}

// TestSpaceOfTheGuide: what docs/guide/spaces.md shows is a space, and is called as it says there. As the name is kept in
// runs and tables, another one would also tell that definitions are written in another way than they were.
func TestSpaceOfTheGuide(t *testing.T) {
	b, err := os.ReadFile(filepath.FromSlash("../../../docs/guide/spaces.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	s := own2(t, text)
	names := regexp.MustCompile(`my-space@[0-9a-f]+:[0-9]+`).FindAllString(string(b), -1)
	for _, name := range names {
		if _, err := s.Parse(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(names) < 2 {
		t.Errorf("the guide names %q", names)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mine))
	f.Add(macro)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Read(b)
		if err != nil {
			return
		}
		if again, err := Read([]byte(d.Text())); err != nil || !reflect.DeepEqual(again.Text(), d.Text()) {
			t.Fatalf("%q is written as %q and read as %v", b, d.Text(), err)
		}
		s := &Space{name: d.Name, def: d, rows: rows(d)}
		if _, err := s.Describe(size(s, 32), nil); err != nil {
			t.Fatalf("%s: %v", d.Text(), err)
		}
	})
}

func FuzzParse(f *testing.F) {
	s := open(f, space.OfKind(Macro))
	f.Add("nasbench-macro:22212220")
	f.Add("nasbench-macro:2221222")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := s.Parse(text)
		if err != nil {
			return
		}
		if got := s.Format(a); got != strings.TrimSpace(text) {
			t.Fatalf("%q is read as %q", text, got)
		}
	})
}

// TestOnlyOwnSpacesHaveADefinition: elsewhere it would be left out silently.
func TestOnlyOwnSpacesHaveADefinition(t *testing.T) {
	for _, kind := range []string{Macro, space.Cell} {
		n := space.OfKind(kind)
		n.Blocks = mine
		var field *space.FieldError
		if _, err := n.Open(); !errors.As(err, &field) || field.Field != "blocks" && kind == Macro {
			t.Errorf("%s with a definition: %v", kind, err)
		}
	}
}
