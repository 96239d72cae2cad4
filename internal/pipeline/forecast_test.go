package pipeline

import (
	"context"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/plan"
	"oneshot/supernet"
)

// The time of all steps is that of measured ones, scaled; with a clock that stands in for
// theirs: it goes on by a second whenever it is read.
func TestForecast(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Retrain.Seeds, c.Retrain.CutMix = 3, 1
	p, err := plan.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Data.Close()
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	var ticks int
	now := func() time.Time { ticks++; return time.Unix(int64(ticks), 0) }
	all := Forecasts(t.Context(), p, rt, []string{"train", "retrain"}, nil, now)
	if len(all) != 2 || all[0].Stage != "train" || all[1].Stage != "retrain" {
		t.Fatalf("%+v", all)
	}
	for i, f := range all {
		trainings := []int{1, 3}[i]
		if f.Images != 120 || f.Steps != 12 || f.Batch != 8 || !(f.Epochs > 0.79 && f.Epochs < 0.81) || f.Trainings != trainings || f.Memory < 1e6 || f.Why != "" {
			t.Errorf("%+v", f)
		}
		// A step of 4 images seems to take a second, which is enough, and so long that steps of
		// more are not tried.
		if want := 1.0 / 4 * 8 * 12 * float64(trainings); f.Seconds != want {
			t.Errorf("%s: %g seconds, want %g", f.Stage, f.Seconds, want)
		}
	}
	if text := all[1].String(); !strings.HasPrefix(text, "retrain  120 images, 0.8 epochs, 12 steps of 8, 3 times; needs about ") || !strings.HasSuffix(text, "; about 72 seconds on this machine") {
		t.Error(text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := Forecasts(ctx, p, rt, []string{"train"}, nil, now)[0]; f.Seconds != 0 || f.Why == "" || !strings.Contains(f.String(), "time not measured: ") {
		t.Errorf("although it ended: %+v", f)
	}
}

func TestLong(t *testing.T) {
	for seconds, want := range map[float64]string{0.1: "1 second", 89: "89 seconds", 91: "2 minutes", 3000: "50 minutes",
		2 * 3600: "2 hours", 47.2 * 3600: "47 hours", 60 * 3600: "2.5 days", 123.4 * 24 * 3600: "123 days"} {
		if got := long(seconds); got != want {
			t.Errorf("%g seconds are %s, want %s", seconds, got, want)
		}
	}
}
