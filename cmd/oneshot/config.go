package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config is everything that decides what a run computes, and a section Run that
// only decides how. It is read from YAML with the key names of the tags, stored
// resolved as config.yaml in the run folder, and compared on --resume.
//
// Lists of values below read: meaning; unit; range. Defaults are in Default.
type Config struct {
	// Preset is the recipe the values started from; a YAML file may name it to
	// start from another one than Default. See `oneshot run --help`.
	Preset string `yaml:"preset" json:"preset"`
	// Seed feeds every random stream: initial weights, paths, data order,
	// augmentation, search. 0 is a seed like any other.
	Seed    uint64        `yaml:"seed" json:"seed"`
	Data    DataConfig    `yaml:"data" json:"data"`
	Net     NetConfig     `yaml:"net" json:"net"`
	Train   TrainConfig   `yaml:"train" json:"train"`
	Score   ScoreConfig   `yaml:"score" json:"score"`
	Search  SearchConfig  `yaml:"search" json:"search"`
	Retrain RetrainConfig `yaml:"retrain" json:"retrain"`
	Run     RunConfig     `yaml:"run" json:"run"`
}

// DataConfig names the images and how they are split.
type DataConfig struct {
	// Name: shapes10 (drawn, needs no files), cifar10 or cifar100.
	Name string `yaml:"name" json:"name"`
	// Dir: folder with the official binary files of cifar10 or cifar100; a
	// relative path is relative to the configuration file.
	Dir string `yaml:"dir" json:"dir"`
	// SearchSize: training images held out to score subnetworks; images; 0 = the
	// default of the data set.
	SearchSize int `yaml:"search_size" json:"search_size"`
	// TrainSize, TestSize: training images, those of SearchSize included, and
	// test images; 0 = the default of the data set (all there are, for files).
	TrainSize int `yaml:"train_size" json:"train_size"`
	TestSize  int `yaml:"test_size" json:"test_size"`
}

// NetConfig is the search space and the supernet over it.
type NetConfig struct {
	// Ops: candidate operations: lanas (4), darts (7) or full (8).
	Ops string `yaml:"ops" json:"ops"`
	// Nodes: nodes of a cell, each the sum of two operations; 1..8.
	Nodes int `yaml:"nodes" json:"nodes"`
	// Layers: cells, reductions at a third and two thirds; 1..64.
	Layers int `yaml:"layers" json:"layers"`
	// Channels of the first cell; doubled at each reduction; even, 2..1024.
	Channels int `yaml:"channels" json:"channels"`
	// StemMultiplier: stem channels = StemMultiplier * Channels; 1..8.
	StemMultiplier int `yaml:"stem_multiplier" json:"stem_multiplier"`
	// Affine: batch normalisation inside the cells has a learnt scale and shift.
	Affine bool `yaml:"affine" json:"affine"`
}

// SGDConfig is momentum SGD with a cosine schedule; embedded by both trainings.
type SGDConfig struct {
	// Epochs: passes over the training images; 0..100000. Steps, when above 0,
	// gives the number of steps directly and Epochs is ignored.
	Epochs int `yaml:"epochs" json:"epochs"`
	Steps  int `yaml:"steps" json:"steps"`
	// Batch: images per step; 2..65536.
	Batch int `yaml:"batch" json:"batch"`
	// MicroBatch: images of a batch that go through the network at a time, to
	// need less memory; changes the result, as batch normalisation sees only
	// them; 0 = all, else a divisor of Batch from 2. --memory-limit chooses it.
	MicroBatch int `yaml:"micro_batch" json:"micro_batch"`
	// LR falls along a half cosine to MinLR at the last step; above 0, to 10,
	// and 0..LR.
	LR    float64 `yaml:"lr" json:"lr"`
	MinLR float64 `yaml:"min_lr" json:"min_lr"`
	// WarmupSteps: linear rise to LR at the start; steps; 0..all
	WarmupSteps int `yaml:"warmup_steps" json:"warmup_steps"`
	// Momentum; 0..1 (1 excluded).
	Momentum float64 `yaml:"momentum" json:"momentum"`
	// WeightDecay: L2 coefficient added to the gradient; 0..1.
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay"`
	// Clip: largest L2 norm of the gradient; 0 = no clipping.
	Clip float64 `yaml:"clip" json:"clip"`
	// Smoothing: label smoothing; 0..1 (1 excluded).
	Smoothing float64 `yaml:"smoothing" json:"smoothing"`
	// Crop: random crop after padding by this many pixels; 0..16.
	Crop int `yaml:"crop" json:"crop"`
	// Flip: mirror half of the images left to right.
	Flip bool `yaml:"flip" json:"flip"`
	// Cutout: side of a square set to zero; pixels; 0 = none.
	Cutout int `yaml:"cutout" json:"cutout"`
}

// TrainConfig trains the supernet: one uniformly sampled path per step.
type TrainConfig struct {
	SGDConfig `yaml:",inline"`
}

// ScoreConfig scores a subnetwork with the weights it inherits.
type ScoreConfig struct {
	// RecalImages: training images that re-estimate the BN statistics of the
	// subnetwork; RecalBatch.. RecalBatch: of them per batch; 2..65536.
	RecalImages int `yaml:"recal_images" json:"recal_images"`
	RecalBatch  int `yaml:"recal_batch" json:"recal_batch"`
	// Batch: search images per batch; changes no score; 1..65536.
	Batch int `yaml:"batch" json:"batch"`
}

