package config

import (
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// preset is a named starting point for a configuration.
type preset struct {
	name   string
	about  string
	hidden bool // for tests: works, but is not listed
	apply  func(*Config)
}

// Numbers marked "release" are those of the LaNAS one-shot release (LaMCTS,
// one-shot_LaNAS) and its paper arXiv 1906.06832; unmarked ones were chosen by
// experiment for the time they take. All score on every search image: a part
// saves little, as re-estimating the BN statistics takes about as long as the
// images do. The second scores of the best 5 (Default) have four times the
// images for those statistics, half their noise, and cost the time of some 12 samples.
var presets = []preset{
	{
		name:  "tiny",
		about: "shapes10, minutes on two cores; the default of run",
		apply: func(c *Config) {
			c.Data = data.Default("shapes10")
			c.Data.TrainSize = 10000
			c.Data.TestSize = 2000
			c.Data.SearchSize = 1000
			c.Net = Net{Named: space.Named{Ops: "lanas", Nodes: 3}, Geometry: net.Geometry{Layers: 3, Channels: 8, StemMultiplier: 3}, Affine: true}
			c.Train.Epochs, c.Train.Batch, c.Train.WarmupSteps = 10, 32, 50
			c.Train.LR, c.Train.MinLR, c.Train.Crop = 0.025, 0.001, 2
			c.Score = Score{ScoreConfig: supernet.ScoreConfig{RecalImages: 256, RecalBatch: 64, Batch: 50}}
			c.Search.Samples, c.Search.Init = 60, 15
			c.Retrain.Layers, c.Retrain.Channels = 5, 12
			c.Retrain.Epochs, c.Retrain.Batch, c.Retrain.WarmupSteps = 4, 64, 30
			c.Retrain.LR, c.Retrain.MinLR, c.Retrain.Crop = 0.05, 0.0001, 2
		},
	},
	{
		name:  "cifar10-small",
		about: "real CIFAR-10 in about an hour on two cores",
		apply: func(c *Config) {
			c.Data = data.Default("cifar10")
			c.Data.Dir = "cifar-10-batches-bin"
			c.Data.SearchSize = 2500
			// At equal time 3 nodes and 5 cells of 8 channels beat 4 and 6, and more
			// steps beat more channels: random subnetworks had 40 % after 3600 steps
			// of 8 channels, 36 % after 1800 of 16, and with 4 nodes and 6 cells 32 %
			// after 2500 of 8 and 27 % after 1100 of 16, all with lr 0.1.
			c.Net = Net{Named: space.Named{Ops: "lanas", Nodes: 3}, Geometry: net.Geometry{Layers: 5, Channels: 8, StemMultiplier: 3}, Affine: true}
			c.Train.Epochs, c.Train.Batch, c.Train.WarmupSteps = 55, 64, 100
			c.Train.LR, c.Train.MinLR = 0.1, 0.001
			c.Score = Score{ScoreConfig: supernet.ScoreConfig{RecalImages: 1280, RecalBatch: 64, Batch: 50}}
			c.Search.Samples, c.Search.Init = 80, 20
			c.Retrain.Layers, c.Retrain.Channels = 5, 24
			c.Retrain.Epochs, c.Retrain.Batch, c.Retrain.WarmupSteps = 15, 64, 100
			c.Retrain.LR, c.Retrain.MinLR = 0.1, 0.0001
		},
	},
	{
		name:  "folder-small",
		about: "images of your own in about half an hour on two cores; the default with --data-dir",
		apply: func(c *Config) {
			c.Data = data.Default(data.Auto)
			// Steps, not epochs: the time does not depend on how many images there are.
			c.Net = Net{Named: space.Named{Ops: "lanas", Nodes: 3}, Geometry: net.Geometry{Layers: 5, Channels: 8, StemMultiplier: 3}, Affine: true}
			c.Train.Epochs, c.Train.Steps, c.Train.Batch, c.Train.WarmupSteps = 0, 3000, 32, 100
			c.Train.LR, c.Train.MinLR, c.Train.Crop, c.Train.ResizedCrop = 0.025, 0.001, 0, 0.4
			c.Score = Score{ScoreConfig: supernet.ScoreConfig{RecalImages: 512, RecalBatch: 64, Batch: 50}}
			c.Search.Samples, c.Search.Init = 80, 20
			c.Retrain.Layers, c.Retrain.Channels = 5, 20
			c.Retrain.Epochs, c.Retrain.Steps, c.Retrain.Batch, c.Retrain.WarmupSteps = 0, 1500, 32, 100
			c.Retrain.LR, c.Retrain.MinLR, c.Retrain.Crop, c.Retrain.ResizedCrop, c.Retrain.ColorJitter = 0.025, 0.0001, 0, 0.25, 0.2
		},
	},
	{
		name:  "lanas-oneshot",
		about: "settings of the LaNAS one-shot release on CIFAR-10; wants a large machine",
		apply: func(c *Config) {
			c.Data = data.Default("cifar10")
			c.Data.Dir = "cifar-10-batches-bin"
			c.Data.SearchSize = 10000
			// release: C=48, 8 layers, 5 nodes, stem 3, batch 80, 300 epochs,
			// cosine 0.025 -> 0.001, weight decay 3e-4, clip 5. The release
			// scores on the test images; we hold out training images instead.
			c.Net = Net{Named: space.Named{Ops: "lanas", Nodes: 5}, Geometry: net.Geometry{Layers: 8, Channels: 48, StemMultiplier: 3}, Affine: true}
			c.Train.Epochs, c.Train.Batch = 300, 80
			c.Score = Score{ScoreConfig: supernet.ScoreConfig{RecalImages: 2048, RecalBatch: 256, Batch: 250}}
			c.Search.Samples, c.Search.Init = 1000, 30
			lanetRetrain(c, 36, 20)
		},
	},
	{
		name:  "lanet-s",
		about: "retrain a found cell: 20 cells of 36 channels, 600 epochs (the retrain section counts)",
		apply: func(c *Config) { lanetBase(c); lanetRetrain(c, 36, 20) },
	},
	{
		name:  "lanet-l",
		about: "retrain a found cell: 24 cells of 128 channels, 600 epochs (the retrain section counts)",
		apply: func(c *Config) { lanetBase(c); lanetRetrain(c, 128, 24) },
	},
	{
		name:   "micro",
		about:  "every stage in seconds; for tests",
		hidden: true,
		apply:  micro,
	},
	{
		name:   "slow",
		about:  "micro whose supernet is never done; for tests",
		hidden: true,
		apply:  func(c *Config) { micro(c); c.Train.Steps = 100000 },
	},
}

func micro(c *Config) {
	c.Data = data.Default("shapes10")
	c.Data.TrainSize = 160
	c.Data.TestSize = 40
	c.Data.SearchSize = 40
	c.Net = Net{Named: space.Named{Ops: "lanas", Nodes: 2}, Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Affine: true}
	c.Train.Steps, c.Train.Batch = 12, 8
	c.Score = Score{ScoreConfig: supernet.ScoreConfig{RecalImages: 16, RecalBatch: 8, Batch: 20}}
	c.Search.Samples, c.Search.Init = 8, 4
	c.Retrain.Layers, c.Retrain.Channels, c.Retrain.StemMultiplier = 3, 4, 1
	c.Retrain.Steps, c.Retrain.Batch = 12, 8
	c.Run.CheckpointSteps = 5
}

func lanetBase(c *Config) {
	c.Data = data.Default("cifar10")
	c.Data.Dir = "cifar-10-batches-bin"
	c.Data.SearchSize = 5000
}

// lanetRetrain is the CIFAR-10 training of the paper's found networks: 600
// epochs, batch 96, cosine from 0.025 to 0, weight decay 3e-4, clip 5, cutout
// 16, auxiliary head 0.4, drop path 0.2 (arXiv 1906.06832, and the release's
// LaNet training, which follow NASNet and DARTS). Label smoothing 0.1 and the
// averaged weights were chosen by us; the release also uses CutMix, which
// oneshot does not have.
func lanetRetrain(c *Config, channels, layers int) {
	s := Default().Retrain.SGD
	s.Epochs, s.Batch, s.LR, s.MinLR, s.Momentum, s.WeightDecay = 600, 96, 0.025, 0, 0.9, 3e-4
	s.Clip, s.Smoothing, s.Crop, s.Flip, s.Cutout = 5, 0.1, 4, true, 16
	c.Retrain = Retrain{
		SGD:      s,
		Geometry: net.Geometry{Layers: layers, Channels: channels, StemMultiplier: 3},
		Scratch:  supernet.Scratch{Aux: 0.4, DropPath: 0.2, EMA: 0.9999}, AllImages: true,
	}
}

// FromPreset returns Default with the named preset applied; "" is Default.
func FromPreset(name string) (Config, error) {
	c := Default()
	if name == "" {
		return c, nil
	}
	i := slices.IndexFunc(presets, func(p preset) bool { return p.name == name })
	if i < 0 {
		return c, fault.Usage("presets: "+strings.Join(PresetNames(), ", "),
			"unknown preset %q%s", name, fault.DidYouMean(name, PresetNames()))
	}
	presets[i].apply(&c)
	c.Preset = name
	return c, nil
}

// PresetNames are the presets that are listed.
func PresetNames() []string {
	var names []string
	for _, p := range presets {
		if !p.hidden {
			names = append(names, p.name)
		}
	}
	return names
}

// PresetHelp lists the presets with what they are for, a line each.
func PresetHelp() string {
	var b strings.Builder
	for _, p := range presets {
		if !p.hidden {
			b.WriteString("  " + p.name + strings.Repeat(" ", max(1, 16-len(p.name))) + p.about + "\n")
		}
	}
	return b.String()
}
