package nb201

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"oneshot/supernet/space"
)

const published = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"

func TestForms(t *testing.T) {
	s := Space{}
	want := cells("334131")
	for _, text := range []string{published, "nasbench-201:" + published, " " + published + "\n",
		`{"space":{"kind":"nasbench-201"},"edges":["nor_conv_3x3","nor_conv_3x3","avg_pool_3x3","skip_connect","nor_conv_3x3","skip_connect"]}`} {
		if a := mustParse(t, text); !reflect.DeepEqual(a, want) {
			t.Errorf("%s is %v, want %v", text, a, want)
		}
	}
	if got := s.Format(want); got != "nasbench-201:"+published {
		t.Errorf("written as %s", got)
	}
}

// TestEveryTextComesBack: what is written is read, in all forms.
func TestEveryTextComesBack(t *testing.T) {
	s := Space{}
	texts := map[string]bool{}
	for i := range total {
		a := arch(i)
		text := s.Format(a)
		texts[text] = true
		got, err := s.Parse(text)
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("%s is read as %v, %v", text, got, err)
		}
		if i%25 != 7 { // JSON is slow
			continue
		}
		b, err := s.MarshalArch(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, got, err = space.ParseAny(string(b)); err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("%s is read as %v, %v", b, got, err)
		}
	}
	if len(texts) != total {
		t.Errorf("%d texts, want %d", len(texts), total)
	}
}

func TestBadTexts(t *testing.T) {
	json := `{"space":{"kind":"nasbench-201"},"edges":["none","none","none","none","none","none"]}`
	mustParse(t, json)
	change := func(old, new string) string {
		if !strings.Contains(published+json, old) {
			t.Fatalf("no %s", old)
		}
		if strings.Contains(published, old) {
			return strings.Replace(published, old, new, 1)
		}
		return strings.Replace(json, old, new, 1)
	}
	for _, c := range []struct{ text, field string }{
		{change("nor_conv_3x3~0", "nor_conv_5x5~0"), "edges[0]"},
		{change("avg_pool_3x3~1", "avg_pool_3x3~0"), "edges[2]"},
		{change("avg_pool_3x3~1", "avg_pool_3x3"), "edges[2]"},
		{change("avg_pool_3x3~1", "avg_pool_3x3~01"), "edges[2]"},
		{change("skip_connect~2|", "skip_connect~2"), "node[3]"},
		{change("|skip_connect~2|", "|"), "node[3]"},
		{change("skip_connect~2|", "skip_connect~2|none~3|"), "node[3]"},
		{change("+|nor", "|nor"), "text"},
		{"|", "text"},
		{"|+|+|", "node[1]"},
		{"||+||+||", "edges[0]"},
		{"nasbench-201:", "text"},
		{"nasbench-201", "text"},
		{"nasbench-201:" + published + "+", "text"},
		{change(`"none",`, ``), "edges"},
		{change(`"none"`, `"None"`), "edges[0]"},
		{change(`"none"`, `0`), "json"},
		{change(`"none"`, `null`), "edges[0]"},
		{change(`"edges"`, `"x":1,"edges"`), "json"},
		{change(`"edges"`, `"nodes"`), "json"},
		{change(`{"kind"`, `{"nodes":4,"kind"`), "space"},
		{change(`{"kind"`, `{"blocks":"x","kind"`), ""},
		{json + "x", "json"},
	} {
		_, a, err := space.ParseAny(c.text)
		var f *space.FieldError
		if !errors.As(err, &f) || c.field != "" && f.Field != c.field {
			t.Errorf("%s: %v, %v, want an error of %s", c.text, a, err, c.field)
		}
	}
	if _, err := (Space{}).Parse("lanas2:" + published); err == nil {
		t.Error("the text of another space is read")
	}
	for _, a := range []space.Arch{nil, {1}, cells("3333333"), cells("533333"), {0, 0, 0, 0, 0, -1}} {
		if err := (Space{}).Check(a); err == nil {
			t.Errorf("%v is in the space", a)
		}
		if b, err := (Space{}).MarshalArch(a); err == nil {
			t.Errorf("%v is written as %s", a, b)
		}
	}
}

// FuzzParse: what is read is of the space, and is written as it was read.
func FuzzParse(f *testing.F) {
	f.Add(published)
	f.Add("nasbench-201:" + published)
	f.Add("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
	f.Fuzz(func(t *testing.T, text string) {
		s := Space{}
		a, err := s.Parse(text)
		if err != nil {
			return
		}
		if err := s.Check(a); err != nil {
			t.Fatal(err)
		}
		if got := s.Format(a); got != text && got != Kind+":"+text {
			t.Fatalf("%q is written as %q", text, got)
		}
	})
}
