package main

import (
	"math"
	"strings"
	"testing"
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
		{func(s *SGDConfig) { s.Optimizer, s.Eps = "adamw", 0 }, "train.eps = 0: want a number above 0"},
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
