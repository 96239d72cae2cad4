package main

import (
	"fmt"
	"os"
	"path/filepath"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/supernet"
)

// newRuntime opens the device of the configuration. auto is a GPU where there is
// one that oneshot can use, else the processor.
func (u *ui) newRuntime(c config.Run) (*supernet.Runtime, error) {
	if c.Device == "cpu" {
		return cpuRuntime(c)
	}
	e, err := openCUDA()
	switch {
	case err == nil:
		rt, err := supernet.NewCUDARuntime(e, half(c), threads(c))
		if err != nil {
			e.Close()
			return nil, fault.WithCode(err, fault.ExitUsage, "")
		}
		u.debugf("device: %s", describeDevice(e.Info()))
		return rt, nil
	case c.Device == "cuda":
		return nil, err
	}
	if !cuda.IsAbsent(err) {
		u.warnf("no GPU is used: %v", err)
	}
	return cpuRuntime(c)
}

func cpuRuntime(c config.Run) (*supernet.Runtime, error) {
	rt, err := supernet.NewRuntime(threads(c))
	return rt, fault.WithCode(err, fault.ExitUsage, "")
}

// half says whether activations are bfloat16.
func half(c config.Run) bool { return c.AMP != "float32" }

// openCUDA opens the first GPU. The error has exit code 7.
func openCUDA() (*cuda.Engine, error) {
	var paths []string
	if p := os.Getenv("CUDA_DRIVER_LIBRARY"); p != "" {
		paths = []string{p}
	}
	d, err := driver.Load(paths)
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitDevice, "")
	}
	image, err := kernelImage(os.Getenv("ONESHOT_CUDA_KERNELS"))
	if err != nil {
		return nil, err
	}
	e, err := cuda.Open(cuda.Options{Driver: d, Kernels: image})
	return e, fault.WithCode(err, fault.ExitDevice, "`oneshot doctor` says what it finds; --device cpu does without")
}

// kernelImage reads kernels to use instead of the built-in ones: PTX or CUBIN as
// it is, CUDA C (.cu) through NVRTC. No path means the built-in ones.
func kernelImage(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitUsage, "ONESHOT_CUDA_KERNELS names a .ptx, .cubin or .cu file")
	}
	if filepath.Ext(path) != ".cu" {
		return append(text, 0), nil
	}
	image, _, err := cuda.Compile(string(text), filepath.Base(path), "compute_80")
	return append(image, 0), fault.WithCode(err, fault.ExitUsage, "")
}

func describeDevice(i driver.Info) string {
	return fmt.Sprintf("%s, compute capability %d.%d, %d multiprocessors, %d MiB, driver for CUDA %d.%d",
		i.Name, i.Major, i.Minor, i.SMs, i.Memory>>20, i.Driver/1000, i.Driver%1000/10)
}

// cudaState is what doctor finds of the GPU.
type cudaState struct {
	Device     string  `json:"device"` // empty where there is none
	FreeMiB    int     `json:"free_mib,omitempty"`
	LoadMS     float64 `json:"load_ms,omitempty"` // kernels translated by the driver and loaded; little when it had them cached
	SelfTestMS float64 `json:"self_test_ms,omitempty"`
	Problem    string  `json:"problem,omitempty"`
}

func (s cudaState) String() string {
	switch {
	case s.Device == "":
		return s.Problem
	case s.Problem != "":
		return s.Device + "; " + s.Problem
	}
	return fmt.Sprintf("%s; %d MiB free; kernels loaded in %.0f ms; self-test passed in %.0f ms", s.Device, s.FreeMiB, s.LoadMS, s.SelfTestMS)
}

// cudaReport opens the GPU and has it compute a little.
func cudaReport() (s cudaState, err error) {
	defer func() {
		if err != nil {
			s.Problem = err.Error()
		}
	}()
	var e *cuda.Engine
	load, err := seconds(func() (err error) { e, err = openCUDA(); return err })
	if err != nil {
		return s, err
	}
	defer e.Close()
	s.Device, s.LoadMS = describeDevice(e.Info()), 1e3*load
	free, err := e.FreeMemory()
	if err != nil {
		return s, err
	}
	s.FreeMiB = free >> 20
	test, err := seconds(func() error { return supernet.SelfTest(e) })
	s.SelfTestMS = 1e3 * test
	return s, fault.WithCode(err, fault.ExitDevice, "the device computes something else than the processor: a driver or hardware fault, or a bug worth reporting")
}
