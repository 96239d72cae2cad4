package report

import (
	"math"
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

// TestInterval: values of Wilson's interval as published tables have them (81 of 263: Newcombe 1998, table I,
// method 3).
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		right, n int
		lo, hi   float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		e := Proportion(float64(c.right)/float64(c.n), c.n)
		lo, hi := e.Lo, e.Hi
		if math.Abs(lo-c.lo) > 5e-5 || math.Abs(hi-c.hi) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.right, c.n, lo, hi, c.lo, c.hi)
		}
	}
}

// TestRunPageEscapes: what comes from a file is text on the page.
func TestRunPageEscapes(t *testing.T) {
	r := rundir.Result{TestTop1: 0.5, TestCount: 10, Arch: rundir.Arch{Hash: "abc"}, Classes: []rundir.Class{{Name: "<script>alert(1)</script>", Images: 10, Right: 5}}}
	b, err := Run(RunParts{Run: "<b>run</b>", Result: &r, Made: [][2]string{{"processor", "<img src=x>"}}}).Render()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<b>run", "<img"} {
		if strings.Contains(string(b), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if !strings.Contains(string(b), "50.00 %") {
		t.Error("the page does not have the result")
	}
}
