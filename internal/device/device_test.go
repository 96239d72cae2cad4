package device

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/fault"
)

// No library is loaded from wherever the program happens to run.
func TestDriverIsNotInTheWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("lib.so", []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs("lib.so")
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]int{"./lib.so": fault.ExitUsage, "../lib.so": fault.ExitUsage, abs: fault.ExitDevice, "no-such-library.so": fault.ExitDevice} {
		_, err := OpenGPU(Files{Driver: name})
		if err == nil || fault.Classify(err).Code != code || (code == fault.ExitUsage) != strings.Contains(err.Error(), "is relative") {
			t.Errorf("%s: %v, want exit code %d", name, err, code)
		}
	}
}

// Kernels that are named are read from a file of some size only.
func TestKernelsAreAFile(t *testing.T) {
	for _, path := range []string{"/dev/null", t.TempDir()} {
		if _, err := kernelImage(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
