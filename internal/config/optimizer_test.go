package config

import (
	"math"
	"strings"
	"testing"
)

// TestOptimizerSettings: each is checked by its optimizer and reported by its key.
func TestOptimizerSettings(t *testing.T) {
	for _, x := range []struct {
		set  func(s *SGD)
		want string
	}{
		{func(s *SGD) {}, ""},
		{func(s *SGD) { s.Optimizer = "adm" }, `train.optimizer = "adm"`},
		{func(s *SGD) { s.Momentum = 1 }, "train.momentum = 1: want a number from 0 to below 1"},
		{func(s *SGD) { s.Nesterov = true }, ""},
		{func(s *SGD) { s.Optimizer, s.Momentum = "adamw", 1 }, "train.momentum = 1"}, // also if it is not its own
		{func(s *SGD) { s.Optimizer, s.Beta1 = "adamw", 1 }, "train.beta1 = 1: want a number from 0 to below 1"},
		{func(s *SGD) { s.Optimizer, s.Beta2 = "adamw", math.NaN() }, "train.beta2 = NaN"},
		{func(s *SGD) { s.Optimizer, s.Eps = "adamw", 0 }, "train.eps = 0: want a number from 1e-30 to 1"},
		{func(s *SGD) { s.Eps = 1e-60 }, "train.eps = 1e-60"}, // 0 in float32
		{func(s *SGD) { s.Nesterov, s.Momentum = true, 0 }, "train.nesterov = true: want a momentum above 0"},
	} {
		c := Default()
		x.set(&c.Train.SGD)
		switch err := c.Check(); {
		case x.want == "" && err != nil:
			t.Error(err)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%v, want %q", err, x.want)
		}
	}
}
