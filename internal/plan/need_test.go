package plan

import (
	"testing"

	"oneshot/internal/config"
	"oneshot/ops/cuda"
	"oneshot/ops/cuda/emu"
	"oneshot/supernet"
)

// TestDeviceNeeds: what a stage needs of a GPU falls with its micro-batch and with
// bfloat16, and what a stage leaves there counts for the next one.
func TestDeviceNeeds(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Batch, c.Retrain.Batch = 24, 24
	p, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Data.Close()
	open := func(half bool) *supernet.Runtime {
		e, err := cuda.Open(emu.Options(t))
		if err != nil {
			t.Fatal(err)
		}
		rt, err := supernet.NewCUDARuntime(e, half, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(rt.Close)
		return rt
	}
	need := func(rt *supernet.Runtime, stages ...string) int64 {
		t.Helper()
		ns := p.DeviceNeeds(rt, stages, nil)
		n := ns[len(ns)-1]
		if n.Err != nil || n.Stage != stages[len(stages)-1] || n.Bytes <= 0 {
			t.Fatalf("%+v", n)
		}
		return n.Bytes
	}
	full, half := open(false), open(true)
	for _, stage := range []string{"train", "retrain"} {
		last := int64(0)
		for _, micro := range []int{2, 4, 8, 12, 0} {
			p.Settings(stage).MicroBatch = micro
			n := need(full, stage)
			if n <= last {
				t.Errorf("%s: %d images at a time need %d bytes, fewer %d", stage, p.Settings(stage).AtOnce(), n, last)
			}
			last = n
		}
		if n := need(half, stage); n >= last {
			t.Errorf("%s: %d bytes with bfloat16, %d without", stage, n, last)
		}
	}
	p.Config.Retrain.MicroBatch = 2
	if alone, after := need(full, "retrain"), need(full, "train", "retrain"); after <= alone {
		t.Errorf("retrain: %d bytes after train, %d alone", after, alone)
	}
	p.Config.Score.Images = 10
	if few, all := need(full, "search"), p.Data.Search.Len(); all <= 10 {
		t.Fatal("the test is blind")
	} else if p.Config.Score.Images = 0; need(full, "search") < few {
		t.Errorf("search: all %d images need less than 10", all)
	}
}
