package config

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/setting"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Config is everything that decides what a run computes, and a section Run that
// only decides how. It is read from YAML with the key names of the tags, stored
// resolved as config.yaml in the run folder, and compared on --resume.
//
// A setting is declared once, in the package that uses its value, with its default and
// its range; see package setting. What only a run decides is declared here.
// docs/settings.md lists all of them.
type Config struct {
	// Preset may be named by a YAML file, which then starts from another one than Default.
	Preset string `yaml:"preset" json:"preset" doc:"the recipe that the values started from; see oneshot recipe"`
	// Seed: 0 is a seed like any other.
	Seed    uint64  `yaml:"seed" json:"seed" default:"42" doc:"feeds every random stream: initial weights, paths, data order, augmentation, search"`
	Data    Data    `yaml:"data" json:"data"`
	Net     Net     `yaml:"net" json:"net"`
	Train   Train   `yaml:"train" json:"train"`
	Score   Score   `yaml:"score" json:"score"`
	Search  Search  `yaml:"search" json:"search"`
	Retrain Retrain `yaml:"retrain" json:"retrain"`
	Run     Run     `yaml:"run" json:"run"`
}

// Rules implements setting.Ruled: a warm-up is no longer than the training, where its length
// is known before the images are.
func (c Config) Rules() (rules []setting.Rule) {
	for section, s := range map[string]SGD{"train": c.Train.SGD, "retrain": c.Retrain.SGD} {
		rules = append(rules, setting.Rule{Name: section + ".warmup_steps", OK: s.Steps == 0 || s.WarmupSteps <= s.Steps,
			Want: fmt.Sprintf("at most @steps = %d", s.Steps)})
	}
	return rules
}

// Data names the images and how they are split. Its Seed is not set; Config's is meant.
type Data = data.Config

// SGD is descent along a schedule; both trainings have it.
type SGD = supernet.Training

// Net is the search space and the supernet over it.
type Net struct {
	space.Named  `yaml:",inline"`
	net.Geometry `yaml:",inline"`
	Affine       bool `yaml:"affine" json:"affine" default:"true" doc:"batch normalisation inside the supernet's cells has a learnt scale and shift"`
}

// Train trains the supernet, path by path.
type Train struct {
	SGD               `yaml:",inline"`
	supernet.Sampling `yaml:",inline"`
}

// Score scores a subnetwork with the weights it inherits.
type Score struct {
	// Images: class by class in proportion. The best are scored again on all (Search.Top).
	Images               int `yaml:"images" json:"images" want:"0.." doc:"search images of a score, the same ones for every subnetwork; 0 is all"`
	supernet.ScoreConfig `yaml:",inline"`
}

// Search is the search of the supernet.
type Search struct {
	lanas.Settings `yaml:",inline"`
	Top            int   `yaml:"top" json:"top" default:"5" want:"0..1000" doc:"how many of the best are scored again, on all search images and with more images for batch normalisation, before the best of them is chosen; 0 is none"`
	MaxParams      Count `yaml:"max_params" json:"max_params" want:"0 or more" doc:"most trainable values of the retrained network; no other subnetwork is proposed; 0 is any"`
	MaxMAdds       Count `yaml:"max_madds" json:"max_madds" want:"0 or more" doc:"most multiply-adds of the retrained network for one image; no other subnetwork is proposed; 0 is any"`
	// Time counts over all processes that worked on the search. What a search with a
	// limit finds depends on the machine's speed.
	Time      Duration `yaml:"time" json:"time" want:"0 or more" doc:"time, such as 10m, after which no further subnetwork is proposed; 0 is no limit"`
	Baselines string   `yaml:"baselines" json:"baselines" doc:"algorithms, separated by commas, that get the same number of samples on the same supernet after the search, for comparison"`
}

// Rules implements setting.Ruled.
func (s Search) Rules() (rules []setting.Rule) {
	known, seen := lanas.Algorithms(), []string{s.Algo}
	for _, name := range s.BaselineNames() {
		rules = append(rules,
			setting.Rule{Name: "baselines", Value: name, OK: slices.Contains(known, name), Want: "one of " + strings.Join(known, ", "), Among: known},
			setting.Rule{Name: "baselines", OK: !slices.Contains(seen, name),
				Fact: fmt.Sprintf("@baselines = %q: %s is there twice, or is @algo itself", s.Baselines, name)})
		seen = append(seen, name)
	}
	return rules
}

// BaselineNames are the names of the list.
func (s Search) BaselineNames() []string {
	var names []string
	for name := range strings.SplitSeq(s.Baselines, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Inherited is the value of retrain.init that means the supernet's weights. A file of that name
// is ./inherited.
const Inherited = "inherited"

// Retrain trains the winner from scratch, at its own width and depth.
type Retrain struct {
	SGD              `yaml:",inline"`
	net.Geometry     `yaml:",inline"`
	supernet.Scratch `yaml:",inline"`
	AllImages        bool   `yaml:"all_images" json:"all_images" doc:"train on the search images too; their accuracy says nothing then, so result.json has null for search_top1"`
	Seeds            int    `yaml:"seeds" json:"seeds" default:"1" want:"1..100" doc:"how many times it is trained, with seeds that count up from seed; the report has mean and deviation"`
	Top              int    `yaml:"top" json:"top" default:"1" want:"1..100" doc:"how many of the best architectures of the search are retrained, to compare their scores with what they reach; the first is exported"`
	Init             string `yaml:"init" json:"init" doc:"what its weights start from: an exported file, inherited (the supernet's), or nothing for random ones"`
	InitSHA256       string `yaml:"init_sha256" json:"init_sha256" doc:"checksum of that file, filled in when the run begins"`
	Teacher          string `yaml:"teacher" json:"teacher" doc:"an exported file whose outputs are learnt beside the labels; see distill_ratio"`
	TeacherSHA256    string `yaml:"teacher_sha256" json:"teacher_sha256" doc:"checksum of that file, filled in when the run begins"`
}

// Trainings is how many retrainings there are at most, of the architectures that a search scores.
func (c Config) Trainings() int {
	return max(1, c.Retrain.Seeds) * min(max(1, c.Retrain.Top), max(1, c.Search.Samples))
}

// Run decides how the work is done: it may differ between a run and its
// continuation. On one device it never decides what comes out; a processor and a
// GPU round differently.
type Run struct {
	Device          string `yaml:"device" json:"device" default:"auto" want:"auto|cpu|cuda" doc:"what computes; auto is an NVIDIA GPU where there is one"`
	AMP             string `yaml:"amp" json:"amp" default:"auto" want:"auto|bf16|float32" doc:"type of activations on a GPU; auto is bf16"`
	Threads         int    `yaml:"threads" json:"threads" want:"0..1024" doc:"threads that compute; 0 is all processors"`
	Workers         int    `yaml:"workers" json:"workers" default:"2" want:"1..256" doc:"goroutines that prepare batches ahead"`
	CheckpointSteps int    `yaml:"checkpoint_steps" json:"checkpoint_steps" default:"200" want:"1.." doc:"steps between checkpoints"`
	CheckpointKeep  int    `yaml:"checkpoint_keep" json:"checkpoint_keep" default:"2" want:"1..1000" doc:"how many checkpoints stay on disk"`
	Cache           string `yaml:"cache" json:"cache" doc:"folder for the lists of files and of members of tars, which are made once; empty is the run folder"`
	LogSeconds      int    `yaml:"log_seconds" json:"log_seconds" default:"10" want:"1..3600" doc:"seconds between progress lines where there is no terminal"`
}

// Default is the configuration every preset starts from.
func Default() Config { return setting.Default[Config]() }
