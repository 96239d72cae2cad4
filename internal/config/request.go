package config

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/internal/setting"
	"oneshot/supernet/space"
)

// Request is what a command line says about the configuration.
type Request struct {
	File   string   // a YAML file; "" is none
	Preset string   // "" is none
	Sets   []string // "key=value", in order
	Flags  []Flag   // after Sets, in order
	Seed   uint64   // what the value "random" of the key seed stands for
}

// Flag is a flag that was given for a key.
type Flag struct {
	Name  string // without dashes
	Key   string
	Kind  string // what it wants, in a word: number, count, name, folder, duration, list
	Value string
}

// Resolve returns the configuration asked for. Later wins: defaults, preset,
// the configuration file (or the stored one of a run folder, when neither is
// named), Sets, Flags. stored is nil without a folder; defaultPreset is for a
// request that names neither.
func (r Request) Resolve(stored *Config, defaultPreset string) (Config, error) {
	c, err := r.base(stored, defaultPreset)
	if err != nil {
		return c, err
	}
	name := c.Data.Name
	for _, f := range r.Flags {
		if f.Key != "data.name" {
			continue
		}
		// Sizes chosen for one data set mean nothing for another. A format of files is only said
		// more precisely than by auto.
		precise := name == data.Auto && !data.Drawn(f.Value) && !data.Official(f.Value)
		if c.Data.Name = f.Value; c.Data.Name != name && !precise {
			c.Data.TrainSize, c.Data.TestSize, c.Data.SearchSize = 0, 0, 0
			c.Data.Image, c.Data.CropPct = 0, 0
		}
	}
	if r.Gives("data.dir") && data.Drawn(c.Data.Name) {
		switch asked := r.value("data.name"); {
		case asked == "":
			c.Data = data.Default(data.Auto)
		case data.Drawn(asked):
			return c, fault.Usage("leave out one of them; --dataset "+data.Auto+" looks what the folder holds", "data.name = %s are drawn, so no images of data.dir would be used", asked)
		}
	}
	if value := r.value(spaceKey); r.Gives(spaceKey) && c.changesSpace(value, r.value("net.blocks")) {
		if err := c.useSpace(value, r.value("net.blocks")); err != nil {
			return c, err
		}
	}
	if stored != nil && r.File == "" && stored.Data.Name == c.Data.Name {
		c.Data.Dir = stored.Data.Dir // a preset's is relative to where that command ran
	}
	for _, s := range r.Sets {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return c, fault.Usage("", "--set %q: want key=value", s)
		}
		if setKey(key) == spaceKey || setKey(key) == "net.blocks" && r.value(spaceKey) == space.Own {
			continue // they came first
		}
		if err := c.Set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return c, err
		}
	}
	for _, f := range r.Flags {
		value := f.Value
		if f.Key == spaceKey {
			continue
		}
		if f.Key == "seed" && value == "random" {
			value = r.randomSeed(stored)
		}
		if err := c.Set(f.Key, value); err != nil {
			return c, fault.Usage(hints[f.Kind], "--%s %q: want %s", f.Name, value, f.wants())
		}
	}
	if stored != nil {
		r.keepMicroBatch(&c.Train.SGD, stored.Train.SGD, "train.micro_batch")
		r.keepMicroBatch(&c.Retrain.SGD, stored.Retrain.SGD, "retrain.micro_batch")
	}
	return c, finish(&c)
}

// hints say how values are written that are no plain numbers.
var hints = map[string]string{"duration": durationForms, "count": countForms}

// wants is what a flag's value looks like.
func (f Flag) wants() string {
	for _, s := range setting.Fields(new(Config)) {
		if s.Key == f.Key && isNumber(s.Value) && hints[f.Kind] == "" {
			return kindOf(s.Value)
		}
	}
	return "a " + f.Kind
}

// given is the source of a value that the preset does not have.
const given = "as asked for"

// Recipe is the configuration asked for with the sources of its values: those of the preset that it starts
// from, and given where the request gives another value.
func (r Request) Recipe(defaultPreset string) (Recipe, error) {
	c, err := r.Resolve(nil, defaultPreset)
	if err != nil {
		return Recipe{}, err
	}
	recipe := Recipe{Config: Default(), Sources: map[string]string{}}
	if c.Preset != "" {
		if recipe, err = OpenRecipe(c.Preset); err != nil {
			return Recipe{}, err
		}
	}
	preset := recipe.Config
	if err := finish(&preset); err != nil {
		return Recipe{}, err
	}
	theirs := setting.Fields(&preset)
	for i, f := range setting.Fields(&c) {
		if f.Value.Interface() != theirs[i].Value.Interface() {
			recipe.Sources[f.Key] = given
		}
	}
	recipe.Config = c
	return recipe, nil
}

// value is what the command line gives a key, "" where it gives none.
func (r Request) value(key string) (value string) {
	for _, s := range r.Sets {
		if k, v, _ := strings.Cut(s, "="); setKey(k) == key {
			value = strings.TrimSpace(v)
		}
	}
	for _, f := range r.Flags {
		if f.Key == key {
			value = f.Value
		}
	}
	return value
}

// setKey is the key that --set names.
func setKey(name string) string { return strings.ReplaceAll(strings.TrimSpace(name), "-", "_") }

// keepMicroBatch leaves what --memory-limit chose for the stored run, unless
// another one is asked for. It means nothing for another batch.
func (r Request) keepMicroBatch(c *SGD, stored SGD, key string) {
	if r.Gives(key) {
		return
	}
	switch {
	case c.Batch == stored.Batch && c.MicroBatch == 0:
		c.MicroBatch = stored.MicroBatch
	case c.Batch != stored.Batch && r.File == "":
		c.MicroBatch = 0
	}
}

// Gives tells whether the command line gives a key a value.
func (r Request) Gives(key string) bool {
	for _, s := range r.Sets {
		if k, _, _ := strings.Cut(s, "="); setKey(k) == key {
			return true
		}
	}
	return slices.ContainsFunc(r.Flags, func(f Flag) bool { return f.Key == key })
}

// ownImages is the recipe for images of one's own, where none is named.
const ownImages = "folder-small"

func (r Request) base(stored *Config, defaultPreset string) (Config, error) {
	if name := r.value("data.name"); r.Gives("data.dir") && defaultPreset != "" && !data.Drawn(name) && !data.Official(name) {
		defaultPreset = ownImages
	}
	preset := func(inFile string) (Config, error) {
		switch {
		case r.Preset != "":
			return FromPreset(r.Preset)
		case inFile != "" || r.File != "":
			return FromPreset(inFile)
		}
		return FromPreset(defaultPreset)
	}
	switch {
	case r.File != "":
		return Load(r.File, preset)
	case stored != nil && r.Preset == "":
		return *stored, nil
	}
	return preset("")
}

// randomSeed is the request's; a run that is continued keeps its own.
func (r Request) randomSeed(stored *Config) string {
	if stored != nil {
		return strconv.FormatUint(stored.Seed, 10)
	}
	return strconv.FormatUint(r.Seed, 10)
}

// finish checks the whole and fills in what depends on other values.
func finish(c *Config) error {
	if err := c.Check(); err != nil {
		return fault.Wrap(fault.ExitUsage, err, "")
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
	paths := c.paths()
	if c.Run.Cache != "" {
		paths = append(paths, &c.Run.Cache)
	}
	for _, path := range paths {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = abs
	}
	return nil
}
