package main

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"oneshot/data/pixels"
	"oneshot/internal/config"
	"oneshot/lanas"
	"oneshot/supernet/space"
)

// options is the command line. Flags that stand for a configuration key are
// kept as text and applied last, so they override files and presets.
type options struct {
	config, preset, out  string
	resume, override     bool
	json, quiet, verbose bool
	dryRun               bool
	arch                 string
	sets                 []string
	keys                 []keyFlag // in the order of their declaration
	drawnSeed            uint64
	memoryLimit          config.Bytes
	fitMAdds             config.Count
}

// keyFlag is a flag that sets a configuration key.
type keyFlag struct {
	flag *pflag.Flag
	key  string
}

// textValue is a flag whose value is checked later, when it is applied.
type textValue struct {
	text *string
	kind string
}

func (v textValue) String() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}
func (v textValue) Set(s string) error { *v.text = s; return nil }
func (v textValue) Type() string       { return v.kind }

// keyFlag declares --name as another spelling of --set key=value.
func (o *options) keyFlag(fs *pflag.FlagSet, name, short, key, kind, usage string) {
	f := fs.VarPF(textValue{new(string), kind}, name, short, usage)
	o.keys = append(o.keys, keyFlag{f, key})
}

// keysOf are the keys that a flag of this name sets, in one verb or another.
func (o *options) keysOf(name string) (keys []string) {
	for _, k := range o.keys {
		if k.flag.Name == name && !slices.Contains(keys, k.key) {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// bind declares the flags every verb has.
func (o *options) bind(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.BoolVar(&o.json, "json", false, "print one JSON object on stdout")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, only warnings and results")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "say more")
}

// bindConfig declares the flags of a verb, and of those below it, that asks for a configuration.
func (o *options) bindConfig(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.StringVarP(&o.config, "config", "c", "", "YAML `file` with settings; flags override it")
	fs.StringVar(&o.preset, "preset", "", "start from a recipe: "+strings.Join(config.PresetNames(), ", "))
	fs.StringArrayVar(&o.sets, "set", nil, "set a configuration key, as in --set train.lr=0.05 (repeatable)")
	o.keyFlag(fs, "seed", "", "seed", "number", "seed of everything random, or 'random' (default 42)")
	o.keyFlag(fs, "space", "", "net.space", "name", "what networks are made of: "+strings.Join(kindNames(), ", ")+", or a file NAME.yaml with a space of one's own (default cell)")
	o.keyFlag(fs, "dataset", "", "data.name", "name", "shapes10, cifar10, cifar100 or a format of files (default auto with --data-dir, else shapes10)")
	o.keyFlag(fs, "data-dir", "", "data.dir", "folder", "images: class folders, parquet, tar shards, CIFAR, MNIST, ImageNet's tars")
	o.keyFlag(fs, "img-size", "", "data.image", "number", "side in pixels of the images that a network sees (default chosen from the images)")
	o.keyFlag(fs, "crop-pct", "", "data.crop_pct", "number", "part of the shorter side that is cut out of the centre for scoring and tests")
	o.keyFlag(fs, "cache", "", "run.cache", "folder", "where the lists of records of large data sets are kept (default the run folder)")
	o.keyFlag(fs, "on-bad-sample", "", "data.on_bad_sample", "policy", "error, or skip:N to leave out up to N images that cannot be decoded (default error)")
	o.keyFlag(fs, "decoder", "", "data.decoder", "name", "of JPEG files: turbo (libturbojpeg), go or auto (default auto)")
	o.keyFlag(fs, "device", "", "run.device", "name", "auto, cpu or cuda (default auto)")
	o.keyFlag(fs, "amp", "", "run.amp", "name", "activations on a GPU: auto, bf16 or float32 (default auto: bf16)")
	o.keyFlag(fs, "threads", "", "run.threads", "number", "threads for computing (default all processors)")
	o.keyFlag(fs, "workers", "j", "run.workers", "number", "goroutines that prepare batches (default 2)")
}

// bindRun declares the flags of the verbs that begin runs in a folder.
func (o *options) bindRun(cmd *cobra.Command) {
	o.bindStage(cmd)
	fs := cmd.Flags()
	fs.Lookup("out").Usage = "run `folder` (default runs/<time>-<preset>)"
	fs.Lookup("resume").Usage = "continue what the folder --out has; starts anew if it is empty"
}

// bindStage declares those of the verbs that go on with what a folder has.
func (o *options) bindStage(cmd *cobra.Command) {
	o.bindFolder(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "print the resolved configuration, say what would be done and how long it takes, and stop")
}

// bindFolder declares those of a verb that computes nothing but what was stopped.
func (o *options) bindFolder(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&o.out, "out", "o", "", "run `folder`")
	fs.BoolVar(&o.resume, "resume", false, "continue what the folder has, as this verb does anyway")
	fs.BoolVar(&o.override, "override", false, "accept changed settings; what they decide goes on with them or is done anew, and what that replaces is kept until it is complete")
}

// bindMemory declares the flag of the verbs that train.
func (o *options) bindMemory(cmd *cobra.Command) {
	cmd.Flags().Var(&o.memoryLimit, "memory-limit", "most memory for a training, such as 2GiB or 800MB; fewer images at a time keep to it")
}

// bindRoom declares it for the verbs that use an exported network.
func (o *options) bindRoom(cmd *cobra.Command) {
	cmd.Flags().Var(&o.memoryLimit, "memory-limit", "most memory, such as 2GiB or 800MB; fewer images at a time keep to it (default what is free)")
}

// bindSGD declares short spellings of the keys of one training.
func (o *options) bindSGD(cmd *cobra.Command, section string) {
	fs := cmd.Flags()
	o.keyFlag(fs, "epochs", "", section+".epochs", "number", "passes over the training images")
	o.keyFlag(fs, "batch-size", "b", section+".batch", "number", "images per step")
	o.keyFlag(fs, "lr", "", section+".lr", "number", "highest learning rate")
	o.keyFlag(fs, "min-lr", "", section+".min_lr", "number", "learning rate at the end")
	o.keyFlag(fs, "sched", "", section+".schedule", "name", "how the learning rate falls: cosine or linear")
	o.keyFlag(fs, "warmup-epochs", "", section+".warmup_epochs", "number", "passes over the training images in which the learning rate grows")
	o.keyFlag(fs, "weight-decay", "", section+".weight_decay", "number", "weight decay")
	o.keyFlag(fs, "clip-grad", "", section+".clip", "number", "largest gradient norm, 0 for any")
	o.keyFlag(fs, "smoothing", "", section+".smoothing", "number", "label smoothing")
	o.keyFlag(fs, "cutout", "", section+".cutout", "number", "side of the square cut out, in pixels")
	o.keyFlag(fs, "aa", "", section+".policy", "name", "distortions of shape and colour: none, "+strings.Join(pixels.PolicyNames(), ", "))
	o.keyFlag(fs, "color-jitter", "", section+".color_jitter", "number", "most that colours change, as a part of themselves")
	o.keyFlag(fs, "reprob", "", section+".erase", "number", "probability of random erasing")
	o.keyFlag(fs, "mixup", "", section+".mixup", "number", "parameter of the beta distribution of mixup, 0 for none")
	o.keyFlag(fs, "cutmix", "", section+".cutmix", "number", "parameter of the beta distribution of CutMix, 0 for none")
}

// bindRetrain declares short spellings of the keys that only the training of one network has.
func (o *options) bindRetrain(cmd *cobra.Command) {
	fs := cmd.Flags()
	o.keyFlag(fs, "drop-path", "", "retrain.drop_path", "number", "probability of dropping an operation at the last step")
	o.keyFlag(fs, "model-ema-decay", "", "retrain.ema", "number", "decay of the averaged weights that are exported, 0 for the weights themselves")
	o.keyFlag(fs, "seeds", "", "retrain.seeds", "number", "train it so many times and test each; reports mean and deviation (default 1)")
	o.keyFlag(fs, "top", "", "retrain.top", "number", "retrain so many of the search's best architectures and compare what they reach with their scores (default 1)")
	o.keyFlag(fs, "init", "", "retrain.init", "file", "start from this exported network, or from 'inherited' weights of the supernet")
	o.keyFlag(fs, "teacher", "", "retrain.teacher", "file", "learn the outputs of this exported network beside the labels")
	o.keyFlag(fs, "distill-ratio", "", "retrain.distill_ratio", "number", "weight of the teacher in the loss")
	o.keyFlag(fs, "distill-temperature", "", "retrain.distill_temperature", "number", "what outputs are divided by before they are compared")
}

// bindSearch declares short spellings of the keys of the search.
func (o *options) bindSearch(cmd *cobra.Command) {
	fs := cmd.Flags()
	o.keyFlag(fs, "samples", "n", "search.samples", "number", "subnetworks to score in all")
	o.keyFlag(fs, "algo", "", "search.algo", "name", "who proposes them: "+strings.Join(lanas.Algorithms(), ", "))
	o.keyFlag(fs, "max-params", "", "search.max_params", "count", "most parameters of the retrained network, 0 for any")
	o.keyFlag(fs, "max-madds", "", "search.max_madds", "count", "most multiply-adds of the retrained network, such as 600M; 0 for any")
	o.keyFlag(fs, "time", "", "search.time", "duration", "stop searching after this long, such as 10m")
	o.keyFlag(fs, "baselines", "", "search.baselines", "list", "algorithms to compare with at equal budget, such as random,evolution")
}

func (o *options) bindArch(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&o.arch, "arch", "", usage)
}

// kindNames are the kinds of spaces that a name alone stands for.
func kindNames() []string {
	return slices.DeleteFunc(space.Kinds(), func(k string) bool { return k == space.Own })
}

// request is what the flags say about the configuration.
func (o *options) request() config.Request {
	r := config.Request{File: o.config, Preset: o.preset, Sets: o.sets, Seed: o.randomSeed()}
	for _, k := range o.keys {
		if k.flag.Changed {
			value := k.flag.Value.String()
			if k.key == "net.space" && value == "nasnet" {
				value = space.Cell // as bench has called it
			}
			r.Flags = append(r.Flags, config.Flag{Name: k.flag.Name, Key: k.key, Kind: k.flag.Value.Type(), Value: value})
		}
	}
	return r
}

// resolve is the configuration asked for, without a run folder.
func (o *options) resolve(defaultPreset string) (config.Config, error) {
	return o.request().Resolve(nil, defaultPreset)
}

// randomSeed draws a seed, once per process.
func (o *options) randomSeed() uint64 {
	if o.drawnSeed == 0 {
		var b [4]byte
		rand.Read(b[:]) // never fails, by its documentation
		o.drawnSeed = uint64(binary.LittleEndian.Uint32(b[:]))
	}
	return o.drawnSeed
}
