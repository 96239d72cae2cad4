package supernet

import (
	"fmt"
	"math"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine"
)

// TrainConfig describes a training run of a supernet or of one architecture.
type TrainConfig struct {
	Steps       int     // at least 1
	Batch       int     // images a step, at least 2
	LR          float64 // peak learning rate, above 0
	MinLR       float64 // learning rate at the last step, 0 to LR
	Optimizer   ops.Optimizer
	WeightDecay float64 // as the optimizer uses it, at least 0
	DecayNorms  bool    // weight decay also of normalisations' parameters and of biases
	Clip        float64 // bound on the global gradient norm; 0 is off
	WarmupSteps int     // steps of linear growth up to LR, 0 to Steps
	Smoothing   float64 // label smoothing, in [0,1)
	Seed        uint64  // of path sampling, data order, augmentation and drop-path
	Augment     data.Augment
	Workers     int // goroutines that prepare batches; changes no result

	// MicroBatch is how many images go through the network at a time, to need
	// less memory: 0 or Batch for all of them, else a divisor of Batch from 2. A
	// step is still one step along the mean gradient of its Batch images, but
	// batch normalisation sees a micro-batch: it normalises by its statistics and
	// moves the running ones once for each, so the results are others than those
	// of whole batches.
	MicroBatch int

	// The rest is for retraining one architecture.
	AuxWeight float64 // weight of the auxiliary head's loss, at least 0
	DropPath  float64 // probability of dropping an operation at the end; grows linearly from 0; in [0,1)
	EMA       float64 // decay of the averaged weights, in [0,1); 0 is off
}

// DefaultTrain holds the LaNAS release's supernet settings (lr 0.025 to
// 0.001, weight decay 3e-4, clipping at 5) with a batch of 64.
func DefaultTrain() TrainConfig {
	return TrainConfig{Steps: 1000, Batch: 64, LR: 0.025, MinLR: 0.001, Optimizer: ops.SGD{Momentum: 0.9}, WeightDecay: 3e-4, DecayNorms: true, Clip: 5,
		Augment: data.Augment{Crop: 4, Flip: true}, Workers: 1, AuxWeight: 0.4}
}

// Check reports the first field out of range.
func (c TrainConfig) Check() error {
	type rule struct {
		ok    bool
		field string
		got   any
		want  string
	}
	for _, r := range []rule{
		{c.Steps >= 1, "steps", c.Steps, "at least 1"},
		{c.Batch >= 2, "batch", c.Batch, "at least 2: batch statistics need two images"},
		{c.micro() >= 2 && c.Batch%c.micro() == 0, "micro_batch", c.MicroBatch, fmt.Sprintf("0 or a divisor of the batch of %d, at least 2", c.Batch)},
		{c.LR > 0 && !math.IsInf(c.LR, 0), "lr", c.LR, "above 0"},
		{c.MinLR >= 0 && c.MinLR <= c.LR, "min_lr", c.MinLR, "from 0 to lr"},
		{c.Optimizer != nil, "optimizer", c.Optimizer, "one of package ops"},
		{c.WeightDecay >= 0, "weight_decay", c.WeightDecay, "at least 0"},
		{c.Clip >= 0, "clip", c.Clip, "at least 0"},
		{c.WarmupSteps >= 0 && c.WarmupSteps <= c.Steps, "warmup_steps", c.WarmupSteps, "from 0 to steps"},
		{c.Smoothing >= 0 && c.Smoothing < 1, "smoothing", c.Smoothing, "in [0,1)"},
		{c.AuxWeight >= 0, "aux_weight", c.AuxWeight, "at least 0"},
		{c.DropPath >= 0 && c.DropPath < 1, "drop_path", c.DropPath, "in [0,1)"},
		{c.EMA >= 0 && c.EMA < 1, "ema", c.EMA, "in [0,1)"},
	} {
		if !r.ok {
			return fmt.Errorf("supernet: %s is %v, want %s", r.field, r.got, r.want)
		}
	}
	return c.Optimizer.Check()
}

// micro is how many images go through the network at a time.
func (c TrainConfig) micro() int {
	if c.MicroBatch == 0 {
		return c.Batch
	}
	return c.MicroBatch
}

// spec says what the graphs of this training are built for.
func (c TrainConfig) spec() engine.Spec {
	return engine.Spec{Batch: c.micro(), Train: true, Smoothing: c.Smoothing, AuxWeight: c.AuxWeight, DropPath: c.DropPath > 0, DecayAll: c.DecayNorms}
}

// rate is the learning rate of step s (from 0): linear warm-up, then half a
// cosine from LR to MinLR (arXiv 1608.03983, one period).
func (c TrainConfig) rate(s int) float64 {
	if s < c.WarmupSteps {
		return c.LR * float64(s+1) / float64(c.WarmupSteps)
	}
	span := max(1, c.Steps-1-c.WarmupSteps)
	return c.MinLR + (c.LR-c.MinLR)*(1+math.Cos(math.Pi*float64(s-c.WarmupSteps)/float64(span)))/2
}

// drawMasks draws n drop-path masks of a step for the whole batch: an image's do not
// depend on its micro-batch. It puts them to dst (micro-batch, mask, image of it).
func (c TrainConfig) drawMasks(step, n int, dst []float32) {
	r := rng.New(c.Seed, "droppath", uint64(step))
	p := c.dropRate(step)
	micro := c.micro()
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
	s := make(engine.Slots, len(c.Optimizer.Slots()))
	for i := range s {
		s[i] = make([]float32, params)
	}
	return s
}

// dropRate is the drop-path probability of step s: linear from 0 to DropPath.
func (c TrainConfig) dropRate(s int) float64 { return c.DropPath * float64(s) / float64(c.Steps) }
