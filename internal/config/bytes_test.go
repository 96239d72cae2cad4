package config

import "testing"

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1073741824": 1 << 30, "2GiB": 2 << 30, "800MB": 800e6, "1.5 gib": 3 << 29, "64kb": 64000, "3TB": 3e12, "12KiB": 12 << 10, "7B": 7, " 5 MiB": 5 << 20,
	} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GiB", "2G", "-1GiB", "0", "0.5", "NaN", "Inf", "1e30", "2GiBs", "2 x", "2GBMB", "8388608TiB"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q passes as %d", text, got)
		}
	}
}
