package setting

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

type span time.Duration

func (d span) String() string { return time.Duration(d).String() }
func (d *span) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = span(v)
	return err
}

type Inner struct {
	Share float64 `yaml:"share" default:"0.5" want:"[0,1)" doc:"a part"`
	Most  float64 `yaml:"most" default:"1" want:"(0,10]"`
	Least float64 `yaml:"least" rule:"[0,most]"`
}

func (v Inner) Rules() []Rule {
	return []Rule{
		{Name: "least", OK: v.Least >= 0 && v.Least <= v.Most, Want: "a number from 0 to @most"},
		{Name: "share", OK: v.Share != 0.25 || v.Least == 0, Fact: "@share is a quarter", Want: "@least to be 0"},
	}
}

type section struct {
	Inner  `yaml:",inline"` // promotes its rules, which must not count twice
	Width  int              `yaml:"width" default:"4" want:"even 2..10"`
	Count  int              `yaml:"count" want:"0.."`
	Size   int64            `yaml:"size" want:"0 or more"`
	Wait   span             `yaml:"wait" default:"90s" want:"0 or more"`
	Clip   float64          `yaml:"clip" want:"[0,max]"`
	Colour string           `yaml:"colour" default:"red" want:"red|green"`
	Kind   string           `yaml:"kind" default:"a" want:"choice"`
	On     bool             `yaml:"on" default:"true"`
	Hidden int              `yaml:"-"`
	Own    int
}

func (section) Choices(name string) []string { return []string{"a", name} }

type top struct {
	Seed uint64  `yaml:"seed" default:"42"`
	A    section `yaml:"a"`
}

