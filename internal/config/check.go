package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"oneshot/internal/fault"
	"oneshot/lanas"
	"oneshot/ops"
	"oneshot/supernet/space"
)

// check collects the complaints about one configuration.
type check struct{ errs []error }

func (c *check) addf(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *check) ints(key string, v, lo, hi int) {
	if v < lo || v > hi {
		c.addf("%s = %d: want %d..%d", key, v, lo, hi)
	}
}

// floats wants lo <= v <= hi, or v < hi when open; NaN is refused.
func (c *check) floats(key string, v, lo, hi float64, open bool) {
	if open && !(v >= lo && v < hi) {
		c.addf("%s = %v: want a number from %v to below %v", key, v, lo, hi)
	}
	if !open && !(v >= lo && v <= hi) {
		c.addf("%s = %v: want a number from %v to %v", key, v, lo, hi)
	}
}

func (c *check) oneOf(key, v string, want ...string) {
	if !slices.Contains(want, v) {
		c.addf("%s = %q: want one of %s%s", key, v, strings.Join(want, ", "), fault.DidYouMean(v, want))
	}
}

// Check reports every value outside its range in one error, nil if there is none.
func (c Config) Check() error {
	const many = math.MaxInt32
	var k check
	k.oneOf("data.name", c.Data.Name, "shapes10", "cifar10", "cifar100")
	k.ints("data.search_size", c.Data.SearchSize, 0, many)
	k.ints("data.train_size", c.Data.TrainSize, 0, many)
	k.ints("data.test_size", c.Data.TestSize, 0, many)

	k.oneOf("net.ops", c.Net.Ops, space.Families()...)
	k.ints("net.nodes", c.Net.Nodes, 1, 8)
	k.size("net", c.Net.Layers, c.Net.Channels, c.Net.StemMultiplier)
	k.sgd("train", c.Train.SGD)

	k.score(c.Score)
	k.search(c.Search)

	k.sgd("retrain", c.Retrain.SGD)
	k.size("retrain", c.Retrain.Layers, c.Retrain.Channels, c.Retrain.StemMultiplier)
	k.floats("retrain.aux", c.Retrain.Aux, 0, 1, false)
	k.floats("retrain.drop_path", c.Retrain.DropPath, 0, 1, true)
	k.floats("retrain.ema", c.Retrain.EMA, 0, 1, true)

	k.oneOf("run.device", c.Run.Device, "auto", "cpu", "cuda")
	k.oneOf("run.amp", c.Run.AMP, "auto", "bf16", "float32")
	k.ints("run.threads", c.Run.Threads, 0, 1024)
	k.ints("run.workers", c.Run.Workers, 1, 256)
	k.ints("run.checkpoint_steps", c.Run.CheckpointSteps, 1, many)
	k.ints("run.checkpoint_keep", c.Run.CheckpointKeep, 1, 1000)
	k.ints("run.log_seconds", c.Run.LogSeconds, 1, 3600)
	return errors.Join(k.errs...)
}

func (c *check) size(section string, layers, channels, stem int) {
	c.ints(section+".layers", layers, 1, 64)
	c.ints(section+".channels", channels, 2, 1024)
	if channels%2 != 0 {
		c.addf("%s.channels = %d: want an even number", section, channels)
	}
	c.ints(section+".stem_multiplier", stem, 1, 8)
}

func (c *check) sgd(section string, s SGD) {
	const many = math.MaxInt32
	c.ints(section+".epochs", s.Epochs, 0, 100000)
	c.ints(section+".steps", s.Steps, 0, many)
	if s.Epochs <= 0 && s.Steps <= 0 {
		c.addf("%s.epochs and %s.steps are both 0: want one of them above 0", section, section)
	}
	c.ints(section+".batch", s.Batch, 2, 65536)
	if m := s.MicroBatch; m != 0 && (m < 2 || s.Batch%m != 0) {
		c.addf("%s.micro_batch = %d: want 0 or a divisor of %s.batch = %d that is at least 2", section, m, section, s.Batch)
	}
	if !(s.LR > 0 && s.LR <= 10) {
		c.addf("%s.lr = %v: want a number above 0, at most 10", section, s.LR)
	}
	if !(s.MinLR >= 0 && s.MinLR <= s.LR) {
		c.addf("%s.min_lr = %v: want a number from 0 to %s.lr", section, s.MinLR, section)
	}
	c.ints(section+".warmup_steps", s.WarmupSteps, 0, many)
	c.oneOf(section+".optimizer", s.Optimizer, optimizerNames...)
	c.optimizer(section, s)
	c.floats(section+".weight_decay", s.WeightDecay, 0, 1, false)
	c.floats(section+".clip", s.Clip, 0, math.MaxFloat32, false)
	c.floats(section+".smoothing", s.Smoothing, 0, 1, true)
	c.ints(section+".crop", s.Crop, 0, 16)
	c.ints(section+".cutout", s.Cutout, 0, 64)
}

// optimizer has every optimizer check its own settings, also of those not chosen.
func (c *check) optimizer(section string, s SGD) {
	for _, s.Optimizer = range optimizerNames {
		var setting *ops.SettingError
		switch err := s.Rule().Check(); {
		case errors.As(err, &setting):
			c.addf("%s.%s = %v: want %s", section, setting.Name, setting.Value, setting.Want)
		case err != nil:
			c.addf("%s: %w", section, err)
		}
	}
}

func (c *check) score(s Score) {
	const many = math.MaxInt32
	c.ints("score.images", s.Images, 0, many)
	c.ints("score.recal_batch", s.RecalBatch, 2, 65536)
	c.ints("score.recal_images", s.RecalImages, max(2, s.RecalBatch), many)
	if s.RecheckRecalImages != 0 {
		c.ints("score.recheck_recal_images", s.RecheckRecalImages, max(2, s.RecalBatch), many)
	}
	c.ints("score.batch", s.Batch, 1, 65536)
}

func (c *check) search(s Search) {
	c.oneOf("search.algo", s.Algo, lanas.Algorithms()...)
	c.ints("search.samples", s.Samples, 1, math.MaxInt32)
	c.ints("search.init", s.Init, 1, max(1, s.Samples))
	c.ints("search.top", s.Top, 0, 1000)
	c.notNegative("search.max_params", s.MaxParams)
	c.notNegative("search.max_madds", s.MaxMAdds)
	if s.Time < 0 {
		c.addf("search.time = %v: want 0 or more", s.Time)
	}
	seen := []string{s.Algo}
	for _, name := range s.BaselineNames() {
		c.oneOf("search.baselines", name, lanas.Algorithms()...)
		if slices.Contains(seen, name) {
			c.addf("search.baselines = %q: %s is there twice, or is search.algo itself", s.Baselines, name)
		}
		seen = append(seen, name)
	}
}

func (c *check) notNegative(key string, v int64) {
	if v < 0 {
		c.addf("%s = %d: want 0 or more", key, v)
	}
}
