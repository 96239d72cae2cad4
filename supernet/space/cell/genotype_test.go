package cell

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"oneshot/supernet/space"
)

// genotypeTexts are the published cells as DARTS's code would name them, each in another
// spelling that Python allows.
var genotypeTexts = map[string]string{
	"darts-v1": `DARTS_V1 = Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5],
		reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])`,
	"darts-v2": `Genotype(normal=[("sep_conv_3x3",0),("sep_conv_3x3",1),("sep_conv_3x3",0),("sep_conv_3x3",1),("sep_conv_3x3",1),("skip_connect",0),("skip_connect",0),("dil_conv_3x3",2)],normal_concat=range(2,6),` +
		`reduce=[("max_pool_3x3",0),("max_pool_3x3",1),("skip_connect",2),("max_pool_3x3",1),("max_pool_3x3",0),("skip_connect",2),("skip_connect",2),("max_pool_3x3",1)],reduce_concat=range(2,6))`,
	"pc-darts": `PC_DARTS_cifar = Genotype(reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6),
		normal_concat=range(2, 6), normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)])`,
	"pc-darts-image": `
		PC_DARTS_image = Genotype(
			normal=[  # found on ImageNet
				('skip_connect', 1), ('sep_conv_3x3', 0),
				('sep_conv_3x3', 0), ('skip_connect', 1),
				('sep_conv_3x3', 1), ('sep_conv_3x3', 3),
				('sep_conv_3x3', 1), ('dil_conv_5x5', 4),
			],
			normal_concat=range(2, 6),
			reduce=[
				('sep_conv_3x3', 0), ('skip_connect', 1),
				('dil_conv_5x5', 2), ('max_pool_3x3', 1),
				('sep_conv_3x3', 2), ('sep_conv_3x3', 1),
				('sep_conv_5x5', 0), ('sep_conv_3x3', 3),
			],
			reduce_concat=range(2, 6),
		)  # 5.3 M
`,
	"p-darts": `genotypes.Genotype(normal=[['skip_connect', 0], ['dil_conv_3x3', 1], ['skip_connect', 0], ['sep_conv_3x3', 1], ['sep_conv_3x3', 1], ['sep_conv_3x3', 3], ['sep_conv_3x3', 0], ['dil_conv_5x5', 4]], normal_concat=(2, 3, 4, 5),
		reduce=(('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)), reduce_concat=[5, 4, 3, 2])`,
	"nasnet-a": `NASNet = Genotype(
		normal = [('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1)],
		normal_concat = [2, 3, 4, 5, 6],
		reduce = [('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)],
		reduce_concat = [4, 5, 6])`,
	"amoebanet-a": `Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1)],
		normal_concat=[4, 5, 6],
		reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)],
		reduce_concat=[3, 4, 6])`,
	"lanet": `Genotype(normal=[('skip_connect', 0), ('skip_connect', 1), ('sep_conv_3x3', 1), ('skip_connect', 1), ('max_pool_3x3', 2), ('skip_connect', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 3), ('sep_conv_5x5', 4), ('skip_connect', 3), ('max_pool_3x3', 0), ('skip_connect', 3), ('sep_conv_3x3', 1)],
		normal_concat=range(5, 9),
		reduce=[('skip_connect', 0), ('skip_connect', 1), ('sep_conv_3x3', 1), ('skip_connect', 1), ('max_pool_3x3', 2), ('skip_connect', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 3), ('sep_conv_5x5', 4), ('skip_connect', 3), ('max_pool_3x3', 0), ('skip_connect', 3), ('sep_conv_3x3', 1)],
		reduce_concat=range(5, 9))`,
}

const laNetList = "[2,2,0,2,1,2,0,2,2,3,2,1,2,0,0,1,1,1,2,1,1,0,3,4,3,0,3,1]"

