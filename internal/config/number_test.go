package config

import (
	"fmt"
	"strings"
	"testing"

	"oneshot/internal/setting"
)

// TestNumbersMeanWhatTheyLookLike: YAML takes a leading zero for an octal number and knows other
// bases; a person who writes 0100 means a hundred.
func TestNumbersMeanWhatTheyLookLike(t *testing.T) {
	for _, x := range []struct{ key, text, want string }{
		{"seed", "010", "10"},
		{"seed", "08", "8"},
		{"seed", "!!int 010", "10"},
		{"seed", "18446744073709551615", "18446744073709551615"},
		{"train.batch", "0100", "100"},
		{"train.batch", "1_000", "1000"},
		{"train.batch", "1e2", "100"},
		{"train.batch", "64.0", "64"},
		{"train.lr", "00.5", "0.5"},
		{"train.lr", ".5", "0.5"},
		{"train.lr", "01", "1"},
		{"train.lr", "1e-3", "0.001"},
		{"search.max_madds", "0600M", "600000000"},
		{"search.max_madds", "0100", "100"},
		{"train.batch", "0x40", ""},
		{"train.batch", "0o100", ""},
		{"train.batch", "0b11", ""},
		{"train.batch", "1:30", ""},
		{"train.batch", "'64'", ""},
		{"train.batch", "1.5", ""},
		{"train.lr", ".inf", ""},
		{"train.lr", "nan", ""},
		{"train.lr", ".NaN", ""},
		{"train.lr", "0x1p-2", ""},
	} {
		set, file := Default(), x.key+": "+x.text
		errSet := set.Set(x.key, x.text)
		if section, key, ok := strings.Cut(x.key, "."); ok {
			file = section + ":\n  " + key + ": " + x.text
		}
		read, errRead := Parse("f.yaml", []byte(file), func(string) (Config, error) { return Default(), nil })
		if strings.HasPrefix(x.text, "!!") { // only a file has tags
			errSet = set.Set(x.key, x.want)
		}
		for how, err := range map[string]error{"--set": errSet, "a file": errRead} {
			if (err == nil) != (x.want != "") || err != nil && !strings.Contains(err.Error(), x.key+" = ") {
				t.Errorf("%s with %s = %s: %v", how, x.key, x.text, err)
			}
		}
		if x.want == "" {
			continue
		}
		for how, c := range map[string]Config{"--set": set, "a file": read} {
			if got := valueOf(t, c, x.key); got != x.want {
				t.Errorf("%s with %s = %s is %s, want %s", how, x.key, x.text, got, x.want)
			}
		}
	}
}

// valueOf is the value of a key as text.
func valueOf(t *testing.T, c Config, key string) string {
	for _, f := range setting.Fields(&c) {
		if f.Key == key {
			return fmt.Sprint(f.Value.Interface())
		}
	}
	t.Fatalf("no key %s", key)
	return ""
}
