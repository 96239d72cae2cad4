package plan

import (
	"testing"

	"oneshot/data"
	"oneshot/internal/config"
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
