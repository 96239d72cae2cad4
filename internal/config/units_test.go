package config

import (
	"strconv"
	"testing"
)

// A count, a size or a time that is accepted is in range, and the same when it is written and
// read again.
func FuzzUnits(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		var n, again Count
		if n.UnmarshalText([]byte(text)) == nil {
			if err := again.UnmarshalText([]byte(n.String())); err != nil || again != n {
				t.Errorf("%q is %d, and %s is %d, %v", text, n, n, again, err)
			}
		}
		if n.Set(text) == nil && n < 0 {
			t.Errorf("%q is the flag %d", text, n)
		}
		var d, same Duration
		if d.UnmarshalText([]byte(text)) == nil {
			if err := same.UnmarshalText([]byte(d.String())); err != nil || same != d {
				t.Errorf("%q is %v, written %v: %v", text, d, same, err)
			}
		}
		if v, err := parseBytes(text); err == nil {
			if w, err := parseBytes(strconv.FormatInt(v, 10)); v < 1 || w != v || err != nil {
				t.Errorf("%q is %d bytes, written %d: %v", text, v, w, err)
			}
		}
	})
}
