package main

import (
	"crypto/rand"
	"encoding/binary"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"oneshot/data"
	"oneshot/lanas"
)

// options is the command line. Flags that stand for a configuration key are
// kept as text and applied last, so they override files and presets.
type options struct {
	config, preset, out  string
	resume, override     bool
	json, quiet, verbose bool
	dryRun               bool
	arch, weights, split string
	sets                 []string
	keys                 []keyFlag // in the order of their declaration
	drawnSeed            string
	memoryLimit          memorySize
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

// bind declares the flags every verb has.
func (o *options) bind(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.BoolVar(&o.json, "json", false, "print one JSON object on stdout")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, only warnings and results")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "say more")
	fs.StringVarP(&o.config, "config", "c", "", "YAML `file` with settings; flags override it")
	fs.StringVar(&o.preset, "preset", "", "start from a recipe: "+strings.Join(presetNames(), ", "))
	fs.StringArrayVar(&o.sets, "set", nil, "set a configuration key, as in --set train.lr=0.05 (repeatable)")
	o.keyFlag(fs, "seed", "", "seed", "number", "seed of everything random, or 'random' (default 42)")
	o.keyFlag(fs, "dataset", "", "data.name", "name", "shapes10, cifar10 or cifar100")
	o.keyFlag(fs, "data-dir", "", "data.dir", "folder", "folder with the files of the data set")
	o.keyFlag(fs, "device", "", "run.device", "name", "auto, cpu or cuda (default auto)")
	o.keyFlag(fs, "amp", "", "run.amp", "name", "activations on a GPU: auto, bf16 or float32 (default auto: bf16)")
	o.keyFlag(fs, "threads", "", "run.threads", "number", "threads for computing (default all processors)")
	o.keyFlag(fs, "workers", "j", "run.workers", "number", "goroutines that prepare batches (default 2)")
}

// bindRun declares the flags of the verbs that work in a run folder.
func (o *options) bindRun(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&o.out, "out", "o", "", "run `folder` (default runs/<time>-<preset>)")
	fs.BoolVar(&o.resume, "resume", false, "continue what the folder has; starts anew if it is empty")
	fs.BoolVar(&o.override, "override", false, "continue although the configuration has changed")
	fs.BoolVar(&o.dryRun, "dry-run", false, "print the resolved configuration and stop")
}

// bindMemory declares the flag of the verbs that train.
func (o *options) bindMemory(cmd *cobra.Command) {
	cmd.Flags().Var(&o.memoryLimit, "memory-limit", "most memory for a training, such as 2GiB or 800MB; fewer images at a time keep to it")
}

// bindSGD declares short spellings of the keys of one training.
func (o *options) bindSGD(cmd *cobra.Command, section string) {
	fs := cmd.Flags()
	o.keyFlag(fs, "epochs", "", section+".epochs", "number", "passes over the training images")
	o.keyFlag(fs, "batch-size", "b", section+".batch", "number", "images per step")
	o.keyFlag(fs, "lr", "", section+".lr", "number", "learning rate at the start")
	o.keyFlag(fs, "min-lr", "", section+".min_lr", "number", "learning rate at the end")
	o.keyFlag(fs, "weight-decay", "", section+".weight_decay", "number", "weight decay")
	o.keyFlag(fs, "clip-grad", "", section+".clip", "number", "largest gradient norm, 0 for any")
	o.keyFlag(fs, "smoothing", "", section+".smoothing", "number", "label smoothing")
	o.keyFlag(fs, "cutout", "", section+".cutout", "number", "side of the square cut out, in pixels")
}

// bindSearch declares short spellings of the keys of the search.
func (o *options) bindSearch(cmd *cobra.Command) {
	fs := cmd.Flags()
	o.keyFlag(fs, "samples", "n", "search.samples", "number", "subnetworks to score in all")
	o.keyFlag(fs, "algo", "", "search.algo", "name", "who proposes them: "+strings.Join(lanas.Algorithms(), ", "))
	o.keyFlag(fs, "max-params", "", "search.max_params", "number", "most parameters of the retrained network, 0 for any")
	o.keyFlag(fs, "max-madds", "", "search.max_madds", "number", "most multiply-adds of the retrained network, 0 for any")
	o.keyFlag(fs, "time", "", "search.time", "duration", "stop searching after this long, such as 10m")
	o.keyFlag(fs, "baselines", "", "search.baselines", "list", "algorithms to compare with at equal budget, such as random,evolution")
}

