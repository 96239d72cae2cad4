package machine

import (
	"runtime"
	"testing"
)

func TestAvailable(t *testing.T) {
	for _, x := range []struct{ free, limit, used, want int64 }{
		{100, 0, 10, 100},   // no limit
		{100, 50, 10, 40},   // the group leaves less
		{100, 500, 10, 100}, // the machine has less
		{0, 50, 10, 40},     // the machine does not say
		{100, 50, 60, 100},  // a limit below what is used says nothing
		{0, 0, 10, 0},
	} {
		if got := available(x.free, x.limit, x.used); got != x.want {
			t.Errorf("available(%d, %d, %d) = %d, want %d", x.free, x.limit, x.used, got, x.want)
		}
	}
}

// What the kernel says of this process can be read.
func TestThisMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	if total := TotalMemory(); total < PeakResident() || total < AvailableMemory() {
		t.Errorf("of %d bytes %d are available", total, AvailableMemory())
	}
	if PeakResident() < 1<<20 || AvailableMemory() < 1<<20 || CPUModel() == "" {
		t.Errorf("peak %d, available %d, model %q", PeakResident(), AvailableMemory(), CPUModel())
	}
	if readKB("/proc/self/status", "NoSuchLine:") != 0 || readKB("/no/such/file", "VmRSS:") != 0 {
		t.Error("a line that is not there has a value")
	}
}
