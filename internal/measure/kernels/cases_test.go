package kernels

import "testing"

// TestCases runs each once: the primitives check their operands.
func TestCases(t *testing.T) {
	names := map[string]int{}
	for _, b := range Cases() {
		names[b.Name]++
		if b.Flops < 1 || b.Bytes < 1 || b.Shape == "" {
			t.Errorf("%s %q: %d operations, %d bytes", b.Name, b.Shape, b.Flops, b.Bytes)
		}
		b.Run()
	}
	if len(names) != 13 {
		t.Errorf("%d primitives: %v; rowKernels has 13", len(names), names)
	}
}
