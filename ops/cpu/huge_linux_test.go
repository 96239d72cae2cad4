package cpu

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// anonHuge returns how much of the memory of this process is in huge pages.
func anonHuge(t *testing.T) (bytes int) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kB int
		if n, _ := fmt.Sscanf(lines.Text(), "AnonHugePages: %d kB", &kB); n == 1 {
			bytes += kB << 10
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return bytes
}

func TestHugeGetsHugePages(t *testing.T) {
	mode, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || strings.Contains(string(mode), "[never]") {
		t.Skip("this kernel has no transparent huge pages")
	}
	const size = 64 << 20
	for i, used := 0, make([]float32, size/2); i < len(used); i++ {
		used[i] = 1 // so that make has to clear the memory that Huge gets
	}
	runtime.GC()
	s := Huge[float32](size / 4)
	before := anonHuge(t)
	for i := range s {
		if s[i] != 0 {
			t.Fatalf("element %d is %v", i, s[i])
		}
		s[i] = 1
	}
	// Half, as the kernel may not find as many.
	if grown := anonHuge(t) - before; grown < size/2 {
		t.Errorf("%d MiB more in huge pages, want %d", grown>>20, size>>20)
	}
	if s[0] != 1 {
		t.Error("the collector took it")
	}
}
