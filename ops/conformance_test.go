package ops_test

import (
	"testing"

	"oneshot/ops/cpu"
	"oneshot/ops/opstest"
)

func TestGradients(t *testing.T) {
	pool := cpu.NewPool(1)
	defer pool.Close()
	opstest.Gradients(t, func() opstest.Machine { return opstest.CPU[float64](pool) })
}

// TestConformance bounds float32 against float64: the longest sums here are of
// a few hundred terms, and batch normalisation of few values amplifies.
func TestConformance(t *testing.T) {
	for _, threads := range []int{1, 2} {
		pool := cpu.NewPool(threads)
		defer pool.Close()
		opstest.Conformance(t, func() opstest.Machine { return opstest.CPU[float32](pool) }, 2e-4)
	}
}

// TestSums: sums that an operation takes over from the one before change no gradient.
func TestSums(t *testing.T) {
	for _, n := range []int{opstest.Sums[float64](t, 1e-12), opstest.Sums[float32](t, 2e-5)} {
		if n < 10 {
			t.Errorf("%d cases, want 10 at least", n)
		}
	}
}

// TestScratch: no operation takes more memory than it said.
func TestScratch(t *testing.T) { opstest.Scratch(t) }

// TestGolden: float64 against the same operations in PyTorch; the bound is the
// float32 rounding of the file.
func TestGolden(t *testing.T) {
	pool := cpu.NewPool(2)
	defer pool.Close()
	opstest.Golden(t, func() opstest.Machine { return opstest.CPU[float64](pool) }, "testdata/ops_golden.safetensors", 2e-7)
	opstest.Golden(t, func() opstest.Machine { return opstest.CPU[float32](pool) }, "testdata/ops_golden.safetensors", 1e-4)
}

// TestOptimizers: steps of every optimizer as PyTorch takes them.
func TestOptimizers(t *testing.T) {
	pool := cpu.NewPool(2)
	defer pool.Close()
	opstest.Optimizers(t, func() opstest.Machine { return opstest.CPU[float64](pool) }, "testdata/optim_golden.safetensors", 2e-7)
	opstest.Optimizers(t, func() opstest.Machine { return opstest.CPU[float32](pool) }, "testdata/optim_golden.safetensors", 2e-6)
}
