package plan

import (
	"testing"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/ops"
	"oneshot/supernet"
)

// TestOptimizerReachesTheTraining: what the configuration says is what trains.
func TestOptimizerReachesTheTraining(t *testing.T) {
	images, err := data.Open(data.Config{Name: "shapes10", Seed: 3, TrainSize: 160, SearchSize: 40, TestSize: 40})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		set  func(s *config.SGD)
		want supernet.TrainConfig
	}{
		{func(s *config.SGD) {}, supernet.TrainConfig{Optimizer: ops.SGD{Momentum: 0.9}, WeightDecay: 3e-4, DecayNorms: true}},
		{func(s *config.SGD) { s.Momentum, s.Nesterov = 0.5, true }, supernet.TrainConfig{Optimizer: ops.SGD{Momentum: 0.5, Nesterov: true}, WeightDecay: 3e-4, DecayNorms: true}},
		{func(s *config.SGD) { s.WeightDecay, s.DecayNorms = 0.1, false }, supernet.TrainConfig{Optimizer: ops.SGD{Momentum: 0.9}, WeightDecay: 0.1}},
		{func(s *config.SGD) { s.Optimizer, s.Beta1, s.Beta2, s.Eps = "adamw", 0.1, 0.2, 0.3 },
			supernet.TrainConfig{Optimizer: ops.AdamW{Beta1: 0.1, Beta2: 0.2, Eps: 0.3}, WeightDecay: 3e-4, DecayNorms: true}},
	} {
		p := &Plan{Config: config.Default(), Data: images}
		s := &p.Config.Train.SGD
		x.set(s)
		got := p.Training("train")
		if got.Optimizer != x.want.Optimizer || got.WeightDecay != x.want.WeightDecay || got.DecayNorms != x.want.DecayNorms {
			t.Errorf("%+v trains with %+v", *s, got)
		}
	}
}
