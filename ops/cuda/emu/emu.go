// Package emu builds, for tests, a CUDA driver whose GPU is this processor: the
// kernels compiled by g++ over emu.h, behind the driver's functions.
package emu

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/ops/cuda"
)

//go:embed src
var files embed.FS

// Library returns the path of a libcuda.so.1 with the kernels of the module, built
// unless an equal one was built before. Without g++ the test is skipped.
func Library(t testing.TB) string {
	t.Helper()
	return Build(t, cuda.KernelFiles())
}

// Build is Library with the given kernels, by file name. arguments go to g++.
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
	for _, name := range []string{"emu.h", "fakecuda.cpp", "build.sh"} {
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
	for _, name := range cuda.KernelNames() {
		put(filepath.Join(src, name), kernels[name])
	}
	put(filepath.Join(src, "table.inc"), []byte(table()))
	fmt.Fprint(h, arguments)
	cache := filepath.Join(os.TempDir(), fmt.Sprintf("oneshot-emu-cache-%d", os.Getuid()))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	lib := filepath.Join(cache, fmt.Sprintf("%x.so", h.Sum(nil)))
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

// table is the fake driver's table of the kernels, in C++.
func table() string {
	var b strings.Builder
	b.WriteString("struct EmuKernel { const char *name; size_t size; void (*call)(const void *, Run); };\nstatic const EmuKernel emu_kernels[] = {\n")
	for _, k := range cuda.Kernels() {
		fmt.Fprintf(&b, "  {%q, sizeof(%s), [](const void *t, Run r) { %s((const %s *)t, r); }},\n", k.Symbol, k.Args, k.Symbol, k.Args)
	}
	b.WriteString("};\n")
	return b.String()
}
