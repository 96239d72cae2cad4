package main

import (
	"math"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/supernet"
)

// TestOptimizerSettings: each is checked by its optimizer and reported by its key.
func TestOptimizerSettings(t *testing.T) {
	for _, x := range []struct {
		set  func(s *SGDConfig)
		want string
	}{
		{func(s *SGDConfig) {}, ""},
		{func(s *SGDConfig) { s.Optimizer = "adm" }, `train.optimizer = "adm"`},
		{func(s *SGDConfig) { s.Momentum = 1 }, "train.momentum = 1: want a number from 0 to below 1"},
		{func(s *SGDConfig) { s.Nesterov = true }, ""},
		{func(s *SGDConfig) { s.Optimizer, s.Momentum = "adamw", 1 }, "train.momentum = 1"}, // also if it is not its own
		{func(s *SGDConfig) { s.Optimizer, s.Beta1 = "adamw", 1 }, "train.beta1 = 1: want a number from 0 to below 1"},
		{func(s *SGDConfig) { s.Optimizer, s.Beta2 = "adamw", math.NaN() }, "train.beta2 = NaN"},
		{func(s *SGDConfig) { s.Optimizer, s.Eps = "adamw", 0 }, "train.eps = 0: want a number from 1e-30 to 1"},
		{func(s *SGDConfig) { s.Eps = 1e-60 }, "train.eps = 1e-60"}, // 0 in float32
		{func(s *SGDConfig) { s.Nesterov, s.Momentum = true, 0 }, "train.nesterov = true: want a momentum above 0"},
	} {
		c := Default()
		x.set(&c.Train.SGDConfig)
		switch err := c.Check(); {
		case x.want == "" && err != nil:
			t.Error(err)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%v, want %q", err, x.want)
		}
	}
}

// TestOptimizerReachesTheTraining: what the configuration says is what trains.
func TestOptimizerReachesTheTraining(t *testing.T) {
	j := &job{}
	for _, x := range []struct {
		set  func(s *SGDConfig)
		want supernet.TrainConfig
	}{
		{func(s *SGDConfig) {}, supernet.TrainConfig{Optimizer: ops.SGD{Momentum: 0.9}, WeightDecay: 3e-4, DecayNorms: true}},
		{func(s *SGDConfig) { s.Momentum, s.Nesterov = 0.5, true }, supernet.TrainConfig{Optimizer: ops.SGD{Momentum: 0.5, Nesterov: true}, WeightDecay: 3e-4, DecayNorms: true}},
		{func(s *SGDConfig) { s.WeightDecay, s.DecayNorms = 0.1, false }, supernet.TrainConfig{Optimizer: ops.SGD{Momentum: 0.9}, WeightDecay: 0.1}},
		{func(s *SGDConfig) { s.Optimizer, s.Beta1, s.Beta2, s.Eps = "adamw", 0.1, 0.2, 0.3 },
			supernet.TrainConfig{Optimizer: ops.AdamW{Beta1: 0.1, Beta2: 0.2, Eps: 0.3}, WeightDecay: 3e-4, DecayNorms: true}},
	} {
		s := Default().Train.SGDConfig
		x.set(&s)
		got := j.sgdConfig(s, 1000)
		if got.Optimizer != x.want.Optimizer || got.WeightDecay != x.want.WeightDecay || got.DecayNorms != x.want.DecayNorms {
			t.Errorf("%+v trains with %+v", s, got)
		}
	}
}
