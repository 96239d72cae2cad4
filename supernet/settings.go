package supernet

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/setting"
	"oneshot/ops"
)

// Training is what a configuration says about a training: descent along a schedule on
// augmented batches.
type Training struct {
	Epochs int `yaml:"epochs" json:"epochs" default:"10" want:"0..100000" doc:"passes over the training images, when steps is 0; a pass leaves out the last images that fill no batch"`
	Steps  int `yaml:"steps" json:"steps" want:"0.." doc:"steps of the training; above 0 they count instead of epochs"`
	Batch  int `yaml:"batch" json:"batch" default:"64" want:"2..65536" doc:"images a step; batch statistics need two"`
	// MicroBatch: a step is still one step along the mean gradient of its Batch images,
	// but batch normalisation sees a micro-batch: it normalises by its statistics and
	// moves the running ones once for each, so the results are others than those
	// of whole batches.
	MicroBatch  int     `yaml:"micro_batch" json:"micro_batch" rule:"0 or a divisor of batch, at least 2" doc:"images of a batch that go through the network at a time, to need less memory; changes the result; 0 is all; --memory-limit chooses it"`
	LR          float64 `yaml:"lr" json:"lr" default:"0.025" want:"(0,10]" doc:"highest learning rate; it falls to min_lr along schedule"`
	MinLR       float64 `yaml:"min_lr" json:"min_lr" default:"0.001" rule:"[0,lr]" doc:"learning rate of the last step"`
	WarmupSteps int     `yaml:"warmup_steps" json:"warmup_steps" want:"0.." doc:"steps of linear growth up to lr at the start, at most all"`
	// WarmupEpochs is for who knows the images only when they are read.
	WarmupEpochs float64 `yaml:"warmup_epochs" json:"warmup_epochs" want:"[0,1000]" doc:"the same in passes over the training images, where warmup_steps is 0"`
	Schedule     string  `yaml:"schedule" json:"schedule" default:"cosine" rule:"cosine or linear" doc:"how the learning rate falls from lr to min_lr"`
	ops.Descent  `yaml:",inline"`
	WeightDecay  float64 `yaml:"weight_decay" json:"weight_decay" default:"3e-4" want:"[0,1]" doc:"what sgd adds of a weight to its gradient, or adamw takes of it times the learning rate"`
	DecayNorms   bool    `yaml:"decay_norms" json:"decay_norms" default:"true" doc:"weight decay also of batch normalisation's parameters and of biases"`
	Clip         float64 `yaml:"clip" json:"clip" default:"5" want:"[0,max]" doc:"largest L2 norm of the gradient; 0 is off"`
	Smoothing    float64 `yaml:"smoothing" json:"smoothing" want:"[0,1)" doc:"label smoothing"`
	data.Augment `yaml:",inline"`
}

// linear is the schedule that is not the default.
const linear = "linear"

var schedules = []string{"cosine", linear}

// Rules implements setting.Ruled.
func (t Training) Rules() []setting.Rule {
	m := t.MicroBatch
	return []setting.Rule{
		{Name: "schedule", Value: t.Schedule, OK: t.Schedule == "" || slices.Contains(schedules, t.Schedule), Want: "one of " + strings.Join(schedules, ", "), Among: schedules},
		{Name: "warmup_epochs", OK: t.WarmupEpochs == 0 || t.WarmupSteps == 0, Fact: "@warmup_steps and @warmup_epochs are both above 0", Want: "one of them 0"},
		{Name: "warmup_epochs", OK: t.Steps > 0 || !(t.WarmupEpochs > float64(t.Epochs)), Want: fmt.Sprintf("at most @epochs = %d", t.Epochs)},
		{Name: "steps", OK: t.Epochs > 0 || t.Steps > 0, Fact: "@epochs and @steps are both 0", Want: "one of them above 0"},
		{Name: "micro_batch", OK: m == 0 || m >= 2 && t.Batch%m == 0, Want: fmt.Sprintf("0 or a divisor of @batch = %d that is at least 2", t.Batch)},
		{Name: "min_lr", OK: t.MinLR >= 0 && t.MinLR <= t.LR, Want: fmt.Sprintf("a number from 0 to @lr = %v", t.LR)},
	}
}

// StepsFor is the length of a training over images; the last, smaller batch of an
// epoch is left out, as batch statistics of a few images are poor.
func (t Training) StepsFor(images int) int {
	if t.Steps > 0 {
		return t.Steps
	}
	return t.Epochs * max(1, images/t.Batch)
}

// WarmupFor is likewise the length of the warm-up in steps, which a TrainConfig wants in
// WarmupSteps.
func (t Training) WarmupFor(images int) int {
	if t.WarmupSteps > 0 {
		return t.WarmupSteps
	}
	return int(math.Round(t.WarmupEpochs * float64(max(1, images/t.Batch))))
}

// EpochsFor is how often a training sees each image on average: the images of all steps divided
// by those there are. It is less than Epochs where a pass leaves out a last, smaller batch.
func (t Training) EpochsFor(images int) float64 {
	return float64(t.StepsFor(images)) * float64(t.Batch) / float64(max(1, images))
}

// AtOnce is how many images go through the network at a time.
func (t Training) AtOnce() int {
	if t.MicroBatch > 0 {
		return t.MicroBatch
	}
	return t.Batch
}

// Scratch is what a configuration says besides about training one architecture from
// scratch.
type Scratch struct {
	Aux      float64 `yaml:"aux" json:"aux" want:"[0,1]" doc:"weight of the auxiliary head's loss; 0 is no head"`
	DropPath float64 `yaml:"drop_path" json:"drop_path" want:"[0,1)" doc:"probability of dropping an operation's output at the last step; it grows linearly from 0"`
	EMA      float64 `yaml:"ema" json:"ema" want:"[0,1)" doc:"decay of the averaged weights that are evaluated and exported; 0 is the weights themselves"`
	// Distillation (Hinton et al. 2015, arXiv 1503.02531) needs a teacher.
	DistillRatio       float64 `yaml:"distill_ratio" json:"distill_ratio" default:"0.5" want:"[0,1]" doc:"weight of the teacher's distributions in the loss, that of the labels is the rest; means something with a teacher"`
	DistillTemperature float64 `yaml:"distill_temperature" json:"distill_temperature" default:"1" want:"[0,100]" doc:"what both outputs are divided by before they are compared; the loss is multiplied by its square"`
}
