package ops_test

import (
	"testing"

	"oneshot/ops/cuda/emu"
	"oneshot/ops/opstest"
)

// TestCUDAConformance: every operation in float32 like the processor's.
func TestCUDAConformance(t *testing.T) {
	e := emu.Open(t)
	opstest.Conformance(t, func() opstest.Machine { return opstest.CUDA(e, false) }, 2e-4)
}

// TestCUDAConformanceHalf: with bfloat16 activations.
func TestCUDAConformanceHalf(t *testing.T) {
	e := emu.Open(t)
	opstest.ConformanceHalf(t, func() opstest.Machine { return opstest.CUDA(e, true) }, 2e-2, 0.5)
}

// TestCUDAGolden: float32 against PyTorch.
func TestCUDAGolden(t *testing.T) {
	e := emu.Open(t)
	opstest.Golden(t, func() opstest.Machine { return opstest.CUDA(e, false) }, "testdata/ops_golden.safetensors", 1e-4)
}

// TestCUDAOptimizers: steps of every optimizer as PyTorch takes them.
func TestCUDAOptimizers(t *testing.T) {
	e := emu.Open(t)
	opstest.Optimizers(t, func() opstest.Machine { return opstest.CUDA(e, false) }, "testdata/optim_golden.safetensors", 2e-6)
}
