// Package device opens what a run computes on: an NVIDIA GPU or the processor.
//
// Contract: errors carry the exit code of the process (package fault); what a caller
// opens it closes. The environment is the command's to read: see [Files].
package device

import (
	"fmt"
	"path/filepath"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/ui"
	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/supernet"
)

// Files replace what a GPU is driven with; "" is the usual.
type Files struct {
	Driver  string // the driver's library
	Kernels string // kernels: PTX, CUBIN, or CUDA C for NVRTC
}

// Open opens the device of the configuration. auto is a GPU where there is one
// that oneshot can use, else the processor.
func Open(c config.Run, f Files, u *ui.UI) (*supernet.Runtime, error) {
	if c.Device == "cpu" {
		return openCPU(c)
	}
	e, err := OpenGPU(f)
	switch {
	case err == nil:
		rt, err := supernet.NewCUDARuntime(e, c.Half(), c.ThreadCount())
		if err != nil {
			e.Close()
			return nil, fault.WithCode(err, fault.ExitUsage, "")
		}
		u.Debugf("device: %s", Describe(e.Info()))
		return rt, nil
	case c.Device == "cuda":
		return nil, err
	}
	if !cuda.IsAbsent(err) {
		u.Warnf("no GPU is used: %v", err)
	}
	return openCPU(c)
}

func openCPU(c config.Run) (*supernet.Runtime, error) {
	rt, err := supernet.NewRuntime(c.ThreadCount())
	return rt, fault.WithCode(err, fault.ExitUsage, "")
}

// OpenGPU opens the first GPU. The error has exit code 7, or 2 for a driver that may not be loaded.
func OpenGPU(f Files) (*cuda.Engine, error) {
	var paths []string
	if f.Driver != "" {
		// A plain name is looked for where the system keeps libraries.
		if strings.ContainsRune(f.Driver, filepath.Separator) && !filepath.IsAbs(f.Driver) {
			return nil, fault.Usage("CUDA_DRIVER_LIBRARY wants an absolute path or a plain name",
				"%q is relative: no library is loaded from the working directory", f.Driver)
		}
		paths = []string{f.Driver}
	}
	d, err := driver.Load(paths)
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitDevice, "")
	}
	image, err := kernelImage(f.Kernels)
	if err != nil {
		return nil, err
	}
	e, err := cuda.Open(cuda.Options{Driver: d, Kernels: image})
	return e, fault.WithCode(err, fault.ExitDevice, "`oneshot doctor` says what it finds; --device cpu does without")
}

// maxKernels caps a file of kernels; the built-in ones have about 1 MB.
const maxKernels = 64 << 20

// kernelImage reads kernels to use instead of the built-in ones: PTX or CUBIN as
// it is, CUDA C (.cu) through NVRTC. No path means the built-in ones.
func kernelImage(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := atomicfile.ReadAtMost(path, maxKernels)
	if err != nil {
		return nil, fault.Wrap(fault.ExitUsage, err, "ONESHOT_CUDA_KERNELS names a .ptx, .cubin or .cu file")
	}
	if filepath.Ext(path) != ".cu" {
		return append(text, 0), nil
	}
	image, _, err := cuda.Compile(string(text), filepath.Base(path), "compute_80")
	return append(image, 0), fault.WithCode(err, fault.ExitUsage, "")
}

// Describe names a GPU in one line.
func Describe(i driver.Info) string {
	return fmt.Sprintf("%s, compute capability %d.%d, %d multiprocessors, %d MiB, driver for CUDA %d.%d",
		i.Name, i.Major, i.Minor, i.SMs, i.Memory>>20, i.Driver/1000, i.Driver%1000/10)
}
