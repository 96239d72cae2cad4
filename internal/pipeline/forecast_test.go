package pipeline

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/plan"
	"oneshot/supernet"
)

// planned is a configuration with its images, and what computes.
func planned(t *testing.T, c config.Config) (*plan.Plan, *supernet.Runtime) {
	t.Helper()
	p, err := plan.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Data.Close() })
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	return p, rt
}

// The time of all steps is that of measured ones, scaled; with a clock that stands in for
// theirs: it goes on by a second whenever it is read.
func TestForecast(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Retrain.Seeds, c.Retrain.CutMix = 3, 1
	p, rt := planned(t, c)
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

// TestForecastOfEpochs: the images that a pass leaves out are no part of an epoch.
func TestForecastOfEpochs(t *testing.T) {
	f := Forecast{Stage: "train", Images: 9000, Epochs: 89920. / 9000, Passes: 10, LeftOut: 8, Steps: 2810, Batch: 32, Trainings: 1, Seconds: 180}
	if want := "train    9000 images, 9.991 epochs (10 passes without 8 images), 2810 steps of 32; about 3 minutes on this machine"; f.String() != want {
		t.Errorf("%q, want %q", f.String(), want)
	}
	f.Alone, f.Seconds = 25*60, 7*3600
	if want := "; about 7 hours on this machine while other programs use the processors, about 25 minutes without them"; !strings.HasSuffix(f.String(), want) {
		t.Errorf("%q, want %q", f.String(), want)
	}
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Steps, c.Train.Epochs, c.Train.Batch = 0, 3, 50
	p, rt := planned(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is measured
	if f := Forecasts(ctx, p, rt, []string{"train"}, nil, time.Now)[0]; f.Passes != 3 || f.LeftOut != 20 || f.Epochs != 2.5 || f.Steps != 6 {
		t.Errorf("%+v", f)
	}
}

// TestAlone: what other programs take is told where it is much, and only on a processor that the
// threads have to themselves otherwise.
func TestAlone(t *testing.T) {
	for _, x := range []struct {
		threads                int
		waited, computed, took time.Duration
		want                   float64
	}{
		{1, 9 * time.Second, time.Second, 10 * time.Second, 1},
		{1, time.Second, 9 * time.Second, 10 * time.Second, 0},
		{1, 9 * time.Second, 11 * time.Second, 10 * time.Second, 10},
		{1000, 9000 * time.Second, 1000 * time.Second, 10 * time.Second, 0}, // they wait for each other
		{1, 0, 0, 0, 0}, // a system that does not say
	} {
		rt, err := supernet.NewRuntime(min(x.threads, 2*runtime.NumCPU()))
		if err != nil {
			t.Fatal(err)
		}
		if got := alone(x.waited, x.computed, x.took, rt); got != x.want {
			t.Errorf("%+v: %g seconds", x, got)
		}
		rt.Close()
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
