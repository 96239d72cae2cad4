package main

import (
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

// What is needed depends on what it should, so that a limit can be kept.
func TestNeedGrowsWithTheMicroBatch(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Batch, c.Retrain.Batch = 24, 24
	j := openTestJob(t, c)
	for _, stage := range []string{"train", "retrain"} {
		last := int64(0)
		for _, micro := range []int{2, 3, 4, 6, 8, 12, 0} {
			j.sgd(stage).MicroBatch = micro
			need, err := j.need(stage)
			if err != nil {
				t.Fatal(err)
			}
			if need <= last {
				t.Errorf("%s: %d images at a time need %d bytes, fewer %d", stage, j.sgd(stage).AtOnce(), need, last)
			}
			last = need
		}
	}
}

// fit chooses the largest divisor of the batch that fits.
func TestFitIsTheLargest(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Batch, c.Train.MicroBatch = 24, 6
	j := openTestJob(t, c)
	limit, err := j.need("train")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []struct {
		limit int64
		want  int
	}{{limit, 6}, {limit - 1, 4}, {limit + 1<<40, 0}, {0, 0}} {
		j.cfg.Train.MicroBatch = 0
		if err := j.fit(l.limit); err != nil || j.cfg.Train.MicroBatch != l.want {
			t.Errorf("a limit of %d bytes: micro_batch %d, %v, want %d", l.limit, j.cfg.Train.MicroBatch, err, l.want)
		}
	}
	j.cfg.Train.MicroBatch = 0
	if err := j.fit(1000); fault.Classify(err).Code != fault.ExitSpace {
		t.Errorf("a limit of 1000 bytes: %v", err)
	}
}

func openTestJob(t *testing.T, c config.Config) *job {
	t.Helper()
	j := &job{cfg: c, dir: &runDir{path: t.TempDir()}, trains: []string{"train"}}
	var err error
	if j.space, err = space.New(c.Net.Ops, c.Net.Nodes); err != nil {
		t.Fatal(err)
	}
	if j.data, err = openData(c); err != nil {
		t.Fatal(err)
	}
	return j
}
