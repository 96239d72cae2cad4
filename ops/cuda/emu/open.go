package emu

import (
	"os"
	"testing"

	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
)

// Open opens the emulated GPU, or the machine's own where the environment has
// ONESHOT_CUDA_TEST=real.
func Open(t testing.TB) *cuda.Engine {
	t.Helper()
	e, err := cuda.Open(Options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// Options are those that Open opens a device with.
func Options(t testing.TB) cuda.Options {
	t.Helper()
	var o cuda.Options
	var paths []string
	if os.Getenv("ONESHOT_CUDA_TEST") != "real" {
		paths = []string{Library(t)}
		o.Kernels = append([]byte(cuda.Source()), 0) // any text with their names: the library has them
	}
	var err error
	if o.Driver, err = driver.Load(paths); err != nil {
		t.Fatal(err)
	}
	return o
}
