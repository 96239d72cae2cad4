package pipeline

import (
	"io"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// What is needed depends on what it should, so that a limit can be kept.
func TestNeedGrowsWithTheMicroBatch(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Batch, c.Retrain.Batch = 24, 24
	p, err := plan.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{"train", "retrain"} {
		last := int64(0)
		for _, micro := range []int{2, 3, 4, 6, 8, 12, 0} {
			p.Settings(stage).MicroBatch = micro
			need, err := p.Need(stage, nil)
			if err != nil {
				t.Fatal(err)
			}
			if need <= last {
				t.Errorf("%s: %d images at a time need %d bytes, fewer %d", stage, p.Settings(stage).AtOnce(), need, last)
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
	p, err := plan.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	need, err := p.Need("train", nil)
	if err != nil {
		t.Fatal(err)
	}
	limit := sure(need)
	for _, l := range []struct {
		limit int64
		want  int
	}{{limit, 6}, {limit - 1, 4}, {limit + 1<<40, 0}, {0, 0}} {
		p.Config.Train.MicroBatch = 0
		if _, err := fit(p, rundir.Folder(t.TempDir()), []string{"train"}, nil, nil, l.limit); err != nil || p.Config.Train.MicroBatch != l.want {
			t.Errorf("a limit of %d bytes: micro_batch %d, %v, want %d", l.limit, p.Config.Train.MicroBatch, err, l.want)
		}
	}
	p.Config.Train.MicroBatch = 0
	if _, err := fit(p, rundir.Folder(t.TempDir()), []string{"train"}, nil, nil, 1000); fault.Classify(err).Code != fault.ExitSpace {
		t.Errorf("a limit of 1000 bytes: %v", err)
	}
}

// TestMemoryHints: where the machine has less than is needed, what takes less is named, for scoring and for training.
func TestMemoryHints(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p.Config.Net.Channels, p.Config.Score.RecalBatch, p.Config.Score.Batch = 1024, 60_000, 60_000 // terabytes
	p.Config.Score.RecalImages = 60_000
	for _, x := range []struct {
		stages     []string
		statistics string
		want       string
	}{
		{[]string{"rank"}, "recalibrated", "; a smaller score.recal_batch needs less\n"},
		{[]string{"search"}, "batch", "; a smaller score.batch needs less\n"},
		{[]string{"train", "search"}, "recalibrated", " trains with fewer images at a time\n"},
	} {
		p.Config.Score.Statistics = x.statistics
		var out strings.Builder
		announceMemory(p, rundir.Folder(t.TempDir()), x.stages, x.stages, nil, ui.New(io.Discard, &out, time.Now))
		if !strings.HasSuffix(out.String(), x.want) || strings.Count(out.String(), "MB are available; ") != 1 {
			t.Errorf("%v: %q, want %q", x.stages, out.String(), x.want)
		}
	}
	one, err := p.Need("search", nil)
	if err != nil {
		t.Fatal(err)
	}
	if many, err := p.Need("rank", nil); err != nil || many <= one {
		t.Errorf("scoring many needs %d bytes, one by one %d; %v", many, one, err)
	}
}
