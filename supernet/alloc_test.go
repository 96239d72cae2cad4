package supernet

import (
	"testing"

	"oneshot/data"
)

// TestStepAllocatesNothing: after the first run of a graph, a step on the processor
// allocates nothing.
func TestStepAllocatesNothing(t *testing.T) {
	cfg := DefaultNet()
	cfg.Layers, cfg.Channels, cfg.Image = 3, 4, 16
	rt := newRuntime(t, 2)
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultTrain()
	c.Batch = 6
	tr := bare(t, n, c)
	size := cfg.Image * cfg.Image * 3
	batch := &data.Batch{N: c.Batch, X: make([]float32, c.Batch*size), Y: make([]int32, c.Batch)}
	for path := range 4 {
		p, err := tr.build(tr.archOf(path))
		if err != nil {
			t.Fatal(err)
		}
		allocs := testing.AllocsPerRun(10, func() {
			if _, err := tr.take(p, batch); err != nil {
				t.Fatal(err)
			}
		})
		// The workers of the pool may park and be woken, which is not ours.
		if !(allocs < 1) {
			t.Errorf("path %d: %v allocations a step", path, allocs)
		}
	}
}
