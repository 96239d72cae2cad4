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
		{func(c *TrainConfig) { c.MinLR = math.NaN() }, "supernet: min_lr is NaN, want a number from 0 to lr = 0.025"},
		{func(c *TrainConfig) { c.Optimizer = "none" }, `supernet: optimizer is "none", want one of sgd, adamw`},
		{func(c *TrainConfig) { c.Momentum = 1 }, "supernet: momentum is 1, want a number from 0 to below 1"},
		{func(c *TrainConfig) { c.WarmupSteps = 1000 }, ""},
		{func(c *TrainConfig) { c.WarmupSteps = 1001 }, "supernet: warmup_steps is 1001, want at most steps = 1000"},
		{func(c *TrainConfig) { c.Crop = 17 }, "supernet: crop is 17, want 0..16"},
		{func(c *TrainConfig) { c.Aux = 2 }, "supernet: aux is 2, want a number from 0 to 1"},
		{func(c *TrainConfig) { c.DropPath = 1 }, "supernet: drop_path is 1, want a number from 0 to below 1"},
		{func(c *TrainConfig) { c.EMA = math.NaN() }, "supernet: ema is NaN, want a number from 0 to below 1"},
		{func(c *TrainConfig) { c.Schedule = "step" }, `supernet: schedule is "step", want one of cosine, linear`},
		{func(c *TrainConfig) { c.WarmupSteps, c.WarmupEpochs = 5, 5 }, ""}, // WarmupSteps are what counts
		{func(c *TrainConfig) { c.DistillRatio, c.DistillTemperature = 0, 0 }, ""},
		{func(c *TrainConfig) { c.Teacher, c.DistillRatio = &Teacher{}, 0 }, "supernet: distill_ratio is 0, want a number above 0 with a teacher"},
		{func(c *TrainConfig) { c.Teacher, c.DistillTemperature = &Teacher{}, 0 }, "supernet: distill_temperature is 0, want a number above 0 with a teacher"},
	} {
		c := DefaultTrain()
		x.edit(&c)
		complains(t, c.Check(), x.want)
	}
	for _, x := range []struct {
		edit func(t *Training)
		want string
	}{
		{func(t *Training) { t.WarmupSteps, t.WarmupEpochs = 5, 5 }, "supernet: warmup_steps and warmup_epochs are both above 0, want one of them 0"},
		{func(t *Training) { t.WarmupEpochs = 10 }, ""},
		{func(t *Training) { t.WarmupEpochs = 10.5 }, "supernet: warmup_epochs is 10.5, want at most epochs = 10"},
	} {
		c := setting.Default[Training]()
		x.edit(&c)
		complains(t, setting.First("supernet", c), x.want)
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

// TestSchedules: the rate grows to lr, and falls from it to min_lr along a line or half a
// cosine, which are one in the middle.
func TestSchedules(t *testing.T) {
	c := DefaultTrain()
	c.Steps, c.WarmupSteps, c.LR, c.MinLR = 13, 4, 0.8, 0.2
	for _, schedule := range []string{"", "cosine", "linear"} {
		c.Schedule = schedule
		quarter := 0.65
		if schedule != "linear" {
			quarter = 0.2 + 0.6*(1+math.Sqrt2/2)/2
		}
		for s, want := range map[int]float64{0: 0.2, 3: 0.8, 4: 0.8, 6: quarter, 8: 0.5, 12: 0.2} {
			if got := c.Rate(s); !(math.Abs(got-want) <= 1e-12) {
				t.Errorf("%q: rate %g in step %d, want %g", schedule, got, s, want)
			}
		}
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
	if got := c.WarmupFor(640); got != 0 {
		t.Errorf("%d steps of warm-up", got)
	}
	if c.WarmupEpochs = 2.55; c.WarmupFor(640+63) != 26 { // 25.5 of 10 an epoch
		t.Errorf("%d steps of warm-up", c.WarmupFor(640+63))
	}
	if c.WarmupSteps = 7; c.WarmupFor(640) != 7 {
		t.Errorf("%d steps of warm-up", c.WarmupFor(640))
	}
	if c.AtOnce() != 64 {
		t.Errorf("%d images at once", c.AtOnce())
	}
	if c.MicroBatch = 16; c.AtOnce() != 16 {
		t.Errorf("%d images at once", c.AtOnce())
	}
}
