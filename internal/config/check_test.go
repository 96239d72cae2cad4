package config

import (
	"math"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/supernet/space"
)

// TestComplaints has what a user reads about values between which there is a rule, or
// which are names; package setting tests the ranges of a single number.
func TestComplaints(t *testing.T) {
	for _, x := range []struct {
		set  func(c *Config)
		want string // the whole text
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.Data.Name = "cifar" }, `data.name = "cifar": want one of ` + strings.Join(data.Names(), ", ") + `; did you mean "cifar10"?`},
		{func(c *Config) { c.Net.Ops = "x" }, `net.ops = "x": want one of ` + strings.Join(space.Families(), ", ")},
		{func(c *Config) { c.Net.Nodes = 33 }, "net.nodes = 33: want 1..32"},
		{func(c *Config) { c.Net.Layers = 0 }, "net.layers = 0: want 1..64"},
		{func(c *Config) { c.Retrain.Channels = 1 }, "retrain.channels = 1: want 2..1024"},

		{func(c *Config) { c.Train.Epochs = 0 }, "train.epochs and train.steps are both 0: want one of them above 0"},
		{func(c *Config) { c.Train.Epochs, c.Train.Steps = 0, 1 }, ""},
		{func(c *Config) { c.Train.Steps, c.Train.WarmupSteps = 12, 30 }, "train.warmup_steps = 30: want at most train.steps = 12"},
		{func(c *Config) { c.Retrain.Steps, c.Retrain.WarmupSteps = 12, 13 }, "retrain.warmup_steps = 13: want at most retrain.steps = 12"},
		{func(c *Config) { c.Train.WarmupSteps = 30 }, ""}, // the images say how many steps there are
		{func(c *Config) { c.Train.MicroBatch = 24 }, "train.micro_batch = 24: want 0 or a divisor of train.batch = 64 that is at least 2"},
		{func(c *Config) { c.Retrain.MicroBatch = 1 }, "retrain.micro_batch = 1: want 0 or a divisor of retrain.batch = 64 that is at least 2"},
		{func(c *Config) { c.Train.MinLR = 0.1 }, "train.min_lr = 0.1: want a number from 0 to train.lr = 0.025"},
		{func(c *Config) { c.Train.LR = 11 }, "train.lr = 11: want a number above 0, at most 10"},
		{func(c *Config) { c.Train.Crop = 17 }, "train.crop = 17: want 0..16"},

		// Every optimizer checks its own settings, also of those not chosen.
		{func(c *Config) { c.Train.Optimizer = "adm" }, `train.optimizer = "adm": want one of sgd, adamw; did you mean "adamw"?`},
		{func(c *Config) { c.Train.Optimizer, c.Train.Momentum = "adamw", 1 }, "train.momentum = 1: want a number from 0 to below 1"},
		{func(c *Config) { c.Train.Nesterov = true }, ""},
		{func(c *Config) { c.Train.Nesterov, c.Train.Momentum = true, 0 }, "train.nesterov = true: want train.momentum above 0"},
		{func(c *Config) { c.Train.Beta2 = math.NaN() }, "train.beta2 = NaN: want a number from 0 to below 1"},
		{func(c *Config) { c.Train.Eps = 1e-60 }, "train.eps = 1e-60: want a number from 1e-30 to 1"}, // 0 in float32

		{func(c *Config) { c.Score.RecalImages = 127 }, "score.recal_images = 127: want 128..2147483647"},
		{func(c *Config) { c.Score.RecheckRecalImages = 127 }, "score.recheck_recal_images = 127: want 128..2147483647"},
		{func(c *Config) { c.Search.Algo = "lanass" }, `search.algo = "lanass": want one of lanas, lanas-paper, evolution, local, bo, random; did you mean "lanas"?`},
		{func(c *Config) { c.Search.Init = 101 }, "search.init = 101: want 1..100"},
		{func(c *Config) { c.Search.Samples = 0 }, "search.samples = 0: want 1..2147483647\nsearch.init = 20: want 1..1"},
		{func(c *Config) { c.Search.Baselines = "random, bo" }, ""},
		{func(c *Config) { c.Search.Baselines = "random, evolutoin" }, `search.baselines = "evolutoin": want one of lanas, lanas-paper, evolution, local, bo, random; did you mean "evolution"?`},
		{func(c *Config) { c.Search.Baselines = "bo,bo" }, `search.baselines = "bo,bo": bo is there twice, or is search.algo itself`},
		{func(c *Config) { c.Search.Baselines = "lanas" }, `search.baselines = "lanas": lanas is there twice, or is search.algo itself`},
		{func(c *Config) { c.Search.Time = -1e9 }, "search.time = -1s: want 0 or more"},
		{func(c *Config) { c.Search.MaxParams = -1 }, "search.max_params = -1: want 0 or more"},
		{func(c *Config) { c.Run.Device, c.Train.Clip = "gpu", -1 }, // all are reported, in the order of the keys
			"train.clip = -1: want a number from 0 to 3.4028234663852886e+38\nrun.device = \"gpu\": want one of auto, cpu, cuda; did you mean \"cuda\"?"},
	} {
		c := Default()
		x.set(&c)
		got := ""
		if err := c.Check(); err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("%s\nwant %s", got, x.want)
		}
	}
}
