package config

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
	Seed    uint64  `yaml:"seed" json:"seed"`
	Data    Data    `yaml:"data" json:"data"`
	Net     Net     `yaml:"net" json:"net"`
	Train   Train   `yaml:"train" json:"train"`
	Score   Score   `yaml:"score" json:"score"`
	Search  Search  `yaml:"search" json:"search"`
	Retrain Retrain `yaml:"retrain" json:"retrain"`
	Run     Run     `yaml:"run" json:"run"`
}

// Data names the images and how they are split.
type Data struct {
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

// Net is the search space and the supernet over it.
type Net struct {
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

// SGD is gradient descent with a cosine schedule; embedded by both trainings.
type SGD struct {
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
	// Optimizer: one of optimizerNames.
	Optimizer string `yaml:"optimizer" json:"optimizer"`
	// Momentum and Nesterov's form of it, of sgd; 0..1 (1 excluded).
	Momentum float64 `yaml:"momentum" json:"momentum"`
	Nesterov bool    `yaml:"nesterov" json:"nesterov"`
	// Beta1, Beta2 and Eps: decay of adamw's averages of the gradient and of its
	// square, 0..1 (1 excluded), and what is added to the root of the latter, 1e-30..1.
	Beta1 float64 `yaml:"beta1" json:"beta1"`
	Beta2 float64 `yaml:"beta2" json:"beta2"`
	Eps   float64 `yaml:"eps" json:"eps"`
	// WeightDecay: what sgd adds of a weight to its gradient, or adamw takes of it
	// times the learning rate; 0..1.
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay"`
	// DecayNorms: weight decay also of batch normalisation's parameters and biases.
	DecayNorms bool `yaml:"decay_norms" json:"decay_norms"`
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

// Train trains the supernet: one uniformly sampled path per step.
type Train struct {
	SGD `yaml:",inline"`
}

// Score scores a subnetwork with the weights it inherits.
type Score struct {
	// Images: search images of a score, class by class in proportion and the same
	// ones for every subnetwork; 0 = all. The best are scored again on all
	// (search.top); 0..
	Images int `yaml:"images" json:"images"`
	// RecalImages: training images that re-estimate the BN statistics of the
	// subnetwork; RecalBatch.. RecalBatch: of them per batch; 2..65536.
	RecalImages int `yaml:"recal_images" json:"recal_images"`
	RecalBatch  int `yaml:"recal_batch" json:"recal_batch"`
	// RecheckRecalImages: RecalImages of the second score; 0 = four times
	// RecalImages, at most all training images; else RecalBatch..
	RecheckRecalImages int `yaml:"recheck_recal_images" json:"recheck_recal_images"`
	// Batch: search images per batch; changes no score; 1..65536.
	Batch int `yaml:"batch" json:"batch"`
}

// Search is the search of the supernet.
type Search struct {
	// Algo: who proposes subnetworks: one of lanas.Algorithms.
	Algo string `yaml:"algo" json:"algo"`
	// Samples: subnetworks to score in all, Init included; 1..
	Samples int `yaml:"samples" json:"samples"`
	// Init: uniformly random subnetworks scored first, whatever the algorithm.
	// Their mean is what the winner is compared with; 1..Samples.
	Init int `yaml:"init" json:"init"`
	// Top: how many of the best are scored again, on all search images and with
	// more images for BN, before the best of them is chosen; 0 = none; 0..1000.
	Top int `yaml:"top" json:"top"`
	// MaxParams, MaxMAdds: most trainable values, and multiply-adds for one image,
	// of the retrained network; no other subnetwork is proposed; 0 = any.
	MaxParams int64 `yaml:"max_params" json:"max_params"`
	MaxMAdds  int64 `yaml:"max_madds" json:"max_madds"`
	// Time: wall time after which no further subnetwork is proposed, such as 10m,
	// over all processes that worked on the search; 0 = no limit. What a search
	// with a limit finds depends on the machine's speed.
	Time Duration `yaml:"time" json:"time"`
	// Baselines: algorithms, separated by commas, that get the same number of
	// samples on the same supernet after the search, for comparison.
	Baselines string `yaml:"baselines" json:"baselines"`
}

// Retrain trains the winner from scratch, at its own width and depth.
type Retrain struct {
	SGD `yaml:",inline"`
	// Layers, Channels, StemMultiplier: as in Net, for the final network.
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

// Run decides how the work is done: it may differ between a run and its
// continuation. On one device it never decides what comes out; a processor and a
// GPU round differently.
type Run struct {
	// Device: cpu, cuda, or auto: an NVIDIA GPU where there is one.
	Device string `yaml:"device" json:"device"`
	// AMP: type of activations on a GPU: bf16, float32, or auto (bf16).
	AMP string `yaml:"amp" json:"amp"`
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
	sgd := SGD{
		Epochs: 10, Batch: 64, LR: 0.025, MinLR: 0.001, Optimizer: "sgd", Momentum: 0.9, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 3e-4,
		DecayNorms: true, Clip: 5, Crop: 4, Flip: true,
	}
	return Config{
		Seed: 42,
		Data: Data{Name: "shapes10"},
		Net:  Net{Ops: "lanas", Nodes: 5, Layers: 8, Channels: 16, StemMultiplier: 3, Affine: true},
		Train: Train{
			SGD: sgd,
		},
		Score:  Score{RecalImages: 512, RecalBatch: 128, Batch: 256},
		Search: Search{Algo: "lanas", Samples: 100, Init: 20, Top: 5},
		Retrain: Retrain{
			SGD: sgd, Layers: 8, Channels: 16, StemMultiplier: 3,
		},
		Run: Run{Device: "auto", AMP: "auto", Workers: 2, CheckpointSteps: 200, CheckpointKeep: 2, LogSeconds: 10},
	}
}
