package pipeline

import (
	"strings"
	"testing"

	"oneshot/supernet/space"
	_ "oneshot/supernet/space/blocks"
	_ "oneshot/supernet/space/cell"
	_ "oneshot/supernet/space/nb201"
)

// TestKeysOfTables: a text may lack the name of its space, and what is said of a wrong one is what is wrong with it, not
// that the name is lacking.
func TestKeysOfTables(t *testing.T) {
	cells, err := space.New("lanas", 1)
	if err != nil {
		t.Fatal(err)
	}
	spaces := []space.Space{cells}
	for _, kind := range []string{"nasbench-macro", "nasbench-201"} {
		s, err := space.OfKind(kind).Open()
		if err != nil {
			t.Fatal(err)
		}
		spaces = append(spaces, s)
	}
	for i, tc := range []struct{ good, bad, want string }{
		{"0.sep_conv_3x3+1.sep_conv_5x5:0.sep_conv_3x3+1.sep_conv_5x5", "0.sep_conv_3x3+1.sep_conv_5x5", "has 2 parts between colons"},
		{"22212220", "2221222", "has 7 digits, want 8"},
		{"|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", "|none~0|+|none~0|none~1|+|skip~0|none~1|none~2|", `"skip"`},
	} {
		s := spaces[i]
		for _, text := range []string{tc.good, s.Name() + ":" + tc.good} {
			if a, err := parseKey(s, text); err != nil || s.Format(a) != s.Name()+":"+tc.good {
				t.Errorf("%s: %v, %v", text, a, err)
			}
		}
		for _, text := range []string{tc.bad, s.Name() + ":" + tc.bad} {
			if _, err := pathOfKey(s, text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want %s", text, err, tc.want)
			}
		}
		for _, text := range []string{"mine@12345678:0", "lanas9:x", "nasbench-macro:22212220", "nasbench-201:|"} {
			if strings.HasPrefix(text, s.Name()+":") {
				continue
			}
			if _, err := pathOfKey(s, text); err == nil || !strings.Contains(err.Error(), s.Name()+`"`) {
				t.Errorf("%s: %v, want that it is of another space", text, err)
			}
		}
	}
}
