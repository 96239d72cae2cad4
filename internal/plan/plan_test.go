package plan

import (
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/ops"
)

// TestOptimizerReachesTheTraining: what the configuration says is what trains.
func TestOptimizerReachesTheTraining(t *testing.T) {
	images, err := data.Open(data.Config{Name: "shapes10", Seed: 3, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	type training struct {
		ops.Optimizer
		decay float64
		norms bool
	}
	for _, x := range []struct {
		set  func(s *config.SGD)
		want training
	}{
		{func(s *config.SGD) {}, training{ops.SGD{Momentum: 0.9}, 3e-4, true}},
		{func(s *config.SGD) { s.Momentum, s.Nesterov = 0.5, true }, training{ops.SGD{Momentum: 0.5, Nesterov: true}, 3e-4, true}},
		{func(s *config.SGD) { s.WeightDecay, s.DecayNorms = 0.1, false }, training{ops.SGD{Momentum: 0.9}, 0.1, false}},
		{func(s *config.SGD) { s.Optimizer, s.Beta1, s.Beta2, s.Eps = "adamw", 0.1, 0.2, 0.3 }, training{ops.AdamW{Beta1: 0.1, Beta2: 0.2, Eps: 0.3}, 3e-4, true}},
	} {
		p := &Plan{Config: config.Default(), Data: images}
		s := &p.Config.Train.SGD
		x.set(s)
		c := p.Training("train")
		if got := (training{c.Rule(), c.WeightDecay, c.DecayNorms}); got != x.want {
			t.Errorf("%+v trains with %+v", *s, got)
		}
	}
}

// TestContradictions: settings that make no sense together are named before anything is
// computed.
func TestContradictions(t *testing.T) {
	images, err := data.Open(data.Config{Name: "shapes10", Seed: 3, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]func(c *config.Config){
		"train.warmup_epochs is 3, but the training has only 2 epochs":      func(c *config.Config) { c.Train.Epochs, c.Train.WarmupEpochs = 2, 3 },
		"retrain.warmup_epochs is 3, but the training has only 0.75 epochs": func(c *config.Config) { c.Retrain.Steps, c.Retrain.Batch, c.Retrain.WarmupEpochs = 3, 30, 3 },
		"train.warmup_steps is 21, but the training has only 20 steps": func(c *config.Config) {
			c.Train.Epochs, c.Train.Batch, c.Train.WarmupSteps, c.Train.WarmupEpochs = 2, 12, 21, 0
		},
		"would teach nothing: retrain.distill_ratio is 0":               func(c *config.Config) { c.Retrain.Teacher, c.Retrain.DistillRatio = "x", 0 },
		"retrain.distill_temperature is 0, want above 0 with a teacher": func(c *config.Config) { c.Retrain.Teacher, c.Retrain.DistillTemperature = "x", 0 },
	} {
		c, err := config.FromPreset("micro")
		if err != nil {
			t.Fatal(err)
		}
		s, err := OpenSpace(c)
		if err != nil {
			t.Fatal(err)
		}
		c.Train.Steps = 0
		p := &Plan{Config: c, Space: s, Data: images}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		set(&p.Config)
		if err := p.Check(); err == nil || fault.Classify(err).Code != fault.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestWarmupInEpochs: a warm-up in epochs is one of so many steps, of the stage's images.
func TestWarmupInEpochs(t *testing.T) {
	images, err := data.Open(data.Config{Name: "shapes10", Seed: 3, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Config: config.Default(), Data: images}
	p.Config.Train.Batch, p.Config.Train.WarmupEpochs = 10, 2
	if got := p.Training("train").WarmupSteps; got != 24 {
		t.Errorf("%d steps, want 24", got)
	}
	p.Config.Retrain.Batch, p.Config.Retrain.WarmupEpochs, p.Config.Retrain.AllImages = 10, 2, true
	if got := p.Training("retrain").WarmupSteps; got != 32 {
		t.Errorf("%d steps with all images, want 32", got)
	}
	p.Config.Train.WarmupSteps = 5
	if got := p.Training("train").WarmupSteps; got != 5 {
		t.Errorf("%d steps, want the 5 that were given", got)
	}
}
