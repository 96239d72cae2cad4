package supernet

import (
	"fmt"

	"oneshot/ops/cuda"
	"oneshot/supernet/engine"
	"oneshot/supernet/engine/gpu"
	"oneshot/supernet/engine/host"
)

// Runtime is what networks run on: a processor, or a GPU with the processor
// beside it.
type Runtime struct {
	eng     engine.Engine
	threads int
}

// NewRuntime starts the workers of a processor, with that many threads.
func NewRuntime(threads int) (*Runtime, error) {
	if err := checkThreads(threads); err != nil {
		return nil, err
	}
	return &Runtime{host.New(threads), threads}, nil
}

// NewCUDARuntime computes on a GPU, which Close closes. half
// chooses bfloat16 for activations and their gradients; parameters, statistics
// and sums are float32. That many goroutines build the programs of coming steps.
func NewCUDARuntime(e *cuda.Engine, half bool, threads int) (*Runtime, error) {
	if err := checkThreads(threads); err != nil {
		return nil, err
	}
	return &Runtime{gpu.New(e, half, threads), threads}, nil
}

func checkThreads(n int) error {
	if n < 1 {
		return fmt.Errorf("supernet: %d threads, want at least 1", n)
	}
	return nil
}

// Threads is the number of threads of the processor.
func (r *Runtime) Threads() int { return r.threads }

// Device is "cpu" or "cuda".
func (r *Runtime) Device() string { return r.eng.Device() }

// Arithmetic names what decides how values are rounded, such as "cpu float32 avx512": scores of two
// arithmetics are not compared.
func (r *Runtime) Arithmetic() string { return r.eng.Arithmetic() }

// Close ends the workers and gives the device back.
func (r *Runtime) Close() { r.eng.Close() }
