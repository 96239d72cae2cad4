package config

import "testing"

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{"10m": "10m0s", "0": "0s", "": "0s", " 90s ": "1m30s"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"10", "soon", "NaNs"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
