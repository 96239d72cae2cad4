package main

import (
	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/supernet"
	"oneshot/supernet/net"
)

// This file is where the configuration of a run meets supernet's types.

// netConfig is the supernet.
func (j *job) netConfig() supernet.NetConfig {
	n := j.cfg.Net
	return supernet.NetConfig{
		Space: j.space, Size: net.Size{Layers: n.Layers, Channels: n.Channels, StemMultiplier: n.StemMultiplier,
			Classes: len(j.data.Classes), Image: j.data.Image, Affine: n.Affine},
	}
}

// finalConfig is the retrained network; it has an auxiliary head only while it
// is trained.
func (j *job) finalConfig(training bool) supernet.NetConfig {
	r := j.cfg.Retrain
	return supernet.NetConfig{
		Space: j.space, Size: net.Size{Layers: r.Layers, Channels: r.Channels, StemMultiplier: r.StemMultiplier,
			Classes: len(j.data.Classes), Image: j.data.Image, Affine: true,
			Aux: training && r.Aux > 0, AuxChannels: supernet.DefaultNet().AuxChannels},
	}
}

func (j *job) sgdConfig(s config.SGD, images int) supernet.TrainConfig {
	return supernet.TrainConfig{
		Steps: s.StepsFor(images), Batch: s.Batch, MicroBatch: s.MicroBatch, LR: s.LR, MinLR: s.MinLR,
		Optimizer: s.Rule(), WeightDecay: s.WeightDecay, DecayNorms: s.DecayNorms, Clip: s.Clip, WarmupSteps: s.WarmupSteps, Seed: j.cfg.Seed,
		Augment: data.Augment{Crop: s.Crop, Flip: s.Flip, Cutout: s.Cutout},
		Workers: j.cfg.Run.Workers, Smoothing: s.Smoothing,
	}
}

func (j *job) retrainConfig(images int) supernet.TrainConfig {
	c := j.sgdConfig(j.cfg.Retrain.SGD, images)
	c.AuxWeight, c.DropPath, c.EMA = j.cfg.Retrain.Aux, j.cfg.Retrain.DropPath, j.cfg.Retrain.EMA
	return c
}

// scoreConfig is that of first scores or, again, of the second ones of the best.
func (j *job) scoreConfig(again bool) supernet.ScoreConfig {
	s := j.cfg.Score
	c := supernet.ScoreConfig{
		RecalImages: s.RecalImages, RecalBatch: s.RecalBatch, Batch: s.Batch, Seed: j.cfg.Seed,
	}
	if again {
		c.RecalImages = s.RecheckRecalImages
		if c.RecalImages == 0 {
			c.RecalImages = min(recheckFactor*s.RecalImages, j.data.Train.Len())
		}
	}
	return c
}

// recheckFactor is how many times the images of the first score re-estimate the
// statistics of the second one by default.
const recheckFactor = 4

// retrainImages are the images of the final training.
func (j *job) retrainImages() *data.Train {
	if j.cfg.Retrain.AllImages {
		return j.data.Train.WithSearch()
	}
	return j.data.Train
}
