//go:build linux && !gorgonia_cu

package driver_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
)

// TestNothingFromTheWorkingDirectory: a library is found by the loader or by its
// whole path.
func TestNothingFromTheWorkingDirectory(t *testing.T) {
	for _, p := range append(driver.Places, driver.Compilers...) {
		if strings.Contains(p, "/") && !filepath.IsAbs(p) {
			t.Errorf("%s depends on the working directory", p)
		}
	}
}

func TestNoDriver(t *testing.T) {
	d, err := driver.Load([]string{"/nowhere/libcuda.so.1", "/nor/here/libcuda.so.1"})
	if d != nil || !errors.Is(err, driver.ErrNoDriver) || !strings.Contains(err.Error(), "/nowhere/libcuda.so.1") {
		t.Errorf("%v, %v", d, err)
	}
}

// TestNotADriver: a library without the driver's functions is refused.
func TestNotADriver(t *testing.T) {
	d, err := driver.Load([]string{"libm.so.6"})
	if d != nil || err == nil || errors.Is(err, driver.ErrNoDriver) || !strings.Contains(err.Error(), "libm.so.6 has no cuInit") {
		t.Errorf("%v, %v", d, err)
	}
}

func TestNoDevice(t *testing.T) {
	d, fake := openFake(t)
	for _, n := range []int{-1, 1, 1000} {
		if _, err := d.Device(n); !errors.Is(err, driver.ErrNoDevice) {
			t.Errorf("device %d: %v", n, err)
		}
	}
	fake.Option(t, "FAKE_CUDA_DEVICES", "0", "1")
	d, err := driver.Load([]string{emu.Library(t)})
	if d != nil || !errors.Is(err, driver.ErrNoDevice) {
		t.Errorf("no device at all: %v, %v", d, err)
	}
}

// TestInitFails: a driver that does not start is an error that names the call.
func TestInitFails(t *testing.T) {
	_, fake := openFake(t)
	fake.Fault(1, 803)
	d, err := driver.Load([]string{emu.Library(t)})
	var e *driver.Error
	if d != nil || !errors.As(err, &e) || e.Call != "cuInit" || e.Name != "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" || errors.Is(err, driver.ErrNoDriver) {
		t.Errorf("%v, %v", d, err)
	}
}

func TestNoCompiler(t *testing.T) {
	n, err := driver.LoadNVRTC([]string{"/nowhere/libnvrtc.so"})
	if n != nil || !errors.Is(err, driver.ErrNoCompiler) {
		t.Errorf("%v, %v", n, err)
	}
}

const program = `extern "C" __global__ void answer(int *p) { *p = 42; }`

// TestCompilerFake: the emulated compiler returns the source.
func TestCompilerFake(t *testing.T) {
	n, err := driver.LoadNVRTC([]string{emu.Library(t)})
	must(t, err)
	if v, err := n.Version(); v != "13.0" || err != nil {
		t.Error(v, err)
	}
	ptx, err := n.Compile(program, "answer.cu", "--std=c++17", "--fmad=true")
	must(t, err)
	if string(ptx) != program+"\x00" {
		t.Errorf("%q", ptx)
	}
	_, err = n.Compile("#error broken\n"+program, "answer.cu")
	if err == nil || !strings.Contains(err.Error(), "nvrtcCompileProgram") || !strings.Contains(err.Error(), "#error broken") {
		t.Error(err)
	}
	if _, err = n.Compile(program, "answer.cu", "std=c++17"); err == nil || !strings.Contains(err.Error(), "unknown option std=c++17") {
		t.Error(err)
	}
}

// TestCompiler is with the machine's own.
func TestCompiler(t *testing.T) {
	n, err := driver.LoadNVRTC(nil)
	if errors.Is(err, driver.ErrNoCompiler) {
		t.Skip(err)
	}
	must(t, err)
	v, err := n.Version()
	must(t, err)
	ptx, err := n.Compile(program, "answer.cu", "--gpu-architecture=compute_80", "--std=c++17")
	if err != nil || !strings.Contains(string(ptx), ".entry answer(") {
		t.Errorf("NVRTC %s: %v\n%s", v, err, ptx)
	}
	_, err = n.Compile("\n\nnonsense "+program, "answer.cu", "--gpu-architecture=compute_80")
	if err == nil || !strings.Contains(err.Error(), "answer.cu(3): error:") {
		t.Errorf("NVRTC %s: %v", v, err)
	}
}
