// Package emu builds, for tests, a CUDA driver whose GPU is this processor: the
// kernels compiled by g++ over emu.h, behind the driver's functions.
package emu

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gofrs/flock"

	"oneshot/ops/cuda"
)

//go:embed src
var files embed.FS

// Library returns the path of a libcuda.so.1 with the kernels of the module, built
// unless an equal one was built before. Without g++ the test is skipped. With
// ONESHOT_CUDA_TEST=sanitize in the environment the Sanitizer looks at them.
func Library(t testing.TB) string {
	t.Helper()
	if os.Getenv("ONESHOT_CUDA_TEST") == "sanitize" {
		return Build(t, cuda.KernelFiles(), Sanitizer...)
	}
	return Build(t, cuda.KernelFiles())
}

// Sanitizer are arguments for Build: a kernel that does something undefined, an index
// outside a shared array say, fails its launch. The build takes half a minute.
var Sanitizer = []string{"-O1", "-fsanitize=undefined", "-fno-sanitize=vptr"}

// Build is Library with the given kernels, by the names of the module's files.
// arguments go to g++.
func Build(t testing.TB, kernels map[string][]byte, arguments ...string) string {
	t.Helper()
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("no g++, which compiles the kernels for the processor")
	}
	dir, err := os.MkdirTemp("", "oneshot-emu-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	h := sha256.New()
	put := func(path string, b []byte) {
		fmt.Fprintf(h, "%s %d\n", filepath.Base(path), len(b))
		h.Write(b)
		if err := os.WriteFile(path, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"fibers.h", "emu.h", "sanitizer.h", "device.h", "fakecuda.cpp", "fakenvrtc.cpp", "build.sh"} {
		b, err := files.ReadFile("src/" + name)
		if err != nil {
			t.Fatal(err)
		}
		put(filepath.Join(dir, name), b)
	}
	src := filepath.Join(dir, "kernels")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(kernels)) {
		put(filepath.Join(src, name), kernels[name])
	}
	fmt.Fprint(h, arguments)
	cache := cacheDir(t)
	lib := filepath.Join(cache, fmt.Sprintf("%x.so", h.Sum(nil)))
	lock := flock.New(filepath.Join(cache, "lock")) // the tests of several packages need the same one
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(lib); err == nil {
		return lib
	}
	out := filepath.Join(dir, "libcuda.so.1")
	cmd := exec.Command(filepath.Join(dir, "build.sh"), append([]string{src, out}, arguments...)...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the emulator: %v\n%s", err, b)
	}
	// In the same folder first: a rename makes it appear whole.
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	tmp := lib + fmt.Sprint(os.Getpid())
	if err := os.WriteFile(tmp, b, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, lib); err != nil {
		t.Fatal(err)
	}
	return lib
}

// cacheDir is where libraries that were built stay.
func cacheDir(t testing.TB) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("oneshot-cache-%d", os.Getuid()))
	}
	dir = filepath.Join(dir, "oneshot-emu")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
