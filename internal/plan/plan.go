package plan

import (
	"context"
	"fmt"
	"strings"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/setting"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Plan is what is computed: a configuration with what it names. It is where the
// configuration meets supernet's types.
type Plan struct {
	Config config.Config
	Space  space.Space
	Data   *data.Dataset
	// Teacher is the network whose outputs are learnt in the retraining; nil is none.
	Teacher *supernet.Teacher

	costOf func(space.Arch) (params, madds int64, err error) // see costs
}

// New opens the space and the images of a configuration, and settles it.
func New(ctx context.Context, c config.Config) (*Plan, error) {
	s, err := OpenSpace(c)
	if err != nil {
		return nil, err
	}
	d, err := OpenData(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	Settle(&c, d)
	return &Plan{Config: c, Space: s, Data: d}, nil
}

// OpenSpace opens the space of a configuration.
func OpenSpace(c config.Config) (space.Space, error) {
	s, err := c.Net.Named.Open()
	return s, fault.WithCode(err, fault.ExitUsage, "")
}

// OpenData opens the images of a configuration; missing or damaged ones have exit
// code 3. progress is that of data.OpenContext.
func OpenData(ctx context.Context, c config.Config, progress func(done, all int)) (*data.Dataset, error) {
	c.Data.Seed, c.Data.Cache = c.Seed, c.Run.Cache
	c.Data.Originals = c.Train.ResizedCrop > 0 || c.Retrain.ResizedCrop > 0
	d, err := data.OpenContext(ctx, c.Data, progress)
	return d, fault.WithCode(err, fault.ExitInvalid, "")
}

// Supernet describes the supernet.
func (p *Plan) Supernet() supernet.NetConfig {
	n := p.Config.Net
	return supernet.NetConfig{
		Space: p.Space, Size: net.Size{Geometry: n.Geometry, Classes: len(p.Data.Classes), Image: p.Data.Image, Affine: n.Affine},
	}
}

// Final describes the retrained network; it has an auxiliary head only while it
// is trained.
func (p *Plan) Final(training bool) supernet.NetConfig {
	r := p.Config.Retrain
	return supernet.NetConfig{
		Space: p.Space, Size: net.Size{Geometry: r.Geometry, Classes: len(p.Data.Classes), Image: p.Data.Image, Affine: true,
			Aux: training && r.Aux > 0, AuxChannels: supernet.DefaultNet().AuxChannels},
	}
}

// Images are those that a stage trains on.
func (p *Plan) Images(stage string) *data.Train {
	if stage == "retrain" && p.Config.Retrain.AllImages {
		return p.Data.Train.WithSearch()
	}
	return p.Data.Train
}

// Settings is the section of a stage that trains.
func (p *Plan) Settings(stage string) *config.SGD {
	if stage == "train" {
		return &p.Config.Train.SGD
	}
	return &p.Config.Retrain.SGD
}

// Training says how a stage trains.
func (p *Plan) Training(stage string) supernet.TrainConfig {
	s := *p.Settings(stage)
	c := supernet.TrainConfig{Training: s, Sampling: p.Config.Train.Sampling, Seed: p.Config.Seed, Workers: p.Config.Run.Workers}
	images := p.Images(stage).Len()
	c.Steps, c.WarmupSteps = s.StepsFor(images), s.WarmupFor(images)
	if stage == "retrain" {
		c.Sampling, c.Scratch = setting.Default[supernet.Sampling](), p.Config.Retrain.Scratch
		if c.Teacher = p.Teacher; c.Teacher != nil {
			c.Mean, c.Std = p.Data.Mean, p.Data.Std
		}
	}
	return c
}

// Scoring says how first scores are measured or, again, second ones.
func (p *Plan) Scoring(again bool) supernet.ScoreConfig {
	c := p.Config.Score.ScoreConfig
	c.Seed = p.Config.Seed
	if again {
		return c.Again(p.Data.Train.Len())
	}
	return c
}

// Check finds what would stop a stage before the first one starts: networks and
// trainings that cannot be, and more images than there are.
func (p *Plan) Check() error {
	if err := p.contradiction(); err != nil {
		return err
	}
	for _, err := range []error{
		p.Supernet().Check(), p.Final(true).Check(), p.Scoring(false).Check(),
		p.Training("train").Check(), p.Training("retrain").Check(),
	} {
		if err != nil {
			return fault.WithCode(err, fault.ExitUsage, "")
		}
	}
	if err := supernet.CheckSampling(p.Supernet(), p.Training("train")); err != nil {
		return fault.Usage(samplerHint(p.Config.Train.Sampler), "train.sampler = %s: %w", p.Config.Train.Sampler, err)
	}
	images, final := p.Images("train").Len(), p.Images("retrain").Len()
	for _, n := range []struct {
		key       string
		got, have int
	}{
		{"train.batch", p.Config.Train.Batch, images}, {"retrain.batch", p.Config.Retrain.Batch, final},
		{"score.recal_images", p.Config.Score.RecalImages, images},
		{"score.recheck_recal_images", p.Config.Score.RecheckRecalImages, images},
	} {
		if n.got > n.have {
			return fault.Usage("", "%s is %d, but there are only %d training images", n.key, n.got, n.have)
		}
	}
	if n := p.Data.Search.Len(); n < 2 && p.Config.Score.Statistics == "batch" {
		return fault.Usage("score.statistics = recalibrated works with any number", "score.statistics = batch needs 2 search images, and there is %d", n)
	}
	if p.Config.Score.Images == 1 && p.Config.Score.Statistics == "batch" {
		return fault.Usage("", "score.images is 1, want at least 2 with score.statistics = batch")
	}
	if n, have := p.Config.Score.Images, p.Data.Search.Len(); n > have {
		return fault.Usage("0 is all of them", "score.images is %d, but there are only %d search images", n, have)
	}
	return nil
}

// contradiction finds settings that make no sense together.
func (p *Plan) contradiction() error {
	for _, stage := range []string{"train", "retrain"} {
		s, images := p.Settings(stage), p.Images(stage).Len()
		if s.WarmupSteps == 0 && s.WarmupFor(images) > s.StepsFor(images) {
			return fault.Usage("", "%s.warmup_epochs is %g, but the training has only %.4g epochs", stage, s.WarmupEpochs, s.EpochsFor(images))
		}
		if steps := s.StepsFor(images); s.WarmupSteps > steps {
			return fault.Usage("", "%s.warmup_steps is %d, but the training has only %d steps", stage, s.WarmupSteps, steps)
		}
	}
	for _, stage := range []string{"train", "retrain"} {
		if s := p.Settings(stage); s.MixProb == 0 && (s.Mixup > 0 || s.CutMix > 0) {
			return fault.Usage("leave out mixup and cutmix, or raise the probability", "%s.mixup = %g and cutmix = %g would mix nothing: %s.mix_prob is 0", stage, s.Mixup, s.CutMix, stage)
		}
	}
	r := p.Config.Retrain
	if r.Teacher != "" && r.DistillRatio == 0 {
		return fault.Usage("leave out the teacher, or raise the ratio", "retrain.teacher = %s would teach nothing: retrain.distill_ratio is 0", r.Teacher)
	}
	if r.Teacher != "" && r.DistillTemperature == 0 {
		return fault.Usage("1 is what outputs are by themselves", "retrain.distill_temperature is 0, want above 0 with a teacher")
	}
	return nil
}

// samplerHint says for which spaces a sampler is.
func samplerHint(sampler string) string {
	var names []string
	for _, kind := range space.Kinds() {
		s, err := space.OfKind(kind).Open()
		if err != nil { // one's own, which no name says what it is
			continue
		}
		usual := supernet.NetConfig{Space: s, Size: net.Size{Geometry: s.Geometry(), Classes: 10, Image: 32, Affine: true}}
		if supernet.CheckSampling(usual, supernet.TrainConfig{Sampling: supernet.Sampling{Sampler: sampler}}) == nil {
			names = append(names, kind)
		}
	}
	return fmt.Sprintf("%s is for %s and spaces of one's own; train.sampler = uniform, with any train.paths, is for every space", sampler, strings.Join(names, ", "))
}
