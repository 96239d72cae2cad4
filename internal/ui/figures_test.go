package ui

import "testing"

// A difference that rounds to nothing has no sign to worry about.
func TestPoints(t *testing.T) {
	for difference, want := range map[float64]string{-1e-17: "+0.00", 0: "+0.00", 0.0751: "+7.51", -0.0001: "-0.01"} {
		if got := Points(difference); got != want {
			t.Errorf("Points(%g) = %s, want %s", difference, got, want)
		}
	}
}
