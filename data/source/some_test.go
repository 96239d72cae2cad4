package source

import (
	"strings"
	"testing"
)

func TestSome(t *testing.T) {
	for names, want := range map[string][2]string{
		"ant":           {"ant", "class ant"},
		"ant bee":       {"ant, bee", "2 classes: ant, bee"},
		"a b c d e":     {"a, b, c, d, e", "5 classes: a, b, c, d, e"},
		"a b c d e f g": {"a, b, c, d, e and 2 more", "7 classes: a, b, c, d, e and 2 more"},
		"a\x1b[2J b":    {`"a\x1b[2J", b`, `2 classes: "a\x1b[2J", b`},
	} {
		list := strings.Split(names, " ")
		if got := [2]string{Some(list), Counted(list, "class", "classes")}; got != want {
			t.Errorf("%q: %q, want %q", names, got, want)
		}
	}
	if got := Counted(nil, "class", "classes"); got != "0 classes: " {
		t.Errorf("none: %q", got)
	}
}
