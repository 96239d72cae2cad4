package peak

import (
	"testing"
	"time"

	"oneshot/ops/cpu"
)

// TestMeasure checks that every rate is there and that the arithmetic loop
// is no slower than plain Go could be; a shared machine allows no more.
func TestMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("fills 256 MiB")
	}
	p := cpu.NewPool(2)
	defer p.Close()
	m := Measure(p, func(f func()) time.Duration {
		start := time.Now()
		f()
		return time.Since(start)
	})
	for i, v := range []float64{m.GFLOPS, m.GFLOPSAll, m.ReadL1, m.ReadL2, m.CopyL2, m.ReadL3, m.CopyL3, m.ReadL3All, m.ReadMemory, m.CopyMemory, m.ReadAll, m.CopyAll} {
		if !(v > 0.01 && v < 1e6) {
			t.Errorf("rate %d is %v, of %+v", i, v, m)
		}
	}
	if isa, _ := cpu.ISA(); m.Threads != 2 || m.Instruction != isa {
		t.Errorf("measured %d threads of %s", m.Threads, m.Instruction)
	}
	t.Logf("%+v", m)
}
