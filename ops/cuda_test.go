package ops_test

import (
	"testing"

	"oneshot/ops"
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

// TestCUDASumOfOddPlaces: gradients lie one behind the other, so a sum may have any number
// of values that begin anywhere.
func TestCUDASumOfOddPlaces(t *testing.T) {
	m := opstest.CUDA(emu.Open(t), false)
	m.Resize(ops.Grad, 40)
	for _, n := range []int{7, 8} {
		for _, off := range []int{0, 1} {
			x := make([]float64, 40)
			for i := range x {
				x[i] = float64(i)
			}
			m.Write(ops.Mem{Region: ops.Grad, Len: len(x)}, x)
			dst, src := ops.Mem{Region: ops.Grad, Off: off, Len: n}, ops.Mem{Region: ops.Grad, Off: 16 + 2*off, Len: n}
			if err := m.Sum(dst, []ops.Mem{dst, src}); err != nil {
				t.Fatalf("%d values at %d: %v", n, off, err)
			}
			for i, v := range m.Read(dst) {
				if want := float64(off + i + 16 + 2*off + i); v != want {
					t.Errorf("%d values at %d: sum[%d] = %g, want %g", n, off, i, v, want)
				}
			}
		}
	}
}