func TestDefault(t *testing.T) {
	want := top{Seed: 42, A: section{Inner: Inner{Share: 0.5, Most: 1}, Width: 4, Wait: span(90 * time.Second), Colour: "red", Kind: "a", On: true}}
	if got := Default[top](); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestFields(t *testing.T) {
	v := Default[top]()
	var keys []string
	for _, f := range Fields(&v) {
		keys = append(keys, f.Key)
		switch f.Key {
		case "a.share":
			if f.Default != "0.5" || f.Want != "[0,1)" || f.Doc != "a part" {
				t.Errorf("%+v", f)
			}
			f.Value.SetFloat(0.75)
		case "a.kind":
			if f.Want != "a, kind" {
				t.Errorf("the choices are %q", f.Want)
			}
		case "a.least":
			if f.Want != "[0,most]" {
				t.Errorf("the rule is %q", f.Want)
			}
		}
	}
	const want = "seed a.share a.most a.least a.width a.count a.size a.wait a.clip a.colour a.kind a.on"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if v.A.Share != 0.75 {
		t.Error("a value cannot be set")
	}
}

// TestComplaints has the text of every kind, as a configuration's and as a package's.
func TestComplaints(t *testing.T) {
	for _, x := range []struct {
		set  func(v *section)
		want string
	}{
		{func(v *section) {}, ""},
		{func(v *section) { v.Width = 11 }, "a.width = 11: want 2..10; a.width = 11: want an even number"},
		{func(v *section) { v.Width = 0 }, "a.width = 0: want 2..10"},
		{func(v *section) { v.Count = -1 }, "a.count = -1: want 0..2147483647"},
		{func(v *section) { v.Count = 1 << 31 }, "a.count = 2147483648: want 0..2147483647"},
		{func(v *section) { v.Size = math.MaxInt64 }, ""},
		{func(v *section) { v.Size = -1 }, "a.size = -1: want 0 or more"},
		{func(v *section) { v.Wait = span(-time.Minute) }, "a.wait = -1m0s: want 0 or more"},
		{func(v *section) { v.Share = 1 }, "a.share = 1: want a number from 0 to below 1"},
		{func(v *section) { v.Share = 0 }, ""},
		{func(v *section) { v.Share = math.NaN() }, "a.share = NaN: want a number from 0 to below 1"},
		{func(v *section) { v.Most = 0 }, "a.most = 0: want a number above 0, at most 10"},
		{func(v *section) { v.Most = 10 }, ""},
		{func(v *section) { v.Most = math.Inf(1) }, "a.most = +Inf: want a number above 0, at most 10"},
		{func(v *section) { v.Least = 2 }, "a.least = 2: want a number from 0 to a.most"},
		{func(v *section) { v.Least = math.NaN() }, "a.least = NaN: want a number from 0 to a.most"},
		{func(v *section) { v.Clip = math.Inf(1) }, "a.clip = +Inf: want a number from 0 to 3.4028234663852886e+38"},
		{func(v *section) { v.Colour = "gren" }, `a.colour = "gren": want one of red, green`},
		{func(v *section) { v.Kind = "@b" }, `a.kind = "@b": want one of a, kind`},
		{func(v *section) { v.Share, v.Least = 0.25, 1 }, "a.share is a quarter: want a.least to be 0"},
		{func(v *section) { v.Hidden, v.Own = -1, -1 }, ""},
		{func(v *section) { v.Colour, v.Share = "", 2 }, // in the order of the settings
			`a.share = 2: want a number from 0 to below 1; a.colour = "": want one of red, green`},
	} {
		v := Default[top]()
		x.set(&v.A)
		var texts []string
		for _, e := range Check(&v) {
			texts = append(texts, e.Error())
		}
		if got := strings.Join(texts, "; "); got != x.want {
			t.Errorf("%s, want %s", got, x.want)
		}
	}
}

func TestFirst(t *testing.T) {
	v := Default[section]()
	if err := First("pkg", v); err != nil {
		t.Error(err)
	}
	v.Least = 2
	err := First("pkg", v)
	var e *Error
	if !errors.As(err, &e) || e.Name != "least" || err.Error() != "pkg: least is 2, want a number from 0 to most" {
		t.Error(err)
	}
	v.Least, v.Colour = 0, "blue"
	if err := First("pkg", &v); err == nil || err.Error() != `pkg: colour is "blue", want one of red, green` {
		t.Error(err)
	}
}

type loose struct {
	A int `yaml:"a" rule:"at least b"`
}

type astray struct {
	A int `yaml:"a" want:"0.."`
}

func (astray) Rules() []Rule { return []Rule{{Name: "b", OK: true}} }

// TestBrokenTags: each is found, and what is said names the field.
func TestBrokenTags(t *testing.T) {
	for what, broken := range map[string]func(){
		"integer without a range": func() {
			Check(struct {
				A int `yaml:"a"`
			}{})
		},
		"number without a range": func() {
			Check(struct {
				A float64 `yaml:"a"`
			}{})
		},
		"no range": func() {
			Check(struct {
				A int `yaml:"a" want:"1-2"`
			}{})
		},
		"upside down": func() {
			Check(struct {
				A int `yaml:"a" want:"2..1"`
			}{})
		},
		"no number": func() {
			Check(struct {
				A int `yaml:"a" want:"x.."`
			}{})
		},
		"no number behind": func() {
			Check(struct {
				A int `yaml:"a" want:"1..x"`
			}{})
		},
		"no end": func() {
			Check(struct {
				A float64 `yaml:"a" want:"[0,1"`
			}{})
		},
		"an integer's range": func() {
			Check(struct {
				A float64 `yaml:"a" want:"0..1"`
			}{})
		},
		"empty interval": func() {
			Check(struct {
				A float64 `yaml:"a" want:"(1,1)"`
			}{})
		},
		"one word": func() {
			Check(struct {
				A string `yaml:"a" want:"word"`
			}{})
		},
		"an empty word": func() {
			Check(struct {
				A string `yaml:"a" want:"a|"`
			}{})
		},
		"range of a bool": func() {
			Check(struct {
				A bool `yaml:"a" want:"0..1"`
			}{})
		},
		"want and rule": func() {
			Check(struct {
				A int `yaml:"a" want:"0.." rule:"0.."`
			}{})
		},
		"no key": func() {
			Check(struct {
				A int `want:"0.."`
			}{})
		},
		"a rule nobody holds":  func() { Check(loose{}) },
		"a rule about nothing": func() { Check(astray{}) },
		"default of another type": func() {
			Default[struct {
				A int `yaml:"a" default:"1.5" want:"0.."`
			}]()
		},
		"default of a slice": func() {
			Default[struct {
				A []int `yaml:"a" default:"1"`
			}]()
		},
	} {
		func() {
			defer func() {
				text, _ := recover().(string)
				if !strings.HasPrefix(text, "setting: ") {
					t.Errorf("%s: passes, or says %q", what, text)
				}
			}()
			broken()
		}()
	}
}

// TestSchema has a setting of each kind; package config holds the whole to what Check says.
func TestSchema(t *testing.T) {
	s := Schema(new(top), func(section string) string { return "about " + section })
	a := s["properties"].(map[string]any)["a"].(map[string]any)
	if a["description"] != "about a" || a["additionalProperties"] != false {
		t.Errorf("section a is %v", a)
	}
	b, err := json.Marshal(a["properties"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"share":{"default":0.5,"description":"a part","exclusiveMaximum":1,"minimum":0,"type":"number"}`,
		`"width":{"default":4,"description":"","maximum":10,"minimum":2,"multipleOf":2,"type":"integer"}`,
		`"size":{"default":0,"description":"","minimum":0,"type":"integer"}`,
		`"kind":{"default":"a","description":"","enum":["a","kind"],"type":"string"}`,
		`"least":{"default":0,"description":" ([0,most])","type":"number"}`,
		`"on":{"default":true,"description":"","type":"boolean"}`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("want %s in %s", want, b)
		}
	}
	if words := Words(new(top)); !slices.Equal(words["a.kind"], []string{"a", "kind"}) || words["a.share"] != nil {
		t.Errorf("words are %v", words)
	}
}