// TestOneHashOfAPublishedCell: by name, by Genotype, by its own Genotype, by text, by JSON
// and, of LaNet, by list.
func TestOneHashOfAPublishedCell(t *testing.T) {
	if len(genotypeTexts) != len(published) {
		t.Errorf("%d Genotypes, %d published cells", len(genotypeTexts), len(published))
	}
	hashes := map[string]string{}
	for _, p := range published {
		s, a, err := space.ParseAny(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		want := space.Hash(s, a)
		if old := hashes[want]; old != "" {
			t.Errorf("%s and %s are one", old, p.Name)
		}
		hashes[want] = p.Name
		if got := s.Format(a); got != p.Text {
			t.Errorf("%s: the text is not in its only form: %s, want %s", p.Name, p.Text, got)
		}
		j, err := s.MarshalArch(a)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{p.Text, genotypeTexts[p.Name], s.(Space).Genotype(a), string(j)}
		if p.Name == "lanet" {
			texts = append(texts, laNetList, strings.ReplaceAll(laNetList, ",", ", "), "lanas7-rawpool-ws"+laNet+laNet)
		}
		for _, text := range texts {
			s, a, err := space.ParseAny(text)
			if err != nil {
				t.Errorf("%s as %.60q: %v", p.Name, text, err)
				continue
			}
			if got := space.Hash(s, a); got != want {
				t.Errorf("%s as %.60q has the hash %s, want %s", p.Name, text, got, want)
			}
			if q, ok := FindPublished(s.(Space), a); !ok || q != p {
				t.Errorf("%s as %.60q is found to be %q", p.Name, text, q.Name)
			}
		}
	}
}

// TestPublishedHashes pins what run folders and results name.
func TestPublishedHashes(t *testing.T) {
	for name, want := range map[string]string{
		"darts-v1": "644ee728ca1d", "darts-v2": "ee1b7173b8d1", "pc-darts": "4f005efada02", "pc-darts-image": "933017ddad1d", "p-darts": "587d16f9af41", "nasnet-a": "7a23e9d619ac", "amoebanet-a": "0414ba76c8ec", "lanet": "ca7e9fec8faa",
	} {
		s, a, err := space.ParseAny(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := space.Hash(s, a); got != want {
			t.Errorf("%s has the hash %s, want %s", name, got, want)
		}
	}
}

// TestSpaceOfAGenotype: darts where it has the operations, nasnet else, without
// normalisation behind pools.
func TestSpaceOfAGenotype(t *testing.T) {
	one := "Genotype(normal=[('skip_connect', 0), ('OP', 1)], normal_concat=[2], reduce=[('skip_connect', 0), ('skip_connect', 0)], reduce_concat=range(2, 3))"
	for op, want := range map[string]string{
		"sep_conv_3x3": "darts1-rawpool:0.skip_connect+1.sep_conv_3x3/2:0.skip_connect+0.skip_connect/2",
		"dil_conv_5x5": "darts1-rawpool:0.skip_connect+1.dil_conv_5x5/2:0.skip_connect+0.skip_connect/2",
		"sep_conv_7x7": "nasnet1-rawpool:0.skip_connect+1.sep_conv_7x7/2:0.skip_connect+0.skip_connect/2",
		"conv_7x1_1x7": "nasnet1-rawpool:0.skip_connect+1.conv_7x1_1x7/2:0.skip_connect+0.skip_connect/2",
	} {
		s, a, err := space.ParseAny(strings.Replace(one, "OP", op, 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Format(a); got != strings.ReplaceAll(want, "/2", "") {
			t.Errorf("%s: %s, want %s", op, got, want)
		}
	}
}

// TestGenotypesOfLogs: what search code prints and people paste, with what numpy makes of it.
func TestGenotypesOfLogs(t *testing.T) {
	const want = "darts1-rawpool:0.skip_connect+1.sep_conv_3x3:0.max_pool_3x3+1.skip_connect"
	const cells = "normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2]"
	for _, text := range []string{
		"03/26 10:11:12 AM genotype = Genotype(" + cells + ")",
		"2019-03-26 10:11:12,345 INFO genotype = Genotype(" + cells + ")\n",
		"# epoch 49, see Genotype(...)\nFOUND = genotypes.Genotype(" + cells + ")",
		"Genotype(" + strings.NewReplacer("normal_concat=", "", "reduce_concat=", "", "normal=", "", "reduce=", "").Replace(cells) + ")",
		"Genotype(" + strings.NewReplacer("normal_concat=[2]", "range(2, 3)", "reduce_concat=[2]", "range(2, 3)", "normal=", "", "reduce=", "").Replace(cells) + ")",
		"Genotype(" + strings.ReplaceAll(cells, "[2]", "list(range(2, 3))") + ")",
		"Genotype(" + strings.ReplaceAll(cells, "[2]", "array([np.int64(2)])") + ")",
		"Genotype(" + strings.ReplaceAll(cells, "[2]", "np.arange(2, 3, 1)") + ")",
		"Genotype(" + strings.NewReplacer("'skip_connect'", "np.str_('skip_connect')", "1)", "np.int64(1))", "'sep", "u'sep").Replace(cells) + ")",
	} {
		s, a, err := space.ParseAny(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := s.Format(a); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestGenotypeErrors(t *testing.T) {
	const good = "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 2)], normal_concat=[3], reduce=[('skip_connect', 0), ('max_pool_3x3', 1), ('skip_connect', 0), ('skip_connect', 2)], reduce_concat=range(2, 4))"
	if _, _, err := space.ParseAny(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, field, msg string }{
		{"('sep_conv_3x3', 1)", "('sep_conv_3x4', 1)", "normal[1]", "unknown operation \"sep_conv_3x4\", want one of max_pool_3x3, "},
		{"('sep_conv_3x3', 1)", "('none', 1)", "normal[1]", "none is no operation of a network"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3', 2)", "normal[1]", "input 2 of node 0, want 0 to 1 (character 56)"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3', -1)", "normal[1]", "no number of a state"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3', 1000)", "normal[1]", "no number of a state"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3')", "normal[1]", "has 1 items, want an operation and its input"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3',)", "normal[1]", "has 1 items, want an operation and its input"},
		{"('sep_conv_3x3', 1)", "()", "normal[1]", "has 0 items"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3', 1, 2)", "normal[1]", "more than 2 items"},
		{"('sep_conv_3x3', 1)", "(sep_conv_3x3, 1)", "normal[1]", "belongs"},
		{"('sep_conv_3x3', 1)", "('sep_conv_3x3\", 1)", "normal[1]", "belongs"},
		{"('sep_conv_3x3', 1), ", "", "normal", "has 3 pairs, want two for each node"},
		{", ('skip_connect', 0), ('skip_connect', 2)], normal_concat=[3]", "], normal_concat=[2]", "reduce", "has 2 nodes, normal has 1"},
		{"[('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 2)], n", "[], n", "normal", "has 0 pairs"},
		{"=[3]", "=[4]", "normal_concat", "4 is no node, want 2 to 3"},
		{"=[3]", "=[1, 3]", "normal_concat", "1 is an input of the cell"},
		{"=[3]", "=[3, 3]", "normal_concat", "3 is there twice"},
		{"=[3]", "=[]", "normal_concat", "has no node"},
		{"=[3]", "=set(3)", "normal_concat", "where a list or a range belongs"},
		{"range(2, 4)", "range(4)", "reduce_concat", "range of two numbers"},
		{"range(2, 4)", "range(2, 999)", "reduce_concat", "range of two numbers"},
		{"range(2, 4)", "range(4, 2)", "reduce_concat", "has no node"},
		{"range(2, 4)", "range(2, 5)", "reduce_concat", "4 is no node"},
		{", reduce_concat=range(2, 4)", "", "reduce_concat", "is missing"},
		{"normal_concat=[3]", "concat=[3]", "genotype", "has the field \"concat\""},
		{"normal_concat=[3]", "normal=[3]", "normal", "is there twice"},
		{"range(2, 4))", "range(2, 4)", "genotype", "the end where"},
		{"range(2, 4))", "range(2, 4)), Genotype(", "genotype", "more text"},
		{"(normal", "(", "normal", "where [ or ( belongs"},
		{"=[3]", "=list(tuple(list([3])))", "normal_concat", "within more than two others"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%q is not there to be replaced", c.old)
		}
		text := strings.Replace(good, c.old, c.new, 1)
		_, _, err := space.ParseAny(text)
		var f *space.FieldError
		if !errors.As(err, &f) || !strings.HasPrefix(f.Field, c.field) || !strings.Contains(f.Msg, c.msg) || !strings.Contains(f.Msg, "(character ") {
			t.Errorf("%s: error %v, want %s: %s", text, err, c.field, c.msg)
		}
	}
	many := "Genotype(normal=[" + strings.Repeat("('skip_connect', 0), ", 65) + "]"
	if _, _, err := space.ParseAny(many); err == nil || !strings.Contains(err.Error(), "more than 64 items") {
		t.Errorf("65 pairs: %v", err)
	}
}

func TestLaNetLists(t *testing.T) {
	s, a, err := space.ParseAny("[2,2,0,3, 0,1,1,2]") // skip 0 + skip 1; sep3 1 + sep5 of node 0
	if err != nil {
		t.Fatal(err)
	}
	const cell = ":0.skip_connect+1.skip_connect,1.sep_conv_3x3+2.sep_conv_5x5/3"
	if got := s.Format(a); got != "lanas2-rawpool-ws"+cell+cell {
		t.Errorf("%s", got)
	}
	for text, want := range map[string]string{
		"[2,2,0,3,0,1,1]":                      "list: has 7 numbers",
		"[2,2,0,4,0,1,1,2]":                    "list[3]: 4, want 0 to 3",
		"[2,2,0,3,0,2,1,2]":                    "list[5]: 2, want 0 to 1",
		"[2,2,0,3,0,1,1,3]":                    "list[7]: 3, want 0 to 2",
		"[2,2,0,-3,0,1,1,2]":                   "list[3]: -3, want 0 to 3",
		"[1,1,0,0,0,1,1,0,1]":                  "mask: does not say which space",
		"[2,2,0,3,0,1,1,2.5]":                  "mask: does not say which space",
		"[2" + strings.Repeat(",0", 131) + "]": "list: has 132 numbers, want four for each of 1 to 32 nodes",
	} {
		if _, _, err := space.ParseAny(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

// TestAListOrACode: of lists without a number above 1 those that have the length of a
// code of some space are codes.
func TestAListOrACode(t *testing.T) {
	if s, a, err := space.ParseAny("[1,1,1,1,0,1,1,0]"); err != nil || !strings.HasPrefix(s.Format(a), "lanas2-rawpool-ws:0.max_pool_3x3+1.max_pool_3x3,0.max_pool_3x3+1.max_pool_3x3") {
		t.Errorf("a list of two nodes: %v %v", a, err)
	}
	for _, set := range opSets {
		for nodes := range 6 {
			s := mustNew(t, set.name, 1+nodes)
			code := make([]string, s.Dim())
			for i := range code {
				code[i] = "0"
			}
			if text := "[" + strings.Join(code, ",") + "]"; !space.IsCode(text) {
				t.Errorf("%s: a code of %d entries is taken for a list", s.Name(), s.Dim())
			}
		}
	}
	if space.IsCode(laNetList) || space.IsCode("lanet") {
		t.Error("LaNet is taken for a code")
	}
}

// TestGenotypeWritesWhatItReads, with outputs and twins, in the space that a Genotype gets.
func TestGenotypeWritesWhatItReads(t *testing.T) {
	for _, text := range []string{
		"darts2-rawpool:0.sep_conv_3x3+0.sep_conv_3x3,0.max_pool_3x3+1.sep_conv_5x5/3:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5",
		"nasnet1-rawpool:0.sep_conv_7x7+1.conv_7x1_1x7:0.sep_conv_3x3+1.skip_connect",
	} {
		s, a, err := space.ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		g := s.(Space).Genotype(a)
		if s2, b, err := space.ParseAny(g); err != nil || !slices.Equal(a, b) || s2.Name() != s.Name() {
			t.Errorf("%s: %v %v, want %s", g, b, err, text)
		}
	}
}

func FuzzGenotype(f *testing.F) {
	for _, text := range genotypeTexts {
		f.Add(text)
	}
	f.Add("Genotype(normal=[('none', 0)], normal_concat=range(0, 1000000)")
	f.Fuzz(func(t *testing.T, text string) {
		s, a, err := parseGenotype(text)
		if err != nil {
			return
		}
		if err := s.Check(a); err != nil {
			t.Fatalf("%q is accepted but wrong: %v", text, err)
		}
		g := s.(Space).Genotype(a)
		if s2, b, err := space.ParseAny(g); err != nil || !slices.Equal(a, b) || s2.Name() != s.Name() {
			t.Fatalf("%q becomes %q: %v", text, g, err)
		}
	})
}

func FuzzLaNetList(f *testing.F) {
	f.Add(laNetList)
	f.Add("[2,2,0,3, 0,1,1,2]")
	f.Fuzz(func(t *testing.T, text string) {
		s, a, err := parseLaNetList(text)
		if err != nil {
			return
		}
		if err := s.Check(a); err != nil {
			t.Fatalf("%q is accepted but wrong: %v", text, err)
		}
	})
}
