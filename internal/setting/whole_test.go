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

func TestNatural(t *testing.T) {
	for text, want := range map[string]Natural{"010": 10, "0": 0, "1_000": 1000, "18446744073709551615": 18446744073709551615} {
		v := Natural(5)
		if err := v.Set(text); err != nil || v != want {
			t.Errorf("%q: %d, %v, want %d", text, v, err, want)
		}
	}
	for _, text := range []string{"", "-1", "0x10", "1.5", "ten", "18446744073709551616"} {
		v := Natural(5)
		if err := v.Set(text); err == nil || err.Error() != "want a whole number, 0 or more" || v != 5 {
			t.Errorf("%q is taken for %d: %v", text, v, err)
		}
	}
}
