package truths

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"oneshot/internal/rank"
)

// forms are one table in every form.
var forms = map[string]string{
	"macro":   `{"a:1": {"test_acc": [80, 90], "std": 5, "params": 7, "flops": 30}, "b|2": {"accuracy": 50.5, "madds": 40}}`,
	"plain":   `{"a:1": [80, 90], "b|2": 50.5}`,
	"lines":   "{\"arch\": \"a:1\", \"accuracy\": [0.8, 0.9], \"params\": 7, \"flops\": 30}\n\n  {\"arch\": \"b|2\", \"acc\": 0.505, \"madds\": 40}\r\n",
	"one":     "\ufeff{\"arch\": \"a:1\", \"test_acc\": [0.8, 0.9], \"params\": 7, \"flops\": 30}",
	"csv":     "Arch,note,accuracy_1,accuracy_2,params,madds\na:1,\"x, y\",80,90,7,30\nb|2,,50.5,,,40\n",
	"seeds":   "seed0,seed1,arch\n0.8,9e-1,a:1\n0.505,,b|2\n",
	"mean":    `{"a:1": {"mean_acc": 85}, "b|2": {"mean_acc": 50.5}}`,
	"mean of": `{"a:1": {"acc": [80, 90], "mean_acc": 85.5}}`,
}

func TestForms(t *testing.T) {
	for name, text := range forms {
		got, err := Read([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a := Row{Arch: "a:1", Mean: 0.85, Truths: []float64{0.8, 0.9}, Params: 7, MAdds: 30}
		b := Row{Arch: "b|2", Mean: 0.505, Truths: []float64{0.505}, MAdds: 40}
		want := []Row{a, b}
		switch name {
		case "plain", "seeds":
			want[0].Params, want[0].MAdds, want[1].MAdds = 0, 0, 0
		case "one":
			want = want[:1]
		case "mean":
			want[0] = Row{Arch: "a:1", Mean: 0.85, Truths: []float64{0.85}}
			want[1].MAdds = 0
		case "mean of":
			want = []Row{{Arch: "a:1", Mean: 0.855, Truths: []float64{0.8, 0.9}}}
		}
		if len(got.Rows) != len(want) || got.Percent != (name != "lines" && name != "one" && name != "seeds") {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		for i := range want {
			if !(math.Abs(got.Rows[i].Mean-want[i].Mean) <= 1e-15) {
				t.Errorf("%s: mean %v, want %v", name, got.Rows[i].Mean, want[i].Mean)
			}
			got.Rows[i].Mean = want[i].Mean
		}
		if !reflect.DeepEqual(got.Rows, want) {
			t.Errorf("%s: %+v, want %+v", name, got.Rows, want)
		}
	}
}

// TestFractionsAmongPercent: one row in percent makes percent of all, so that those which could be fractions are counted.
func TestFractionsAmongPercent(t *testing.T) {
	for text, low := range map[string]int{
		`{"a": 0.93, "b": 94, "c": 0, "d": [1, 92], "e": {"acc": 93, "mean_acc": 0.93}}`: 3,
		`{"a": 0.93, "b": 0.94, "c": 1}`:                                                 0,
		`{"a": 93, "b": 94}`:                                                             0,
	} {
		if got, err := Read([]byte(text)); err != nil || got.Low != low {
			t.Errorf("%s: %d, %v, want %d", text, got.Low, err, low)
		}
	}
}

// TestRefused: what is wrong is named with its place.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is empty",
		" \n":                              "is empty",
		"{}":                               "no architectures",
		"{":                                "the JSON ends early",
		`{"a": 1} x`:                       "something follows the table",
		`{"a": 1} {"b": 2}`:                "something follows the table",
		`{"a": 1, "a": 2}`:                 `key "a" comes twice`,
		`{"a": null}`:                      `"a": "null", want a number`,
		`{"a": []}`:                        `"a": a list of 0 accuracies, want 1..1000`,
		`{"a": [1, "x"]}`:                  `"a": "\"x\"", want a number`,
		`{"a": -1}`:                        `"a": accuracy -1, want percent in 0..100`,
		`{"a": [5, 100.5]}`:                `"a": accuracy 100.5`,
		`{"a": 1e999}`:                     `want a number`,
		`{"a": {"params": 3}}`:             `"a": no accuracy: want one of ["accuracy" "acc" "test_acc"], or mean_acc`,
		`{"a": {"acc": 1, "accuracy":2}}`:  `"a": has acc and accuracy: which is its accuracy?`,
		`{"a": {"acc": 1, "params": 1.5}}`: `"a": "params": "1.5", want a whole number`,
		`{"a": {"acc": 1, "flops": -2}}`:   `"a": "flops": "-2", want a whole number`,
		`{"a": {"acc": 1, "acc": 1}}`:      `key "acc" comes twice`,
		"{\"arch\": \"a\", \"acc\": 1}\n{\"acc\": 2}":                  `line 2: no "arch"`,
		"{\"arch\": \"a\", \"acc\": 1}\n{\"arch\": \"b\"}":             `line 2: no accuracy`,
		"{\"arch\": \"a\", \"acc\": 1}\n{\"arch\": \"a\", \"acc\": 2}": `"a" comes twice`,
		"{\"arch\": \"a\", \"acc\": 1}\nx":                             "line 2: ",
		"a,b\n1,2\n":                                                   `the first line names no column "arch"`,
		"arch,b\n1,2\n":                                                "line 1: no column of accuracies",
		"arch,acc\n":                                                   "no architectures",
		"arch,acc\na,1,2\n":                                            "wrong number of fields",
		"arch,acc\na,x\n":                                              `line 2: "x", want a number`,
		"arch,acc\n,1\n":                                               "line 2: no architecture",
		"arch,acc\na,\n":                                               "line 2: no accuracy",
		"arch,arch,acc\na,b,1\n":                                       `column "arch" comes twice`,
		"arch,acc\na,1\na,2\n":                                         `"a" comes twice`,
		"arch,seed\na,777\n":                                           `"a": accuracy 777`,
	} {
		if _, err := Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is read")
	}
}

func FuzzTruths(f *testing.F) {
	for _, text := range forms {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := Read(b)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, r := range table.Rows {
			if !(r.Mean >= 0 && r.Mean <= 1) || len(r.Truths) == 0 || r.Params < 0 || r.MAdds < 0 || seen[r.Arch] {
				t.Errorf("%+v", r)
			}
			seen[r.Arch] = true
			for _, v := range r.Truths {
				if !(v >= 0 && v <= 1) {
					t.Errorf("%+v", r)
				}
			}
		}
		if len(table.Rows) == 0 {
			t.Error("no rows")
		}
	})
}

