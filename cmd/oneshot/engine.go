package main

import (
	"oneshot/data"
	"oneshot/ops"
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

// steps is the length of a training over images; the last, smaller batch of an
// epoch is left out, as batch statistics of a few images are poor.
func (s SGDConfig) steps(images int) int {
	if s.Steps > 0 {
		return s.Steps
	}
	return s.Epochs * max(1, images/s.Batch)
}

// epochs is the length of a training in passes over the images.
func (s SGDConfig) epochs(images int) float64 {
	if s.Steps > 0 {
		return float64(s.Steps) / float64(max(1, images/s.Batch))
	}
	return float64(s.Epochs)
}

// optimizerNames are the values of Optimizer.
var optimizerNames = []string{"sgd", "adamw"}

// optimizer is the one of that name with its settings; nil if there is none.
func (s SGDConfig) optimizer() ops.Optimizer {
	switch s.Optimizer {
	case "sgd":
		return ops.SGD{Momentum: s.Momentum, Nesterov: s.Nesterov}
	case "adamw":
		return ops.AdamW{Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.Eps}
	}
	return nil
}

func (j *job) sgdConfig(s SGDConfig, images int) supernet.TrainConfig {
	return supernet.TrainConfig{
		Steps: s.steps(images), Batch: s.Batch, MicroBatch: s.MicroBatch, LR: s.LR, MinLR: s.MinLR,
		Optimizer: s.optimizer(), WeightDecay: s.WeightDecay, DecayNorms: s.DecayNorms, Clip: s.Clip, WarmupSteps: s.WarmupSteps, Seed: j.cfg.Seed,
		Augment: data.Augment{Crop: s.Crop, Flip: s.Flip, Cutout: s.Cutout},
		Workers: j.cfg.Run.Workers, Smoothing: s.Smoothing,
	}
}

func (j *job) retrainConfig(images int) supernet.TrainConfig {
	c := j.sgdConfig(j.cfg.Retrain.SGDConfig, images)
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
