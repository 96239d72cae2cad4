package pipeline

import (
	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/fault"
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

	costOf func(space.Arch) (params, madds int64, err error) // see costs
}

// NewPlan opens the space and the images of a configuration; missing or damaged
// images have exit code 3.
func NewPlan(c config.Config) (*Plan, error) {
	p := &Plan{Config: c}
	if err := p.openSpace(); err != nil {
		return nil, err
	}
	return p, p.openData()
}

func (p *Plan) openSpace() (err error) {
	p.Space, err = space.New(p.Config.Net.Ops, p.Config.Net.Nodes)
	return fault.WithCode(err, fault.ExitUsage, "")
}

func (p *Plan) openData() (err error) {
	p.Data, err = OpenData(p.Config)
	return err
}

// OpenData opens the images of a configuration; missing or damaged ones have exit
// code 3.
func OpenData(c config.Config) (*data.Dataset, error) {
	d, err := data.Open(data.Config{
		Name: c.Data.Name, Dir: c.Data.Dir, SearchSize: c.Data.SearchSize, Seed: c.Seed,
		TrainSize: c.Data.TrainSize, TestSize: c.Data.TestSize,
	})
	return d, fault.WithCode(err, fault.ExitInvalid, "")
}

// supernet describes the supernet.
func (p *Plan) supernet() supernet.NetConfig {
	n := p.Config.Net
	return supernet.NetConfig{
		Space: p.Space, Size: net.Size{Layers: n.Layers, Channels: n.Channels, StemMultiplier: n.StemMultiplier,
			Classes: len(p.Data.Classes), Image: p.Data.Image, Affine: n.Affine},
	}
}

// final describes the retrained network; it has an auxiliary head only while it
// is trained.
func (p *Plan) final(training bool) supernet.NetConfig {
	r := p.Config.Retrain
	return supernet.NetConfig{
		Space: p.Space, Size: net.Size{Layers: r.Layers, Channels: r.Channels, StemMultiplier: r.StemMultiplier,
			Classes: len(p.Data.Classes), Image: p.Data.Image, Affine: true,
			Aux: training && r.Aux > 0, AuxChannels: supernet.DefaultNet().AuxChannels},
	}
}

// images are those that a stage trains on.
func (p *Plan) images(stage string) *data.Train {
	if stage == "retrain" && p.Config.Retrain.AllImages {
		return p.Data.Train.WithSearch()
	}
	return p.Data.Train
}

// settings is the section of a stage that trains.
func (p *Plan) settings(stage string) *config.SGD {
	if stage == "train" {
		return &p.Config.Train.SGD
	}
	return &p.Config.Retrain.SGD
}

// training says how a stage trains.
func (p *Plan) training(stage string) supernet.TrainConfig {
	s := *p.settings(stage)
	c := supernet.TrainConfig{
		Steps: s.StepsFor(p.images(stage).Len()), Batch: s.Batch, MicroBatch: s.MicroBatch, LR: s.LR, MinLR: s.MinLR,
		Optimizer: s.Rule(), WeightDecay: s.WeightDecay, DecayNorms: s.DecayNorms, Clip: s.Clip, WarmupSteps: s.WarmupSteps, Seed: p.Config.Seed,
		Augment: data.Augment{Crop: s.Crop, Flip: s.Flip, Cutout: s.Cutout},
		Workers: p.Config.Run.Workers, Smoothing: s.Smoothing,
	}
	if stage == "retrain" {
		r := p.Config.Retrain
		c.AuxWeight, c.DropPath, c.EMA = r.Aux, r.DropPath, r.EMA
	}
	return c
}

// scoring says how first scores are measured or, again, second ones.
func (p *Plan) scoring(again bool) supernet.ScoreConfig {
	s := p.Config.Score
	c := supernet.ScoreConfig{
		RecalImages: s.RecalImages, RecalBatch: s.RecalBatch, Batch: s.Batch, Seed: p.Config.Seed,
	}
	if again {
		c.RecalImages = s.RecheckRecalImages
		if c.RecalImages == 0 {
			c.RecalImages = min(recheckFactor*s.RecalImages, p.Data.Train.Len())
		}
	}
	return c
}

// recheckFactor is how many times the images of the first score re-estimate the
// statistics of the second one by default.
const recheckFactor = 4

// check finds what would stop a stage before the first one starts: networks and
// trainings that cannot be, and more images than there are.
func (p *Plan) check() error {
	for _, err := range []error{
		p.supernet().Check(), p.final(true).Check(), p.scoring(false).Check(),
		p.training("train").Check(), p.training("retrain").Check(),
	} {
		if err != nil {
			return fault.WithCode(err, fault.ExitUsage, "")
		}
	}
	images, final := p.images("train").Len(), p.images("retrain").Len()
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
	if n, have := p.Config.Score.Images, p.Data.Search.Len(); n > have {
		return fault.Usage("0 is all of them", "score.images is %d, but there are only %d search images", n, have)
	}
	return nil
}