// SearchConfig is the LaNAS search.
type SearchConfig struct {
	// Samples: subnetworks to score in all, Init included; 1..
	Samples int `yaml:"samples" json:"samples"`
	// Init: uniformly random subnetworks scored first. They are also the random
	// baseline the winner is compared with; 1..Samples.
	Init int `yaml:"init" json:"init"`
	// Height: levels of the tree; 1..16.
	Height int `yaml:"height" json:"height"`
	// Cp: weight of exploration in UCB, in units of the score; 0..10.
	Cp float64 `yaml:"cp" json:"cp"`
	// PerTree: subnetworks proposed by one tree before it is built again; 1..
	PerTree int `yaml:"per_tree" json:"per_tree"`
}

// RetrainConfig trains the winner from scratch, at its own width and depth.
type RetrainConfig struct {
	SGDConfig `yaml:",inline"`
	// Layers, Channels, StemMultiplier: as in NetConfig, for the final network.
	Layers         int `yaml:"layers" json:"layers"`
	Channels       int `yaml:"channels" json:"channels"`
	StemMultiplier int `yaml:"stem_multiplier" json:"stem_multiplier"`
	// Aux: weight of the auxiliary head's loss; 0 = no head; 0..1.
	Aux float64 `yaml:"aux" json:"aux"`
	// DropPath: probability of dropping an operation's output at the last step,
	// growing linearly from 0; 0..1 (1 excluded).
	DropPath float64 `yaml:"drop_path" json:"drop_path"`
	// EMA: decay of the averaged weights that are evaluated and exported;
	// 0 = the weights themselves; 0..1 (1 excluded).
	EMA float64 `yaml:"ema" json:"ema"`
	// AllImages: train on the search images too. Their accuracy says nothing
	// then, so result.json has null for search_top1.
	AllImages bool `yaml:"all_images" json:"all_images"`
}

// RunConfig decides how the work is done, never what comes out: it may differ
// between a run and its continuation.
type RunConfig struct {
	// Device: auto or cpu (this build has no CUDA).
	Device string `yaml:"device" json:"device"`
	// Threads for computing; 0 = all processors; 0..1024.
	Threads int `yaml:"threads" json:"threads"`
	// Workers that prepare batches ahead; 1..256.
	Workers int `yaml:"workers" json:"workers"`
	// CheckpointSteps: steps between checkpoints; 1..
	CheckpointSteps int `yaml:"checkpoint_steps" json:"checkpoint_steps"`
	// CheckpointKeep: how many checkpoints stay on disk; 1..1000.
	CheckpointKeep int `yaml:"checkpoint_keep" json:"checkpoint_keep"`
	// LogSeconds: seconds between progress lines where there is no terminal; 1..
	LogSeconds int `yaml:"log_seconds" json:"log_seconds"`
}

// Default is the configuration every preset starts from.
func Default() Config {
	sgd := SGDConfig{
		Epochs: 10, Batch: 64, LR: 0.025, MinLR: 0.001, Momentum: 0.9, WeightDecay: 3e-4,
		Clip: 5, Crop: 4, Flip: true,
	}
	return Config{
		Seed: 42,
		Data: DataConfig{Name: "shapes10"},
		Net:  NetConfig{Ops: "lanas", Nodes: 5, Layers: 8, Channels: 16, StemMultiplier: 3, Affine: true},
		Train: TrainConfig{
			SGDConfig: sgd,
		},
		Score:  ScoreConfig{RecalImages: 512, RecalBatch: 128, Batch: 256},
		Search: SearchConfig{Samples: 100, Init: 30, Height: 5, Cp: 0.1, PerTree: 10},
		Retrain: RetrainConfig{
			SGDConfig: sgd, Layers: 8, Channels: 16, StemMultiplier: 3,
		},
		Run: RunConfig{Device: "auto", Workers: 2, CheckpointSteps: 200, CheckpointKeep: 2, LogSeconds: 10},
	}
}

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
		c.addf("%s = %q: want one of %s%s", key, v, strings.Join(want, ", "), didYouMean(v, want))
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

	k.oneOf("net.ops", c.Net.Ops, "lanas", "darts", "full")
	k.ints("net.nodes", c.Net.Nodes, 1, 8)
	k.size("net", c.Net.Layers, c.Net.Channels, c.Net.StemMultiplier)
	k.sgd("train", c.Train.SGDConfig)

	k.ints("score.recal_batch", c.Score.RecalBatch, 2, 65536)
	k.ints("score.recal_images", c.Score.RecalImages, max(2, c.Score.RecalBatch), many)
	k.ints("score.batch", c.Score.Batch, 1, 65536)

	k.ints("search.samples", c.Search.Samples, 1, many)
	k.ints("search.init", c.Search.Init, 1, max(1, c.Search.Samples))
	k.ints("search.height", c.Search.Height, 1, 16)
	k.floats("search.cp", c.Search.Cp, 0, 10, false)
	k.ints("search.per_tree", c.Search.PerTree, 1, many)

	k.sgd("retrain", c.Retrain.SGDConfig)
	k.size("retrain", c.Retrain.Layers, c.Retrain.Channels, c.Retrain.StemMultiplier)
	k.floats("retrain.aux", c.Retrain.Aux, 0, 1, false)
	k.floats("retrain.drop_path", c.Retrain.DropPath, 0, 1, true)
	k.floats("retrain.ema", c.Retrain.EMA, 0, 1, true)

	k.oneOf("run.device", c.Run.Device, "auto", "cpu", "cuda")
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

func (c *check) sgd(section string, s SGDConfig) {
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
	c.floats(section+".momentum", s.Momentum, 0, 1, true)
	c.floats(section+".weight_decay", s.WeightDecay, 0, 1, false)
	c.floats(section+".clip", s.Clip, 0, math.MaxFloat32, false)
	c.floats(section+".smoothing", s.Smoothing, 0, 1, true)
	c.ints(section+".crop", s.Crop, 0, 16)
	c.ints(section+".cutout", s.Cutout, 0, 64)
}
