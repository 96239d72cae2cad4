package supernet

import (
	"errors"
	"math"
	"testing"

	"oneshot/internal/setting"
)

// TestConfigsNameTheSetting: what NewTrainer and NewScorer say of a value out of range.
func TestConfigsNameTheSetting(t *testing.T) {
	for _, x := range []struct {
		edit func(c *TrainConfig)
		want string
	}{
		{func(c *TrainConfig) {}, ""},
		{func(c *TrainConfig) { c.Steps = 0 }, "supernet: steps is 0, want at least 1"},
		{func(c *TrainConfig) { c.Batch = 1 }, "supernet: batch is 1, want 2..65536"},
		{func(c *TrainConfig) { c.MicroBatch = 48 }, "supernet: micro_batch is 48, want 0 or a divisor of batch = 64 that is at least 2"},
		{func(c *TrainConfig) { c.LR = -1 }, "supernet: lr is -1, want a number above 0, at most 10"},
		{func(c *TrainConfig) { c.MinLR = math.NaN() }, "supernet: min_lr is NaN, want a number from 0 to lr"},
		{func(c *TrainConfig) { c.Optimizer = "none" }, `supernet: optimizer is "none", want one of sgd, adamw`},
		{func(c *TrainConfig) { c.Momentum = 1 }, "supernet: momentum is 1, want a number from 0 to below 1"},
		{func(c *TrainConfig) { c.WarmupSteps = 1000 }, ""},
		{func(c *TrainConfig) { c.WarmupSteps = 1001 }, "supernet: warmup_steps is 1001, want from 0 to steps"},
		{func(c *TrainConfig) { c.Crop = 17 }, "supernet: crop is 17, want 0..16"},
		{func(c *TrainConfig) { c.Aux = 2 }, "supernet: aux is 2, want a number from 0 to 1"},
		{func(c *TrainConfig) { c.DropPath = 1 }, "supernet: drop_path is 1, want a number from 0 to below 1"},
		{func(c *TrainConfig) { c.EMA = math.NaN() }, "supernet: ema is NaN, want a number from 0 to below 1"},
	} {
		c := DefaultTrain()
		x.edit(&c)
		complains(t, c.Check(), x.want)
	}
	for _, x := range []struct {
		edit func(c *ScoreConfig)
		want string
	}{
		{func(c *ScoreConfig) {}, ""},
		{func(c *ScoreConfig) { c.RecalBatch = 1 }, "supernet: recal_batch is 1, want 2..65536"},
		{func(c *ScoreConfig) { c.RecalImages = 63 }, "supernet: recal_images is 63, want 64..2147483647"},
		{func(c *ScoreConfig) { c.Batch = 0 }, "supernet: batch is 0, want 1..65536"},
	} {
		c := DefaultScore()
		x.edit(&c)
		complains(t, c.Check(), x.want)
	}
}

func complains(t *testing.T, err error, want string) {
	t.Helper()
	var e *setting.Error
	if (err == nil) != (want == "") || err != nil && (err.Error() != want || !errors.As(err, &e)) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestSecondScore(t *testing.T) {
	c := DefaultScore()
	if got := c.Again(100000).RecalImages; got != 4*1280 {
		t.Errorf("%d images", got)
	}
	if got := c.Again(2000).RecalImages; got != 2000 {
		t.Errorf("%d images of 2000", got)
	}
	c.RecheckRecalImages = 640
	if got := c.Again(2000); got.RecalImages != 640 || got.RecalBatch != 64 || got.Batch != 250 {
		t.Errorf("%+v", got)
	}
}

func TestLengthOfATraining(t *testing.T) {
	c := Training{Epochs: 3, Batch: 64}
	if got := c.StepsFor(640 + 63); got != 30 || c.EpochsFor(640) != 3 {
		t.Errorf("%d steps, %v epochs", got, c.EpochsFor(640))
	}
	if got := c.StepsFor(10); got != 3 { // a batch that is larger than all images
		t.Errorf("%d steps", got)
	}
	if c.Steps = 25; c.StepsFor(640) != 25 || c.EpochsFor(640) != 2.5 {
		t.Errorf("%d steps, %v epochs", c.StepsFor(640), c.EpochsFor(640))
	}
	if c.AtOnce() != 64 {
		t.Errorf("%d images at once", c.AtOnce())
	}
	if c.MicroBatch = 16; c.AtOnce() != 16 {
		t.Errorf("%d images at once", c.AtOnce())
	}
}
