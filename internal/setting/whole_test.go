package setting

import (
	"flag"
	"io"
	"testing"
)

func TestWhole(t *testing.T) {
	for text, want := range map[string]int{"010": 10, "08": 8, "7": 7, "-3": -3, "1_000": 1000} {
		v := Whole(5)
		fs := flag.NewFlagSet("t", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.Var(&v, "n", "a number")
		if err := fs.Parse([]string{"-n", text}); err != nil || int(v) != want {
			t.Errorf("%q: %d, %v, want %d", text, v, err, want)
		}
	}
	for _, text := range []string{"", "0x10", "0b1", "1.5", "ten", "1e3"} {
		v := Whole(5)
		if err := v.Set(text); err == nil || v != 5 {
			t.Errorf("%q is taken for %d", text, v)
		}
	}
}