func (o *options) bindArch(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&o.arch, "arch", "", usage)
}

// resolve returns the configuration asked for. Later wins: defaults, preset,
// the configuration file (or the stored one of the folder, when neither is
// named), --set, flags.
func (o *options) resolve(stored *Config, defaultPreset string) (Config, error) {
	c, err := o.base(stored, defaultPreset)
	if err != nil {
		return c, err
	}
	name := c.Data.Name
	for _, k := range o.keys {
		if k.key != "data.name" || !k.flag.Changed {
			continue
		}
		if c.Data.Name = k.flag.Value.String(); c.Data.Name != name {
			// Sizes chosen for one data set mean nothing for another.
			c.Data.TrainSize, c.Data.TestSize, c.Data.SearchSize = 0, 0, 0
		}
	}
	if stored != nil && o.config == "" && stored.Data.Name == c.Data.Name {
		c.Data.Dir = stored.Data.Dir // a preset's is relative to where that command ran
	}
	for _, s := range o.sets {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return c, usageError("", "--set %q: want key=value", s)
		}
		if err := c.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return c, err
		}
	}
	for _, k := range o.keys {
		if !k.flag.Changed {
			continue
		}
		value := k.flag.Value.String()
		if k.key == "seed" && value == "random" {
			value = o.randomSeed(stored)
		}
		if err := c.set(k.key, value); err != nil {
			hint := ""
			if k.flag.Value.Type() == "duration" {
				hint = "such as 90s, 10m or 1h30m"
			}
			return c, usageError(hint, "--%s %q: want a %s", k.flag.Name, value, k.flag.Value.Type())
		}
	}
	if stored != nil {
		o.keepMicroBatch(&c.Train.SGDConfig, stored.Train.SGDConfig, "train.micro_batch")
		o.keepMicroBatch(&c.Retrain.SGDConfig, stored.Retrain.SGDConfig, "retrain.micro_batch")
	}
	return c, o.finish(&c)
}

// keepMicroBatch leaves what --memory-limit chose for the stored run, unless
// another one is asked for. It means nothing for another batch.
func (o *options) keepMicroBatch(c *SGDConfig, stored SGDConfig, key string) {
	for _, s := range o.sets {
		if k, _, _ := strings.Cut(s, "="); strings.ReplaceAll(strings.TrimSpace(k), "-", "_") == key {
			return
		}
	}
	switch {
	case c.Batch == stored.Batch && c.MicroBatch == 0:
		c.MicroBatch = stored.MicroBatch
	case c.Batch != stored.Batch && o.config == "":
		c.MicroBatch = 0
	}
}

func (o *options) base(stored *Config, defaultPreset string) (Config, error) {
	preset := func(inFile string) (Config, error) {
		switch {
		case o.preset != "":
			return fromPreset(o.preset)
		case inFile != "" || o.config != "":
			return fromPreset(inFile)
		}
		return fromPreset(defaultPreset)
	}
	switch {
	case o.config != "":
		return loadConfig(o.config, preset)
	case stored != nil && o.preset == "":
		return *stored, nil
	}
	return preset("")
}

// finish fills in what depends on other values and checks the whole.
func (o *options) finish(c *Config) error {
	if err := c.Check(); err != nil {
		return &exitError{exitUsage, err, ""}
	}
	d := data.Default(c.Data.Name)
	fill := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	fill(&c.Data.TrainSize, d.TrainSize)
	fill(&c.Data.TestSize, d.TestSize)
	fill(&c.Data.SearchSize, d.SearchSize)
	if c.Data.Dir != "" {
		abs, err := filepath.Abs(c.Data.Dir)
		if err != nil {
			return err
		}
		c.Data.Dir = abs
	}
	return nil
}

// randomSeed draws a seed, once per process; a run that is continued keeps its own.
func (o *options) randomSeed(stored *Config) string {
	if stored != nil {
		return strconv.FormatUint(stored.Seed, 10)
	}
	if o.drawnSeed == "" {
		var b [8]byte
		rand.Read(b[:]) // never fails, by its documentation
		o.drawnSeed = strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[:4])), 10)
	}
	return o.drawnSeed
}
