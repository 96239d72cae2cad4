package cell

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"oneshot/supernet/space"
)

func TestParseMask(t *testing.T) {
	s := mustNew(t, "lanas", 1)
	a, err := space.ParseCode(s, "[0, 0,0,1, 1,0,0,0,  0,1,1,0, 0,0,0,0]")
	want := s.Arch([]Node{{{0, 3}, {1, 0}}}, []Node{{{0, 1}, {0, 2}}})
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("%v %v, want %v", a, err, want)
	}
	for _, c := range []struct{ text, field string }{
		{"[1,2]", "mask[1]"},
		{"[256,1]", "mask[0]"}, // not 0 modulo 256
		{"[1,0.5]", "mask"},
		{"[]", "mask"},
		{"[0,0,0,0,0,0,0,1,1,1,0,0,0,0,0,0]", "normal.node[0]"},
	} {
		_, err := space.ParseCode(s, c.text)
		wantField(t, c.text, err, c.field)
	}
	_, _, err = space.ParseAny("[0,1]")
	wantField(t, "a mask without a space", err, "mask")
}

func TestAnArchitectureOfAnotherSpaceIsRefused(t *testing.T) {
	s, other := mustNew(t, "lanas", 1), mustNew(t, "darts", 1)
	a := s.Arch([]Node{{{0, 0}, {1, 1}}}, []Node{{{0, 2}, {0, 3}}})
	b, err := other.MarshalArch(a)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.UnmarshalArch(b)
	wantField(t, "JSON", err, "space")
	_, err = s.Parse(other.Format(a))
	wantField(t, "text", err, "space")
	if got, err := other.UnmarshalArch(b); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("own JSON: %v %v", got, err)
	}
}

func TestJSONIsStrict(t *testing.T) {
	good := `{"space":{"ops":"lanas","nodes":1},"normal":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]]}`
	for _, c := range []struct{ old, new, field string }{
		{`"edge":0,`, ``, "normal.node[0].pair[0].edge"},
		{`"edge":1,`, `"edge":2,`, "normal.node[0].pair[1].edge"},
		{`skip_connect`, `skip`, "normal.node[0].pair[0].op"},
		{`"edge":0,`, `"edge":0,"x":1,`, "json"},
		{`"reduce"`, `"rest"`, "json"},
		{`{"space"`, `x{"space"`, "space"},
		{`"nodes":1`, `"nodes":0`, "nodes"},
		{`lanas`, `none`, "ops"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		_, _, err := space.ParseAny(text)
		wantField(t, text, err, c.field)
	}
	_, _, err := space.ParseAny(good + "{}")
	wantField(t, "trailing object", err, "json")
	if _, _, err := space.ParseAny(good); err != nil {
		t.Error(err)
	}
}

// TestGoldenForms pins the text, hash and mask of one architecture of the
// release's space: run folders and published results depend on them.
func TestGoldenForms(t *testing.T) {
	const text = "lanas5:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5,1.sep_conv_3x3+3.skip_connect,0.max_pool_3x3+0.sep_conv_5x5,4.skip_connect+5.sep_conv_3x3" +
		":0.max_pool_3x3+1.max_pool_3x3,1.sep_conv_5x5+2.skip_connect,2.sep_conv_3x3+3.sep_conv_3x3,1.skip_connect+4.max_pool_3x3,0.skip_connect+5.sep_conv_5x5"
	s, a, err := space.ParseAny(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Format(a); got != text {
		t.Errorf("text form %s, want %s", got, text)
	}
	if got, want := space.Hash(s, a), "0baeafffe7f6"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	// By hand: a node's entries are edge by edge, 4 operations each; the nodes
	// have 2 to 6 edges and start at 0, 8, 20, 36, 56, the reduction cell at 80.
	want := make([]byte, 160)
	for _, i := range []int{
		0 + 2, 0 + 5, 8 + 0, 8 + 11, 20 + 6, 20 + 13, 36 + 0, 36 + 3, 56 + 17, 56 + 22,
		80 + 0, 80 + 4, 88 + 7, 88 + 9, 100 + 10, 100 + 14, 116 + 5, 116 + 16, 136 + 1, 136 + 23,
	} {
		want[i] = 1
	}
	if got := s.Encode(a); !reflect.DeepEqual(got, want) {
		t.Errorf("mask\n%v, want\n%v", got, want)
	}
}

func wantField(t *testing.T, what string, err error, field string) {
	t.Helper()
	var f *space.FieldError
	if !errors.As(err, &f) || f.Field != field {
		t.Errorf("%s: error %v, want one of field %s", what, err, field)
	}
}

func FuzzUnmarshal(f *testing.F) {
	s := mustNew(f, "lanas", 1)
	f.Add([]byte(`{"space":{"ops":"lanas","nodes":1},"normal":[[{"edge":0,"op":"skip_connect"},{"edge":1,"op":"skip_connect"}]],"reduce":[[{"edge":1,"op":"skip_connect"},{"edge":0,"op":"max_pool_3x3"}]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := s.UnmarshalArch(b)
		if err != nil {
			return
		}
		out, err := s.MarshalArch(a)
		if err != nil {
			t.Fatalf("%q is accepted but wrong: %v", b, err)
		}
		if c, err := s.UnmarshalArch(out); err != nil || !reflect.DeepEqual(a, c) {
			t.Fatalf("%q does not survive: %v", b, err)
		}
	})
}