// canonical moves the identities of a stage, of 2, 3 and 3 layers, to its end; those of its first layer are none.
func canonical(arch string) string {
	out := ""
	for _, stage := range [][2]int{{0, 2}, {2, 5}, {5, 8}} {
		rest := arch[stage[0]+1 : stage[1]]
		kept := strings.ReplaceAll(rest, "0", "")
		out += arch[stage[0]:stage[0]+1] + kept + strings.Repeat("0", len(rest)-len(kept))
	}
	return out
}

// TestMacro: the figures of NAS-Bench-Macro that others have counted from the same table. Twins are one network here
// as in the program: its truth is the mean of those of its texts.
// A ceiling is a mean of three pairs of seeds here, and may have been another of them there.
func TestMacro(t *testing.T) {
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "nas-bench-macro_cifar10.json")
	table, err := ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	if len(table.Rows) != 6561 || !table.Percent {
		t.Fatalf("%d rows, percent %v", len(table.Rows), table.Percent)
	}
	groups, order := map[string]*rank.Network{}, []string{}
	texts := map[string]float64{}
	var all, distinct []rank.Network
	for _, r := range table.Rows {
		n := rank.Network{Score: float64(r.MAdds), Truth: r.Mean, Truths: r.Truths, Params: r.Params, MAdds: r.MAdds}
		all = append(all, n)
		key := canonical(r.Arch)
		if groups[key] == nil {
			groups[key] = &rank.Network{Score: n.Score, Params: n.Params, MAdds: n.MAdds}
			order = append(order, key)
		}
		g := groups[key]
		g.Truth += r.Mean
		g.Truths = append(g.Truths, r.Truths...)
		texts[key]++
	}
	for _, key := range order {
		groups[key].Truth /= texts[key]
		distinct = append(distinct, *groups[key])
	}
	near := func(name string, got *float64, want, tol float64) {
		t.Helper()
		if got == nil || !(math.Abs(*got-want) <= tol) {
			t.Errorf("%s: %v, want %v", name, *got, want)
		}
	}
	check := func(name string, got *float64, want float64) { t.Helper(); near(name, got, want, 0.0005) }
	a, d := rank.Measure(all, 1), rank.Measure(distinct, 1)
	check("multiply-adds", a.TauMAdds, 0.556)
	check("multiply-adds, rho", a.SpearmanMAdds, 0.748)
	check("parameters", a.TauParams, 0.218)
	near("ceiling", a.Ceiling, 0.881, 0.001)
	if d.N != 3969 {
		t.Errorf("%d distinct networks", d.N)
	}
	check("distinct, multiply-adds", d.TauMAdds, 0.546)
	near("distinct, ceiling", d.Ceiling, 0.880, 0.002)
	check("top half, multiply-adds", d.TopHalfMAdds, 0.364)
	near("top half, ceiling", d.TopHalfCeiling, 0.688, 0.002)
	if d.Partial != nil || *d.Tau != *d.TauMAdds || !d.TauCI.Covers(d.TauMAdds) {
		t.Errorf("multiply-adds as the score: %+v", d)
	}
}
