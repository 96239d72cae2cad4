package supernet

import (
	"errors"
	"fmt"
	"math"

	"oneshot/internal/rng"
	"oneshot/internal/setting"
	"oneshot/supernet/engine"
)

// TrainConfig describes a training run of a supernet or of one architecture.
type TrainConfig struct {
	Training        // its Steps and WarmupSteps count, see StepsFor and WarmupFor; epochs do not
	Sampling        // of a supernet
	Scratch         // of one architecture
	Seed     uint64 // of path sampling, data order, augmentation and drop-path
	Workers  int    // goroutines that prepare batches; changes no result

	Teacher   *Teacher   // nil: none
	Mean, Std [3]float32 // those that the images are normalised by; mean something with a teacher
}

// DefaultTrain is the default of a configuration, which has the LaNAS release's supernet
// settings with a batch of 64, for 1,000 steps and with DARTS's auxiliary head.
func DefaultTrain() TrainConfig {
	c := TrainConfig{Training: setting.Default[Training](), Sampling: setting.Default[Sampling](), Scratch: setting.Default[Scratch](), Workers: 1}
	c.Steps, c.Aux = 1000, 0.4
	return c
}

// Rules implements setting.Ruled: those of Training apply too.
func (c TrainConfig) Rules() []setting.Rule {
	return []setting.Rule{
		{Name: "steps", OK: c.Steps >= 1, Want: "at least 1"},
		{Name: "warmup_steps", OK: c.WarmupSteps <= c.Steps, Want: fmt.Sprintf("at most @steps = %d", c.Steps)},
		{Name: "drop_path", OK: c.DropPath == 0 || c.single(), Want: "0 where a step has several paths"},
		{Name: "distill_ratio", OK: c.Teacher == nil || c.DistillRatio > 0, Want: "a number above 0 with a teacher"},
		{Name: "distill_temperature", OK: c.Teacher == nil || c.DistillTemperature > 0, Want: "a number above 0 with a teacher"},
	}
}

// Check reports the first field out of range; where that is a setting, it wraps a
// *setting.Error.
func (c TrainConfig) Check() error {
	c.WarmupEpochs = 0 // no more than Epochs are they looked at
	if err := setting.First("supernet", c); err != nil || c.Teacher == nil {
		return err
	}
	if c.Teacher.Net == nil {
		return errors.New("supernet: a teacher without a network")
	}
	for i := range 3 {
		for whose, v := range map[string][2]float32{"the images": {c.Mean[i], c.Std[i]}, "the teacher's images": {c.Teacher.Mean[i], c.Teacher.Std[i]}} {
			mean, std := float64(v[0]), float64(v[1])
			if math.IsNaN(mean) || math.IsInf(mean, 0) || !(std > 0) || math.IsInf(std, 0) {
				return fmt.Errorf("supernet: %s have mean %g and deviation %g in channel %d, want numbers, the latter above 0", whose, mean, std, i)
			}
		}
	}
	return nil
}

// spec says what the graphs of this training are built for.
func (c TrainConfig) spec() engine.Spec {
	s := engine.Spec{Batch: c.AtOnce(), Train: true, Smoothing: c.Smoothing, Soft: c.Mixes() || c.Teacher != nil,
		AuxWeight: c.Aux, DropPath: c.DropPath > 0, DecayAll: c.DecayNorms}
	if c.Teacher != nil {
		s.Distill, s.Temperature = c.DistillRatio, c.DistillTemperature
	}
	return s
}

// Rate is the learning rate of step s (from 0): linear warm-up, then from LR to MinLR half
// a cosine (arXiv 1608.03983, one period) or a straight line.
func (c TrainConfig) Rate(s int) float64 {
	if s < c.WarmupSteps {
		return c.LR * float64(s+1) / float64(c.WarmupSteps)
	}
	span := max(1, c.Steps-1-c.WarmupSteps)
	if c.Schedule == linear {
		return c.LR + (c.MinLR-c.LR)*float64(s-c.WarmupSteps)/float64(span)
	}
	return c.MinLR + (c.LR-c.MinLR)*(1+math.Cos(math.Pi*float64(s-c.WarmupSteps)/float64(span)))/2
}

// drawMasks draws n drop-path masks of a step for the whole batch: an image's do not
// depend on its micro-batch. It puts them to dst (micro-batch, mask, image of it).
func (c TrainConfig) drawMasks(step, n int, dst []float32) {
	r := rng.New(c.Seed, "droppath", uint64(step))
	p := c.dropRate(step)
	micro := c.AtOnce()
	for m := range n {
		for i := range c.Batch {
			v := &dst[(i/micro*n+m)*micro+i%micro]
			*v = 0
			if r.Float64() >= p {
				*v = float32(1 / (1 - p))
			}
		}
	}
}

// decay is the decay of the averaged weights in step s. It grows with the step,
// min(EMA, (1+n)/(10+n)) after n steps, so that a short run does not remember its
// initialisation (TensorFlow's ExponentialMovingAverage with num_updates).
func (c TrainConfig) decay(s int) float32 {
	n := float64(s + 1)
	return float32(min(c.EMA, (1+n)/(10+n)))
}

// slots are the optimizer's for that many parameters.
func (c TrainConfig) slots(params int) engine.Slots {
	s := make(engine.Slots, len(c.Rule().Slots()))
	for i := range s {
		s[i] = make([]float32, params)
	}
	return s
}

// dropRate is the drop-path probability of step s: linear from 0 to DropPath.
func (c TrainConfig) dropRate(s int) float64 { return c.DropPath * float64(s) / float64(c.Steps) }
