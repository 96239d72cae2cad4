// Package machine says what this computer is: its processor and its memory, as the
// kernel reports them. What is unknown is 0 or a general word, never an error.
package machine

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/cpu"
)

// CPUModel is the processor's name, or its architecture where that is unknown.
func CPUModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

// CPUFeatures lists the instruction sets that our kernels look at.
func CPUFeatures() []string {
	out := []string{}
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA}, {"avx512f", cpu.X86.HasAVX512F}, {"asimd", cpu.ARM64.HasASIMD},
	} {
		if f.has {
			out = append(out, f.name)
		}
	}
	return out
}
