package kernels

import (
	"math"
	"testing"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// TestSeparableDoesTheWork: every gradient is there, and the output read.
func TestSeparableDoesTheWork(t *testing.T) {
	p := cpu.NewPool(2)
	defer p.Close()
	s, err := NewSeparable(p, 2, 4, 8, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	for i, m := range append([]ops.Mem{s.read.Out}, s.call.DIn...) {
		var sum float64
		for _, v := range s.b.At(m) {
			sum += math.Abs(float64(v))
		}
		if !(sum > 0 && sum < 1e6) {
			t.Errorf("result %d sums up to %v", i, sum)
		}
	}
	if want := 12 * 2 * 4 * 4 * 8 * (9 + 8); s.Flops != want {
		t.Errorf("%d operations, want %d", s.Flops, want)
	}
}
